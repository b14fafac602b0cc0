"""What an evaluation asks, apart from any model: which things, drawn and spoken how, and which answers are right."""

import unicodedata
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from mmlab.datasets.emoji import LANGUAGES, TEST_STYLES, EmojiData
from mmlab.types import InputError

PLACES = ("near", "far")
STYLES = {"test": TEST_STYLES, "validation": {"near": "emojione", "far": "emojione_line"}}
ENGINES = {
    ("en", "espeak"): "espeak",
    ("en", "flite"): "flite",
    ("en", "festival"): "unseen_engine",
    ("zh", "espeak"): "zh",
}


class Questions:
    """One split of the data as questions.

    `asked` says which things are asked about (True): those of the training families unless given. The galleries hold
    all things, asked about or not.
    """

    def __init__(self, data: EmojiData, *, split: str = "test", asked: Bool[Tensor, " things"] | None = None) -> None:
        if split not in STYLES:
            raise InputError(
                f"A model is evaluated on {' or '.join(STYLES)}, got the split {split!r}; name one of these."
            )
        self.data, self.split = data, split
        self.styles = STYLES[split]
        self.zero_shot = torch.tensor([thing.split == "zero_shot" for thing in data.things])
        self.asked = ~self.zero_shot if asked is None else asked

    @cached_property
    def voices(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """The (engine, voice) pairs of this split by name: "espeak", "flite", "unseen_engine", "zh"."""
        table = self.data.clips(split=self.split).select(["language", "engine", "voice"])
        found: dict[str, set[tuple[str, str]]] = {}
        for row in table.to_pylist():
            found.setdefault(ENGINES[row["language"], row["engine"]], set()).add((row["engine"], row["voice"]))
        return {name: tuple(sorted(found[name])) for name in ENGINES.values() if name in found}

    @property
    def english(self) -> list[str]:
        """The names of the English voices."""
        return [name for name in self.voices if name != "zh"]

    @staticmethod
    def language(name: str) -> str:
        """The language of the voices called `name`."""
        return "zh" if name == "zh" else "en"

    def spoken(self, name: str) -> list[dict[str, Any]]:
        """The rows of the speech table that the voices called `name` have in this split."""
        engines, voices = zip(*self.voices[name], strict=True)
        return self.data.clips(split=self.split, language=self.language(name), engine=engines, voice=voices).to_pylist()

    def alike(self, *languages: str) -> Bool[Tensor, "things things"]:
        """Which things are one and the same as far as their names in these languages tell; each thing is like itself.

        Names are compared as the tokenizer reads them: NFKC, lower case.
        """
        same = torch.eye(len(self.data), dtype=torch.bool)
        for language in languages:
            forms = [unicodedata.normalize("NFKC", thing.name(language)).lower() for thing in self.data.things]
            codes = torch.from_numpy(np.unique(forms, return_inverse=True)[1])
            same |= codes[:, None] == codes[None, :]
        return same

    def shared_names(self) -> dict[str, int]:
        """How many things share their name with another, by language."""
        return {language: int((self.alike(language).sum(1) > 1).sum()) for language in LANGUAGES}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The subgroups, in alphabetical order."""
        return tuple(sorted({thing.subgroup for thing in self.data.things}))

    @cached_property
    def kind(self) -> Tensor:
        """The subgroup of each thing, as a position in `kinds`.

        Shape:   (things,)
        """
        return torch.tensor([self.kinds.index(thing.subgroup) for thing in self.data.things])
