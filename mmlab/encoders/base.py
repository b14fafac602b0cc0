"""The one interface of every encoder: raw inputs in, `Tokens` out, one pooled vector x_m per input."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from mmlab.types import MODALITIES, InputError, Inputs, Tokens


class Encoder(nn.Module, ABC):
    r"""Turns inputs of one modality into a sequence of embeddings, and that sequence into one embedding.

    $$x_m = \mathrm{pool}(E_m(u_m)), \qquad \mathrm{pool}(H, k) = \frac{\sum_n k_n H_n}{\sum_n k_n}$$

    where H (seq, dim) are the tokens and k_n is 1 where token n is real, 0 where it is padding.

    A subclass calls `super().__init__(modality=..., dim=...)` and defines `preprocess` and `forward`; it overrides
    `pool` where its model is meant to be pooled in another way (first token, projected features).

    Shape:   inputs (batch rows, see `Inputs`)  ->  tokens (batch, seq, dim)  ->  pooled (batch, dim)
    Raises:  InputError for an unknown modality
    """

    def __init__(self, *, modality: str, dim: int) -> None:
        super().__init__()
        if modality not in MODALITIES:
            known = ", ".join(MODALITIES)
            raise InputError(f"An encoder's modality is one of {known}, got {modality!r}; name one of these.")
        self.modality = modality
        self.dim = dim

    @abstractmethod
    def preprocess(self, raw: Sequence[Any]) -> Inputs:
        """Raw inputs of this modality (str, PIL picture, or float32 mono 16 kHz array) as tensors for `forward`."""

    @abstractmethod
    def forward(self, inputs: Inputs) -> Tokens:
        """Inputs that `preprocess` made, as a sequence of embeddings with its mask."""

    def pool(self, tokens: Tokens) -> Float[Tensor, "batch dim"]:
        """The mean of the real tokens of each row; padding has no part in it. A row without tokens gives zeros."""
        keep = tokens.mask.to(tokens.values.dtype)
        total = einsum(tokens.values, keep, "batch seq dim, batch seq -> batch dim")
        return total / keep.sum(dim=1, keepdim=True).clamp(min=1)

    def embed(self, inputs: Inputs) -> Float[Tensor, "batch dim"]:
        """x_m of each input: `forward`, then `pool`."""
        return self.pool(self.forward(inputs))
