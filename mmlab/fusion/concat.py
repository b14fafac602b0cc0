"""Operators that lay the modalities side by side and let a network do the rest."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import Fusion


class ConcatLinearFusion(Fusion):
    r"""One linear map of everything; a sum of projections is the special case whose bias is zero.

    $$z = W^\top [z_t; z_i; z_a] + b = \sum_m W_m^\top z_m + b$$

    As additive as the sum: the bound in `SumFusion` holds here too.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * out * sum_m d_m)
    Source:  early fusion as in Ngiam et al. 2011, "Multimodal deep learning" (ICML).
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__(dims, out=out)
        self.linear = nn.Linear(sum(self.dims.values()), out)

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return self.linear(torch.cat(list(given.values()), dim=1))


class ConcatMLPFusion(Fusion):
    r"""A network with one hidden layer over everything: with enough hidden units it can learn any fusion.

    $$z = \mathrm{GELU}([z_t; z_i; z_a] W_1 + b_1)\, W_2 + b_2$$

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * hidden * (out + sum_m d_m))
    Source:  early fusion as in Ngiam et al. 2011, with one hidden layer (GELU, arXiv:1606.08415).
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dims: dict[str, int], *, out: int, hidden: int | None = None) -> None:
        super().__init__(dims, out=out)
        width = sum(self.dims.values())
        hidden = width if hidden is None else hidden
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, out))

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return self.layers(torch.cat(list(given.values()), dim=1))
