"""JointSpace in a real JupyterLab: what is drawn is what Python computed, and nothing leaves the machine."""

import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.browser.checks import drawn_where_computed
from tests.browser.lab import Lab, Sheet

CELLS = ("from mmlab.widgets import JointSpace\nspace = JointSpace()\nhidden = space.view", "space")
PLACE = "print(space.state.scene.xy[{}].tolist())"


@pytest.fixture(scope="module")
def sheet(browser: Browser, lab: Lab) -> Iterator[Sheet]:
    opened = Sheet(browser, lab, lab.notebook("space.ipynb", CELLS))
    opened.run_all()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def home(sheet: Sheet) -> None:
    """Every test begins at the same state, drawn."""
    sheet.page.mouse.move(5, 5)
    sheet.kernel(
        "c = space.controls; c.map.value = 'pca'; c.colour.value = 'modality'; c.pairs.value = 'selected'\n"
        "space._clear(); space.view.off = []; space.view.thumbs = False; space.view.message = ''; space.view.home()"
    )
    sheet.page.locator("[data-act=pan]").click()
    sheet.wait("d.fx === '' && d.n === '4338' && d.zoom === '1,0,0' && d.hover === '-1'")


def point(sheet: Sheet, index: int) -> tuple[float, float]:
    return sheet.place(*json.loads(sheet.kernel(PLACE.format(index))))


def lonely(sheet: Sheet) -> int:
    """The point that lies farthest from its nearest neighbour on the map: a click near it means it."""
    return int(
        sheet.kernel(
            "import numpy as np; xy = space.state.scene.xy\n"
            "d = np.linalg.norm(xy[:, None] - xy[None], axis=2); np.fill_diagonal(d, 9); print(int(d.min(1).argmax()))"
        )
    )


def said(sheet: Sheet, testid: str) -> str:
    return sheet.page.locator(f"[data-testid={testid}]").inner_text()


def test_the_drawn_place_is_the_computed_place(sheet: Sheet) -> None:
    """In both axes and under zoom: a mirrored axis or a forgotten shift fails here."""
    for index in (7, 1800, 4000):
        drawn_where_computed(sheet, index)
    sheet.page.locator("[data-act=closer]").click()
    sheet.wait("d.zoom.startsWith('1.4,')")
    drawn_where_computed(sheet, 300)


def test_hovering_shows_names_picture_and_spectrogram(sheet: Sheet) -> None:
    sheet.kernel("space.view.off = [0, 1]")
    sheet.wait("document.querySelectorAll('.mm-key[aria-pressed=false]').length === 2")
    index = 2 * 1446 + 40
    sheet.page.mouse.move(*point(sheet, index))
    sheet.wait("Number(d.hover) >= 2892")
    sheet.page.wait_for_selector(".mm-card-spectrogram")
    hovered = int(sheet.canvas("hover"))
    title = sheet.page.locator(".mm-card-title").inner_text()
    assert title == sheet.kernel(f"print(space.state.points.name({hovered}))")
    sheet.wait("[...document.querySelectorAll('.mm-card img')].filter(i => i.naturalWidth).length === 2")
    sheet.page.mouse.move(5, 5)
    sheet.wait("document.querySelector('.mm-card').hidden")


def test_a_click_selects_plays_and_lists_neighbours(sheet: Sheet) -> None:
    index, plays = lonely(sheet), int(sheet.canvas("sound") or 0)
    sheet.page.mouse.click(*point(sheet, index))
    sheet.wait("Number(d.sound) === a", plays + 1)
    assert int(sheet.kernel("print(space.view.selected, space.state.selected)").split()[0]) == index
    name = sheet.kernel(f"print(space.state.points.name({index}))")
    sheet.page.wait_for_function(
        "n => document.querySelector('.mm-side').textContent.includes('Nearest to ' + n)", arg=name
    )
    assert sheet.page.locator(".mm-tile img").count() >= 14
    assert sheet.page.locator(".mm-cell").count() == 144
    assert said(sheet, "readout").startswith(name)


def test_lasso_gives_a_dataframe_and_greys_the_rest(sheet: Sheet) -> None:
    before = sheet.pixels()
    sheet.page.locator("[data-act=lasso]").click()
    corners = [(-0.5, -0.5), (0.1, -0.5), (0.1, 0.3), (-0.5, 0.3)]
    places = [sheet.place(*corner) for corner in corners]
    sheet.page.mouse.move(*places[0])
    sheet.page.mouse.down()
    for x, y in [*places[1:], places[0]]:
        sheet.page.mouse.move(x, y, steps=4)
    sheet.page.mouse.up()
    sheet.page.wait_for_function("() => document.querySelector('[data-testid=readout]').textContent.includes('chosen')")
    inside = sheet.kernel(
        "xy = space.state.scene.xy; m = (xy[:, 0] > -.5) & (xy[:, 0] < .1) & (xy[:, 1] > -.5) & (xy[:, 1] < .3)\n"
        "f = space.chosen; print(type(f).__name__, len(f), m.sum(), m[f['point']].mean() > .98, list(f.columns)[:3])"
    ).split(maxsplit=4)
    assert (
        inside[0] == "DataFrame"
        and abs(int(inside[1]) - int(inside[2])) < 0.03 * int(inside[2])
        and inside[3] == "True"
    )
    assert sheet.pixels() != before and sheet.canvas("n") == "4338"  # grey, not gone


def test_the_legend_greys_a_modality(sheet: Sheet) -> None:
    before = sheet.pixels()
    sheet.page.locator(".mm-key").nth(1).click()
    sheet.wait("document.querySelectorAll('.mm-key[aria-pressed=false]').length === 1")
    assert sheet.kernel("print(space.view.off)") == "[1]" and sheet.pixels() != before
    assert sheet.canvas("n") == "4338"


def test_search_by_text_and_by_files(sheet: Sheet, tmp_path: Path) -> None:
    field = sheet.page.locator(".jp-OutputArea input[type=text]").first
    field.fill("guitar")
    field.press("Enter")
    sheet.page.wait_for_function("() => document.querySelector('.mm-side').textContent.includes('“guitar”')")
    assert "familiarity" in sheet.page.locator(".mm-side").inner_text()
    sheet.kernel(
        "open('pear.webp', 'wb').write(space.state.shelf.picture(space.state.shelf.data['pear'].id, 'openmoji'))"
    )
    upload = sheet.page.locator("[data-testid=upload]").first
    upload.set_input_files(sheet.lab.root / "pear.webp")
    sheet.page.wait_for_function("() => document.querySelector('.mm-side').textContent.includes('pear.webp')")
    assert sheet.kernel("print(space.state.query.modality, space.view.message)") == "1"
    upload.set_input_files({"name": "tone.wav", "mimeType": "audio/wav", "buffer": tone()})
    sheet.page.wait_for_function("() => document.querySelector('.mm-side').textContent.includes('tone.wav')")
    assert sheet.kernel("print(space.state.query.modality)") == "2"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
        ("letter.pdf", b"%PDF-1.7 nothing", "PDF"),
        ("empty.wav", b"", "empty"),
    ],
)
def test_a_bad_upload_is_a_sentence_and_the_map_lives_on(
    sheet: Sheet, name: str, content: bytes, sentence: str
) -> None:
    sheet.page.locator("[data-testid=upload]").first.set_input_files({"name": name, "mimeType": "x", "buffer": content})
    sheet.page.wait_for_function(
        "s => document.querySelector('[data-testid=message]').textContent.includes(s)", arg=sentence
    )
    sheet.kernel("space.view.selected = 3")
    sheet.wait("d.fx !== ''")


def test_a_sound_of_50_megabytes_never_leaves_the_browser(sheet: Sheet, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    sheet.page.locator("[data-testid=upload]").first.set_input_files(path)
    sheet.page.wait_for_function(
        "() => document.querySelector('[data-testid=message]').textContent.includes('50.0 MB')"
    )
    assert sheet.kernel("print('alive')") == "alive"


def test_colours_maps_and_the_training_slider_redraw(sheet: Sheet) -> None:
    seen = {sheet.pixels()}
    choose = sheet.page.locator(".jp-OutputArea select")
    for number, words in ((0, "kind"), (0, "error"), (1, "UMAP, made before")):
        revision = sheet.canvas("rev")
        choose.nth(number).select_option(label=words)
        sheet.wait("d.rev !== a", revision)
        sheet.page.wait_for_timeout(150)
        seen.add(sheet.pixels())
    assert len(seen) == 4
    choose.nth(1).select_option(label="PCA while it trained")
    sheet.wait("d.n === '720'")
    handle = sheet.page.locator(".jp-OutputArea .noUi-handle").first
    for _ in range(3):
        old = sheet.canvas("rev")
        handle.press("ArrowLeft")
        sheet.wait("d.rev !== a", old)
    sheet.page.wait_for_timeout(150)
    moment = int(sheet.kernel("print(space.state.moment)"))
    assert moment == int(sheet.kernel("print(len(space.state.training.steps))")) - 4
    drawn_where_computed(sheet, 300)


def test_keys_move_the_selection_and_stay_out_of_the_notebook(sheet: Sheet) -> None:
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    canvas = sheet.page.locator(".mm-canvas").first
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        old = sheet.canvas("rev")
        canvas.press(key)
        sheet.wait("d.rev !== a", old)
    assert int(sheet.kernel("print(space.view.selected)")) >= 0
    for key in ("a", "b", "x", "+", "l", "0", "Escape"):
        canvas.press(key)
    sheet.wait("d.fx === '' && d.zoom === '1,0,0'")
    assert sheet.page.evaluate(cells) == len(CELLS)


def test_wheel_and_drag_change_the_part_that_is_seen(sheet: Sheet) -> None:
    canvas = sheet.page.locator(".mm-canvas").first
    canvas.focus()
    x, y = sheet.place(0.3, 0.3)
    sheet.page.mouse.move(x, y)
    sheet.page.mouse.wheel(0, -300)
    sheet.wait("parseFloat(d.zoom) > 1.5")
    held = sheet.place(0.3, 0.3)
    assert abs(held[0] - x) < 1 and abs(held[1] - y) < 1  # the place under the pointer stays there
    sheet.page.mouse.down()
    sheet.page.mouse.move(x + 60, y + 40, steps=5)
    sheet.page.mouse.up()
    moved = sheet.place(0.3, 0.3)
    assert abs(moved[0] - x - 60) < 1 and abs(moved[1] - y - 40) < 1
    sheet.page.locator("[data-act=reset]").click()
    sheet.wait("d.zoom === '1,0,0'")


def test_the_theme_is_followed(sheet: Sheet) -> None:
    sheet.theme("JupyterLab Dark")
    sheet.wait("d.dark === 'true'")
    corner = "c.getContext('2d').getImageData(2, c.height - 2, 1, 1).data[0] < 60"
    sheet.wait(corner)
    sheet.wait("c.width === Math.round(c.clientWidth * devicePixelRatio)")  # not stretched
    sheet.theme("JupyterLab Light")
    sheet.wait("d.dark === 'false'")


def test_the_stored_output_has_a_still(sheet: Sheet) -> None:
    """What GitHub and an unrun notebook show: the PNG beside the live view."""
    mimes = sheet.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.at(-1).model.outputs.toJSON()[0].data"
    )
    assert mimes["image/png"].startswith("iVBOR") and "application/vnd.jupyter.widget-view+json" in mimes


def test_nothing_left_this_machine_and_nothing_went_wrong(sheet: Sheet) -> None:
    assert sheet.left == [] and sheet.errors == []


def tone() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((8000 * np.sin(np.arange(8000) / 8)).astype("<i2").tobytes())
    return out.getvalue()
