"""`mmlab bench widgets`: from a key on a slider to the painted picture, in a real JupyterLab, matplotlib beside it."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from mmlab.bench.chromium import MISSING, find
from mmlab.bench.lab import FLAGS, Lab, Sheet
from mmlab.bench.race import Figure
from mmlab.preprocessing import load_image
from mmlab.types import InputError
from mmlab.widgets.media import encode

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")
LARGE = 20_000  # points of the larger map
DRAG = 1.5  # seconds
HANDLE = ".jp-OutputArea .widget-slider .noUi-handle"
OPEN = "from mmlab import EmojiData, load_shipped\ndata, model = EmojiData.load(), load_shipped()\n"
IMPORT = OPEN + "from mmlab.widgets import FusionLab, JointSpace\nimport time"
OURS = "T0 = time.time()\nlab = FusionLab(model, data)\nlab"
SPACE = "T0 = time.time()\nspace = JointSpace(model=model, data=data)\nspace"
# More points in the same map: what is fused, looked up and listed stays as it is.
MORE = """
import numpy as np
from mmlab.widgets.view import pack
v, times = lab.view, -(-{n} // lab.view.count)
def more(name, dtype, width=1):
    a = np.frombuffer(getattr(v, name), dtype).reshape(-1, width)
    return np.tile(a, (times, 1))[:{n}]
xy = more("points", "<f4", 2); xy = (xy + np.random.default_rng(0).normal(0, 0.02, xy.shape)).astype("float32")
groups, marks, items = (more(name, dtype).ravel() for name, dtype in (("groups", "u1"), ("marks", "u1"), ("items", "<i4")))
with v.hold_sync(): v.points, v.groups, v.marks, v.items = pack(xy), pack(groups), pack(marks), pack(items)
"""
# The same fusion, drawn as notebooks usually do it. The figure is made anew at each move, as interactive_output does.
THEIRS = """%matplotlib inline
import numpy as np, ipywidgets as widgets, matplotlib.pyplot as plt, time
from mmlab.widgets.points import shipped_points
from mmlab.widgets.maps import Pca, neighbours
points = shipped_points(model, data); pca = Pca.fit(points.vectors); xy = pca.place(points.vectors)
rows = np.resize(np.arange(len(xy)), {n}); cloud = xy[rows]; shown = points.modalities[rows]
z = [points.vectors[points.of(m)][100] for m in range(3)]
def draw(text=1.0, image=1.0, audio=1.0):
    fused = text * z[0] + image * z[1] + audio * z[2]
    fused = fused / np.linalg.norm(fused)
    best, _ = neighbours(points.vectors, fused, k=8, among=points.of(0))
    figure, axes = plt.subplots(figsize=(6, 5))
    for m, colour in enumerate(("#0072B2", "#D55E00", "#009E73")): axes.scatter(*cloud[shown == m].T, c=colour, s=6)
    axes.plot(*pca.place(fused[None])[0], "k*", ms=14)
    axes.set_title(", ".join(points.names[points.items[i]][0] for i in best)[:60])
    plt.show()
knobs = {{name: widgets.FloatSlider(1.0, min=0, max=2, step=0.05, description=name) for name in ("text", "image", "audio")}}
widgets.VBox([*knobs.values(), widgets.interactive_output(draw, knobs)])"""


def bench_widgets(*, rounds: int = 15, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Figures by name, each a median with its interval and n; milliseconds unless the name says otherwise.

    `tweak_ms/<n>`  FusionLab with n points: from the key on a weight's slider to the painted frame
    `matplotlib_ms/<n>`  the same knob, `interactive_output` drawing the same cloud, in the same run
    `times_faster/<n>`  the second over the first
    `drag_per_s`, `drag_lag_ms`  repaints a second while the slider is dragged, and the last repaint after its release
    `ready_s/<widget>`, `payload_mb/<widget>`  from the start of the cell that makes it to its first picture, and what came
    `upload_ms`  JointSpace: from the choice of a picture to its place on the map

    Raises:  InputError where there is no browser to measure in
    """
    path = find()
    if path is None:
        raise InputError(MISSING)
    from playwright.sync_api import sync_playwright

    figures: dict[str, Any] = {}
    lab = Lab().start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
            for measure in (_fusion_lab, _joint_space):
                figures |= _told(measure(browser, lab, rounds), say)
            browser.close()
    finally:
        lab.stop()
    return figures


def _told(figures: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    for name, figure in figures.items():
        say(f"{name:24} {figure['value']:8.1f}   ({figure['low']:.1f} to {figure['high']:.1f}, n = {figure['n']})")
    return figures


def _fusion_lab(browser: "Browser", lab: Lab, rounds: int) -> dict[str, Any]:
    """Ours and matplotlib's take turns, one block of moves each, so that what else the machine does hits both."""
    ours, first = _open(browser, lab, "fusion.ipynb", [IMPORT, OURS], "fusion_lab")
    counts = (int(ours.kernel("print(lab.view.count)")), LARGE)
    figures = first
    for n in counts:
        if n != counts[0]:
            ours.kernel(MORE.format(n=n))
        theirs = _sheet(browser, lab, f"plain_{n}.ipynb", [IMPORT, THEIRS.format(n=n)])
        theirs.run_all(drawn=".jp-OutputArea img")
        samples: tuple[list[float], list[float]] = ([], [])
        for _ in range(3):
            for sheet, found in zip((ours, theirs), samples, strict=True):
                sheet.page.bring_to_front()
                found += _presses(sheet, 1 + rounds // 3)[1:]  # the first of a block wakes everything up
        theirs.close()
        figures[f"tweak_ms/{n}"], figures[f"matplotlib_ms/{n}"] = (asdict(Figure.of(found)) for found in samples)
        ratios = [b / median(samples[0]) for b in samples[1]]
        figures[f"times_faster/{n}"] = asdict(Figure.of(ratios))
        if n == counts[0]:
            ours.page.bring_to_front()
            figures |= _drags(ours)
    ours.close()
    return figures


def _joint_space(browser: "Browser", lab: Lab, rounds: int) -> dict[str, Any]:
    sheet, figures = _open(browser, lab, "space.ipynb", [IMPORT, SPACE], "joint_space")
    sheet.page.wait_for_timeout(500)
    times = []
    for i in range(1 + rounds // 3):
        sheet.kernel("space._clear()")
        sheet.page.wait_for_timeout(400)
        _reset(sheet)
        picture = {"name": f"{i}.png", "mimeType": "image/png", "buffer": _picture(i)}
        sheet.page.locator("[data-testid=upload]").first.set_input_files(picture)
        times += _painted_after(sheet, "mmKey")
    sheet.close()
    return {**figures, "upload_ms": asdict(Figure.of(times[1:]))}


def _sheet(browser: "Browser", lab: Lab, name: str, cells: Sequence[str]) -> Sheet:
    return Sheet(browser, lab, lab.notebook(name, cells), script=PROBE)


def _open(browser: "Browser", lab: Lab, name: str, cells: Sequence[str], widget: str) -> tuple[Sheet, dict[str, Any]]:
    """A notebook with its widget drawn, and how long and how many bytes that took."""
    sheet = _sheet(browser, lab, name, cells)
    sheet.run_all()
    seconds = sheet.page.evaluate("window.mmReady.canvas") / 1000 - float(sheet.kernel("print(T0)"))
    sheet.page.wait_for_timeout(800)
    megabytes = sheet.page.evaluate("window.mmBytes") / 1e6
    figures = {f"ready_s/{widget}": seconds, f"payload_mb/{widget}": megabytes}
    return sheet, {key: asdict(Figure.of([value])) for key, value in figures.items()}


def _presses(sheet: Sheet, count: int) -> list[float]:
    """Milliseconds from each press of an arrow key on the first slider to the end of the first frame after it."""
    times: list[float] = []
    handle = sheet.page.locator(HANDLE).first
    handle.scroll_into_view_if_needed()
    handle.focus()
    for i in range(count):
        sheet.page.wait_for_timeout(350)
        _reset(sheet)
        sheet.page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
        times += _painted_after(sheet, "mmKey")
    return times


def _reset(sheet: Sheet) -> None:
    sheet.page.evaluate("window.mmPaints.length = 0; window.mmKey = Infinity")


def _painted_after(sheet: Sheet, since: str) -> list[float]:
    """The time from an event to the first paint that began after it; none where nothing was painted in 10 s."""
    sheet.page.wait_for_function(f"window.mmPaints.some(p => p[0] >= window.{since})", timeout=10_000, polling=20)
    return [sheet.page.evaluate(f"window.mmPaints.find(p => p[0] >= window.{since})[1] - window.{since}")]


def _drags(sheet: Sheet) -> dict[str, Any]:
    """The slider is dragged to and fro as fast as a hand does it, three times."""
    rates, lags = [], []
    for _ in range(3):
        box = sheet.page.locator(HANDLE).first.bounding_box()
        reach = 0.4 * sheet.page.locator(HANDLE.replace("handle", "base")).first.bounding_box()["width"]
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        sheet.page.mouse.move(x, y)
        sheet.page.mouse.down()
        _reset(sheet)
        begun, step = time.monotonic(), 0
        while time.monotonic() - begun < DRAG:
            step += 1
            sheet.page.mouse.move(x + reach * math.sin(step / 6), y)
            sheet.page.wait_for_timeout(12)
        sheet.page.wait_for_timeout(1000)
        sheet.page.mouse.up()
        paints, last = sheet.page.evaluate("[window.mmPaints, window.mmMove]")
        during = [paint for paint in paints if paint[0] <= last]
        rates.append(len(during) / DRAG)
        lags.append(max([0.0, *(paint[1] - last for paint in paints)]))
        sheet.page.wait_for_timeout(300)
    return {"drag_per_s": asdict(Figure.of(rates)), "drag_lag_ms": asdict(Figure.of(lags))}


def _picture(seed: int) -> bytes:
    """A picture of one colour, different each time, as PNG."""
    return encode(load_image(np.full((300, 300, 3), (37 * seed) % 256, dtype=np.uint8)), kind="PNG")
