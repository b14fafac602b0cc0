"""Which colour a picture has, measured from its pixels, where one colour is clear."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image
from scipy import ndimage

COLOURS: Mapping[str, str] = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色", "purple": "紫色",
    "pink": "粉色", "brown": "棕色", "black": "黑色", "grey": "灰色", }  # fmt: skip
WHITE = "white"  # measured, but never an answer: on white ground nobody can tell a white thing from a ring or a hole
NAMES = (*COLOURS, WHITE)
UNCLEAR = len(NAMES)  # pixels between two names, which count for neither
CLEAR, SECOND = 0.6, 0.25  # shares of the solid pixels: the least of the first colour, the most of the next
COVER = 0.4  # the least share of the first colour among all that is drawn, lines included
SOLID = 0.1  # share of all pixels below which a picture is too slight to have a colour
AROUND = 2  # a pixel is solid where those up to this far have its colour: outlines are too thin to be
BITS = 5  # of each channel that the table of names keeps


def colour_of(picture: Image.Image) -> str | None:
    """The colour of most of what is drawn, or None where no colour clearly is.

    What is drawn is all but the white that reaches the border; what counts of it are patches of one colour, so that a
    black outline makes nothing black. Pixels are named by hue, saturation and value with gaps between neighbours, so
    that a picture of a borderline colour has none.
    """
    pixels = np.asarray(picture.convert("RGB"))
    red, green, blue = (pixels >> (8 - BITS)).transpose(2, 0, 1)
    drawn = ~ground((pixels >= 250).all(axis=-1))
    named = np.where(drawn, table()[red, green, blue], UNCLEAR)
    near = {"size": 2 * AROUND + 1, "mode": "constant", "cval": UNCLEAR}
    same = ndimage.minimum_filter(named, **near) == ndimage.maximum_filter(named, **near)
    solid = named[same & (named != UNCLEAR)]
    counts = np.bincount(solid, minlength=UNCLEAR) / max(len(solid), 1)
    second, first = np.argsort(counts, kind="stable")[-2:]
    clear = len(solid) >= SOLID * named.size and counts[first] >= CLEAR and counts[second] <= SECOND
    covers = (named == first).sum() >= COVER * drawn.sum()
    return NAMES[first] if clear and covers and NAMES[first] != WHITE else None


def ground(white: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The white pixels that are joined to the border by white ones."""
    parts, count = ndimage.label(white)
    outside = np.zeros(count + 1, dtype=bool)
    outside[parts[edge(white.shape)]] = True
    outside[0] = False  # what is not white
    return outside[parts]


def edge(shape: tuple[int, ...]) -> Bool[np.ndarray, "height width"]:
    """True on the outermost pixels."""
    found = np.ones(shape, dtype=bool)
    found[1:-1, 1:-1] = False
    return found


@cache
def table() -> UInt8[np.ndarray, "red green blue"]:
    """The name of every colour, its channels cut to a few bits: a position in NAMES, or UNCLEAR."""
    levels = (np.arange(2**BITS, dtype=np.uint8) << (8 - BITS)) + np.uint8(2 ** (7 - BITS))
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return name_pixels(grid.reshape(-1, 3)).reshape(grid.shape[:-1])


def name_pixels(rgb: UInt8[np.ndarray, "n three"]) -> UInt8[np.ndarray, " n"]:
    """Each colour by hue (degrees), saturation and value: a position in NAMES, or UNCLEAR."""
    values = rgb.astype(np.float64) / 255
    high, low = values.max(axis=1), values.min(axis=1)
    spread = np.where(high > low, high - low, 1.0)
    r, g, b = values.T
    sector = np.select([high == r, high == g], [(g - b) / spread, 2 + (b - r) / spread], 4 + (r - g) / spread)
    hue, s, v = (60 * sector) % 360, (high - low) / np.where(high > 0, high, 1.0), high
    vivid, reddish = (s > 0.3) & (v > 0.25), (hue > 345) | (hue < 12)
    rules = {
        "black": (v < 0.2) | ((v < 0.3) & (s < 0.3)),
        "white": (s < 0.08) & (v > 0.93),
        "grey": (s < 0.12) & (v > 0.35) & (v < 0.85),
        "red": reddish & (s > 0.68) & (v > 0.5),
        "pink": ((hue > 318) | (hue < 10)) & (s > 0.18) & (s < 0.58) & (v > 0.85),
        "brown": (hue > 8) & (hue < 42) & (s > 0.35) & (v > 0.25) & (v < 0.78),
        "orange": (hue > 17) & (hue < 36) & (s > 0.6) & (v > 0.88),
        "yellow": (hue > 40) & (hue < 63) & (s > 0.4) & (v > 0.85),
        "green": (hue > 72) & (hue < 162) & vivid,
        "blue": (hue > 193) & (hue < 243) & (s > 0.25) & (v > 0.3),
        "purple": (hue > 256) & (hue < 300) & (s > 0.25) & (v > 0.3),
    }
    return np.select([rules[name] for name in NAMES], [np.uint8(at) for at in range(len(NAMES))], np.uint8(UNCLEAR))
