"""Everything that a JointSpace shows, apart from how it is drawn: points, map, colours, what is selected and found."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from mmlab.datasets.emoji import TEST_STYLES
from mmlab.datasets.frame import frame
from mmlab.models.joint import SHIPPED, JointEmbedder
from mmlab.preprocessing import load_audio
from mmlab.types import InputError
from mmlab.widgets.labels import SPACE
from mmlab.widgets.maps import fit_umap
from mmlab.widgets.media import spectrogram_png
from mmlab.widgets.moments import Training
from mmlab.widgets.points import DEFAULT, Points, Shelf, modality_name
from mmlab.widgets.scene import Scene, gaps, grouping, nearest, pca_scene, thinned, umap_scene
from mmlab.widgets.shipped_map import VOICE
from mmlab.widgets.space_search import Query, file_query, text_query

# What the controls can show of the shipped data: an English voice and a Chinese one, neither heard in training.
FORMS = {
    "text/en": ("text", "en"),
    "text/zh": ("text", "zh"),
    "image/near": ("image", TEST_STYLES["near"]),
    "image/far": ("image", TEST_STYLES["far"]),
    "audio/en": ("audio", VOICE),
    "audio/zh": ("audio", "cmn+f3"),
}
HEATED, THINGS = 4, 12  # rows of the heat map: of each modality's neighbours, and in all
MAPS = tuple(SPACE["maps"])


class SpaceState:
    """One map and what is asked of it. Changing it gives new facts; nothing here knows of widgets.

    Raises:  InputError for maps, columns and points that are not there
    """

    def __init__(
        self, points: Points | None = None, *, shelf: Shelf | None = None, model: JointEmbedder | None = None
    ) -> None:
        self.shelf = shelf
        self.model = shelf.model if shelf is not None else model
        self.forms: tuple[tuple[str, str], ...] = DEFAULT
        self._base = shelf.points(DEFAULT) if points is None else points
        self._umaps: dict[Any, np.ndarray] = {}
        self.training = None if shelf is None else Training.of(shelf, SHIPPED)
        self.map, self.moment, self.colour = "pca", 0, "modality"
        self.selected, self.query, self.chosen = -1, None, np.array([], dtype=int)
        self._redo()

    @property
    def columns(self) -> list[str]:
        """What the points can be coloured by."""
        return [
            *(name for name in self.points.columns if name != "id"),
            *(["error"] if len(self.points.present) > 1 else []),
        ]

    @property
    def maps(self) -> list[str]:
        """The maps that there are."""
        return [kind for kind in MAPS if kind != "training" or self.training is not None]

    @property
    def has_umap(self) -> bool:
        """Whether these points have a UMAP: stored, or fitted here."""
        return self._umap() is not None

    def show(self, forms: Sequence[tuple[str, str]]) -> None:
        """Other points of the shipped data; what is selected stays so where it is still there."""
        if self.shelf is None:
            raise InputError("These points are your own; there are no others of them to show.")
        base = self.shelf.points(forms)
        self.forms, self._base = tuple(forms), base
        self._redo()

    def use_map(self, kind: str, *, moment: int | None = None) -> None:
        """Another map: "pca", "umap", or "training" at one of its moments."""
        if kind not in self.maps:
            raise InputError(f"The map is one of {', '.join(self.maps)}, got {kind!r}; choose one of these.")
        steps = len(self.training.steps) if self.training is not None else 1
        moment = self.moment if moment is None else moment
        if not 0 <= moment < steps:
            raise InputError(f"There are {steps} stored moments of training, got number {moment}; count from 0.")
        self.map, self.moment = kind, moment
        self._redo()

    def use_colour(self, column: str) -> None:
        """Other colours."""
        self.groups, self.colour = grouping(self.points, column), column

    def refit(self, say: Any = None) -> None:
        """Fits a UMAP to these very points, whatever is stored."""
        if self.map == "training":
            raise InputError("The moments of training have axes of their own; choose another map before fitting UMAP.")
        self._umaps[self._key] = fit_umap(self.points.vectors, say=say)
        self._redo()

    def search(self, *, text: str | None = None, file: tuple[str, bytes] | None = None) -> Query:
        """Looks for a text or an uploaded file; what was selected is let go."""
        if self.model is None:
            raise InputError(SPACE["no_model"])
        query = text_query(self.model, text) if text is not None else file_query(self.model, *(file or ("", b"")))
        if query.z.shape[0] != self.points.vectors.shape[1] and self.map != "training":
            width = self.points.vectors.shape[1]
            raise InputError(
                f"The model gives {query.z.shape[0]} numbers, the points have {width}; pass their own model."
            )
        self.query, self.selected = query, -1
        return query

    @property
    def centre(self) -> np.ndarray | None:
        """The vector whose neighbours are shown: the selected point's, or the query's."""
        if self.selected >= 0:
            return self.points.vectors[self.selected]
        return None if self.query is None or self.map == "training" else self.query.z

    @property
    def found(self) -> dict[int, list[tuple[int, float]]]:
        """Neighbours of what is selected or looked for, by modality."""
        return {} if self.centre is None else nearest(self.points, self.centre, leave_out=self.selected)

    @property
    def gaps(self) -> dict[tuple[str, str], float]:
        """The modality gaps among the points that are shown."""
        return gaps(self.points)

    @property
    def heated(self) -> np.ndarray:
        """Which points stand in the heat map: the chosen ones, or the selected one and its nearest neighbours."""
        if len(self.chosen):
            return thinned(self.chosen, THINGS)
        near = [index for some in self.found.values() for index, _ in some[:HEATED]]
        return np.array([*([self.selected] if self.selected >= 0 else []), *near][:THINGS], dtype=int)

    @property
    def frame(self) -> Any:
        """The chosen points as a pandas DataFrame; all of them where none is chosen."""
        rows = self.chosen if len(self.chosen) else np.arange(len(self.points))
        names = [self.points.names[self.points.items[i]] for i in rows]
        columns = {"point": rows.tolist(), "name": [a for a, _ in names], "name_zh": [b for _, b in names]}
        columns |= {name: [words[i] for i in rows] for name, words in self.points.columns.items()}
        return frame({**columns, "x": self.scene.xy[rows, 0].tolist(), "y": self.scene.xy[rows, 1].tolist()})

    def spectrogram(self, index: int) -> bytes | None:
        """The picture of a point's sound; None where the point is no sound."""
        if modality_name(int(self.points.modalities[index])) != "audio" or (data := self.points.sound(index)) is None:
            return None
        return spectrogram_png(load_audio(data, cut=True))

    @property
    def _key(self) -> Any:
        return self.forms if self.shelf is not None else "own"

    def _umap(self) -> np.ndarray | None:
        if self._key in self._umaps:
            return self._umaps[self._key]
        stored = self.shelf is not None and self.forms == DEFAULT
        return self.shelf.stored.get("umap") if stored else None

    def _redo(self) -> None:
        """Points, places and colours again; selection follows its thing and modality into the new set of points."""
        before = getattr(self, "points", None)
        self.points = self.training.points(self.moment) if self.map == "training" else self._base
        self.scene = self._scene()
        column = self.colour if self.colour in self.columns else "modality"
        self.use_colour(column)
        if before is not None and not np.array_equal(before.items, self.points.items):
            self.chosen = np.array([], dtype=int)
        self.selected = follow(before, self.points, self.selected)

    def _scene(self) -> Scene:
        if self.map == "training":
            return self.training.scene(self.moment)
        if self.map == "umap" and (xy := self._umap()) is not None:
            return umap_scene(self.points, xy)
        scene = pca_scene(self.points)
        return scene if self.map == "pca" else Scene(scene.xy, scene.axes, SPACE["no_umap"], scene.place)


def follow(before: Points | None, after: Points, index: int) -> int:
    """Where a point of one set is in another: the same thing in the same modality, or -1."""
    if before is None or index < 0 or before is after:
        return index
    same = (after.items == before.items[index]) & (after.modalities == before.modalities[index])
    return int(np.flatnonzero(same)[0]) if same.any() else -1


@lru_cache(maxsize=1)
def shipped_shelf() -> Shelf:
    """The shipped model and data, opened once for all widgets of a notebook."""
    return Shelf()
