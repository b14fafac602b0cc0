"""The checks can fail: each planted fault is seen by the check that is there for it, and a sound map passes all of them."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, TimeoutError

from tests.browser.checks import PATIENCE, control_acts, drawn_where_computed, redraws, says
from tests.browser.lab import Lab, Sheet

SOUND = """
import numpy as np, mmlab.widgets.space as module
from mmlab.widgets.view import SpaceView, esm, guard
from mmlab.widgets import JointSpace
z = np.random.default_rng(0).normal(size=(60, 8))
def map_with(**changes):
    before = {name: getattr(module, name) for name in changes}
    for name, value in changes.items(): setattr(module, name, value)
    try: return JointSpace({"text": z, "image": z + 0.3})
    finally:
        for name, value in before.items(): setattr(module, name, value)
def view_with(old, new):
    assert old in esm(), old
    return type("Faulty", (SpaceView,), {"_esm": esm().replace(old, new)})
sound = map_with()
sound
"""
MIRRORED = """
mirrored = map_with(SpaceView=view_with("- y * this.unit", "+ y * this.unit"))
mirrored
"""
STILL = """
still = map_with(SpaceView=view_with("BASE.has(name) ? redo() : redraw();", ""))
still
"""
UNLINKED = """
unlinked = map_with()
unlinked.controls.colour.unobserve_all()
unlinked
"""
QUIET = """
def silent(view, clears=True):
    def wrap(act):
        def quiet(*args, **kwargs):
            try: act(*args, **kwargs)
            except Exception: pass
        return quiet
    return wrap
"""
SILENT = QUIET + "silent_map = map_with(guard=silent)\nsilent_map"
IMPORTS = """
class Far(SpaceView):
    _esm = 'import "https://cdn.example/d3.js";' + esm()
far = map_with(SpaceView=Far)
far
"""
NAMES = ("sound", "mirrored", "still", "unlinked", "silent_map")
COLOUR = "{0}.controls.colour.value = 'error' if {0}.controls.colour.value != 'error' else 'modality'"
SEARCH = "{0}.controls.text.value = 'x'; {0}.controls.text.value = 'a violin'"
Check = Callable[[Sheet, str, int], None]
CHECKS: dict[str, Check] = {
    "mirrored": lambda sheet, name, timeout: drawn_where_computed(sheet, 3, space=name, timeout=timeout),
    "still": lambda sheet, name, timeout: redraws(sheet, COLOUR.format(name), timeout=timeout),
    "unlinked": lambda sheet, name, timeout: control_acts(
        sheet, f"{name}.controls.colour.value = 'error'", f"{name}.state.colour", "error"
    ),
    "silent_map": lambda sheet, name, timeout: says(
        sheet, SEARCH.format(name), "the model of these vectors", timeout=timeout
    ),
}


@pytest.fixture(scope="module")
def sheet(browser: Browser, lab: Lab) -> Iterator[Sheet]:
    cells = [SOUND, MIRRORED, STILL, UNLINKED, SILENT, IMPORTS]
    opened = Sheet(browser, lab, lab.notebook("planted.ipynb", cells), height=2400)
    opened.run_all()
    opened.page.wait_for_function(f"() => document.querySelectorAll('.mm-canvas[data-rev]').length === {len(NAMES)}")
    yield opened
    opened.close()


@pytest.mark.parametrize("fault", CHECKS)
def test_a_sound_map_passes(sheet: Sheet, fault: str) -> None:
    sheet.number = NAMES.index("sound")
    CHECKS[fault](sheet, "sound", PATIENCE)


@pytest.mark.parametrize("fault", CHECKS)
def test_a_planted_fault_fails(sheet: Sheet, fault: str) -> None:
    sheet.number = NAMES.index(fault)
    with pytest.raises((AssertionError, TimeoutError)):
        CHECKS[fault](sheet, fault, 2000)


def test_a_script_from_elsewhere_is_seen(sheet: Sheet) -> None:
    assert any("cdn.example" in address for address in sheet.left)
    assert any("cdn.example" in error or "fetch" in error for error in sheet.errors)
