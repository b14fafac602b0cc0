"""The run of the lessons can fail: planted defects are found, and a lesson that would compare nothing is refused."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mmlab.notebooks import execute
from mmlab.paths import ROOT

CELLS = [
    "import numpy as np\nfrom mmlab.figures import figure\nfrom mmlab.testing import digest",
    "print(2 + 2)",
    "np.arange(3)",
    "made = figure()\n_ = made.axes[0].plot([0, 1, 2], [0, 1, 4])\nmade",
    "print(digest(made))",
    "print('it took 1.234 s')",
    "1 / 0",
]
DEFECTS = {1: "print(2 + 3)", 2: "np.arange(3.0)", 4: "made.axes[0].lines[0].set_ydata([0, 2, 1])\nprint(digest(made))"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says about a good lesson, the same with defects, and one that was stored without outputs."""
    folder = tmp_path_factory.mktemp("lessons")
    good = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    good.cells[-1].metadata["tags"] = ["raises-exception"]
    nbformat.write(execute(good, folder), folder / "good.ipynb")
    bad = nbformat.from_dict(good)
    for index, source in DEFECTS.items():
        bad.cells[index].source = source
    nbformat.write(bad, folder / "bad.ipynb")
    bare = new_notebook(cells=[new_code_cell("print(1)")])
    nbformat.write(bare, folder / "bare.ipynb")
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rA", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    command += ["--nbval-sanitize-with", str(Path(__file__).with_name("nbval_sanitize.cfg")), "--rootdir", str(folder)]
    done = subprocess.run(
        [*command, "-n", "2", "--dist", "loadfile", str(folder)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_a_good_lesson_passes_with_its_times_and_its_taught_error(outcome: str) -> None:
    assert all(f"PASSED good.ipynb::Cell {index}" in outcome for index in range(len(CELLS)))


def test_each_planted_defect_is_found_and_nothing_else(outcome: str) -> None:
    for index in range(len(CELLS)):
        expected = "FAILED" if index in DEFECTS else "PASSED"
        assert f"{expected} bad.ipynb::Cell {index}" in outcome


def test_a_cell_without_stored_outputs_is_refused(outcome: str) -> None:
    assert "FAILED bare.ipynb::Cell 0" in outcome
    assert "stored without outputs, nothing would be compared" in outcome


def test_the_summary_counts_what_was_compared(outcome: str) -> None:
    assert "good.ipynb: compared 6 of 7 cells" in outcome
    assert "bare.ipynb: compared 0 of 1 cells" in outcome and "at least 5 must be" in outcome
