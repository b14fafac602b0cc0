"""Small real things for tests: a joint model of a few thousand parameters, a corpus of a dozen things, pictures, tones."""

from io import BytesIO

import numpy as np
import soundfile
import torch
from PIL import Image

from mmlab.datasets.emoji import Thing
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import Tokenizer
from mmlab.training.corpus import Corpus
from mmlab.training.recipe import AlignRecipe

STYLES = ("noto", "fluent_3d", "fluent_flat", "emojione", "emojione_line")
SIZES = {  # widths are multiples of 8: a strided convolution of fewer channels breaks the heap where a CPU has AVX2 at most
    "dim": 16,
    "text": {"dim": 16, "layers": 1, "heads": 2},
    "image": {"dim": 16, "widths": [8, 8, 16], "blocks": [1, 1, 1], "strides": [2, 2, 2]},
    "audio": {"dim": 16, "widths": [8, 8, 16], "layers": 1, "heads": 2},
}
EARLY = sum(SIZES["image"]["widths"][:2])  # channels of a picture's first two feature maps


def recipe(**changes: object) -> AlignRecipe:
    return AlignRecipe(**{"steps": 6, "batch": 8, "vocab": 300, **SIZES, **changes})


def tokenizer() -> Tokenizer:
    return Tokenizer.train([text for thing in things() for text in (thing.name_en, thing.name_zh)], vocab=300)


def model() -> JointEmbedder:
    """Untrained, but with running statistics that are not those of a fresh layer."""
    made, generator = recipe().build(tokenizer()), torch.Generator().manual_seed(0)
    for name, value in made.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    return made.eval()


def things(count: int = 16) -> list[Thing]:
    words = {"keywords_en": ("red", "round"), "keywords_zh": ("红", "圆")}
    common = {"emoji": "x", "group": "symbols", "subgroup": "a", "split": "train", **words}
    return [Thing(id=f"{i:x}", name_en=f"thing {i}", name_zh=f"东西{i}", family=str(i), **common) for i in range(count)]


def picture(seed: int, *, size: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8))


def tone(seed: int, *, seconds: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    times = np.arange(int(16_000 * seconds)) / 16_000
    return (0.4 * np.sin(2 * np.pi * rng.uniform(200, 2000) * times) + 0.05 * rng.normal(size=len(times))).astype(
        np.float32
    )


def corpus() -> Corpus:
    pictures = [(t.id, style, _png(7 * i + k)) for i, t in enumerate(things()) for k, style in enumerate(STYLES)]
    clips = [(t.id, name, f"espeak/{name}", _ogg(i)) for i, t in enumerate(things()) for name in ("en", "zh")]
    return Corpus(things(), pictures=pictures, clips=clips)


def _png(seed: int) -> bytes:
    out = BytesIO()
    picture(seed).save(out, "PNG")
    return out.getvalue()


def _ogg(seed: int) -> bytes:
    out = BytesIO()
    soundfile.write(out, tone(seed, seconds=0.3 + 0.05 * (seed % 5)), 16_000, format="OGG", subtype="OPUS")
    return out.getvalue()
