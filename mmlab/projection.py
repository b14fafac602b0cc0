"""From an encoder's space into the shared one: the article's W_m, and a small network in its place."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmlab.types import InputError


class Projection(nn.Module, ABC):
    r"""A map $\mathbb{R}^{d_m} \to \mathbb{R}^{d_z}$, applied to the last axis.

    Shape:   x (..., dim)  ->  z (..., out)
    Raises:  InputError when the last axis is not `dim` wide
    """

    def __init__(self, dim: int, *, out: int) -> None:
        super().__init__()
        if dim < 1 or out < 1:
            raise InputError(f"{type(self).__name__} needs widths of at least 1, got {dim=}, {out=}; give both.")
        self.dim = dim
        self.out = out

    def forward(self, x: Float[Tensor, "*axes dim"]) -> Float[Tensor, "*axes {self.out}"]:
        if x.shape[-1] != self.dim:
            raise InputError(
                f"{type(self).__name__} expects values {self.dim} wide, got {x.shape[-1]} in shape {tuple(x.shape)}; "
                "build it with the width of the encoder in front."
            )
        return self.project(x)

    @abstractmethod
    def project(self, x: Float[Tensor, "*axes dim"]) -> Float[Tensor, "*axes out"]:
        """The map itself; `forward` has checked the width."""


class LinearProjection(Projection):
    r"""The article's W: one matrix, no bias, so the sum of projections is one linear map of the concatenation.

    $$z_m = W_m^\top x_m, \qquad W_m \in \mathbb{R}^{d_m \times d_z}$$

    which is `x @ W` for a batch of rows x. The entries start at N(0, 1 / d_z): lengths are kept on average.

    Shape:   x (..., dim)  ->  z (..., out)
    Cost:    O(rows * dim * out)
    Source:  the article, chapter 4. Differs from it: it writes W x, which does not fit W in R^(d_m x d_z).
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dim: int, *, out: int) -> None:
        super().__init__(dim, out=out)
        self.W = nn.Parameter(torch.randn(dim, out) * out**-0.5)

    def project(self, x: Float[Tensor, "*axes dim"]) -> Float[Tensor, "*axes out"]:
        return x @ self.W


class MLPProjection(Projection):
    r"""Two linear maps with a GELU between them: the projector of LLaVA-1.5.

    $$z_m = \mathrm{GELU}(x_m W_1 + b_1)\, W_2 + b_2$$

    Shape:   x (..., dim)  ->  z (..., out)
    Cost:    O(rows * hidden * (dim + out))
    Source:  Liu et al. 2023, arXiv:2310.03744 (two layers, GELU, hidden as wide as the output).
    Parity:  tests/parity/test_fusion.py (transformers LlavaMultiModalProjector)
    """

    def __init__(self, dim: int, *, out: int, hidden: int | None = None) -> None:
        super().__init__(dim, out=out)
        hidden = out if hidden is None else hidden
        self.layers = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, out))

    def project(self, x: Float[Tensor, "*axes dim"]) -> Float[Tensor, "*axes out"]:
        return self.layers(x)


PROJECTIONS = {
    "linear": LinearProjection,
    "mlp": MLPProjection,
}
