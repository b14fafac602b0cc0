"""Fusion: many modalities in, one result out. The three dicts at the end are the table of contents."""

from mmlab.fusion.base import Fusion, TokenFusion
from mmlab.fusion.concat import ConcatLinearFusion, ConcatMLPFusion
from mmlab.fusion.cross import CoAttentionFusion, CrossAttentionFusion, Streams
from mmlab.fusion.elementwise import AttentionSumFusion, MaxFusion, MeanFusion, SumFusion, WeightedSumFusion
from mmlab.fusion.gated import FiLMFusion, GatedFusion
from mmlab.fusion.joined import PerceiverResampler, SingleStreamFusion
from mmlab.fusion.late import LateFusion
from mmlab.fusion.missing import MissingEmbedding, ModalityDropout, drop_modalities
from mmlab.fusion.multiplicative import BilinearFusion, HadamardFusion, LowRankFusion, TensorFusion

__all__ = [
    "FUSIONS",
    "FUSION_PARTS",
    "TOKEN_FUSIONS",
    "AttentionSumFusion",
    "BilinearFusion",
    "CoAttentionFusion",
    "ConcatLinearFusion",
    "ConcatMLPFusion",
    "CrossAttentionFusion",
    "FiLMFusion",
    "Fusion",
    "GatedFusion",
    "HadamardFusion",
    "LateFusion",
    "LowRankFusion",
    "MaxFusion",
    "MeanFusion",
    "MissingEmbedding",
    "ModalityDropout",
    "PerceiverResampler",
    "SingleStreamFusion",
    "Streams",
    "SumFusion",
    "TensorFusion",
    "TokenFusion",
    "WeightedSumFusion",
    "drop_modalities",
]

# Vector operators: FUSIONS[name](dims, out=...) builds each of them; knobs have the papers' values.
FUSIONS = {
    "sum": SumFusion,
    "weighted_sum": WeightedSumFusion,
    "mean": MeanFusion,
    "max": MaxFusion,
    "attention_sum": AttentionSumFusion,
    "concat_linear": ConcatLinearFusion,
    "concat_mlp": ConcatMLPFusion,
    "gated": GatedFusion,
    "film": FiLMFusion,
    "hadamard": HadamardFusion,
    "bilinear": BilinearFusion,
    "tensor": TensorFusion,
    "low_rank": LowRankFusion,
    "late": LateFusion,
}

# What goes around a vector operator, and is one again: FUSION_PARTS[name](fusion, ...).
FUSION_PARTS = {
    "missing_embedding": MissingEmbedding,
    "modality_dropout": ModalityDropout,
}

# Token operators: Tokens in, Tokens (or Streams) out.
TOKEN_FUSIONS = {
    "cross_attention": CrossAttentionFusion,
    "co_attention": CoAttentionFusion,
    "single_stream": SingleStreamFusion,
    "perceiver_resampler": PerceiverResampler,
}
