"""The space while it came about: the stored moments of training as points, one set for each step."""

import numpy as np

from mmlab.datasets.emoji import TRAIN_STYLES
from mmlab.training.snapshots import Moments, read_moments
from mmlab.types import MODALITIES
from mmlab.widgets.labels import SPACE
from mmlab.widgets.maps import Frame, axis_names, unit
from mmlab.widgets.points import Points, Shelf
from mmlab.widgets.scene import Scene

STYLE, VOICE = TRAIN_STYLES[0], "kal16"  # what the snapshots were taken of: pictures and clips that were trained on


class Training:
    """Things at each stored moment, on the principal axes of the space at the last of them, which stand still.

    The vectors are what 16 axes keep of the space: cosines between them are close to those of the whole vectors, not
    the same, and the note says so.
    """

    def __init__(self, moments: Moments, shelf: Shelf) -> None:
        self.moments, self.shelf = moments, shelf
        self.items = np.array([shelf.data.index[thing] for thing in moments.things if thing in shelf.data.index])
        self.here = np.array([thing in shelf.data.index for thing in moments.things])
        every = moments.coordinates[..., self.here, :2].reshape(-1, 2)
        self.frame = Frame.of(every)

    @classmethod
    def of(cls, shelf: Shelf, folder: object) -> "Training | None":
        """The moments that lie beside a checkpoint; None where there are none."""
        moments = read_moments(folder)
        return None if moments is None else cls(moments, shelf)

    @property
    def steps(self) -> list[int]:
        """The training step of each moment."""
        return [int(step) for step in self.moments.steps]

    def points(self, moment: int) -> Points:
        """All stored things at one moment, in three modalities."""
        coordinates = self.moments.coordinates[moment][:, self.here]
        count, things = len(self.items), self.shelf.data.things
        items = np.tile(self.items, len(MODALITIES))
        modalities = np.repeat(np.arange(len(MODALITIES)), count)
        columns = {
            "modality": [MODALITIES[m] for m in modalities],
            "kind": [things[i].group for i in items],
            "style": [STYLE if m == 1 else MODALITIES[m] for m in modalities],
            "language": ["none" if m == 1 else "en" for m in modalities],
            "id": [things[i].id for i in items],
        }
        return Points(
            vectors=unit(coordinates.reshape(-1, coordinates.shape[-1])),
            items=items,
            modalities=modalities,
            names=[(thing.name_en, thing.name_zh) for thing in things],
            columns=columns,
            picture=lambda index: self.shelf.picture(things[items[index]].id, STYLE),
            sound=lambda index: self.shelf.clip(things[items[index]].id, VOICE),
        )

    def scene(self, moment: int) -> Scene:
        """Where they lie at that moment."""
        xy = self.moments.coordinates[moment][:, self.here, :2].reshape(-1, 2)
        note = SPACE["training"].format(step=self.steps[moment], last=self.steps[-1])
        return Scene(self.frame.scale(xy), axis_names("PCA"), note)
