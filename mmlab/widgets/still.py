"""The picture that stands where no kernel runs: every outermost widget carries one in its mime bundle."""

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Integer

from mmlab.figures import COLOURS, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "ink"  # the colour of writing: black on white, white on black
GREY = "#9a9a9a"
SHAPES = ("o", "s", "^", "D")  # disc, square, triangle, diamond: the marks of the view
MARKS = {"text": 0, "image": 1, "audio": 2, "other": 3}


class Still:
    """First base of an outermost widget: `figure()` draws the present state, and the mime bundle carries it as PNG.

    GitHub, nbconvert and a lesson that was not run show that PNG. A box around the widget would lose it.
    """

    def figure(self) -> "Figure":
        """The present state as a matplotlib figure."""
        raise NotImplementedError(f"{type(self).__name__} draws its own still.")

    def png(self) -> bytes:
        """The present state as the bytes of a PNG."""
        return png(self.figure())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        made = super()._repr_mimebundle_(**options)
        data, metadata = made if isinstance(made, tuple) else (made or {}, {})
        return {**data, "image/png": b64encode(self.png()).decode()}, metadata


def draw_points(
    axes: "Axes",
    xy: Float[np.ndarray, "n 2"],
    *,
    groups: Integer[np.ndarray, " n"],
    marks: Integer[np.ndarray, " n"],
    legend: list[str],
    colours: list[str],
    grey: np.ndarray | None = None,
) -> None:
    """The cloud as the view draws it: colour by group, shape by mark, what is not chosen in grey underneath."""
    grey = np.zeros(len(xy), dtype=bool) if grey is None else grey
    if grey.any():
        axes.scatter(*xy[grey].T, s=5, c=GREY, alpha=0.3, linewidths=0)
    for group, name in enumerate(legend):
        here = (groups == group) & ~grey
        shown = name
        for mark in sorted(set(marks[here].tolist())):
            some = here & (marks == mark)
            colour = "black" if colours[group] == INK else colours[group]
            axes.scatter(*xy[some].T, s=9, c=colour, marker=SHAPES[mark], alpha=0.6, linewidths=0, label=shown)
            shown = "_" + name  # the legend names a group once
    if 1 < len(legend) <= 12:
        axes.legend(fontsize=7, markerscale=2, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def mark_fused(axes: "Axes", xy: Float[np.ndarray, "1 2"], trail: Float[np.ndarray, "t 2"] | None = None) -> None:
    """The fused point as a star, and where it was before."""
    if trail is not None and len(trail):
        axes.plot(*np.concatenate([trail, xy]).T, "-", color=COLOURS["fused"], lw=0.8, alpha=0.5)
    axes.scatter(*xy.T, s=160, marker="*", c="#F0E442", edgecolors="black", zorder=5, label="fused")
