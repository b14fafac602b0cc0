"""A button that brings a file of the reader into Python, and checks its size before the file leaves the browser."""

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from mmlab.widgets.labels import UPLOAD
from mmlab.widgets.view import JS, SpaceView, guard

LARGEST = 8_000_000  # bytes; a message of more than 10 MB would end the connection to Python


class Upload(anywidget.AnyWidget):
    """One file at a time. A larger file than `limit` gives a sentence in the view, and the connection lives on."""

    _esm = (JS / "upload.js").read_text(encoding="utf-8")
    _css = (JS / "upload.css").read_text(encoding="utf-8")

    label = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode("image/*,audio/*").tag(sync=True)
    limit = traitlets.Int(LARGEST).tag(sync=True)
    words = traitlets.Dict(UPLOAD).tag(sync=True)

    def __init__(self, label: str, *, view: SpaceView, **state: Any) -> None:
        super().__init__(label=label, **state)
        self.view = view
        self._act: list[Callable[[str, bytes], None]] = []
        self.on_msg(self._receive)

    def on_file(self, act: Callable[[str, bytes], None]) -> None:
        """Calls `act(name, data)` with each file; what goes wrong there is said in the view."""
        self._act.append(guard(self.view)(act))

    def _receive(self, _widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        if content.get("type") == "file" and buffers:
            for act in self._act:
                act(str(content.get("name", "")), bytes(buffers[0]))
        elif content.get("type") == "refused":
            size, limit = float(content.get("size", 0)) / 1e6, self.limit / 1e6
            said = self.words["large"].format(name=content.get("name", ""), size=size, limit=limit)
            self.view.message = said
