"""Progress: one local file that survives kernels, damage and two writers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmlab.grading import progress as module
from mmlab.grading.check import check
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.progress import OFF, VARIABLE, Attempt, attempts, best, place, progress, record
from mmlab.grading.reference import build, reference_source
from mmlab.paths import ROOT

ID = "04_1.4"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "deep" / "进度 progress.jsonl"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def row(id: str) -> tuple:
    return next(one for one in progress().rows if one[0] == id)


def test_a_fresh_learner_has_done_nothing(file: Path) -> None:
    assert progress().headline.startswith(f"0 of {len(EXERCISES)} exercises solved, 0 of")
    assert not file.exists()


def test_the_best_attempt_counts_and_a_later_worse_one_does_not(file: Path) -> None:
    exercise = EXERCISES[ID]
    wrong = build(exercise, exercise.wrong[0].source)
    check(ID, wrong)
    assert row(ID)[2] < row(ID)[3] and row(ID)[4] == 1
    check(ID, build(exercise, reference_source(ID)))
    check(ID, wrong)
    assert row(ID)[2] == row(ID)[3] and row(ID)[4] == 3
    assert progress().headline.startswith("1 of")
    assert f"✓ {ID}" in repr(progress()) and "<progress value=" in progress()._repr_html_()


def test_it_survives_the_kernel(file: Path) -> None:
    code = f"from mmlab import check; check({ID!r}, lambda **args: 0.0)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert row(ID)[4] == 1


def test_hints_go_on_after_a_restart(file: Path) -> None:
    code = f"from mmlab import check; print(check({ID!r}, lambda **args: 0.0).hint)"
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True) for _ in range(2)]
    first, second = (run.stdout.decode() for run in runs)
    assert first.startswith("Hint 1") and (second.startswith("Hint 2") or "1 of 1" in first)


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00garbage", b"{", b'{"exercise": "x"}', b"[]", b"null", b'{"points": true}']
)
def test_damage_is_told_and_nothing_is_lost(file: Path, damage: bytes) -> None:
    record(Attempt(ID, 2.0))
    before = file.read_bytes() + damage + b"\n"
    file.write_bytes(before)
    assert record(Attempt(ID, 3.0)) == ""
    found, sentence = attempts()
    assert [one.points for one in found] == [2.0, 3.0]
    assert sentence == "1 line of your progress file cannot be read and was left as it is; the other 2 count."
    assert file.read_bytes().startswith(before) and sentence in repr(progress())


def test_a_line_cut_off_by_a_crash_costs_only_itself(file: Path) -> None:
    record(Attempt(ID, 2.0))
    file.write_bytes(file.read_bytes() + b'{"exercise": "04_')  # no newline at the end
    record(Attempt(ID, 4.0))
    found, sentence = attempts()
    assert best(found) == {ID: 4.0} and "1 line" in sentence


def test_where_nothing_can_be_written_the_check_still_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "taken" / "progress.jsonl"))
    result = check(ID, lambda **args: 0.0)
    assert "could not be saved in progress.jsonl" in repr(result) and "of 3 points" in repr(result)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, OFF)
    monkeypatch.setattr(module.Path, "home", lambda: tmp_path)
    check(ID, lambda **args: 0.0)
    assert place() is None and attempts() == ([], "") and list(tmp_path.iterdir()) == []
    monkeypatch.delenv(VARIABLE)
    assert place() == tmp_path / ".mmlab" / "progress.jsonl"


def test_points_beyond_an_exercise_and_unknown_exercises_do_no_harm(file: Path) -> None:
    for attempt in (Attempt(ID, 500.0), Attempt("99.9", 3.0)):
        record(attempt)
    assert row(ID)[2] == row(ID)[3]
    assert len(progress().rows) == len(EXERCISES)


def test_two_writers_lose_nothing(file: Path) -> None:
    code = "from mmlab.grading.progress import record, Attempt\nfor _ in range(200): record(Attempt('04_1.4', 1.0))"
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    found, sentence = attempts()
    assert len(found) == 400 and sentence == ""
    assert all(json.loads(line)["exercise"] == ID for line in file.read_text(encoding="utf-8").splitlines())
