"""JointSpace: all modalities of the shipped data, or of a reader's own vectors, in one map that answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from mmlab.datasets.emoji import EmojiData
from mmlab.models.joint import JointEmbedder
from mmlab.types import InputError
from mmlab.widgets.labels import SPACE
from mmlab.widgets.own import own_points
from mmlab.widgets.points import Shelf
from mmlab.widgets.scene import similarities
from mmlab.widgets.space_controls import Controls
from mmlab.widgets.space_html import gap_lines, heat_html, neighbours_html, side
from mmlab.widgets.space_pictures import Sprites, mime_of, space_figure
from mmlab.widgets.space_state import FORMS, SpaceState, shipped_shelf
from mmlab.widgets.still import Still
from mmlab.widgets.view import SpaceView, guard, pack


class JointSpace(Still, widgets.VBox):
    """The map of a joint space: hover, click, listen, search, draw a lasso, and watch the space come about.

    `JointSpace()` shows the shipped data in the shipped space. `JointSpace(vectors, labels=..., images=..., audio=...)`
    shows a reader's own; see `mmlab.widgets.own.own_points` for what it takes. With `model=` it can be searched, too.
    `chosen` gives what the lasso holds as a DataFrame; `figure()` the present map as a matplotlib figure.

    Raises:  InputError for vectors that cannot be shown
    """

    def __init__(
        self,
        vectors: Any = None,
        *,
        labels: Sequence[str] | None = None,
        images: Sequence[Any] | None = None,
        audio: Sequence[Any] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        model: JointEmbedder | None = None,
        data: EmojiData | None = None,
    ) -> None:
        if vectors is None:
            if any(given is not None for given in (labels, images, audio, groups)):
                raise InputError("Labels, pictures and sounds belong to vectors, but none came; pass vectors first.")
            shelf = shipped_shelf() if model is None and data is None else Shelf(model, data)
            self.state = SpaceState(shelf=shelf)
        else:
            points = own_points(vectors, labels=labels, images=images, audio=audio, groups=groups)
            self.state = SpaceState(points, model=model)
        self.view = SpaceView()
        self.sprites = Sprites(self.state)
        self.controls = Controls(self.state, self.view)
        self.side = widgets.HTML(
            layout=widgets.Layout(width="420px", max_height="760px", overflow="auto", margin="0 0 0 12px")
        )
        self._send_points()
        self._tell()
        self._listen()
        map_box = widgets.Box([self.view], layout=widgets.Layout(flex="1 1 480px", min_width="420px"))
        row = widgets.HBox([map_box, self.side], layout=widgets.Layout(flex_flow="row wrap", width="100%"))
        super().__init__([*self.controls.rows, row])

    @property
    def chosen(self) -> Any:
        """What the lasso holds as a pandas DataFrame; every point where it holds none."""
        return self.state.frame

    def select(self, name: str, modality: str = "image") -> None:
        """Selects a thing's point by name, as a click does."""
        points = self.state.points
        words = [name.casefold() in (one.casefold() for one in points.names[item]) for item in points.items]
        here = [
            i
            for i, (same, of) in enumerate(zip(words, points.columns["modality"], strict=True))
            if same and of == modality
        ]
        if not here:
            raise InputError(f"No {modality} of this map is called {name!r}; see `chosen` for all names.")
        self.view.selected = here[0]

    def search(self, text: str) -> None:
        """Looks for a text, as the search field does."""
        self._search(text=text)

    def figure(self) -> Any:
        """The present map, and the heat map beside it where something is selected, looked for or chosen."""
        return space_figure(self.state, off=self.view.off)

    def _listen(self) -> None:
        guarded, controls = guard(self.view), self.controls
        self.view.observe(guarded(lambda change: self._selected()), "selected")
        self.view.observe(guarded(lambda change: self._lassoed()), "lasso")
        self.view.on_click(self._sound)
        self.view.on_hover(self._card)
        controls.colour.observe(guarded(lambda change: self._recolour()), "value")
        for control in (controls.map, controls.step):
            control.observe(guarded(lambda change: self._remap()), "value")
        for control in controls.forms.values():
            control.observe(guarded(lambda change: self._show()), "value")
        controls.text.observe(guarded(lambda change: self._search(text=change["new"])), "value")
        controls.upload.on_file(lambda name, data: self._search(file=(name, data)))
        controls.clear.on_click(guarded(lambda button: self._clear()))
        controls.refit.on_click(guarded(lambda button: self._refit()))

    def _send_points(self) -> None:
        """Everything that changes with the set of points or its map, in one message."""
        state, scene = self.state, self.state.scene
        with self.view.hold_sync():
            if self.view.items != (items := pack(state.points.items.astype(np.int32))):
                self.view.lasso, self.view.items = state.chosen.tolist(), items
                self.view.marks = pack(state.points.modalities.astype(np.uint8))
                self.view.labels = state.points.labels
                self.view.sprites = pack(self.sprites.of(state.points))
                self.view.cell, self.view.columns, self.view.sheet = (
                    self.sprites.cell,
                    self.sprites.columns,
                    self.sprites.sheet,
                )
            self.view.points, self.view.axes = pack(scene.xy), scene.axes
            self.view.note = " ".join(filter(None, [scene.note, self.sprites.unread]))
            self.view.selected = state.selected
            self._send_colours()
        self.controls.follow()

    def _send_colours(self) -> None:
        groups = self.state.groups
        self.view.off = [] if self.view.legend != groups.legend else self.view.off
        self.view.legend, self.view.colours, self.view.groups = groups.legend, groups.colours, pack(groups.codes)

    def _tell(self) -> None:
        """The query on the map, the neighbours, the gap and the heat map."""
        state = self.state
        query, place = state.query, state.scene.place
        name = query.said if query is not None and state.selected < 0 else ""
        placed = query is not None and place is not None and state.map != "training"
        near = [index for some in state.found.values() for index, _ in some]
        if state.selected >= 0:
            name = state.points.name(state.selected)
        with self.view.hold_sync():
            self.view.markers = pack(place(query.z[None])) if placed else b""
            self.view.marker_marks = [query.modality] if placed else []
            self.view.marker_groups = [255] if placed else []  # no group of the legend: drawn in the colour of writing
            self.view.marker_labels = [query.said] if placed else []
            self.view.neighbours = near
            self.view.readout = self._readout(name)
        self.side.value = side(*self._beside(name))

    def _readout(self, name: str) -> str:
        state = self.state
        parts = [SPACE["chosen"].format(count=len(state.chosen), all=len(state.points))] if len(state.chosen) else []
        if name and state.found:
            first = [f"{state.points.name(some[0][0])} {some[0][1]:.2f}" for some in state.found.values() if some]
            parts += [f"{name} → {', '.join(first)}"]
        return ". ".join(parts)

    def _beside(self, name: str) -> list[str]:
        state, chosen = self.state, self.state.heated.tolist()
        parts = [gap_lines(state.gaps)]
        if state.query is not None and state.selected < 0:
            parts.append(f"<p>{state.query.verdict if state.map != 'training' else SPACE['no_place']}</p>")
        if name and state.found:
            parts.append(neighbours_html(state.points, state.found, state.points.picture, name=name))
        elif not len(state.chosen):
            parts.append(f"<p>{SPACE['nearest_hint']}</p>")
        if len(chosen) > 1:
            some = (
                SPACE["heat_some"].format(shown=len(chosen), all=len(state.chosen))
                if len(state.chosen)
                else SPACE["heat_hint"]
            )
            values = similarities(state.points, np.array(chosen))
            parts.append(heat_html(state.points, chosen, values, state.points.picture, hint=some))
        return parts

    def _selected(self) -> None:
        if self.view.selected != self.state.selected:
            self.state.selected = self.view.selected if self.view.selected < len(self.state.points) else -1
            self._tell()

    def _lassoed(self) -> None:
        chosen = np.array([i for i in self.view.lasso if 0 <= i < len(self.state.points)], dtype=int)
        if not np.array_equal(chosen, self.state.chosen):
            self.state.chosen = chosen
            self._tell()

    def _sound(self, index: int) -> None:
        data = self.state.points.sound(index)
        if data is not None:
            self.view.play(data, mime=mime_of(data))

    def _card(self, index: int) -> None:
        points = self.state.points
        said = [
            SPACE["words"].get(words[index], words[index]) for name, words in points.columns.items() if name != "id"
        ]
        lines, parts = [", ".join(dict.fromkeys(said))], {}
        try:
            parts = {"picture": points.picture(index), "spectrogram": self.state.spectrogram(index)}
        finally:  # the words of the card come in any case; what is wrong with its picture is said below the map
            self.view.card(index, title=points.name(index), lines=lines, **parts)

    def _recolour(self) -> None:
        self.state.use_colour(self.controls.colour.value)
        with self.view.hold_sync():
            self._send_colours()

    def _remap(self) -> None:
        self.state.use_map(self.controls.map.value, moment=self.controls.step.value)
        self._send_points()
        self._tell()

    def _show(self) -> None:
        forms = [FORMS[name] for name, box in self.controls.forms.items() if box.value]
        self.view.readout = SPACE["working"]
        self.state.show(forms)
        self._send_points()
        self._tell()

    def _search(self, *, text: str | None = None, file: tuple[str, bytes] | None = None) -> None:
        if text is not None and not text.strip():
            return self._clear()
        self.state.search(text=text, file=file)
        self.view.selected = -1
        self._tell()

    def _clear(self) -> None:
        self.state.query, self.state.selected, self.state.chosen = None, -1, np.array([], dtype=int)
        with self.view.hold_sync():
            self.view.selected, self.view.lasso = -1, []
        self.controls.text.value = ""
        self._tell()

    def _refit(self) -> None:
        self.controls.map.value = "umap"
        bar = self.controls.progress
        bar.value, bar.layout.display = 0, ""
        try:
            self.state.refit(say=lambda percent: setattr(bar, "value", percent))
        finally:
            bar.layout.display = "none"
        self._send_points()
        self._tell()
