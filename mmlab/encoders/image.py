"""The picture encoder: residual convolutions, whose last map is read as a sequence of tokens."""

from collections.abc import Sequence

import torch
from einops import rearrange
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from mmlab.encoders.scratch import ScratchEncoder
from mmlab.nn.residual import ResidualBlock
from mmlab.preprocessing import fit_image, image_tensor
from mmlab.types import Inputs, Tokens


class ImageEncoder(ScratchEncoder):
    """A small residual network; each cell of its last map is one token that has seen the patch around it.

    Shape:   values (batch, 3, 64, 64) -> Tokens (batch, (64 / total stride)^2, dim), row by row; pooled (batch, dim)
    Units:   pixel values in [0, 1], white ground
    Cost:    about 2 * 9 * sum over stages of (channels_in + channels_out) * channels_out * pixels multiplications
    Source:  He et al. 2016, arXiv:1512.03385, with a stem for 64-pixel pictures
    Parity:  tests/contract/test_encoders.py; the block in tests/parity/test_residual.py
    """

    def __init__(self, dim: int, *, widths: Sequence[int], blocks: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__(modality="image", dim=dim)
        self.config = {"dim": dim, "widths": list(widths), "blocks": list(blocks), "strides": list(strides)}
        stem, *stages = widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(stem), nn.ReLU()
        )
        layers: list[nn.Module] = []
        channels = stem
        for width, count, stride in zip([*stages, dim], blocks, strides, strict=True):
            for block in range(count):
                step = (stride, stride) if block == 0 else (1, 1)
                layers.append(ResidualBlock(channels, out=width, stride=step))
                channels = width
        self.stages = nn.Sequential(*layers)

    def features(self, pixels: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim h w"]:
        """The last feature map, before it is read as tokens."""
        return self.stages(self.stem(2 * pixels - 1))

    def forward(self, inputs: Inputs) -> Tokens:
        values = rearrange(self.features(inputs.values), "batch dim h w -> batch (h w) dim")
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))

    def preprocess(self, raw: Sequence[Image.Image]) -> Inputs:
        return Inputs(image_tensor([fit_image(picture) for picture in raw]))
