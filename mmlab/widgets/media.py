"""Pictures and sounds on their way to the browser: a sprite sheet, spectrograms, thumbnails, data URIs."""

from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from mmlab.nn.mel import LogMel

CELL = 32  # pixels of a sprite's side
# Points along viridis, between which a straight line is taken: one hue order for colour-blind readers.
VIRIDIS = np.array(
    [(68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
     (170, 220, 50), (253, 231, 37)], dtype=np.float64,
)  # fmt: skip


def colourise(values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape 3"]:
    """Numbers in [0, 1] as colours; what lies outside takes the colour of the nearest end."""
    at = np.clip(values, 0, 1) * (len(VIRIDIS) - 1)
    low = np.minimum(at.astype(int), len(VIRIDIS) - 2)
    part = (at - low)[..., None]
    return np.rint(VIRIDIS[low] * (1 - part) + VIRIDIS[low + 1] * part).astype(np.uint8)


@lru_cache(maxsize=1)
def _mel() -> LogMel:
    return LogMel()


def spectrogram_png(samples: Float32[np.ndarray, " samples"], *, height: int = 64) -> bytes:
    """The log-mel spectrogram that the sound encoder hears, as PNG, low sounds below."""
    with torch.no_grad():
        mel = _mel()(torch.from_numpy(np.array(samples))[None])[0].numpy()
    span = max(float(mel.max() - mel.min()), 1e-6)
    picture = Image.fromarray(colourise(((mel - mel.min()) / span)[::-1].astype(np.float64)))
    return encode(picture.resize((max(picture.width, 180), height), Image.Resampling.NEAREST), kind="PNG")


def encode(picture: Image.Image, *, kind: str = "WEBP") -> bytes:
    """The bytes of a picture file."""
    out = BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def thumbnail(picture: Image.Image, *, side: int = 64) -> bytes:
    """A picture of any size on a white square of `side` pixels, as WebP."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    square = Image.new("RGB", (side, side), "white")
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return encode(square)


def sheet(pictures: Sequence[Image.Image], *, cell: int = CELL) -> tuple[bytes, int]:
    """All pictures on one sheet (WebP), and how many stand in a row of it."""
    columns = max(1, int(np.ceil(np.sqrt(len(pictures)))))
    rows = max(1, -(-len(pictures) // columns))
    whole = Image.new("RGB", (columns * cell, rows * cell), "white")
    for i, picture in enumerate(pictures):
        small = picture.convert("RGB").resize((cell, cell), Image.Resampling.BOX)
        whole.paste(small, (i % columns * cell, i // columns * cell))
    out = BytesIO()
    whole.save(out, "WEBP", quality=80, method=2)
    return out.getvalue(), columns


def data_uri(data: bytes, *, mime: str = "image/webp") -> str:
    """Bytes as an address that carries them."""
    return f"data:{mime};base64,{b64encode(data).decode()}"
