"""The two kinds of fusion: of pooled vectors, and of token sequences."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion import checks
from mmlab.types import MODALITIES, Tokens


class Fusion(nn.Module, ABC):
    r"""One vector from the pooled vectors of several modalities: `fusion(text=..., image=..., audio=...)`.

    A subclass calls `super().__init__(dims, out=...)` and defines `fuse`. `allows_missing` says whether it has a
    meaning when a modality is missing, either from the whole call (None) or from single rows (`present`).

    Shape:   text, image, audio (batch, dims[name]), present (batch, 3) in the order of MODALITIES  ->  (batch, out)
    Raises:  InputError, naming operator and modality: one that is missing or unknown, widths or batches that differ,
             NaN, a row that has nothing
    """

    allows_missing: ClassVar[bool] = False

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__()
        self.dims = checks.check_dims(type(self).__name__, dims, out=out)
        self.out = out

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Checks the inputs, then runs `forward`: the sentences come before any shape checker's."""
        if args or not self._plainly_fits(inputs):
            inputs = self._examined(args, inputs)
        fused = super().__call__(**inputs)
        if not torch.compiler.is_compiling():
            checks.check_finite(type(self).__name__, [fused], inputs)
        return fused

    def _plainly_fits(self, inputs: dict[str, Any]) -> bool:
        """A quick look at the common case, every modality there and of the right shape; the rest is examined."""
        if inputs.keys() != self.dims.keys():
            return False
        rows = None
        for name, dim in self.dims.items():
            pooled = inputs[name]
            if not isinstance(pooled, Tensor) or not pooled.is_floating_point():
                return False
            rows = pooled.shape[:1] if rows is None else rows
            if pooled.shape != (*rows, dim):
                return False
        return True

    def _examined(self, args: tuple[Any, ...], inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs that are there, or the sentence that says what is wrong with them."""
        name, present = type(self).__name__, inputs.get("present")
        given = {key: pooled for key, pooled in inputs.items() if key != "present"}
        checks.check_names(name, self.dims, given, allows_missing=self.allows_missing, positional=len(args))
        given = {key: pooled for key, pooled in given.items() if pooled is not None}
        checks.check_pooled(name, self.dims, given)
        if present is None:
            return given
        checks.check_present(name, present, given, allows_missing=self.allows_missing)
        return {**given, "present": present}

    def forward(
        self,
        *,
        text: Float[Tensor, "batch text_dim"] | None = None,
        image: Float[Tensor, "batch image_dim"] | None = None,
        audio: Float[Tensor, "batch audio_dim"] | None = None,
        present: Bool[Tensor, "batch modality"] | None = None,
    ) -> Float[Tensor, "batch {self.out}"]:
        given = {name: z for name, z in zip(MODALITIES, (text, image, audio), strict=True) if z is not None}
        if present is None:
            return self.fuse(given, None)
        keep = present[:, [MODALITIES.index(name) for name in given]]
        # What is absent is zero from here on, so that whatever fills the gap (NaN too) has no way into the result.
        given = {name: z.masked_fill(~keep[:, i, None], 0.0) for i, (name, z) in enumerate(given.items())}
        return self.fuse(given, keep)

    @abstractmethod
    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        """The formula. `given` is in the order of MODALITIES; `keep` marks what each row has (None: everything)."""


class TokenFusion(nn.Module, ABC):
    r"""Token sequences from token sequences of several modalities, or of two roles (`query`, `context`).

    `dims` names the inputs and their widths. A row that has no real token of an input lacks it: an error, unless the
    operator `allows_missing` and the row has tokens of another.

    Shape:   each input Tokens (batch, seq, dims[name])  ->  Tokens
    Raises:  InputError, naming operator and input: one that is missing or unknown, widths or batches that differ, NaN,
             an all-masked row
    """

    allows_missing: ClassVar[bool] = False

    def __init__(self, dims: dict[str, int]) -> None:
        super().__init__()
        self.dims = dict(dims)

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Checks the inputs, then runs `forward`: the sentences come before any shape checker's."""
        name = type(self).__name__
        checks.check_names(name, self.dims, inputs, allows_missing=self.allows_missing, positional=len(args))
        given = {key: tokens for key, tokens in inputs.items() if tokens is not None}
        checks.check_tokens(name, self.dims, given, allows_missing=self.allows_missing)
        fused = super().__call__(**given)
        if not torch.compiler.is_compiling():
            values = {key: tokens.values for key, tokens in given.items()}
            checks.check_finite(name, [tokens.values for tokens in self.streams(fused)], values)
        return fused

    def streams(self, fused: Any) -> list[Tokens]:
        """The sequences in a result: one, unless the operator says otherwise."""
        return [fused]


def given_tokens(text: Tokens | None, image: Tokens | None, audio: Tokens | None) -> dict[str, Tokens]:
    return {name: h for name, h in zip(MODALITIES, (text, image, audio), strict=True) if h is not None}
