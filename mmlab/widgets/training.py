"""TrainingView: loss and recall while a cell trains, and a button that stops the training without losing the model."""

import signal
import time
from collections.abc import Callable
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from torch import nn

from mmlab.figures import COLOURS, figure
from mmlab.training.watch import Watch
from mmlab.widgets.labels import TRAINING
from mmlab.widgets.still import Still
from mmlab.widgets.training_state import Progress, duration, thinned
from mmlab.widgets.view import JS, SMALL, esm, pack

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAUSE = 0.2  # seconds between two messages to the browser: a training has better things to do


class TrainingView(Still, anywidget.AnyWidget):
    """Shows a training as it goes. Display it in one cell, train in the next.

    `train(..., callbacks=(view.callback(),))` watches a Lightning training; any other loop tells the view itself:

        with view:
            for step in range(steps):
                ...
                if not view.tell(step, steps=steps, loss=loss):
                    break

    Stop ends the training after the present step, as if that had been the last: the model is whole and can be used. A
    kernel that runs a cell hears nothing but an interrupt, so the button sends one, and while a training is watched an
    interrupt means just that: stop after this step. Where the button has no way to the kernel (outside JupyterLab),
    the interrupt of the notebook does the same.

    Parity:  tests/unit/test_widget_training.py (a training that was stopped, asked afterwards)
    """

    _esm = esm(*SMALL, "training.js")
    _css = (JS / "training.css").read_text(encoding="utf-8")

    losses = traitlets.Bytes().tag(sync=True)
    recalls = traitlets.Bytes().tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    status = traitlets.Unicode(TRAINING["waiting"]).tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    own = traitlets.Unicode().tag(sync=True)  # its model's id: the button finds the kernel by it
    words = traitlets.Dict(TRAINING).tag(sync=True)

    def __init__(self, *, title: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.title, self.progress = title, Progress()
        self._clock, self._stop, self._sent = clock, Event(), -PAUSE
        self._interrupt: Any = None
        self.own = self.model_id
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return f"TrainingView({self.status})"

    @property
    def stopped(self) -> bool:
        """Whether somebody asked the training to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the training to end after the present step."""
        self._stop.set()
        self.status = TRAINING["stopping"]

    def callback(
        self, *, measure: Callable[[nn.Module], float] | None = None, every: int = 1, measure_every: int = 50
    ) -> Watch:
        """A Lightning callback that tells this view; `measure(module)` gives a recall in [0, 1]."""
        return Watch(self.tell, measure=measure, every=every, measure_every=measure_every, around=self)

    def __enter__(self) -> "TrainingView":
        """From here on an interrupt of the kernel means: stop after this step."""
        self._stop.clear()
        if current_thread() is main_thread():
            self._interrupt = signal.signal(signal.SIGINT, lambda *_: self.stop())
        return self

    def __exit__(self, *error: Any) -> None:
        if self._interrupt is not None:
            signal.signal(signal.SIGINT, self._interrupt)
            self._interrupt = None
        if self.running:
            self._show(going=False)

    def tell(self, step: int, *, steps: int | None = None, loss: Any = None, recall: Any = None) -> bool:
        """Take note of a step; False when the training should end."""
        now, self.progress.steps = self._clock(), steps
        self.progress.add(step, at=now, loss=loss, recall=recall)
        last = steps is not None and step >= steps
        going = not (last or self.stopped)
        if now - self._sent >= PAUSE or not going or recall is not None:
            self._sent = now
            self._show(going)
        return not self.stopped

    def figure(self) -> "Figure":
        """Loss and recall so far as a matplotlib figure."""
        both = bool(self.progress.recalls)
        made = figure(1, 1 + both, width=4.8 * (1 + both), height=3.2, title=self.title)
        curves = {"loss": (self.progress.losses, COLOURS["text"]), "recall": (self.progress.recalls, COLOURS["image"])}
        for axes, (name, (curve, colour)) in zip(made.axes, curves.items(), strict=False):
            points = thinned(curve)
            axes.plot(points[:, 0], points[:, 1], color=colour, marker="o" if name == "recall" else "", ms=3)
            if not len(points):
                axes.set(xlim=(0, self.progress.steps or 1), ylim=(0, 1))
                axes.text(0.5, 0.5, self.status, transform=axes.transAxes, ha="center", va="center")
            axes.set(title=TRAINING[name], xlabel=TRAINING["step"], ylabel=TRAINING[name])
        return made

    def _show(self, going: bool) -> None:
        progress = self.progress
        with self.hold_sync():
            self.losses, self.recalls = pack(thinned(progress.losses)), pack(thinned(progress.recalls))
            self.steps, self.running, self.status = progress.steps or 0, going, self._status(going)
            self.message = TRAINING["broken"].format(step=progress.step) if progress.broken else ""

    def _status(self, going: bool) -> str:
        progress = self.progress
        of = f" / {progress.steps}" if progress.steps else ""
        said = [f"{TRAINING['step']} {progress.step}{of}"]
        said += [f"{TRAINING['loss']} {progress.losses[-1][1]:.3f}"] if progress.losses else []
        said += [f"{TRAINING['recall']} {progress.recalls[-1][1]:.2f}"] if progress.recalls else []
        if going and progress.left is not None:
            said.append(TRAINING["left"].format(duration(progress.left)))
        if not going:
            said.append(TRAINING["stopped"] if self.stopped else TRAINING["done"])
        return " · ".join(said)

    def _receive(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("type") == "stop" and self.running:  # one that comes after the cell is about nothing any more
            self.stop()
