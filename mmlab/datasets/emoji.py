"""Reading `data/emoji`: about 1,440 things, drawn in seven styles, named in two languages, spoken by many voices."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import soundfile
from PIL import Image

from mmlab.paths import DATA
from mmlab.types import InputError, Sample

ROOT = DATA / "emoji"
TRAIN_STYLES = ("noto", "fluent_3d", "fluent_flat")
VALIDATION_STYLES = ("emojione", "emojione_line")
TEST_STYLES = {"near": "twemoji", "far": "openmoji"}
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Thing:
    """One thing of the data: what it is called, in which kinds it falls, and whether it was ever trained on."""

    id: str
    emoji: str
    name_en: str
    name_zh: str
    keywords_en: tuple[str, ...]
    keywords_zh: tuple[str, ...]
    group: str
    subgroup: str
    family: str
    split: str

    def name(self, language: str) -> str:
        """The short name in "en" or "zh"."""
        if language not in LANGUAGES:
            raise InputError(f"A thing has names in {' and '.join(LANGUAGES)}, got {language!r}; ask for one of these.")
        return self.name_en if language == "en" else self.name_zh

    def keywords(self, language: str) -> tuple[str, ...]:
        """What else it is called, in "en" or "zh"."""
        return self.keywords_en if language == "en" else self.keywords_zh


def verify(root: Path) -> None:
    """Compare every file of the dataset with its sha256; an InputError names the first that differs."""
    sums = root / "SHA256SUMS"
    if not sums.is_file():
        raise InputError(f"{root}: expected the dataset with its SHA256SUMS, found none; run `mmlab data build`.")
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        path = root / name.lstrip("*")
        if not path.is_file():
            raise InputError(
                f"{path}: expected a file of the dataset, found none; restore it or run `mmlab data build`."
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise InputError(f"{path}: its bytes are not those that shipped (sha256 differs); restore the file.")


class EmojiData:
    """The dataset in memory: tables of bytes, decoded on demand. `EmojiData.load()` checks the sha256 of each file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        rows = pq.read_table(root / "things.parquet").to_pylist()
        names = Thing.__dataclass_fields__
        self.things = [
            Thing(**{k: tuple(row[k]) if k.startswith("keywords") else row[k] for k in names})
            for row in sorted(rows, key=lambda row: row["order"])
        ]
        self.index = {thing.id: i for i, thing in enumerate(self.things)}

    @classmethod
    def load(cls, root: str | Path | None = None) -> "EmojiData":
        """Open the shipped data, or a folder that `mmlab data build` made."""
        root = ROOT if root is None else Path(root)
        verify(root)
        return cls(root)

    @cached_property
    def image_table(self) -> pa.Table:
        return pq.read_table(self.root / "images.parquet")

    @cached_property
    def speech_table(self) -> pa.Table:
        return pq.read_table(self.root / "speech.parquet")

    def __len__(self) -> int:
        return len(self.things)

    def __getitem__(self, key: str | int) -> Thing:
        """A thing by its position, its id ("1f415"), its emoji or its English name."""
        if isinstance(key, int):
            return self.things[key]
        for thing in self.things:
            if key in (thing.id, thing.emoji, thing.name_en, thing.name_zh):
                return thing
        raise InputError(f"No thing has the id, emoji or name {key!r}; see EmojiData.things for all of them.")

    def split(self, name: str) -> list[Thing]:
        """The things that were trained on ("train") or never seen in any modality ("zero_shot")."""
        return [thing for thing in self.things if thing.split == name]

    def images(self, style: str) -> dict[str, Image.Image]:
        """Pictures of one style, 64 x 64, by thing."""
        table = self.image_table.filter(pc.equal(self.image_table["style"], style))
        if not len(table):
            known = ", ".join(sorted(set(self.image_table["style"].to_pylist())))
            raise InputError(f"No pictures of style {style!r}; the styles are {known}.")
        return {row["thing"]: decode_image(row["image"]["bytes"]) for row in table.to_pylist()}

    def image(self, thing: str, style: str) -> Image.Image | None:
        """One picture, or None where that team never drew the thing."""
        table = self.image_table
        rows = table.filter(pc.and_(pc.equal(table["style"], style), pc.equal(table["thing"], thing)))
        return decode_image(rows["image"][0].as_py()["bytes"]) if len(rows) else None

    def clips(self, **where: str | Sequence[str]) -> pa.Table:
        """Rows of the speech table, chosen by `thing`, `language`, `engine`, `voice` or `split`."""
        table = self.speech_table
        for column, value in where.items():
            if column not in table.column_names:
                raise InputError(f"Clips are chosen by thing, language, engine, voice or split, got {column!r}.")
            allowed = [value] if isinstance(value, str) else list(value)
            table = table.filter(pc.is_in(table[column], value_set=pa.array(allowed, pa.string())))
        return table

    def sample(
        self, key: str | int, *, style: str | None = None, voice: str | None = None, language: str = "en"
    ) -> Sample:
        """One thing as text, picture and sound; what is not asked for, or was never made, is missing."""
        thing = self[key]
        clips = self.clips(thing=thing.id, language=language, voice=voice) if voice else None
        return Sample(
            text=thing.name(language),
            image=self.image(thing.id, style) if style else None,
            audio=decode_audio(clips["audio"][0].as_py()["bytes"]) if clips is not None and len(clips) else None,
            key=thing.id,
        )


def decode_image(data: bytes) -> Image.Image:
    """A picture of the dataset from its bytes."""
    return Image.open(BytesIO(data)).convert("RGB")


def decode_audio(data: bytes) -> np.ndarray:
    """A clip of the dataset from its bytes: float32, mono, 16 kHz."""
    return soundfile.read(BytesIO(data), dtype="float32")[0]
