"""The view without a browser: what it is, what travels, what a wrong turn says."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mmlab.types import InputError
from mmlab.widgets.attention import Strips
from mmlab.widgets.fusion_panel import FusionPanel
from mmlab.widgets.labels import SPACE, VIEW
from mmlab.widgets.training import TrainingView
from mmlab.widgets.upload import LARGEST, Upload
from mmlab.widgets.view import JS, PARTS, SpaceView, esm, guard, pack

VIEWS = (SpaceView, Strips, TrainingView, FusionPanel, Upload)


def test_no_function_is_written_in_two_scripts() -> None:
    written = [
        name for path in JS.glob("*.js") for name in re.findall(r"^function (\w+)", path.read_text("utf-8"), re.M)
    ]
    assert sorted(name for name in set(written) if written.count(name) > 1) == ["render"]  # the entry of each view


def test_every_part_of_the_canvas_is_in_the_one_module() -> None:
    whole = esm()
    assert all((JS / part).read_text("utf-8") in whole for part in PARTS)
    assert set(PARTS) <= {path.name for path in JS.glob("*.js")}
    assert whole.count("export default") == 1


@pytest.mark.parametrize("path", sorted(JS.iterdir()), ids=lambda path: path.name)
def test_the_scripts_fetch_nothing(path: Path) -> None:
    """No import, no address: a CDN import or a font from elsewhere fails here before it fails in the browser."""
    text = path.read_text("utf-8")
    assert not faults(text)
    assert text.count("\n") <= 200


def faults(text: str) -> list[str]:
    return re.findall(r"\bimport\b\s*[({\"'*\w]|https?://|@import|fetch\(|XMLHttpRequest|url\(", text)


@pytest.mark.parametrize(
    "text", ['import d3 from "https://cdn/d3"', "await import('x')", "fetch('/a')", "url(//fonts)"]
)
def test_a_planted_import_is_seen(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_module_is_javascript(view: type) -> None:
    node = shutil.which("node")
    if node is None:  # the browser tests load it in any case
        return
    command = [node, "--check", "--input-type=module", "-"]
    subprocess.run(command, input=view._esm, text=True, check=True, capture_output=True)


def test_every_word_of_the_view_is_a_label() -> None:
    used = set(re.findall(r"words\.(\w+)", esm())) | {"pan", "lasso", "closer", "further", "reset", "thumbs"}
    assert used <= VIEW.keys(), sorted(used - VIEW.keys())


def test_every_label_is_used_and_none_is_missing() -> None:
    sources = "".join(path.read_text("utf-8") for path in JS.parent.glob("*.py") if path.name != "labels.py") + esm()
    said = set(re.findall(r"SPACE\[\"(\w+)\"", sources)) | set(re.findall(r"SPACE\['(\w+)'", sources))
    said |= {"strange", "familiar"}  # named by a condition
    assert said == SPACE.keys()
    assert not [name for name in VIEW if not re.search(rf"\b{name.removesuffix('_help')}\b", sources)]


@pytest.mark.parametrize(
    ("values", "length"),
    [
        (np.zeros((3, 2)), 24),
        (np.arange(3), 12),
        (np.zeros(3, dtype=np.uint8), 3),
        (np.zeros((3, 2), np.float32)[::-1], 24),
    ],
)
def test_arrays_travel_as_little_endian_bytes(values: np.ndarray, length: int) -> None:
    assert len(pack(values)) == length
    assert np.frombuffer(pack(np.array([1.5])), "<f4")[0] == 1.5


def test_a_click_reaches_python_and_an_index_from_nowhere_does_not() -> None:
    view, heard = SpaceView(points=pack(np.zeros((4, 2)))), []
    view.on_click(heard.append)
    for index in (2, 4, -1, "1", None):
        view._receive(view, {"type": "click", "index": index}, [])
    assert heard == [2]


def test_an_error_in_an_observer_is_said_not_lost() -> None:
    view = SpaceView()

    def refuse() -> None:
        raise InputError("That does not work; do this.")

    guard(view)(refuse)()
    assert view.message == "That does not work; do this."
    guard(view)(lambda: 1 / 0)()
    assert "ZeroDivisionError" in view.message
    guard(view, clears=False)(lambda: None)()
    assert view.message
    guard(view)(lambda: None)()
    assert view.message == ""


def silences(source: str) -> list[int]:
    """Lines of `except` clauses after which nothing is said, raised or returned."""
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]
    return [one.lineno for one in handlers if all(isinstance(line, ast.Pass | ast.Continue) for line in one.body)]


def test_no_widget_swallows_an_error() -> None:
    sources = {path.name: path.read_text("utf-8") for path in JS.parent.glob("*.py")}
    assert not {name: found for name, text in sources.items() if (found := silences(text))}
    assert not [view for view in VIEWS if re.search(r"catch\s*(\(\w+\))?\s*\{\s*\}", view._esm)]


def test_a_planted_silence_is_seen() -> None:
    assert silences("try:\n    act()\nexcept Exception:\n    pass") == [3]


def test_an_upload_reaches_python_and_a_large_one_is_a_sentence() -> None:
    view, got = SpaceView(), []
    upload = Upload("file", view=view)
    upload.on_file(lambda name, data: got.append((name, data)))
    upload._receive(upload, {"type": "file", "name": "a.png"}, [memoryview(b"abc")])
    assert got == [("a.png", b"abc")] and view.message == ""
    upload._receive(upload, {"type": "refused", "name": "b.wav", "size": 50_000_000}, [])
    assert "b.wav" in view.message and "50.0 MB" in view.message and f"{LARGEST / 1e6:.0f} MB" in view.message
    assert len(got) == 1
