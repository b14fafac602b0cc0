"""The map of a FusionLab: the cloud of names, pictures and sounds, and the fused point that moves in it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from mmlab.datasets.emoji import decode_audio
from mmlab.figures import COLOURS
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.labels import FUSION
from mmlab.widgets.maps import Frame, Lookup, Pca, axis_names
from mmlab.widgets.media import spectrogram_png
from mmlab.widgets.points import DEFAULT, Shelf
from mmlab.widgets.view import SpaceView, pack

HEIGHT = 430  # pixels


class FusionSpace:
    """Where things lie, and the view that shows it. `forms` names the points: a language, a style, a voice."""

    def __init__(self, shelf: Shelf, *, forms: Sequence[tuple[str, str]]) -> None:
        self.forms, self.points = dict(forms), shelf.points(forms)
        points = self.points
        pca = Pca.fit(points.vectors)
        self._maps = {"PCA": (pca, pca.place(points.vectors), axis_names("PCA", pca.shares))}
        stored = shelf.stored.get("umap")
        if stored is not None and len(stored) == len(points) and tuple(forms) == DEFAULT:
            self._maps["UMAP"] = (Lookup(points.vectors, stored), stored, axis_names("UMAP"))
        self._at = np.full((len(MODALITIES), len(shelf.data)), -1)
        self._at[points.modalities, points.items] = np.arange(len(points))
        shown = points.modalities.astype(np.uint8)
        self.view = SpaceView(
            groups=pack(shown), marks=pack(shown), items=pack(points.items.astype(np.int32)), labels=points.labels,
            legend=[FUSION[m] for m in MODALITIES], colours=[COLOURS[m] for m in MODALITIES], height=HEIGHT,
        )  # fmt: skip
        self.view.on_hover(self.card)
        self.use("PCA")

    @property
    def maps(self) -> list[str]:
        """The maps to choose from."""
        return list(self._maps)

    @property
    def neutral(self) -> dict[str, Float[np.ndarray, " dim"]]:
        """What each modality says on average."""
        points = self.points
        return {m: points.vectors[points.of(i)].mean(axis=0) for i, m in enumerate(MODALITIES) if points.of(i).any()}

    def use(self, name: str) -> None:
        """Show another map of the same points."""
        if name not in self._maps:
            raise InputError(f"The maps are {' and '.join(self._maps)}, got {name!r}; name one of these.")
        self.name = name
        _, xy, axes = self._maps[name]
        self.frame = Frame.of(xy)
        self.xy = self.frame.scale(xy)
        with self.view.hold_sync():
            self.view.points, self.view.axes = pack(self.xy), list(axes)
            self.view.note = FUSION["note_umap"] if name == "UMAP" else FUSION["note"]

    def place(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, "n 2"]:
        """Where vectors lie on the present map, in the view's units."""
        return self.frame.scale(self._maps[self.name][0].place(vectors))

    def show(
        self,
        z: Float[np.ndarray, " dim"],
        *,
        trail: Sequence[Float[np.ndarray, " dim"]],
        inputs: Mapping[str, Float[np.ndarray, " dim"]],
        answers: Int[np.ndarray, " k"],
        readout: str,
    ) -> None:
        """Move the fused point, leave its trail, mark what comes in and what was found; one message to the browser."""
        placed = self.place(np.stack([z, *inputs.values(), *trail]))
        numbers = [MODALITIES.index(m) for m in inputs]
        with self.view.hold_sync():
            self.view.fused, self.view.trail = pack(placed[:1]), pack(placed[1 + len(inputs) :])
            self.view.markers = pack(placed[1 : 1 + len(inputs)])
            self.view.marker_marks = self.view.marker_groups = numbers
            self.view.marker_labels = [FUSION[m] for m in inputs]
            self.view.neighbours = [int(i) for i in self._at[0][answers] if i >= 0]
            self.view.readout = readout

    def at(self, modality: str, thing: int) -> int:
        """The point that shows a thing in a modality; -1 where there is none."""
        return int(self._at[MODALITIES.index(modality), thing])

    def picture(self, thing: int) -> bytes | None:
        """The picture of a thing in the style of the map."""
        index = self.at("image", thing)
        return None if index < 0 else self.points.picture(index)

    def hear(self, thing: int) -> None:
        """Play the name of a thing in the voice of the map."""
        index = self.at("audio", thing)
        data = None if index < 0 else self.points.sound(index)
        if data is None:
            raise InputError(f"{self.points.labels[thing]} was never spoken by this voice: choose another voice.")
        self.view.play(data)

    def select(self, thing: int) -> None:
        """Mark a thing's picture on the map, or its name where it has none."""
        index = self.at("image", thing)
        self.view.selected = index if index >= 0 else self.at("text", thing)

    def card(self, index: int) -> None:
        """What is shown of a point under the pointer."""
        points = self.points
        lines = [FUSION[MODALITIES[points.modalities[index]]], points.columns["kind"][index]]
        sound = points.sound(index) if MODALITIES[points.modalities[index]] == "audio" else None
        picture = None if sound else points.picture(index)
        shape = spectrogram_png(decode_audio(sound)) if sound else None
        self.view.card(index, title=points.name(index), lines=lines, picture=picture, spectrogram=shape)
