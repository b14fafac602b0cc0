"""The members that the contract runs over: every operator of both lists, and the parts that go around an operator."""

import torch
from torch import Tensor

from mmlab.fusion import FUSIONS, TOKEN_FUSIONS, ConcatMLPFusion, MeanFusion, MissingEmbedding, ModalityDropout
from mmlab.fusion.elementwise import ElementwiseFusion
from mmlab.types import Tokens
from tests.contract.promises import Case, Inputs

ROWS = 4
SAME = 16  # wide enough that in each row each modality has the largest of some feature
WIDTHS = {"text": 5, "image": 7, "audio": 6}
GAPS = torch.tensor([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.bool)  # each modality is missing once
TOKEN_SIZES = {
    "cross_attention": {"heads": 2},
    "co_attention": {"heads": 2},
    "single_stream": {"out": 8, "heads": 2, "depth": 2},
    "perceiver_resampler": {"out": 8, "heads": 2, "depth": 2, "latents": 3},
}
TOKEN_WIDTHS = {
    "cross_attention": {"query": 6, "context": 4},
    "co_attention": {"text": 6, "audio": 8},
    "single_stream": WIDTHS,
    "perceiver_resampler": WIDTHS,
}


def pooled(dims: dict[str, int], seed: int) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(ROWS, dim, generator=generator, dtype=torch.float64) for name, dim in dims.items()}


def pooled_with_gaps(dims: dict[str, int], seed: int) -> Inputs:
    return {**pooled(dims, seed), "present": GAPS}


def sequences(dims: dict[str, int], seed: int) -> Inputs:
    """Rows of different lengths, a full one among them; each input has a length of its own."""
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for extra, (name, dim) in enumerate(sorted(dims.items())):
        seq = 3 + extra
        lengths = torch.tensor([seq, 1, 2, seq - 1])
        mask = torch.arange(seq) < lengths[:, None]
        out[name] = Tokens(torch.randn(ROWS, seq, dim, generator=generator, dtype=torch.float64), mask)
    return out


def widths(name: str, names: tuple[str, ...] = ("text", "image", "audio")) -> dict[str, int]:
    same = issubclass(FUSIONS[name], ElementwiseFusion)
    return {modality: SAME if same else WIDTHS[modality] for modality in names}


def vector_case(name: str, names: tuple[str, ...] = ("text", "image", "audio")) -> Case:
    dims = widths(name, names)
    out = SAME if issubclass(FUSIONS[name], ElementwiseFusion) else 4
    return Case(f"{name} of {', '.join(names)}", lambda d: FUSIONS[name](d, out=out), dims, pooled)


def wide_case(name: str) -> Case:
    """More outputs than inputs: multiplicative operators then multiply in another order."""
    dims = widths(name, ("text", "image"))
    return Case(f"{name} of text, image, wide", lambda d: FUSIONS[name](d, out=12), dims, pooled)


VECTOR_CASES = [vector_case(name) for name in FUSIONS]
VECTOR_CASES += [vector_case(name, names) for name in FUSIONS for names in (("text", "image"), ("image", "audio"))]
VECTOR_CASES += [wide_case(name) for name in ("bilinear", "tensor", "low_rank", "hadamard")]
PART_CASES = [
    Case("missing_embedding", lambda d: MissingEmbedding(ConcatMLPFusion(d, out=4)), WIDTHS, pooled_with_gaps),
    Case(
        "modality_dropout",
        lambda d: ModalityDropout(MeanFusion(d), rate=0.5),
        dict.fromkeys(WIDTHS, SAME),
        pooled,
    ),
]
TOKEN_CASES = [
    Case(name, lambda d, name=name: TOKEN_FUSIONS[name](d, **TOKEN_SIZES[name]), TOKEN_WIDTHS[name], sequences)
    for name in TOKEN_FUSIONS
]


def given(inputs: Inputs, *names: str) -> dict[str, Tensor]:
    return {name: inputs[name] for name in names}
