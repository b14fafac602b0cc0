"""What is true of the things and their pictures and clips: all that a dialogue asks about."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32
from PIL import Image

from mmlab.datasets.dialogue.colours import colour_of
from mmlab.datasets.dialogue.kinds import kind_of
from mmlab.datasets.emoji import (
    TEST_STYLES,
    TRAIN_STYLES,
    VALIDATION_STYLES,
    EmojiData,
    Thing,
    decode_audio,
    decode_image,
)
from mmlab.types import InputError

LINES = ("emojione_line",)  # styles of mere lines, which have no colours to ask about
STYLES: Mapping[str, tuple[str, ...]] = {  # the drawing styles of each split of the dialogues
    "train": (*TRAIN_STYLES, *VALIDATION_STYLES),
    "tuning": TRAIN_STYLES,
    "validation": VALIDATION_STYLES,
    "test_near": (TEST_STYLES["near"],),
    "test_far": (TEST_STYLES["far"],),
}
VOICES: Mapping[str, tuple[str, ...]] = {  # and the splits of the speech table whose voices it hears
    "train": ("train", "validation"),
    "tuning": ("train",),
    "validation": ("validation",),
    "test_near": ("test",),
    "test_far": ("test",),
}


class Facts:
    """Names, kinds and measured colours of what the data shows; measured when first asked for, and kept.

    Pictures go by their key "thing/style", clips by their row of the speech table.
    """

    def __init__(self, data: EmojiData) -> None:
        self.things: dict[str, Thing] = {thing.id: thing for thing in data.things}
        self.kinds: dict[str, str | None] = {thing.id: kind_of(thing) for thing in data.things}
        rows = data.image_table.select(["thing", "style"]).to_pylist()
        self._picture_rows = {f"{row['thing']}/{row['style']}": at for at, row in enumerate(rows)}
        self._images, self._sounds = data.image_table["image"], data.speech_table["audio"]
        self.speech: list[dict[str, Any]] = data.speech_table.select(
            ["thing", "language", "engine", "voice", "split"]
        ).to_pylist()
        self._colours: dict[str, str | None] = {}
        self._shown: dict[str, Shown] = {}

    @classmethod
    def of(cls, data: EmojiData) -> "Facts":
        """The facts of a dataset, gathered once."""
        if data not in GATHERED:
            GATHERED[data] = cls(data)
        return GATHERED[data]

    def name(self, thing: str, language: str) -> str:
        return self.things[thing].name(language)

    def seen(self, key: str) -> str:
        """The id of the thing on a picture."""
        if key not in self._picture_rows:
            raise InputError(f'No picture {key!r}: expected a key "thing/style" of the data, such as "1f415/noto".')
        return key.partition("/")[0]

    def heard(self, clip: int) -> str:
        """The id of the thing that a clip names."""
        if not 0 <= clip < len(self.speech):
            raise InputError(f"No clip {clip}: expected a row of the speech table, 0 to {len(self.speech) - 1}.")
        return self.speech[clip]["thing"]

    def picture(self, key: str) -> Image.Image:
        """The picture itself."""
        self.seen(key)
        return decode_image(self._images[self._picture_rows[key]]["bytes"].as_py())

    def sound(self, clip: int) -> Float32[np.ndarray, " samples"]:
        """The clip itself, at 16 kHz."""
        self.heard(clip)
        return decode_audio(self._sounds[clip]["bytes"].as_py())

    def colour(self, key: str) -> str | None:
        """The colour of a picture, where one is clear."""
        if key not in self._colours:
            self._colours[key] = None if key.endswith(LINES) else colour_of(self.picture(key))
        return self._colours[key]

    def shown(self, split: str) -> "Shown":
        """The pictures and clips that dialogues of this split may show."""
        if split not in STYLES:
            raise InputError(f"Dialogues have the splits {', '.join(STYLES)}, got {split!r}; name one of these.")
        if split not in self._shown:
            self._shown[split] = Shown(self, split)
        return self._shown[split]

    @property
    def picture_keys(self) -> list[str]:
        """The key of every picture, in the order of the table."""
        return list(self._picture_rows)


class Shown:
    """What one split may show: pictures and clips of the things of the training families."""

    def __init__(self, facts: Facts, split: str) -> None:
        self.facts, self.split = facts, split
        trained = {thing.id for thing in facts.things.values() if thing.split == "train"}
        self.pictures: dict[str, list[str]] = {}
        for key in facts.picture_keys:
            thing, _, style = key.partition("/")
            if thing in trained and style in STYLES[split]:
                self.pictures.setdefault(thing, []).append(key)
        self.clips: dict[tuple[str, str], list[int]] = {}
        for at, row in enumerate(facts.speech):
            if row["thing"] in trained and row["split"] in VOICES[split]:
                self.clips.setdefault((row["thing"], row["language"]), []).append(at)

    @cached_property
    def coloured(self) -> dict[str, list[str]]:
        """The pictures of each colour."""
        found: dict[str, list[str]] = {}
        for keys in self.pictures.values():
            for key in keys:
                if (colour := self.facts.colour(key)) is not None:
                    found.setdefault(colour, []).append(key)
        return dict(sorted(found.items()))

    @cached_property
    def by_kind(self) -> dict[str, list[str]]:
        """The things of each kind that this split shows."""
        found: dict[str, list[str]] = {}
        for thing in self.pictures:
            if (kind := self.facts.kinds[thing]) is not None:
                found.setdefault(kind, []).append(thing)
        return dict(sorted(found.items()))


GATHERED: WeakKeyDictionary[EmojiData, Facts] = WeakKeyDictionary()
