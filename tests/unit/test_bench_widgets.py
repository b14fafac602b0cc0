"""The benchmark of the widgets, apart from the browser: what it runs is Python, and no browser is a sentence."""

import ast

import pytest

from mmlab.bench import look, widgets
from mmlab.bench.chromium import MISSING
from mmlab.types import InputError
from tests.browser.lab import Sheet


def test_its_cells_are_python() -> None:
    for source in (
        widgets.IMPORT,
        widgets.OURS,
        widgets.SPACE,
        widgets.MORE.format(n=20_000),
        widgets.THEIRS.format(n=5),
        *look.CELLS,
    ):
        ast.parse("\n".join(line for line in source.splitlines() if not line.startswith("%")))


def test_no_browser_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (widgets, look):
        monkeypatch.setattr(module, "find", lambda: None)
    with pytest.raises(InputError, match="and none was found"):
        widgets.bench_widgets()
    with pytest.raises(InputError, match="and none was found"):
        look.widget_picture()
    assert "CHROMIUM" in MISSING


class Page:
    """Answers as the probe in a page does."""

    def __init__(self, paints: list[list[float]], key: float) -> None:
        self.paints, self.key = paints, key

    def wait_for_function(self, code: str, **options: object) -> None:
        assert any(begun >= self.key for begun, _ in self.paints)

    def evaluate(self, code: str) -> float:
        return next(end for begun, end in self.paints if begun >= self.key) - self.key


def test_a_paint_that_began_before_the_key_does_not_count() -> None:
    sheet = Sheet.__new__(Sheet)
    sheet.page = Page([[90.0, 101.0], [112.0, 130.0], [150.0, 160.0]], key=100.0)
    assert widgets._painted_after(sheet, "mmKey") == [30.0]


def test_the_pictures_that_are_uploaded_differ() -> None:
    assert widgets._picture(1) != widgets._picture(2) and widgets._picture(1).startswith(b"\x89PNG")
