"""What makes a run repeat: seeds, shape checks, and a text digest of a figure that is the same on every machine."""

import math
import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

DIGITS = 3  # significant digits of the largest value: float32 differs between machines, but not up there
BOUNDARY = 1e-3  # a value this share of a step below a rounding boundary rounds up already, so noise cannot flip it

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"  # a whole number is a float, too
PLAIN = "mmlab.datasets.dialogue"


def seed(value: int = 0, *, threads: int | None = 1) -> "torch.Generator":
    """Seeds Python, NumPy and torch, and gives a generator for code that takes one.

    One thread by default: how a sum is split over threads changes its last digits, and after some training steps its
    first ones. `threads=None` leaves the number of threads alone, where speed matters more than the same digits.
    """
    import torch

    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)
    if threads is not None:
        torch.set_num_threads(threads)
    return torch.Generator().manual_seed(value)


def check_shapes() -> None:
    """From now on each function of mmlab checks the shapes and types in its signature; call it before any is imported.

    The dialogues are made by small functions that take no arrays and are called by the hundred thousand: theirs are
    checked without a context of shapes, which would cost ten times what they do.
    """
    from beartype import BeartypeConf
    from beartype.claw import beartype_package
    from jaxtyping import install_import_hook

    here = Path(__file__).parent
    shaped = [f"mmlab.{found.name}" for found in iter_modules([str(here)]) if found.name != "datasets"]
    shaped += [f"mmlab.datasets.{found.name}" for found in iter_modules([str(here / "datasets")])]
    shaped.remove(PLAIN)
    shaped += [f"{PLAIN}.colours", f"{PLAIN}.facts"]
    install_import_hook(shaped, CHECKER)
    beartype_package(PLAIN, conf=BeartypeConf(is_pep484_tower=True, claw_is_pep526=False))


def digest(figure: Any) -> str:
    """A matplotlib figure as text: titles, labels, what is drawn, and of each drawn thing its range and three numbers.

    PNG bytes differ between machines; these lines do not, and they change when the data, their order or a label does.
    """
    lines = [f"figure {figure.get_suptitle()!r}, {len(figure.axes)} axes"]
    for index, axes in enumerate(figure.axes, start=1):
        if axes.get_label() == "<colorbar>":
            lines.append(f"axes {index} is a colour scale, {axes.get_xlabel() or axes.get_ylabel()!r}")
            continue
        lines.append(f"axes {index} {axes.get_title()!r}, x {axes.get_xlabel()!r}, y {axes.get_ylabel()!r}")
        lines += [f"  {line}" for line in _drawn(axes)]
    return "\n".join(lines)


def summary(values: Any) -> str:
    """Numbers as text: least to largest, mean, spread, and `order`, which changes when the same numbers change places.

    $$order = n^{-1/2} \\sum_i \\cos(i)\\, v_i$$

    All are rounded to three significant digits of the largest magnitude.
    """
    flat = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan).ravel()
    finite = flat[np.isfinite(flat)]
    lost = f", {len(flat) - len(finite)} not finite" if len(finite) < len(flat) else ""
    if len(finite) == 0:
        return f"no numbers{lost}"
    order = float(np.cos(np.arange(len(finite))) @ finite) / math.sqrt(len(finite))
    scale = float(np.abs(finite).max())
    least, largest, mean, spread, order = (
        _rounded(float(value), scale) for value in (finite.min(), finite.max(), finite.mean(), finite.std(), order)
    )
    return f"{least} to {largest}, mean {mean}, spread {spread}, order {order}{lost}"


def _rounded(value: float, scale: float) -> str:
    if scale == 0:
        return "0"
    decimals = DIGITS - 1 - math.floor(math.log10(scale) + BOUNDARY)
    number = math.floor(value * 10.0**decimals + 0.5 + BOUNDARY) / 10.0**decimals
    return f"{number + 0.0:.{max(decimals, 0)}f}"


def _drawn(axes: Any) -> Iterator[str]:
    for line in axes.lines:
        x, y = line.get_data(orig=False)  # names on an axis are places there
        yield f"line{_label(line)} of {len(x)}, {_places(np.column_stack([x, y]))}"
    for collection in axes.collections:
        yield f"{type(collection).__name__}{_label(collection)}: {'; '.join(_collection(collection))}"
    if axes.images:
        shapes = sorted({np.shape(image.get_array()) for image in axes.images})
        values = np.ma.concatenate([image.get_array().astype(float).ravel() for image in axes.images])
        yield f"images: {len(axes.images)} of shape {', '.join(map(str, shapes))}: {summary(values)}"
    if axes.patches:
        outlines = [patch.get_patch_transform().transform(patch.get_path().vertices) for patch in axes.patches]
        yield f"patches: {len(axes.patches)}, {_places(np.concatenate(outlines))}"
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    if texts:
        yield f"texts: {len(texts)}, {_checksum(texts)}: {', '.join(texts[:3])}"
    if axes.get_legend() is not None:
        yield f"legend: {', '.join(text.get_text() for text in axes.get_legend().get_texts())}"


def _collection(collection: Any) -> Iterator[str]:
    """Scatter points by their places, other shapes by their outlines; colours where they are data."""
    offsets = np.asarray(collection.get_offsets(), dtype=float)
    if len(offsets) > 1 or not len(collection.get_paths()):
        yield f"{len(offsets)} points, {_places(offsets)}"
    else:
        outlines = [path.vertices for path in collection.get_paths()]
        yield f"{len(outlines)} shapes, {_places(np.concatenate(outlines))}"
    if collection.get_array() is not None:
        yield f"colours {summary(collection.get_array())}"


def _places(points: np.ndarray) -> str:
    return f"x {summary(points[:, 0])}; y {summary(points[:, 1])}"


def _label(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else f" {label!r}"


def _checksum(texts: Sequence[str]) -> str:
    return f"{zlib.crc32(chr(0).join(texts).encode()):08x}"
