"""AttentionView and TrainingView in a real JupyterLab."""

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.lab import Lab, Sheet

ATTENTION = [
    "from mmlab import EmojiData, load_shipped\nfrom mmlab.widgets import AttentionView",
    'sample = EmojiData.load().sample("guitar", style="twemoji", voice="rms")\n'
    'view = AttentionView(load_shipped(), text="a red guitar", image=sample.image, audio=sample.audio)\nview',
]
TRAINING = ["import time\nfrom mmlab.widgets import TrainingView\nview = TrainingView()\nview"]
LOOP = """
with view:
    for step in range(1, 2001):
        time.sleep(0.02)
        if not view.tell(step, steps=2000, loss=4 / step ** 0.5, recall=step / 2000 if step % 20 == 0 else None):
            break
print("ended after", step)
"""
PATIENCE = 30_000


@pytest.fixture(scope="module")
def looking(browser: Browser, lab: Lab) -> Iterator[Sheet]:
    sheet = Sheet(browser, lab, lab.notebook("attention.ipynb", ATTENTION))
    sheet.run_all(drawn=".at-view[data-rev]")
    yield sheet
    sheet.close()


@pytest.fixture(scope="module")
def training(browser: Browser, lab: Lab) -> Iterator[Sheet]:
    sheet = Sheet(browser, lab, lab.notebook("training.ipynb", TRAINING))
    sheet.run_all(drawn=".tr-view[data-rev]")
    yield sheet
    sheet.close()


def values(sheet: Sheet, modality: str) -> list[float]:
    return json.loads(sheet.kernel(f"import json; print(json.dumps(view.values[{modality!r}].tolist()))"))


def top(page: Page, modality: str, expected: int) -> None:
    """Waits until the place with the largest value is drawn as the largest."""
    page.wait_for_function(
        "([m, top]) => document.querySelector(`canvas[data-testid=${m}]`).dataset.top === String(top)",
        arg=[modality, expected], timeout=PATIENCE,
    )  # fmt: skip


def test_what_agrees_is_laid_over_picture_and_sound(looking: Sheet) -> None:
    for m in ("image", "audio"):
        found = values(looking, m)
        top(looking.page, m, found.index(max(found)))
    assert "cosine" in looking.page.locator("[data-testid=said]").inner_text()


def test_a_word_that_is_chosen_asks(looking: Sheet) -> None:
    page = looking.page
    page.locator(".at-token").nth(2).click()
    page.wait_for_selector(".at-token[aria-pressed=true]", timeout=PATIENCE)
    page.wait_for_function("() => document.querySelector('.at-token').dataset.value !== undefined", timeout=PATIENCE)
    assert looking.kernel("print(view.ask.kind, view.ask.asker, view.ask.index)") == "reads text 2"
    drawn = page.locator(".at-token").evaluate_all("all => all.map(one => +one.dataset.value)")
    assert drawn == pytest.approx(values(looking, "text"), abs=1e-3)
    page.locator(".jupyter-widgets select").filter(has_text="mean of all").select_option("2")
    page.wait_for_function(
        "v => +document.querySelector('.at-token').dataset.value !== v", arg=drawn[0], timeout=PATIENCE
    )
    drawn = page.locator(".at-token").evaluate_all("all => all.map(one => +one.dataset.value)")
    assert drawn == pytest.approx(values(looking, "text"), abs=1e-3)


def test_a_frame_asks_and_a_patch_is_answered_with_a_sentence(looking: Sheet) -> None:
    page = looking.page
    box = page.locator("canvas[data-testid=audio]").bounding_box()
    frames = int(looking.kernel("print(view.look.places('audio'))"))
    page.mouse.click(box["x"] + box["width"] * 3.5 / frames, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=said]').textContent.includes('of the sound')", timeout=PATIENCE
    )
    assert looking.kernel("print(view.ask.asker, view.ask.index)") == "audio 3"
    found = values(looking, "audio")
    top(page, "audio", found.index(max(found)))
    page.keyboard.press("Tab")
    page.locator("canvas[data-testid=audio]").focus()
    page.keyboard.press("ArrowRight")
    end = time.monotonic() + PATIENCE / 1000
    while looking.kernel("print(view.ask.index)") != "4":
        assert time.monotonic() < end
    page.locator("canvas[data-testid=image]").click()
    page.wait_for_function(
        "() => document.querySelector('.at-view [data-testid=message]').textContent.includes('no attention to show')",
        timeout=PATIENCE,
    )


def test_stop_is_heard_while_the_cell_runs(training: Sheet) -> None:
    page = training.page
    page.evaluate(
        """code => { const k = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel; window.said = '';
           const f = k.requestExecute({code, store_history: false});
           f.onIOPub = m => { if (m.header.msg_type === 'stream') window.said += m.content.text; }; }""",
        LOOP,
    )
    page.wait_for_function(
        "() => +document.querySelector('canvas[data-testid=losses]').dataset.n > 5", timeout=PATIENCE
    )
    page.wait_for_selector("canvas[data-testid=recalls]:visible", timeout=PATIENCE)
    page.locator("[data-testid=stop]").click()
    page.wait_for_function("() => window.said.includes('ended after')", timeout=PATIENCE)
    ended = int(page.evaluate("() => window.said").split()[-1])
    assert ended < 2000
    page.wait_for_function(
        "() => document.querySelector('[data-testid=status]').textContent.includes('the model can be used')",
        timeout=PATIENCE,
    )
    assert training.kernel("print(view.progress.step, view.running)") == f"{ended} False"
    assert page.locator("[data-testid=stop]").is_disabled()


def test_the_curve_ends_where_python_says(training: Sheet) -> None:
    training.kernel("view.tell(1, steps=10, loss=2.0); time.sleep(0.3); view.tell(10, steps=10, loss=1.0)")
    training.page.wait_for_function(
        "() => document.querySelector('canvas[data-testid=losses]').dataset.n === '2'", timeout=PATIENCE
    )
    y = float(training.page.locator("canvas[data-testid=losses]").get_attribute("data-y"))
    assert y == pytest.approx(200 - 24 - 0.5 * (200 - 24 - 20), abs=0.1)  # half of the largest loss, at half height


def test_nothing_left_this_machine_and_nothing_went_wrong(looking: Sheet, training: Sheet) -> None:
    for sheet in (looking, training):
        assert sheet.left == [] and sheet.errors == []
