"""A picture of a widget as a reader sees it: in a real JupyterLab."""

from mmlab.bench.chromium import MISSING, find
from mmlab.bench.lab import FLAGS, Lab, Sheet
from mmlab.types import InputError

CELLS = (
    "from mmlab.widgets import FusionLab",
    'lab = FusionLab(image="guitar", audio="violin")\n'
    'lab.map.value = "UMAP"\n'
    'lab.turn("text.on", False)\n'
    "for weight in (0.2, 0.4, 0.6, 0.8, 1.0):\n"
    '    lab.turn("audio.weight", weight)\n'
    "lab",
)


def widget_picture(*, width: int = 1250, height: int = 900) -> bytes:
    """FusionLab after a few turns of its knobs, as PNG.

    Raises:  InputError where there is no browser to look with
    """
    path = find()
    if path is None:
        raise InputError(MISSING)
    from playwright.sync_api import sync_playwright

    lab = Lab().start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
            sheet = Sheet(browser, lab, lab.notebook("look.ipynb", CELLS), width=width, height=height)
            sheet.run_all()
            sheet.page.wait_for_timeout(1500)
            picture = sheet.page.locator(".fl-lab").first.screenshot()
            sheet.close()
            browser.close()
    finally:
        lab.stop()
    return picture
