"""The sound encoder: log-mel spectrogram, residual convolutions, then attention over time."""

from collections.abc import Sequence

import numpy as np
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.encoders.scratch import ScratchEncoder
from mmlab.nn.block import TransformerBlock
from mmlab.nn.mel import LogMel
from mmlab.nn.positions import sinusoidal
from mmlab.nn.residual import ResidualBlock, blank
from mmlab.preprocessing import audio_tensor
from mmlab.types import Inputs, Tokens

MEL_MEAN, MEL_STD = (
    -3.0,
    4.0,
)  # of log-mel values over the training speech; fixed, so that no statistics leak between clips


class AudioEncoder(ScratchEncoder):
    """Waveform to log-mel, convolutions that shrink time and frequency, transformer blocks over what is left of time.

    Shape:   values (batch, samples) -> Tokens (batch, frames / 4, dim); pooled (batch, dim)
    Units:   16 kHz; 64 mel bins; frames of 32 ms every 16 ms, so one token per 64 ms
    Cost:    convolutions O(batch * frames * mels * widths^2), attention O(batch * layers * (frames / 4)^2 * dim)
    Source:  front end as in AST, Gong et al. 2021, arXiv:2104.01778; convolutions before attention as in Whisper,
             Radford et al. 2022, arXiv:2212.04356
    Parity:  tests/contract/test_encoders.py; the front end in tests/parity/test_mel.py
    """

    def __init__(self, dim: int, *, widths: Sequence[int], layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__(modality="audio", dim=dim)
        self.config = {"dim": dim, "widths": list(widths), "layers": layers, "heads": heads, "dropout": dropout}
        self.mel = LogMel()
        stem, *stages = widths
        self.stem = nn.Sequential(
            nn.Conv2d(1, stem, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(stem), nn.ReLU()
        )
        strides = [(2, 2)] + [(2, 1)] * (len(stages) - 1)
        self.stages = nn.ModuleList(
            ResidualBlock(channels, out=width, stride=stride)
            for channels, width, stride in zip([stem, *stages], stages, strides, strict=False)
        )
        height = len(self.mel.bank) // 4 // 2 ** (len(stages) - 1)
        self.project = nn.Linear(stages[-1] * height, dim)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads=heads, dropout=dropout) for _ in range(layers))
        for (
            block
        ) in self.blocks:  # each block starts as the identity: what the convolutions hear comes through from step 1
            nn.init.zeros_(block.attention.out.weight)
            nn.init.zeros_(block.mlp[-1].weight)
        self.norm = nn.LayerNorm(dim)

    def forward(self, inputs: Inputs) -> Tokens:
        return self.from_mel(self.mel(inputs.values), self.mel.frame_mask(inputs.mask))

    def from_mel(self, mel: Float[Tensor, "batch mels frames"], mask: Bool[Tensor, "batch frames"]) -> Tokens:
        """Encode a log-mel spectrogram; padding frames are blanked after every layer, so that they never leaks inwards."""
        x = blank(rearrange((mel - MEL_MEAN) / MEL_STD, "batch mels frames -> batch 1 mels frames"), mask)
        mask = mask[:, ::2]
        x = blank(self.stem(x), mask)
        for stage in self.stages:
            mask = mask[:, :: stage.conv1.stride[1]]
            x = stage(x, mask)
        values = self.project(rearrange(x, "batch dim mels frames -> batch frames (dim mels)"))
        values = values + sinusoidal(values.shape[1], self.dim).to(values)
        for block in self.blocks:
            values = block(values, mask)
        return Tokens(self.norm(values), mask)

    def preprocess(self, raw: Sequence[np.ndarray]) -> Inputs:
        return audio_tensor(list(raw))
