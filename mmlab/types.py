"""What flows through the house: modality names, and the frozen containers that carry tensors from room to room."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

MODALITIES = ("text", "image", "audio")


class InputError(ValueError):
    """A user's input that cannot be used; the message is one sentence: what was expected, what came, what to do."""


@dataclass(frozen=True)
class Tokens:
    """A sequence of embeddings of one modality; `mask` is True where a token is real and False where it is padding."""

    values: Float[Tensor, "batch seq dim"]
    mask: Bool[Tensor, "batch seq"]

    def __post_init__(self) -> None:
        if self.values.shape[:2] != self.mask.shape:
            raise InputError(
                f"Tokens need a mask of shape (batch, seq) = {tuple(self.values.shape[:2])}, got {tuple(self.mask.shape)}; "
                "build the mask from the same lengths as the values."
            )

    def to(self, device: torch.device | str) -> "Tokens":
        return Tokens(self.values.to(device), self.mask.to(device))


@dataclass(frozen=True)
class Inputs:
    """One modality of a batch, ready for its encoder.

    Shape:  text   values (batch, seq) token ids, mask (batch, seq)
            image  values (batch, 3, height, width) in [0, 1], no mask
            audio  values (batch, samples) in [-1, 1], mask (batch, samples)
    Units:  audio is sampled at 16 kHz
    """

    values: Tensor
    mask: Bool[Tensor, "batch seq"] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def to(self, device: torch.device | str) -> "Inputs":
        return Inputs(self.values.to(device), None if self.mask is None else self.mask.to(device))


@dataclass(frozen=True)
class Sample:
    """One thing as a person meets it: any of a text, a picture (PIL, RGB) and a sound (mono, 16 kHz), and a key."""

    text: str | None = None
    image: Any = None
    audio: np.ndarray | None = None
    key: str = ""


@dataclass(frozen=True)
class Batch:
    """Samples as tensors; a row that lacks a modality is zero there, and `present[row, modality]` is False.

    Shape:  present (batch, 3), columns in the order of MODALITIES
    """

    text: Inputs | None
    image: Inputs | None
    audio: Inputs | None
    present: Bool[Tensor, "batch modality"]

    def __len__(self) -> int:
        return len(self.present)

    def to(self, device: torch.device | str) -> "Batch":
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return Batch(**{name: None if value is None else value.to(device) for name, value in moved.items()})
