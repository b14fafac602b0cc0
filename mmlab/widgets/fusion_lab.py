"""FusionLab: choose a text, a picture and a sound, turn the knobs of fusion, and watch the space answer."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from torch import nn

from mmlab.apps.demo import wav
from mmlab.datasets.emoji import TEST_STYLES, EmojiData
from mmlab.fusion import FUSIONS
from mmlab.models.joint import JointEmbedder
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.fusion_desk import Desk
from mmlab.widgets.fusion_engine import FusionEngine
from mmlab.widgets.fusion_math import Outcome
from mmlab.widgets.fusion_panel import FusionPanel
from mmlab.widgets.fusion_space import FusionSpace
from mmlab.widgets.fusion_state import FusionState, History
from mmlab.widgets.fusion_still import draw_lab
from mmlab.widgets.fusion_text import code, html, latex
from mmlab.widgets.labels import FUSION
from mmlab.widgets.media import data_uri
from mmlab.widgets.points import Shelf
from mmlab.widgets.shipped_map import VOICE
from mmlab.widgets.still import Still
from mmlab.widgets.view import guard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIL = 60  # places of the fused point that are kept
ACTIONS = ("undo", "redo", "reset", "copy", "ask")


class FusionLab(Still, widgets.VBox):
    r"""A mixing desk for text, picture and sound: what comes in, how it is fused, and what the fused vector finds.

    $$z = F(\{w_m z_m\}), \qquad s_g = \cos(z, z_g)$$

    It starts at the model's own weights, to the next notch. `lab.state` says where the knobs stand, `lab.outcome` what
    came of it. `lab.turn("image.weight", 0.5)` and `lab.choose("image", "violin")` turn the knobs from Python; `undo()`,
    `redo()`, `reset()`, `code()` and `ask()` are the buttons.

    Cost:    a knob: under a millisecond of NumPy; another input, or its noise: one pass of one encoder
    Parity:  tests/unit/test_widget_fusion.py (JointEmbedder.fuse, Search, mmlab.fusion)
    Raises:  InputError for a state that cannot be; the widget shows its sentence and lives on
    """

    def __init__(
        self,
        model: JointEmbedder | None = None,
        data: EmojiData | None = None,
        *,
        text: str | None = None,
        image: str | None = None,
        audio: str | None = None,
        style: str = TEST_STYLES["near"],
        voice: str = VOICE,
        state: FusionState | None = None,
        heads: Mapping[str, nn.Module] | None = None,
        k: int = 8,
    ) -> None:
        shelf = Shelf(model, data)
        self.space = FusionSpace(shelf, forms=(("text", "en"), ("image", style), ("audio", voice)))
        self.engine = FusionEngine(shelf, heads=heads, neutral=self.space.neutral, k=k)
        chosen = {"text": text, "image": image, "audio": audio}
        self.history = History(self.engine.start(chosen, style=style, voice=voice) if state is None else state)
        self.view, self.panel, self._trail = self.space.view, FusionPanel(), []
        self.desk = Desk(self.engine.reader, operators=list(FUSIONS), view=self.view, turn=self._turned)
        self.buttons = {
            name: widgets.Button(description=FUSION[name], tooltip=FUSION[f"{name}_help"]) for name in ACTIONS
        }
        self.map = widgets.Dropdown(options=self.space.maps, description=FUSION["map"])
        super().__init__(self._laid_out(), _dom_classes=("fl-lab",))
        self._listen()
        self.desk.show(self.state)
        guard(self.view)(self._refresh)()

    def __repr__(self) -> str:
        shown = ", ".join(f"{m} {self.state.channel(m).value}" for m in self.state.on)
        return f"FusionLab({self.state.operator} of {shown or 'nothing'})"

    # What a reader does

    @property
    def state(self) -> FusionState:
        """Where every knob stands."""
        return self.history.present

    @property
    def outcome(self) -> Outcome:
        """The fused vector and what it finds, or an InputError that says why there is none."""
        return self.engine.outcome(self.state)

    def turn(self, knob: str, value: Any) -> None:
        """Turn a knob ("operator", "temperature", "image.weight", "audio.on", ...), as a hand on the desk would."""
        self._go(self.history.change(self.state.change(knob, value), knob=knob, at=time.monotonic()))

    def choose(self, modality: str, name: str, form: str = "") -> None:
        """Let a modality show another thing (in a style or by a voice), or let it read other words."""
        self._go(self.history.change(self.engine.choose(self.state, modality, name, form)))

    def undo(self) -> None:
        self._go(self.history.undo())

    def redo(self) -> None:
        self._go(self.history.redo())

    def reset(self) -> None:
        """All knobs as they were at first."""
        self._go(self.history.reset())

    def code(self) -> str:
        """Python that computes the present fused vector without the widget."""
        return code(self.state, self.outcome.used)

    def latex(self) -> str:
        """The formula with the present numbers."""
        return latex(self.state, self.outcome.used)

    def ask(self) -> str:
        """What the dialogue model answers about the picture and the sound that are on."""
        from mmlab.widgets.fusion_ask import ask

        self.panel.reply = ask({m: self.engine.reading(m, self.state).shown for m in self.state.on})
        return self.panel.reply

    def figure(self) -> "Figure":
        """The present state as a matplotlib figure: the map, and what the fused vector finds."""
        outcome = self.outcome
        answers = [self.engine.data.things[i] for i in outcome.best]
        title, inputs = f"${latex(self.state, outcome.used)}$", self._marked(outcome)
        return draw_lab(self.space, outcome, answers, title=title, inputs=inputs, trail=self._trail[:-1])

    # How it answers

    def _go(self, history: History) -> None:
        self.history = history
        self.desk.show(self.state)
        self._refresh()

    def _refresh(self) -> None:
        """Show the present state. Where it gives nothing, what was shown stays, pale, and an InputError says why."""
        self.buttons["undo"].disabled, self.buttons["redo"].disabled = not self.history.past, not self.history.future
        self.panel.reply = self.panel.code = ""
        try:
            self._show_inputs()
            outcome = self.outcome
        except InputError:
            self.panel.shown = {**self.panel.shown, "stale": True}
            raise
        self._trail = [*self._trail, outcome.z][-TRAIL:]
        answers = self.engine.answers(self.history)
        said = FUSION["found"] + ", ".join(f"{answer['name']} {answer['score']:.2f}" for answer in answers)
        marked = self._marked(outcome)
        self.space.show(outcome.z, trail=self._trail[:-1], inputs=marked, answers=outcome.best, readout=said)
        self._show_answers(outcome, answers)

    def _show_answers(self, outcome: Outcome, answers: list[dict[str, Any]]) -> None:
        pictures = {answer["id"]: self.space.picture(answer["index"]) for answer in answers}
        sounds = [{**answer, "sound": self.space.at("audio", answer["index"]) >= 0} for answer in answers]
        said = {"formula": html(self.state, outcome.used), "numbers": self.engine.numbers(self.state)}
        with self.panel.hold_sync():
            self.panel.pictures = {thing: data_uri(picture) for thing, picture in pictures.items() if picture}
            self.panel.shown = {**said, "notes": " ".join(outcome.notes), "answers": sounds, "stale": False}

    def _marked(self, outcome: Outcome) -> dict[str, np.ndarray]:
        return {m: self.engine.reading(m, self.state).z for m in outcome.used}

    def _show_inputs(self) -> None:
        for m in MODALITIES:
            try:
                self.desk.rows[m].read(self.engine.reading(m, self.state), self.state.channel(m))
            except InputError:
                if m in self.state.on:  # what is off may be unreadable
                    raise

    # How it listens

    def _turned(self, knob: str, value: Any) -> None:
        """A knob of the desk was moved by hand."""
        modality, _, name = knob.rpartition(".")
        if name == "upload":
            state, cut = self.engine.upload(self.state, modality, *value)
            self._go(self.history.change(state))
            self.panel.reply = FUSION["cut"] if cut else ""
        elif name == "source":
            self.choose(modality, value)
        else:
            self.history = self.history.change(self.state.change(knob, value), knob=knob, at=time.monotonic())
            if knob == "operator":
                self.desk.show(self.state)  # the sum has no weights to turn
            self._refresh()

    def _take(self, index: int) -> None:
        """A point was clicked: its thing comes into the mix."""
        modality = MODALITIES[self.space.points.modalities[index]]
        thing = self.engine.data.things[self.space.points.items[index]]
        self.choose(modality, thing.name_en if modality == "text" else thing.id, self.space.forms[modality])

    def _listen(self) -> None:
        safe = guard(self.view)
        acts = {"undo": self.undo, "redo": self.redo, "reset": self.reset, "ask": self.ask, "copy": self._copy}
        for name, button in self.buttons.items():
            button.on_click(safe(lambda _, act=acts[name]: act()))
        self.map.observe(safe(lambda change: self._other_map(change["new"])), "value")
        self.panel.on_press("pick", safe(self.space.select))
        self.panel.on_press("hear", safe(self.space.hear))
        self.view.on_click(self._take)
        self.desk.rows["audio"].hear.on_click(safe(lambda _: self._hear_input()))

    def _copy(self) -> None:
        self.panel.code = self.code()

    def _hear_input(self) -> None:
        self.view.play(wav(self.engine.reading("audio", self.state).shown), mime="audio/wav")

    def _other_map(self, name: str) -> None:
        self.space.use(name)
        self._refresh()

    def _laid_out(self) -> list[widgets.Widget]:
        for control in (*self.buttons.values(), self.map):
            control.layout = widgets.Layout(width="auto")
        bar = widgets.HBox([*self.buttons.values(), self.map], layout=widgets.Layout(flex_flow="row wrap"))
        columns = "minmax(0, 1.3fr) minmax(300px, 1fr)"
        halves = widgets.Layout(grid_template_columns=columns, grid_gap="12px", width="100%")
        return [self.desk.box(), bar, widgets.GridBox([self.view, self.panel], layout=halves)]
