"""Operators in which one modality opens, closes or rescales what another says."""

from functools import reduce
from operator import add

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import Fusion
from mmlab.fusion.checks import listed
from mmlab.types import InputError


class GatedFusion(Fusion):
    r"""Every modality has a gate for each feature, and all modalities together decide how far it opens.

    $$h_m = \tanh(W_m^\top z_m + b_m), \qquad g_m = \sigma(U_m^\top [z_t; z_i; z_a] + c_m), \qquad
      z = \sum_m g_m \odot h_m$$

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * out * (modalities + 1) * sum_m d_m)
    Source:  Arevalo et al. 2017, arXiv:1702.01992, the unit for any number of modalities; their unit for two ties
             the gates, g_2 = 1 - g_1. Differs: with biases.
    Parity:  tests/parity/test_fusion.py (NumPy; gates pushed to 0 and 1 select one modality)
    """

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__(dims, out=out)
        self.values = nn.ModuleDict({name: nn.Linear(dim, out) for name, dim in self.dims.items()})
        self.gate = nn.Linear(sum(self.dims.values()), len(self.dims) * out)  # rows: modality by modality

    def gates(self, given: dict[str, Tensor]) -> Float[Tensor, "given batch out"]:
        """How far each feature of each modality is open, from 0 to 1, in the order of MODALITIES."""
        opened = self.gate(torch.cat(list(given.values()), dim=1)).sigmoid()
        return rearrange(opened, "batch (m out) -> m batch out", m=len(given))

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        values = (self.values[name](z).tanh() for name, z in given.items())
        return reduce(add, (gate * value for gate, value in zip(self.gates(given), values, strict=True)))


class FiLMFusion(Fusion):
    r"""The other modalities scale and shift, feature by feature, what one modality says.

    $$h = V^\top z_f, \qquad [\Delta\gamma; \beta] = W^\top [z_m]_{m \ne f} + b, \qquad
      z = (1 + \Delta\gamma) \odot h + \beta$$

    with f the modality that is modulated (`feature`), by default the picture, as in the paper.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * out * (d_f + 2 * sum of the other d_m))
    Source:  Perez et al. 2017, arXiv:1709.07871; 1 + delta as in the authors' code, to start near the identity.
             Differs: one linear map makes gamma and beta; the features are vectors, not maps.
    Parity:  tests/parity/test_fusion.py (NumPy; gamma = 1 and beta = 0 leave h alone)
    Raises:  InputError when `feature` is not among the modalities, or is the only one
    """

    def __init__(self, dims: dict[str, int], *, out: int, feature: str = "image") -> None:
        super().__init__(dims, out=out)
        if feature not in self.dims or len(self.dims) < 2:
            raise InputError(
                f"FiLMFusion needs {feature!r} and at least one modality to modulate it, got {listed(self.dims)}; "
                "name another with feature=..., or add a modality."
            )
        self.feature = feature
        self.value = nn.Linear(self.dims[feature], out, bias=False)
        self.modulate = nn.Linear(sum(self.dims.values()) - self.dims[feature], 2 * out)

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        condition = torch.cat([z for name, z in given.items() if name != self.feature], dim=1)
        scale, shift = self.modulate(condition).chunk(2, dim=1)
        value = self.value(given[self.feature])
        return value + scale * value + shift
