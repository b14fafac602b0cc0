"""A FusionLab as a still: the map with the fused point, and the answers with what each modality adds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from mmlab.datasets.emoji import Thing
from mmlab.figures import COLOURS, figure
from mmlab.types import MODALITIES
from mmlab.widgets.fusion_math import Outcome
from mmlab.widgets.fusion_space import FusionSpace
from mmlab.widgets.labels import FUSION
from mmlab.widgets.still import GREY, SHAPES, draw_points, mark_fused

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_lab(
    space: FusionSpace,
    outcome: Outcome,
    answers: Sequence[Thing],
    *,
    title: str,
    inputs: Mapping[str, Float[np.ndarray, " dim"]],
    trail: Sequence[Float[np.ndarray, " dim"]] = (),
) -> "Figure":
    """Both halves of the lab, from the same numbers as the live view."""
    made = figure(1, 2, width=9.0, height=4.1, title=title)
    left, right = made.axes
    _draw_map(left, space, outcome, inputs, trail)
    _draw_answers(right, outcome, answers)
    return made


def _draw_map(
    axes: "Axes",
    space: FusionSpace,
    outcome: Outcome,
    inputs: Mapping[str, Float[np.ndarray, " dim"]],
    trail: Sequence[Float[np.ndarray, " dim"]],
) -> None:
    numbers = space.points.modalities
    x, y = space.view.axes
    axes.set(xlim=(-1.06, 1.06), ylim=(-1.06, 1.06), aspect="equal", title=FUSION["map_title"], xlabel=x, ylabel=y)
    words, colours = [FUSION[m] for m in MODALITIES], [COLOURS[m] for m in MODALITIES]
    draw_points(axes, space.xy, groups=numbers, marks=numbers, legend=words, colours=colours)
    placed = space.place(np.stack([outcome.z, *inputs.values(), *trail]))
    for m, xy in zip(inputs, placed[1 : 1 + len(inputs)], strict=True):
        axes.plot(*np.stack([placed[0], xy]).T, "-", color=COLOURS[m], lw=1)
        axes.scatter(*xy, s=60, c=COLOURS[m], marker=SHAPES[MODALITIES.index(m)], edgecolors="black", zorder=4)
    mark_fused(axes, placed[:1], placed[1 + len(inputs) :])
    axes.legend(fontsize=7, markerscale=1.5, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, frameon=False)


def _draw_answers(axes: "Axes", outcome: Outcome, answers: Sequence[Thing]) -> None:
    """Bars laid end to end: what adds to a score goes right of zero, what takes from it left."""
    rows = np.arange(1, len(answers) + 1)
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    parts = [*outcome.shares.items(), *([("rest", outcome.rest)] if outcome.rest.any() else [])]
    for name, share in parts:
        starts = np.where(share >= 0, right, left)
        axes.barh(rows, share, left=starts, color=COLOURS.get(name, GREY), label=FUSION[name], height=0.62)
        right, left = right + np.maximum(share, 0), left + np.minimum(share, 0)
    scores = outcome.scores[outcome.best]
    axes.plot(scores, rows, "|", color="black", ms=16, label=FUSION["score"])
    for row, thing, end in zip(rows, answers, right, strict=True):
        axes.text(end + 0.03, row, f"{thing.name_en} {thing.name_zh}", va="center", fontsize=8)
    axes.axvline(0, color="0.4", lw=0.8)
    axes.set(title=FUSION["answers"], xlabel=FUSION["score"], ylabel=FUSION["place"], yticks=rows)
    axes.set(xlim=(min(-0.05, left.min() * 1.1), max(1.5, right.max() + 0.6)), ylim=(len(rows) + 0.6, 0.4))
    axes.legend(fontsize=7, loc="lower right", frameon=True)
