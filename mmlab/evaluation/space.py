"""Everything that an evaluation looks at, embedded once: names, pictures by style, clips by voice."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.evaluation.questions import Questions
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import PEAK
from mmlab.types import InputError


@dataclass(frozen=True)
class Items:
    """Embedded items; `things` are positions in `EmojiData.things`.

    Shape:   things (n,), z (n, dim) of unit length
    """

    things: Int[Tensor, " n"]
    z: Float[Tensor, "n dim"]

    def __len__(self) -> int:
        return len(self.things)

    def of(self, chosen: Bool[Tensor, " things"]) -> "Items":
        """Only the items whose thing is chosen."""
        keep = chosen[self.things]
        return Items(self.things[keep], self.z[keep])


class Space(Questions):
    """The questions as a model sees them. Nothing is embedded before it is asked for, and nothing twice."""

    def __init__(
        self,
        model: JointEmbedder,
        data: EmojiData,
        *,
        split: str = "test",
        asked: Bool[Tensor, " things"] | None = None,
    ) -> None:
        super().__init__(data, split=split, asked=asked)
        self.model = model
        self._embedded: dict[tuple[Any, ...], Items] = {}

    def about(self, asked: Bool[Tensor, " things"]) -> "Space":
        """The same space, asked about other things; what is embedded is shared."""
        other = copy(self)
        other.asked = asked
        return other

    def names(self, language: str) -> Items:
        """The short name of every thing."""
        texts = [thing.name(language) for thing in self.data.things]
        return self._once(("names", language), lambda: (list(range(len(texts))), self.model.encode(text=texts)["text"]))

    def pictures(self, place: str) -> Items:
        """Every picture of this split's style "near" or "far"."""

        def embed() -> tuple[list[int], Tensor]:
            pictures = {
                self.data.index[thing]: picture for thing, picture in self.data.images(self.styles[place]).items()
            }
            order = sorted(pictures)
            return order, self.model.encode(image=[pictures[i] for i in order])["image"]

        return self._once(("pictures", place), embed)

    def clips(self, name: str, *, voice: str | None = None, noise: int | None = None) -> Items:
        """Every clip of the voices called `name`, or of one of them; `noise` is the seed of white noise at 0 dB."""

        def embed() -> tuple[list[int], Tensor]:
            rows = self.spoken(name)
            things = [self.data.index[row["thing"]] for row in rows]
            with ThreadPoolExecutor(2) as pool:
                waves = list(pool.map(lambda row: decode_audio(row["audio"]["bytes"]), rows))
            if noise is not None:
                waves = [noisy(wave, seed=(noise, thing)) for wave, thing in zip(waves, things, strict=True)]
            return things, encode_sounds(self.model, waves)

        every = self._once(("clips", name, noise), embed)
        if voice is None:
            return every
        keep = torch.tensor([row["voice"] == voice for row in self.spoken(name)])
        return Items(every.things[keep], every.z[keep])

    def has(self, items: Items) -> Bool[Tensor, " things"]:
        """Which things have an item."""
        return torch.zeros(len(self.data), dtype=torch.bool).index_fill(0, items.things, True)

    def by_thing(self, items: Items) -> Float[Tensor, "things dim"]:
        """The vectors laid out by thing; the rows of things without an item are zero.

        Raises:  InputError where a thing has several items
        """
        if len(items.things.unique()) < len(items):
            raise InputError("Expected at most one item of each thing, got several; choose one style and one voice.")
        return torch.zeros(len(self.data), items.z.shape[1]).index_copy(0, items.things, items.z)

    def _once(self, key: tuple[Any, ...], embed: Callable[[], tuple[list[int], Tensor]]) -> Items:
        if key not in self._embedded:
            things, z = embed()
            self._embedded[key] = Items(torch.tensor(things), z.float().cpu())
        return self._embedded[key]


def encode_sounds(model: JointEmbedder, waves: Sequence[Float32[np.ndarray, " _"]]) -> Float[Tensor, "n dim"]:
    """Unit vectors of clips, computed from the shortest to the longest, so that little of the work is padding."""
    order = np.argsort([len(wave) for wave in waves], kind="stable")
    z = model.encode(audio=[waves[i] for i in order])["audio"]
    return z[torch.from_numpy(np.argsort(order))]


def noisy(
    wave: Float32[np.ndarray, " samples"], *, seed: Sequence[int], snr: float = 0.0
) -> Float32[np.ndarray, " samples"]:
    """The clip under white noise, at the loudness that every sound is brought to.

    Units:   snr in dB: at 0 the noise is as strong as the clip, on average over its length
    """
    noise = np.random.default_rng(list(seed)).standard_normal(len(wave)).astype(np.float32)
    wanted = np.square(wave).mean() / 10 ** (snr / 10)
    mixed = wave + noise * np.sqrt(wanted / np.square(noise).mean())
    return (mixed * (PEAK / np.abs(mixed).max())).astype(np.float32)
