"""What the browser tests ask of any map, as functions; the planted faults must fail them."""

import json

from tests.browser.lab import Sheet

PATIENCE = 20_000  # ms, for what should happen at once, on a machine that others use too


def drawn_where_computed(sheet: Sheet, index: int, *, space: str = "space", timeout: int = PATIENCE) -> None:
    """Selects a point in Python and waits until the canvas says that it drew it where Python puts it, in both axes."""
    old = sheet.canvas("rev")
    sheet.kernel(f"{space}.view.selected = -1\n{space}.view.selected = {index}")
    sheet.wait("d.rev !== a && d.fx !== ''", old, timeout=timeout)
    x, y = sheet.place(*json.loads(sheet.kernel(f"print({space}.state.scene.xy[{index}].tolist())")))
    left, top = sheet.corner()
    sheet.wait("Math.abs(d.fx - a[0]) < 0.6 && Math.abs(d.fy - a[1]) < 0.6", [x - left, y - top], timeout=timeout)


def redraws(sheet: Sheet, code: str, *, timeout: int = PATIENCE) -> None:
    """Runs code that changes the map, and waits until the canvas has drawn it and looks different."""
    old, before = sheet.canvas("rev"), sheet.pixels()
    sheet.kernel(code)
    sheet.wait("d.rev !== a", old, timeout=timeout)
    sheet.page.wait_for_timeout(100)
    assert sheet.pixels() != before, "the canvas says that it drew, but it looks as before"


def control_acts(sheet: Sheet, code: str, ask: str, expected: str) -> None:
    """Turns a knob and asks Python whether it had its effect."""
    sheet.kernel(code)
    found = sheet.kernel(f"print({ask})")
    assert found == expected, f"expected {expected!r} after the knob was turned, got {found!r}"


def says(sheet: Sheet, code: str, words: str, *, timeout: int = PATIENCE) -> None:
    """Does something that cannot work, and waits for its sentence below the map."""
    sheet.kernel(code)
    number = sheet.number
    sheet.page.wait_for_function(
        "([n, w]) => document.querySelectorAll('[data-testid=message]')[n].textContent.includes(w)",
        arg=[number, words], timeout=timeout,
    )  # fmt: skip
