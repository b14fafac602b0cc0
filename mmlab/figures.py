"""The house's figures: one style, one colour for each modality, Chinese on every machine.

matplotlib is imported when a figure is first asked for. Every helper returns a `Figure` that belongs to no window: as
the last line of a notebook cell it shows once. `use_style()` gives a lesson's own `plt.subplots()` the same look.
"""

import sys
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Shaped

from mmlab.assets import FONT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with any colour vision, and in grey by their lightness.
COLOURS = {"text": "#0072B2", "image": "#D55E00", "audio": "#009E73", "video": "#CC79A7", "fused": "#000000"}
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MAP = "viridis"  # one hue order for colour-blind readers, rising lightness in print

FAMILY = (
    "mmlab Sans SC"  # draws every name, keyword and lesson, and common Chinese; a reader may write rarer characters
)
FALLBACKS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "SimHei",
)
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "image.cmap": MAP,
    "image.interpolation": "nearest",
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "svg.hashsalt": "mmlab",
}


@lru_cache(maxsize=1)
def _families() -> list[str]:
    """The house font, made known to matplotlib, and what stands in for a character that it lacks.

    It leads: in a text that holds a formula matplotlib draws all words with the first family.
    """
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(FONT))
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [FAMILY, *(name for name in FALLBACKS if name in installed), "DejaVu Sans"]


def use_style() -> None:
    """Gives every figure made from now on the house style and a font that can draw Chinese."""
    import matplotlib

    matplotlib.rcParams.update(STYLE | {"font.family": _families()})
    matplotlib.rcParams["axes.prop_cycle"] = matplotlib.cycler(color=CYCLE)


def figure(rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 4.0, title: str = "") -> "Figure":
    """An empty house figure with a grid of axes (`figure.axes`, row by row)."""
    from matplotlib.figure import Figure

    use_style()
    _show_in_notebooks()
    made = Figure(figsize=(width, height), layout="constrained")
    made.subplots(rows, columns)
    if title:
        made.suptitle(title)
    return made


def picture_grid(
    pictures: Sequence[Any],
    labels: Sequence[str] | None = None,
    *,
    columns: int = 6,
    title: str = "",
    size: float = 1.2,
) -> "Figure":
    """Pictures (PIL or arrays, height by width by 3) in rows, each over its label."""
    if len(pictures) == 0:
        raise ValueError("picture_grid shows at least one picture, got none; pass a list of PIL pictures or arrays.")
    if labels is not None and len(labels) != len(pictures):
        raise ValueError(f"picture_grid wants one label a picture, got {len(labels)} for {len(pictures)} pictures.")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    made = figure(rows, columns, width=columns * size, height=rows * (size + 0.25) + 0.3 * bool(title), title=title)
    for axes in made.axes[len(pictures) :]:
        axes.remove()
    for index, axes in enumerate(made.axes):
        axes.axis("off")
        axes.imshow(np.asarray(pictures[index]))
        if labels is not None:
            axes.set_title(labels[index], fontsize=8)
    return made


def heatmap(
    similarity: Float[np.ndarray, "rows columns"],
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    label: str = "cosine similarity",
) -> "Figure":
    """A matrix as colours, with its scale; small ones show their numbers."""
    values = np.asarray(similarity, dtype=float)
    height, width = values.shape
    made = figure(width=2.2 + 0.5 * max(width, 4), height=1.4 + 0.4 * max(height, 4))
    axes = made.axes[0]
    image = axes.imshow(values, aspect="auto")
    made.colorbar(image, ax=axes, label=label)
    axes.grid(False)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if columns:
        axes.set_xticks(range(width), columns, rotation=35, ha="right", rotation_mode="anchor")
    if rows:
        axes.set_yticks(range(height), rows)
    if values.size <= 100:
        _write_numbers(axes, values, image)
    return made


def spectrogram(
    mel: Float[np.ndarray, "mels frames"], *, hop: float = 0.01, title: str = "", label: str = "log energy"
) -> "Figure":
    """A mel spectrogram, low sounds below.

    Units:   hop in seconds between two frames; the vertical axis counts mel bins
    """
    values = np.asarray(mel, dtype=float)
    made = figure(width=6.4, height=2.8)
    axes = made.axes[0]
    mels, frames = values.shape
    image = axes.imshow(values, origin="lower", aspect="auto", extent=(0, frames * hop, 0, mels))
    made.colorbar(image, ax=axes, label=label)
    axes.grid(False)
    axes.set(title=title, xlabel="time (s)", ylabel="mel bin")
    return made


def png(made: "Figure") -> bytes:
    """The figure as PNG bytes, for a page or a widget's still."""
    out = BytesIO()
    made.savefig(out, format="png", bbox_inches="tight")
    return out.getvalue()


def _write_numbers(axes: "Axes", values: Shaped[np.ndarray, "rows columns"], image: Any) -> None:
    """Two decimals in each cell, dark on light and light on dark."""
    for (row, column), value in np.ndenumerate(values):
        ink = "black" if image.norm(value) > 0.55 else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)


def _show_in_notebooks() -> None:
    """Tells IPython, where it runs, how to show a Figure: it learns that by itself only from pyplot."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["image/png"].for_type_by_name("matplotlib.figure", "Figure", png)
