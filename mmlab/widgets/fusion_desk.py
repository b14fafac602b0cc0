"""The knobs of a FusionLab: one row for each modality, one for the operator, one of buttons."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from mmlab.models.familiarity import STRANGE
from mmlab.types import MODALITIES
from mmlab.widgets.fusion_inputs import Reader, Reading
from mmlab.widgets.fusion_state import LIMITS, NOTCH, Channel, FusionState
from mmlab.widgets.labels import FUSION
from mmlab.widgets.media import encode
from mmlab.widgets.upload import Upload
from mmlab.widgets.view import SpaceView, guard

WIDE = widgets.Layout(width="100%", min_width="0")
GRID = "86px minmax(150px, 1.3fr) 112px 44px minmax(150px, 1fr) minmax(150px, 1fr) 104px"
ACCEPTS = {"image": "image/*", "audio": "audio/*"}


class Row:
    """The knobs of one modality, what is shown of its input, and how familiar it is."""

    def __init__(self, modality: str, names: Sequence[str], forms: Sequence[str], *, view: SpaceView) -> None:
        word = FUSION[modality]
        self.modality = modality
        self.on = widgets.Checkbox(description=word, indent=False, layout=widgets.Layout(width="86px"))
        self.on.add_class(f"fl-switch-{modality}")
        self.source = widgets.Combobox(
            options=tuple(names), placeholder=FUSION[f"{modality}_hint"], continuous_update=False, layout=WIDE,
            tooltip=FUSION[f"{modality}_hint"],
        )  # fmt: skip
        self.form = widgets.Dropdown(options=list(forms), layout=WIDE, tooltip=FUSION[f"{modality}_form"])
        self.upload = Upload(FUSION["upload"], view=view, accept=ACCEPTS.get(modality, ""))
        self.weight = _slider(FUSION["weight"], *LIMITS["weight"], step=NOTCH["weight"])
        self.noise = _slider(FUSION["noise"], *LIMITS["noise"], step=NOTCH["noise"])
        self.picture = widgets.Image(format="png", width=40, height=40)
        self.hear = widgets.Button(description="▶", tooltip=FUSION["hear_input"], layout=widgets.Layout(width="40px"))
        self.familiar = widgets.HTML()
        self.words = widgets.HTML()  # the text as its noise left it

    def cells(self) -> list[widgets.Widget]:
        """The row as the cells of the desk's grid."""
        if self.modality == "text":
            return [self.on, self.source, self.words, widgets.HTML(), self.weight, self.noise, self.familiar]
        source = widgets.HBox([self.source, self.upload], layout=WIDE)
        shown = self.picture if self.modality == "image" else self.hear
        return [self.on, source, self.form, shown, self.weight, self.noise, self.familiar]

    def show(self, channel: Channel, name: str, *, weighs: bool) -> None:
        """Set the knobs to a channel's values."""
        self.on.value, self.weight.value, self.noise.value = channel.on, channel.weight, channel.noise
        self.weight.disabled = not weighs
        self.source.value = f"↑ {name}" if channel.kind == "upload" else name
        if channel.form in self.form.options:
            self.form.value = channel.form
        self.form.disabled = channel.kind != "thing"

    def read(self, reading: Reading, channel: Channel) -> None:
        """Show what the model met, and how familiar it is."""
        if self.modality == "image":
            self.picture.value = encode(reading.shown, kind="PNG")
        self.words.value = f"<i>{escape(reading.shown)}</i>" if self.modality == "text" and channel.noise else ""
        self.familiar.value = _meter(reading.familiarity)


class Desk:
    """All knobs of the lab. `turn(knob, value)` is called when one is moved by hand, never when `show` moves it."""

    def __init__(
        self, reader: Reader, *, operators: Sequence[str], view: SpaceView, turn: Callable[[str, Any], None]
    ) -> None:
        names = {name: tuple(dict.fromkeys(thing.name(name) for thing in reader.data.things)) for name in ("en", "zh")}
        self._turn, self._quiet, self._reader, self._view = turn, False, reader, view
        self.rows = {
            m: Row(m, names["en"] + names["zh"] if m == "text" else names["en"], reader.forms(m), view=view)
            for m in MODALITIES
        }
        self.operator = widgets.Dropdown(options=list(operators), description=FUSION["operator"], layout=WIDE)
        self.temperature = widgets.FloatLogSlider(
            description=FUSION["temperature"], min=-2.3, max=0, step=0.05, readout_format=".3f", layout=WIDE,
            style={"description_width": "84px"},
        )  # fmt: skip
        self.normalise = widgets.Checkbox(
            description=FUSION["normalise"], indent=False, layout=widgets.Layout(width="auto")
        )
        self.seed = widgets.BoundedIntText(
            description=FUSION["seed"],
            min=0,
            max=9999,
            layout=widgets.Layout(width="120px"),
            style={"description_width": "34px"},
        )
        self._watch()

    def _watch(self) -> None:
        for m, row in self.rows.items():
            for name in ("on", "weight", "noise"):
                self._tell(getattr(row, name), f"{m}.{name}")
            self._tell(row.source, f"{m}.source")
            self._tell(row.form, f"{m}.form")
            row.upload.on_file(lambda name, data, knob=f"{m}.upload": self._turn(knob, (name, data)))
        for name in ("operator", "temperature", "normalise", "seed"):
            self._tell(getattr(self, name), name)

    def _tell(self, control: widgets.Widget, knob: str) -> None:
        def moved(change: dict[str, Any]) -> None:
            if not self._quiet:
                safe(knob, change["new"])

        safe = guard(self._view)(self._turn)
        control.observe(moved, "value")

    def box(self) -> widgets.Widget:
        """The knobs laid out: a grid of modalities over a line for the operator."""
        cells = [cell for row in self.rows.values() for cell in row.cells()]
        grid = widgets.GridBox(
            cells, layout=widgets.Layout(grid_template_columns=GRID, grid_gap="2px 6px", width="100%")
        )
        columns = "minmax(150px, 1fr) minmax(180px, 1.2fr) max-content 124px"
        layout = widgets.Layout(grid_template_columns=columns, grid_gap="2px 12px", width="100%", align_items="center")
        return widgets.VBox([grid, widgets.GridBox(self._general(), layout=layout)])

    def _general(self) -> list[widgets.Widget]:
        return [self.operator, self.temperature, self.normalise, self.seed]

    def show(self, state: FusionState) -> None:
        """Set every knob to a state, without telling anybody."""
        self._quiet = True
        try:
            for m, row in self.rows.items():
                channel = state.channel(m)
                row.show(channel, self._name(m, channel), weighs=state.operator != "sum")
            for name in ("operator", "temperature", "normalise", "seed"):
                getattr(self, name).value = getattr(state, name)
        finally:
            self._quiet = False

    def _name(self, modality: str, channel: Channel) -> str:
        if channel.kind != "thing":
            return channel.value
        thing = self._reader.data[channel.value]
        return thing.name(channel.form) if modality == "text" else thing.name_en


def _slider(word: str, low: float, high: float, *, step: float) -> widgets.FloatSlider:
    style = {"description_width": "50px"}
    return widgets.FloatSlider(
        description=word, min=low, max=high, step=step, readout_format=".2f", layout=WIDE, style=style
    )


def _meter(familiarity: float | None) -> str:
    """How familiar an input is, as a bar with its number, and in words where it is a stranger."""
    if familiarity is None:
        return ""
    word = FUSION["stranger"] if familiarity <= STRANGE else FUSION["familiar"]
    bar = f'<span class="fl-meter"><i style="width:{100 * familiarity:.0f}%"></i></span>'
    strange = ' class="fl-strange"' if familiarity <= STRANGE else ""
    return f'<div{strange} title="{FUSION["familiar_help"]}">{word} {familiarity:.2f}{bar}</div>'
