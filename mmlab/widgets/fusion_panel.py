"""The list beside a FusionLab's map: formula, answers with pictures and sounds, what each modality adds."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from mmlab.widgets.labels import FUSION
from mmlab.widgets.view import JS, esm


class FusionPanel(anywidget.AnyWidget):
    """Shows what Python computed, and says which of its buttons was pressed.

    `shown` holds the formula as HTML, `numbers` and `notes` as text, and `answers`, one dict for each: index, id, place,
    move, name, score, chance, parts (pairs of modality and value), sound. `pictures` are data addresses by id.
    """

    _esm = esm("make.js", "fusion_panel.js")
    _css = (JS / "fusion_panel.css").read_text(encoding="utf-8")

    shown = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    reply = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict(FUSION).tag(sync=True)

    def __init__(self, **state: Any) -> None:
        super().__init__(**state)
        self._pressed: dict[str, Callable[[int], None]] = {}
        self.on_msg(self._receive)

    def on_press(self, button: str, act: Callable[[int], None]) -> None:
        """Calls `act(index)` when the button ("pick" or "hear") of an answer is pressed."""
        self._pressed[button] = act

    def _receive(self, _: Any, content: dict[str, Any], __: Any) -> None:
        act, index = self._pressed.get(content.get("type", "")), content.get("index")
        if act is not None and isinstance(index, int):
            act(index)
