"""Parts that put around any operator: what to say for a missing modality, and practice in missing them."""

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from mmlab.fusion.base import Fusion
from mmlab.types import MODALITIES, InputError


class MissingEmbedding(Fusion):
    r"""Puts a learned vector where a modality is missing, so that any operator can be asked.

    $$z'_m = z_m \text{ where } m \text{ is present, else } e_m, \qquad z = \mathrm{fusion}(z'_t, z'_i, z'_a)$$

    The e_m train only on rows that miss m: put `ModalityDropout` around it when the data miss nothing.

    Shape:   as the operator inside
    Cost:    that of the operator inside, plus O(batch * sum_m d_m)
    Source:  the learned null token of classifier-free guidance, Ho and Salimans 2022, arXiv:2207.12598, per modality.
    Parity:  tests/contract/test_fusion.py (the operator inside, given the filled rows)
    """

    allows_missing = True

    def __init__(self, fusion: Fusion) -> None:
        super().__init__(fusion.dims, out=fusion.out)
        self.fusion = fusion
        start = {name: torch.randn(dim) * dim**-0.5 for name, dim in self.dims.items()}  # about of unit length
        self.embeddings = nn.ParameterDict({name: nn.Parameter(vector) for name, vector in start.items()})

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        rows = len(next(iter(given.values())))
        filled = {name: self.embeddings[name].expand(rows, -1) for name in self.dims}
        for column, (name, z) in enumerate(given.items()):
            filled[name] = z if keep is None else torch.where(keep[:, column, None], z, filled[name])
        return self.fusion(**filled)


class ModalityDropout(Fusion):
    r"""In training, hides each modality of each row with probability `rate`, but never the last one of a row.

    $$P' = \{ m \in P : u_m \ge \mathrm{rate} \}, \quad u_m \sim U(0, 1), \qquad
      \text{or } \{ \arg\max_{m \in P} u_m \} \text{ where that is empty}$$

    In `eval()` it does nothing. What a hidden modality is replaced by is up to the operator inside.

    Shape:   as the operator inside
    Cost:    that of the operator inside, plus O(batch * sum_m d_m)
    Source:  Neverova et al. 2015, arXiv:1501.00102 (ModDrop). Differs: a row always keeps one modality.
    Parity:  tests/contract/test_fusion.py (rates counted; never an empty row)
    Raises:  InputError when the operator inside does not allow a missing modality, or `rate` is not in [0, 1)
    """

    allows_missing = True

    def __init__(self, fusion: Fusion, *, rate: float | int, generator: Generator | None = None) -> None:
        super().__init__(fusion.dims, out=fusion.out)
        if not fusion.allows_missing:
            inside = type(fusion).__name__
            raise InputError(f"{inside} does not allow a missing modality; put MissingEmbedding({inside}(...)) inside.")
        if not 0 <= rate < 1:
            raise InputError(f"ModalityDropout needs a rate from 0 up to but not 1, got {rate}; choose one.")
        self.fusion, self.rate, self.generator = fusion, rate, generator

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        rows = next(iter(given.values()))
        if keep is None:
            keep = torch.ones(len(rows), len(given), dtype=torch.bool, device=rows.device)
        if self.training:
            keep = drop_modalities(keep, rate=self.rate, generator=self.generator)
        present = keep.new_zeros(len(keep), len(MODALITIES))
        present[:, [MODALITIES.index(name) for name in given]] = keep
        return self.fusion(**given, present=present)


def drop_modalities(
    present: Bool[Tensor, "batch modality"], *, rate: float | int, generator: Generator | None = None
) -> Bool[Tensor, "batch modality"]:
    """What is left after hiding each present modality with probability `rate`; a row that had one keeps one."""
    luck = torch.rand(present.shape, device=present.device, generator=generator).masked_fill(~present, -1.0)
    luckiest = luck == luck.amax(dim=1, keepdim=True)
    return present & ((luck >= rate) | luckiest)
