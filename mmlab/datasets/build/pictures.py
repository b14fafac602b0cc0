"""Each thing in each style: drawn by its design team, fitted to a square, colours to 6 bits a channel, lossless WebP."""

import io
import multiprocessing
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from mmlab.datasets.build.things import file_key, style_files
from mmlab.preprocessing.fit import IMAGE_SIZE, fit_image
from mmlab.types import InputError

STYLES = {
    "noto": "train",
    "fluent_3d": "train",
    "fluent_flat": "train",
    "emojione": "validation",
    "emojione_line": "validation",
    "twemoji": "test_near",
    "openmoji": "test_far",
}
COMPLETE_STYLES = ("noto", "twemoji", "openmoji")
SVG_SIDE = 256  # pixels at which vector drawings are rendered before they are fitted
NOTO_SIZE = 109  # the one size of the bitmaps inside the font
LEVELS = 63  # steps between black and white: 6 bits a channel save a third of the bytes and no one sees it


class Noto:
    """The Noto Color Emoji font."""

    def __init__(self, path: Path) -> None:
        if not features.check("raqm"):
            raise InputError(
                "Pillow with the Raqm layout engine was expected, so that joined emoji come out as one, and this one "
                "lacks it; install libraqm0, or the Pillow wheel from PyPI, which carries it."
            )
        self.font = ImageFont.truetype(str(path), NOTO_SIZE, layout_engine=ImageFont.Layout.RAQM)
        self.width = self.font.getlength("\U0001f600")

    def can_draw(self, emoji: str) -> bool:
        """Whether the font joins the sequence into one glyph (it must be as wide as one) and has a picture for it."""
        return self.font.getlength(emoji) == self.width and self.draw(emoji).getbbox() is not None

    def draw(self, emoji: str) -> Image.Image:
        canvas = Image.new("RGBA", (160, 160), (255, 255, 255, 0))
        ImageDraw.Draw(canvas).text((10, 10), emoji, font=self.font, embedded_color=True)
        return canvas


def read_drawing(path: Path) -> Image.Image:
    """An SVG or WebP file of a design team as a picture with its transparency."""
    if path.suffix == ".svg":
        import resvg_py  # in the extra "build": no one else needs it

        data = resvg_py.svg_to_bytes(svg_path=str(path), width=SVG_SIDE, height=SVG_SIDE)
        return Image.open(io.BytesIO(bytes(data)))
    return Image.open(path)


def round_colours(image: Image.Image) -> Image.Image:
    """Every channel to the nearest of 64 levels, evenly spaced from 0 to 255; rounding twice changes nothing."""
    values = np.asarray(image, dtype=np.float64)
    return Image.fromarray(np.rint(np.rint(values / 255 * LEVELS) * 255 / LEVELS).astype(np.uint8))


def encode_webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def render_style(style: str, things: list[dict], modules: Path, font: Path, size: int) -> list[bytes | None]:
    """One style's picture of each thing; None where the team has none, or draws two things alike.

    A line drawing cannot tell a green heart from a blue one: a picture that several things share names none of them. What
    is alike is judged at the size that ships, so that other sizes hold the same pictures.
    """
    if style == "noto":
        noto = Noto(font)
        drawings = (noto.draw(thing["emoji"]) for thing in things)
    else:
        files = style_files(modules)[style]
        paths = [files.get(file_key(thing["id"])) for thing in things]
        drawings = (None if path is None else read_drawing(path) for path in paths)
    shipped, wanted = [], []
    for drawing in drawings:
        shipped.append(None if drawing is None else square(drawing, IMAGE_SIZE))
        wanted.append(shipped[-1] if drawing is None or size == IMAGE_SIZE else square(drawing, size))
    count = Counter(shipped)
    return [picture if count[small] == 1 else None for small, picture in zip(shipped, wanted, strict=True)]


def square(drawing: Image.Image, size: int) -> bytes:
    """A drawing as it is stored."""
    return encode_webp(round_colours(fit_image(drawing, size=size)))


def image_rows(
    things: list[dict], modules: Path, font: Path, *, workers: int, size: int = IMAGE_SIZE
) -> tuple[list[dict], dict[str, int]]:
    """The rows of images.parquet, thing by thing, and how many pictures each style lacks."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        rendered = pool.starmap(render_style, [(style, things, modules, font, size) for style in STYLES], chunksize=1)
    lacking = {
        style: sum(picture is None for picture in pictures) for style, pictures in zip(STYLES, rendered, strict=True)
    }
    if any(lacking[style] for style in COMPLETE_STYLES):
        raise ValueError(
            f"Every thing was expected in {', '.join(COMPLETE_STYLES)}, alike with no other; {lacking} are not; "
            "leave the things that share a drawing out in things.py."
        )
    rows = [
        {
            "thing": thing["id"],
            "style": style,
            "split": STYLES[style],
            "image": {"bytes": pictures[index], "path": f"{thing['id']}-{style}.webp"},
        }
        for index, thing in enumerate(things)
        for style, pictures in zip(STYLES, rendered, strict=True)
        if pictures[index] is not None
    ]
    return rows, lacking
