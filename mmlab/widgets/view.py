"""The one canvas of all widgets. It draws what its traits say and tells Python what was clicked; it computes nothing."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from jaxtyping import Shaped

from mmlab.types import InputError
from mmlab.widgets.labels import VIEW

JS = Path(__file__).parent / "js"
SMALL = ("arrays.js", "theme.js", "make.js")  # what the smaller views need as well
PARTS = (*SMALL, "camera.js", "marks.js", "draw.js", "dom.js", "card.js", "pointer.js", "view.js")
LITTLE = {"f": "<f4", "i": "<i4", "u": "|u1"}


def esm(*parts: str) -> str:
    """Parts (all of the canvas) as one ES module: they import nothing, so they are laid one after the other."""
    return "\n".join((JS / part).read_text(encoding="utf-8") for part in parts or PARTS)


def pack(values: Shaped[np.ndarray, "*any"]) -> bytes:
    """An array as the canvas reads it: floats as float32, signed integers as int32, unsigned ones as bytes."""
    values = np.asarray(values)
    return np.ascontiguousarray(values, LITTLE[values.dtype.kind]).tobytes()


class SpaceView(anywidget.AnyWidget):
    """Points on a canvas, with a legend, thumbnails, pair lines, a lasso, a card, and a fused point with its trail.

    Arrays travel as little-endian bytes (see `pack`); places lie in [-1, 1], y upwards.

    Shape:  points (n, 2) and trail (t, 2) and markers (k, 2) and fused (1, 2) float32; groups, marks (n,) uint8; items,
            sprites (n,) int32
    """

    _esm = esm()
    _css = (JS / "view.css").read_text(encoding="utf-8")

    points = traitlets.Bytes().tag(sync=True)
    groups = traitlets.Bytes().tag(sync=True)
    marks = traitlets.Bytes().tag(sync=True)
    items = traitlets.Bytes().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    legend = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sheet = traitlets.Bytes().tag(sync=True)
    sprites = traitlets.Bytes().tag(sync=True)
    cell = traitlets.Int(32).tag(sync=True)
    columns = traitlets.Int(1).tag(sync=True)

    off = traitlets.List(traitlets.Int()).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    lasso = traitlets.List(traitlets.Int()).tag(sync=True)
    neighbours = traitlets.List(traitlets.Int()).tag(sync=True)
    pairs = traitlets.Enum(("selected", "all", "none"), "selected").tag(sync=True)
    thumbs = traitlets.Bool(False).tag(sync=True)
    markers = traitlets.Bytes().tag(sync=True)
    marker_marks = traitlets.List(traitlets.Int()).tag(sync=True)
    marker_groups = traitlets.List(traitlets.Int()).tag(sync=True)
    marker_labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    fused = traitlets.Bytes().tag(sync=True)
    trail = traitlets.Bytes().tag(sync=True)

    message = traitlets.Unicode().tag(sync=True)
    readout = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    axes = traitlets.List(traitlets.Unicode(), ["", ""]).tag(sync=True)
    words = traitlets.Dict(VIEW).tag(sync=True)
    height = traitlets.Int(520).tag(sync=True)

    def __init__(self, **state: Any) -> None:
        super().__init__(**state)
        self._clicked: list[Callable[[int], None]] = []
        self._hovered: list[Callable[[int], None]] = []
        self.on_msg(self._receive)

    @property
    def count(self) -> int:
        """How many points it holds."""
        return len(self.points) // 8

    def on_click(self, act: Callable[[int], None]) -> None:
        """Calls `act(index)` when a point is clicked, also when it is selected already."""
        self._clicked.append(guard(self)(act))

    def on_hover(self, act: Callable[[int], None]) -> None:
        """Calls `act(index)` when the pointer has rested on a point; answer with `card`."""
        self._hovered.append(guard(self, clears=False)(act))

    def card(
        self,
        index: int,
        *,
        title: str,
        lines: list[str],
        picture: bytes | None = None,
        spectrogram: bytes | None = None,
    ) -> None:
        """Fills the card of a point: words, and pictures as the bytes of PNG or WebP files."""
        shown = {"picture": picture, "spectrogram": spectrogram}
        parts = [name for name, data in shown.items() if data]
        content = {"type": "card", "index": index, "title": title, "lines": lines, "parts": parts}
        self.send(content, [shown[name] for name in parts])

    def play(self, data: bytes, *, mime: str = "audio/ogg") -> None:
        """Plays the bytes of a sound file."""
        self.send({"type": "sound", "mime": mime}, [data])

    def home(self) -> None:
        """Shows the whole map again."""
        self.send({"type": "home"})

    def _receive(self, _: Any, content: dict[str, Any], __: Any) -> None:
        heard = {"click": self._clicked, "hover": self._hovered}.get(content.get("type", ""), [])
        index = content.get("index", -1)
        if isinstance(index, int) and 0 <= index < self.count:
            for act in heard:
                act(index)


def guard(view: Any, *, clears: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes an observer say its error in `view.message`: an exception in an observer would reach nobody.

    A success clears the message. An error that is no InputError is named with its type: it is a bug to report.
    """

    def wrap(act: Callable[..., None]) -> Callable[..., None]:
        @wraps(act)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                act(*args, **kwargs)
            except InputError as error:
                view.message = str(error)
            except Exception as error:
                view.message = f"Something went wrong here ({type(error).__name__}: {error}); please report it."
            else:
                view.message = "" if clears else view.message

        return guarded

    return wrap
