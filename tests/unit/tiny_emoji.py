"""A dataset of twelve things in the shipped format, and a small model with random weights that reads it."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch
from PIL import Image, ImageDraw

from mmlab.datasets.emoji import EmojiData
from mmlab.encoders import AudioEncoder, ImageEncoder, TextEncoder
from mmlab.models.familiarity import FEWEST, Familiarity
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import SAMPLE_RATE, Tokenizer
from mmlab.types import MODALITIES

NAMES = {
    "🐘": ("elephant", "大象"), "🐢": ("turtle", "乌龟"), "🍎": ("red apple", "红苹果"), "🍕": ("pizza", "披萨"),
    "🚲": ("bicycle", "自行车"), "🎸": ("guitar", "吉他"), "🌋": ("volcano", "火山"), "🚂": ("locomotive", "火车头"),
    "🐙": ("octopus", "章鱼"), "🥕": ("carrot", "胡萝卜"), "🧲": ("magnet", "磁铁"), "🪐": ("ringed planet", "有环行星"),
}  # fmt: skip
STYLES = {"noto": "train", "emojione": "validation", "twemoji": "test_near", "openmoji": "test_far"}
VOICES = {"kal16": ("en", "flite", "train"), "ked": ("en", "festival", "test"), "cmn+f2": ("zh", "espeak", "test")}
MISSING = ("🥕", "twemoji")  # a thing that one team never drew


def picture(i: int, *, style: str) -> bytes:
    """A shape of its own colour, as WebP."""
    image = Image.new("RGB", (64, 64), "white")
    draw = ImageDraw.Draw(image)
    colour = tuple(int(value) for value in np.random.default_rng(i).integers(0, 200, 3))
    box = (4 + i, 4 + 2 * list(STYLES).index(style), 60, 60 - i)
    (draw.ellipse if i % 2 else draw.rectangle)(box, fill=colour)
    file = BytesIO()
    image.save(file, "WEBP", lossless=True)
    return file.getvalue()


def tone(i: int, *, voice: str) -> bytes:
    """Half a second of a tone of its own, as Ogg Opus."""
    seconds = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    file = BytesIO()
    pitch = 200 + 60 * i + 7 * list(VOICES).index(voice)
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * pitch * seconds), SAMPLE_RATE, format="OGG", subtype="OPUS")
    return file.getvalue()


def write_data(root: Path) -> Path:
    """The three tables and their SHA256SUMS."""
    root.mkdir(parents=True)
    ids = {emoji: f"{ord(emoji):x}" for emoji in NAMES}
    things = [
        dict(
            id=ids[emoji], emoji=emoji, order=i, name_en=en, name_zh=zh, keywords_en=[en], keywords_zh=[zh], group="g",
            subgroup=f"s{i % 3}", family=en, split="zero_shot" if i == 10 else "train",
        )
        for i, (emoji, (en, zh)) in enumerate(NAMES.items())
    ]  # fmt: skip
    images = [
        dict(thing=ids[emoji], style=style, split=split, image={"bytes": picture(i, style=style), "path": None})
        for i, emoji in enumerate(NAMES)
        for style, split in STYLES.items()
        if (emoji, style) != MISSING
    ]
    speech = [
        dict(
            thing=ids[emoji], language=language, engine=engine, voice=voice, text=names[language == "zh"], split=split,
            audio={"bytes": tone(i, voice=voice), "path": None},
        )
        for i, (emoji, names) in enumerate(NAMES.items())
        for voice, (language, engine, split) in VOICES.items()
    ]  # fmt: skip
    for name, rows in {"things": things, "images": images, "speech": speech}.items():
        pq.write_table(pa.Table.from_pylist(rows), root / f"{name}.parquet")
    sums = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(root.glob("*.parquet"))]
    (root / "SHA256SUMS").write_text("".join(sums))
    return root


def make_model(data: EmojiData, *, dim: int = 16, judged: bool = True) -> JointEmbedder:
    """Random weights, but a familiarity that was fitted: to what this very model makes of noise."""
    torch.manual_seed(0)
    tokenizer = Tokenizer.train([thing.name(language) for thing in data.things for language in ("en", "zh")], vocab=300)
    encoders = {
        "text": TextEncoder(24, tokenizer=tokenizer, layers=1, heads=2),
        "image": ImageEncoder(20, widths=[4, 8], blocks=[1, 1], strides=[2, 2]),
        "audio": AudioEncoder(24, widths=[4, 8, 8], layers=1, heads=2),
    }
    judges = {name: Familiarity(encoders[name].dim, out=dim, items=len(data)) for name in MODALITIES} if judged else {}
    model = JointEmbedder(encoders, dim=dim, familiarity=judges).eval()
    for name, judge in judges.items():
        width = encoders[name].dim
        x, z, gallery = torch.randn(FEWEST, width), torch.randn(FEWEST, dim), torch.randn(len(data), dim)
        judge.fit(x, gallery=gallery, held_x=torch.randn(FEWEST, width), held_z=z)
    return model
