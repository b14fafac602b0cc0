"""A dataset of 24 things made of flat colours and tones, and models that know it by heart."""

import hashlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.datasets.emoji import EmojiData
from mmlab.models.joint import JointEmbedder

THINGS, ZERO_SHOT, KINDS = 24, 4, 4
STYLES = ("noto", "fluent_3d", "fluent_flat", "emojione", "emojione_line", "twemoji", "openmoji")
VOICES = (
    ("en", "espeak", "m1", "train"),
    ("en", "flite", "slt", "train"),
    ("zh", "espeak", "cmn+m1", "train"),
    ("en", "espeak", "linda", "validation"),
    ("en", "flite", "awb", "validation"),
    ("zh", "espeak", "cmn+linda", "validation"),
    ("en", "espeak", "f3", "test"),
    ("en", "flite", "rms", "test"),
    ("zh", "espeak", "cmn+f3", "test"),
)
UNDRAWN, UNSAID, NAMESAKES = 5, 6, (8, 9)  # no Twemoji picture; no test clip by espeak in English; one English name


def make(folder: Path) -> EmojiData:
    """Write the dataset and open it. The last four things are zero-shot; thing i is of kind i % 4."""
    names = {t: f"name {NAMESAKES[0] if t in NAMESAKES else t}" for t in range(THINGS)}
    things = [
        {
            "id": f"{t:x}", "emoji": chr(0x1F400 + t), "order": t, "name_en": names[t], "name_zh": f"物{t}",
            "keywords_en": ["word", f"key {t}"], "keywords_zh": ["词"], "group": "group", "subgroup": f"kind {t % KINDS}",
            "family": f"family {t}", "split": "zero_shot" if t >= THINGS - ZERO_SHOT else "train",
        }
        for t in range(THINGS)
    ]  # fmt: skip
    images = [
        {"thing": f"{t:x}", "style": style, "split": "-", "image": {"bytes": picture(t, number), "path": "-"}}
        for t in range(THINGS)
        for number, style in enumerate(STYLES)
        if (t, style) != (UNDRAWN, "twemoji")
    ]
    halves = [("en", "festival", ("ked", "hts")[t % 2], "test") for t in range(THINGS)]
    spoken = [(t, voice) for t in range(THINGS) for voice in (*VOICES, halves[t]) if (t, voice[2]) != (UNSAID, "f3")]
    speech = [
        {
            "thing": f"{t:x}", "language": language, "engine": engine, "voice": voice, "text": names[t], "split": split,
            "audio": {"bytes": clip(t), "path": "-"},
        }
        for t, (language, engine, voice, split) in spoken
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("things", things), ("images", images), ("speech", speech)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in sorted(folder.glob("*.parquet"))]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return EmojiData.load(folder)


def picture(thing: int, style: int) -> bytes:
    """Red says which thing it is, blue in which style it is drawn."""
    buffer = BytesIO()
    Image.new("RGB", (64, 64), (10 * thing, 0, 5 * style)).save(buffer, "PNG")
    return buffer.getvalue()


def tone(thing: int) -> np.ndarray:
    """Its pitch and its length say which thing it is; later things are not longer ones."""
    length = 4000 + 100 * (7 * thing % THINGS)
    return (0.7 * np.sin(np.arange(length) * (0.05 + 0.1 * thing))).astype(np.float32)


def clip(thing: int) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, tone(thing), 16000, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


class Knows(JointEmbedder):
    """Knows each thing by its number; `errs` may turn the number into another, by modality.

    The two namesakes lie close together. With `hears_noise` off, a sound under noise is taken for another thing's.
    """

    def __init__(self, *, hears_noise: bool = True, **errs: Callable[[int], int]) -> None:
        nn.Module.__init__(self)
        self.register_buffer("weights", torch.ones(3))
        self.familiarity = nn.ModuleDict()
        self.hears_noise, self.errs, self.dim = hears_noise, errs, THINGS
        self.vectors = torch.eye(THINGS)
        self.vectors[NAMESAKES[1]] = normalize(self.vectors[list(NAMESAKES)].T @ torch.tensor([2.0, 1.0]), dim=0)
        self.calls: list[str] = []

    def encode(self, *, chunk: int = 128, **raw: Sequence[Any]) -> dict[str, Tensor]:
        read = {"text": self.read, "image": self.look, "audio": self.hear}
        self.calls += list(raw)
        numbers = {name: [self.errs.get(name, int)(read[name](item)) for item in raw[name]] for name in raw}
        return {name: self.vectors[torch.tensor(found) % THINGS] for name, found in numbers.items()}

    @staticmethod
    def read(text: str) -> int:
        return int(text.removeprefix("name ").removeprefix("物"))

    @staticmethod
    def look(picture: Image.Image) -> int:
        return picture.getpixel((32, 32))[0] // 10

    def hear(self, wave: np.ndarray) -> int:
        number = 7 * ((len(wave) - 4000) // 100) % THINGS  # 7 * 7 = 1 modulo 24
        clean = np.abs(wave - tone(number)).max() < 1e-3
        return number if clean or self.hears_noise else number + 11


class SaysOneThing(Knows):
    """Gives everything the same vector."""

    def encode(self, *, chunk: int = 128, **raw: Sequence[Any]) -> dict[str, Tensor]:
        return {name: torch.full((len(items), 4), 0.5) for name, items in raw.items()}
