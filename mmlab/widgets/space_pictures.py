"""The pictures of a JointSpace: its sprite sheet, and the still that stands where no kernel runs."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from mmlab.figures import MAP, figure
from mmlab.preprocessing import load_image
from mmlab.types import InputError
from mmlab.widgets.labels import SPACE
from mmlab.widgets.media import CELL, sheet
from mmlab.widgets.points import Points, modality_name
from mmlab.widgets.scene import similarities
from mmlab.widgets.space_state import SpaceState
from mmlab.widgets.still import draw_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 2_500  # sprites on one sheet: about a megabyte
LABEL = 24  # characters of a name beside the heat map
MIMES = {b"OggS": "audio/ogg", b"RIFF": "audio/wav", b"fLaC": "audio/flac", b"FORM": "audio/aiff"}


def mime_of(data: bytes) -> str:
    """The type of a sound by its first bytes; MP3 where they say nothing."""
    return MIMES.get(data[:4], "audio/mpeg")


class Sprites:
    """A small picture of each item, on one sheet, made once; items without a picture, or beyond MOST, have none."""

    def __init__(self, state: SpaceState) -> None:
        points, first = state.points, {}
        for index in range(len(points)):
            first.setdefault(int(points.items[index]), index)
        pictures, self.cells, faults = [], np.full(len(points.names), -1, dtype=np.int32), []
        for item, index in list(first.items())[:MOST]:
            try:
                data = points.picture(index)
                if data is not None:
                    pictures.append(load_image(data))
                    self.cells[item] = len(pictures) - 1
            except InputError as error:
                faults.append(str(error))
        self.sheet, self.columns = sheet(pictures) if pictures else (b"", 1)
        self.cell = CELL
        self.unread = SPACE["unread"].format(count=len(faults), why=faults[0]) if faults else ""

    def of(self, points: Points) -> Int[np.ndarray, " n"]:
        """The cell of each point; words and sounds show the picture of what they name."""
        return self.cells[points.items]


def space_figure(state: SpaceState, *, off: list[int]) -> "Figure":
    """The map as the view draws it, and beside it the cosines of what is selected, looked for or chosen."""
    heated = state.heated
    beside = len(heated) > 1
    made = figure(1, 2 if beside else 1, width=11 if beside else 7, height=4.6)
    axes, groups = made.axes[0], state.groups
    grey = np.isin(groups.codes, off)
    if len(state.chosen):
        grey |= ~np.isin(np.arange(len(state.points)), state.chosen)
    title = SPACE["title"].format(count=len(state.points), map=SPACE["maps"][state.map])
    axes.set(title=title, xlabel=state.scene.axes[0], ylabel=state.scene.axes[1])
    axes.set(xlim=(-1.06, 1.06), ylim=(-1.06, 1.06), aspect="equal")
    modalities = state.points.modalities
    draw_points(
        axes,
        state.scene.xy,
        groups=groups.codes,
        marks=modalities,
        legend=groups.legend,
        colours=groups.colours,
        grey=grey,
    )
    if state.selected >= 0:
        axes.scatter(
            *state.scene.xy[state.selected], s=90, facecolors="none", edgecolors="black", linewidths=2, zorder=5
        )
    elif state.query is not None and state.scene.place is not None:
        axes.scatter(*state.scene.place(state.query.z[None]).T, s=90, marker="X", c="black", zorder=5)
    if beside:
        names = [_called(state.points, int(i)) for i in heated]
        heat = made.axes[1]
        shown = heat.imshow(similarities(state.points, heated), cmap=MAP, vmax=1)
        heat.grid(False)
        heat.set_title(SPACE["heat"])
        heat.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
        heat.set_yticks(range(len(names)), names, fontsize=7)
        made.colorbar(shown, ax=heat, label="cosine")
    return made


def _called(points: Points, index: int) -> str:
    """A point in a few words: its name, and before it the modality where there are several."""
    name = points.names[points.items[index]][0]
    if len(name) > LABEL:
        name = name[: LABEL - 1].rstrip() + "…"
    if len(np.unique(points.modalities)) == 1:
        return name
    word = modality_name(int(points.modalities[index]))
    return f"{SPACE['words'].get(word, word)}: {name}"
