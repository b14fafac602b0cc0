"""A run of the grader: what it is given, what it says, and what it refuses."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmlab.grading.exercise import Call
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.runner import Options, grade
from mmlab.grading.runner.answers import Answers, private_checks
from mmlab.grading.runner.isolation import check_level
from mmlab.grading.runner.job import Before, Group, Runner
from mmlab.grading.runner.pool import Pool
from mmlab.grading.runner.submission import gather, open_submission
from mmlab.grading.runner.watch import Watch
from mmlab.paths import NOTEBOOKS
from mmlab.types import InputError
from tests.grading.toy import NO_SCALE, PATCHIFY, RIGHT, STUBS, TOYS, handed_in, reference

PRIVATE = """
from mmlab.grading.exercise import Call, Check
import numpy as np

def odd(rng):
    return [Call({"image": rng.standard_normal((5, 6, 3)), "size": 3})]

CHECKS = {"99.1": (Check("odd sizes", 4, odd, "a picture of five channels"),)}
"""


def scores(report: dict) -> list[float]:
    return [row["score"] for row in report["submissions"]]


def test_right_wrong_and_stub_in_one_class(graded) -> None:
    report = graded({"right": RIGHT, "wrong": {**RIGHT, "99.2": NO_SCALE.source}, "stub": STUBS, "张 三": RIGHT})
    assert scores(report) == [9, 7, 0, 9]
    assert [row["name"] for row in report["submissions"]] == ["right", "wrong", "stub", "张 三"]
    assert [one["status"] for one in report["submissions"][2]["exercises"]] == ["not attempted"] * 3


def test_what_holds_is_measured(graded) -> None:
    isolation = graded({"right": RIGHT})["isolation"]
    assert isolation["level"] == "process" and not isolation["official"]
    if sys.platform == "linux":
        assert "no process can be started" in isolation["holds"]
        assert "memory is limited" in isolation["holds"]
    assert len(isolation["holds"]) + len(isolation["missing"]) == 7


def test_without_fork_the_verdicts_are_the_same(graded) -> None:
    report = graded({"wrong": {"99.1": PATCHIFY, "99.2": "torch.os._exit(0)"}}, fork=False)
    assert scores(report) == [3]


def test_inputs_are_new_in_each_run_and_come_again_with_the_seed() -> None:
    first, again, other = (Answers(TOYS, secret=secret, reference=reference) for secret in ("a", "a", "b"))
    image = [answers.of("99.1")[0].calls[0].args["image"] for answers in (first, again, other)]
    assert np.array_equal(image[0], image[1]) and not np.array_equal(image[0], image[2])


def test_the_seed_is_secret_and_told_at_the_end(graded) -> None:
    seeds = {graded({"a": RIGHT}, out=out)["seed"] for out in ("one", "two")}
    assert len(seeds) == 2 and all(len(seed) >= 32 for seed in seeds)
    assert graded({"a": RIGHT}, out="three", seed="mine")["seed"] == "mine"


def test_a_table_of_known_answers_earns_nothing(graded) -> None:
    """The inputs of the notebook's own check are known to everybody; the grader asks others."""
    known = Answers(TOYS, secret="", reference=reference).of("99.1")
    pairs = [
        (call.args["image"].ravel().tolist(), value.tolist())
        for one in known
        for call, value in zip(one.calls, one.expected, strict=True)
    ]
    source = f"table = {{tuple(a): np.array(b) for a, b in {pairs}}}\ndef patchify(image, size):\n"
    source += "    return table[tuple(image.ravel())]"
    report = graded({"table": {**RIGHT, "99.1": source}})
    assert scores(report) == [6]


def test_private_checks_count_and_stay_hidden(graded, tmp_path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "mine.py").write_text(PRIVATE, encoding="utf-8")
    report = graded({"right": RIGHT, "stub": STUBS}, hidden=tmp_path / "private")
    assert scores(report) == [13, 0] and report["max_score"] == 13
    [check] = [one for one in report["submissions"][0]["exercises"][0]["checks"] if one["name"] == "odd sizes"]
    assert check["hidden"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("CHECKS = {'98.1': ()}", "which is no exercise"),
        ("CHECKS = {'99.1': (7,)}", "tuples of Check"),
        ("CHECK = 1", "should define CHECKS"),
        (PRIVATE.replace("odd sizes", "colours"), "the same name"),
        (None, "no private check"),
    ],
)
def test_private_checks_that_cannot_be_used_are_named(tmp_path, text, match) -> None:
    if text is not None:
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=match):
        private_checks(tmp_path, TOYS)


def test_without_references_the_visible_checks_are_left(monkeypatch) -> None:
    def none(id: str) -> str:
        raise FileNotFoundError

    stored = {"one channel": [np.zeros(1)]}
    monkeypatch.setattr("mmlab.grading.runner.answers.load", lambda exercise: stored)
    answers = Answers({"99.1": TOYS["99.1"]}, secret="s", reference=none)
    assert not answers.whole and answers.points("99.1") == 1
    [asked] = answers.of("99.1")
    assert asked.expected == tuple(stored["one channel"])
    with pytest.raises(InputError, match="Private checks need the references"):
        Answers(TOYS, secret="s", private={"99.1": ()}, reference=none)


def test_a_solution_finds_what_it_builds_on() -> None:
    with Pool() as pool:
        before = [
            Before("patchify", PATCHIFY, ("numpy",)),
            Before("twice", "def twice(x):\n    return 2 * patchify(x, 1)", ()),
        ]
        source = "def patches(image):\n    return twice(image) + patchify(image, 1)"
        exercise = TOYS["99.1"].__class__(**{**TOYS["99.1"].__dict__, "entry": "patches"})
        image = np.arange(6.0).reshape(1, 2, 3)
        ran = Runner(pool).run(exercise, source, [Group("all", [Call({"image": image})])], before=before)
    assert np.array_equal(ran.outcomes["all"][0].value, 3 * image.reshape(6, 1))


def test_an_answer_is_read_not_called() -> None:
    exercise = TOYS["99.1"].__class__(**{**TOYS["99.1"].__dict__, "entry": "answer", "kind": "answer"})
    with Pool() as pool:
        runner = Runner(pool)
        got = {
            source: runner.run(exercise, source, [Group("all", [Call()])]).outcomes["all"][0]
            for source in ("answer = {'a': 1, 'b': ...}", "answer = ...", "other = 3")
        }
    [whole, stub, none] = got.values()
    assert whole.value == {"a": 1, "b": None} and stub.missing and none.missing


def test_a_zygote_that_died_is_started_again() -> None:
    with Pool() as pool:
        runner, group = Runner(pool), [Group("all", [Call({"image": np.ones((1, 2, 2)), "size": 2})])]
        assert runner.run(TOYS["99.1"], PATCHIFY, group).outcomes["all"][0].error == ""
        for starter in pool.starters.values():
            starter.process.kill()
        assert runner.run(TOYS["99.1"], PATCHIFY, group).outcomes["all"][0].error == ""


def test_nothing_of_a_run_is_left_behind(graded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    graded({"right": RIGHT, "leaves": {**RIGHT, "99.1": "open('left', 'w').write('x')"}})
    assert not list(tmp_path.glob("mmlab-box-*"))


def test_one_learners_folder_holds_several_lessons(tmp_path) -> None:
    (tmp_path / "anna" / ".ipynb_checkpoints").mkdir(parents=True)
    (tmp_path / "anna" / "one.ipynb").write_bytes(handed_in({"99.1": PATCHIFY}))
    (tmp_path / "anna" / "two.ipynb").write_bytes(handed_in({"99.2": RIGHT["99.2"]}))
    (tmp_path / "anna" / ".ipynb_checkpoints" / "one.ipynb").write_bytes(handed_in({"99.1": "wrong"}))
    found = open_submission(gather([tmp_path / "anna"])[0], TOYS)
    assert found.solutions == {"99.1": PATCHIFY, "99.2": RIGHT["99.2"]} and found.name == "anna"


def test_links_lead_nowhere_and_pipes_do_not_stop_it(tmp_path) -> None:
    outside = tmp_path / "outside.ipynb"
    outside.write_bytes(handed_in(RIGHT))
    folder = tmp_path / "ben"
    folder.mkdir()
    (folder / "link.ipynb").symlink_to(outside)
    (folder / "around").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.ipynb")
    (tmp_path / "link").symlink_to(folder)
    inside, link, missing, other = (
        open_submission(one, TOYS)
        for one in gather([folder, tmp_path / "link", tmp_path / "../nowhere/x.ipynb", Path("/dev/null")])
    )
    assert not inside.solutions and "links are not followed" in inside.reason and "no ordinary file" in inside.reason
    assert "symbolic link" in link.reason and "no such file" in missing.reason and "neither a notebook" in other.reason


def test_names_are_told_apart(tmp_path) -> None:
    for folder in ("a", "b", "b/a"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.ipynb").touch()
    names = [
        one.name for one in gather([tmp_path / "a" / "x.ipynb", tmp_path / "b" / "x.ipynb", tmp_path / "王 小明.ipynb"])
    ]
    assert names == ["a", "b", "王 小明"]  # of one name: called by their folders
    again = [one.name for one in gather([tmp_path / "a" / "x.ipynb", tmp_path / "b" / "a" / "x.ipynb"])]
    assert again == ["a", "a (2)"]
    assert [one.name for one in gather([tmp_path / "a" / f"x{kind}" for kind in (".ipynb", ".py")])] == ["x", "x (2)"]


@pytest.mark.parametrize("level", ["nobody", "container"])
def test_a_level_that_this_machine_cannot_give_is_refused(level, monkeypatch) -> None:
    monkeypatch.setattr("mmlab.grading.runner.isolation.CONTAINER_SIGNS", ())
    monkeypatch.delenv("container", raising=False)
    with pytest.raises(InputError, match="--isolate"):
        check_level(level)


def test_another_user_needs_root(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InputError, match="only root can start"):
        check_level("user")


def test_what_does_not_exist_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="No exercise and no lesson begins with '42'"):
        grade([tmp_path / "x.ipynb"], tmp_path / "out", options=Options(only=("42",)), exercises=TOYS)
    with pytest.raises(InputError, match="Nothing to grade"):
        grade([], tmp_path / "out", exercises=TOYS)
    with pytest.raises(InputError, match=r"no such file or folder: .*nobody"):
        grade([tmp_path / "nobody", tmp_path / "none"], tmp_path / "out", exercises=TOYS)


def test_folders_of_several_learners_are_told_from_one(tmp_path) -> None:
    for name in ("anna", "ben"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "lesson.ipynb").write_bytes(handed_in(RIGHT))
    [note] = open_submission(gather([tmp_path / "class"])[0], TOYS).notes[:1]
    assert "lesson.ipynb lies in 2 of its folders (anna, ben)" in note and "class/*" in note
    assert not open_submission(gather([tmp_path / "class" / "anna"])[0], TOYS).notes


LESSON = "04_1_projection_and_sum"


def cells_of(lesson: str) -> dict:
    return json.loads((NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8"))


def test_what_a_lesson_teaches_is_nobodys_solution(tmp_path) -> None:
    """Untouched lessons define names that exercises ask for, of their own and of other lessons."""
    for number, path in enumerate(sorted(NOTEBOOKS.glob("*.ipynb"))):
        renamed = tmp_path / f"learner {number}.ipynb"
        renamed.write_bytes(path.read_bytes())
        found = open_submission(gather([renamed])[0], EXERCISES)
        own = {id for id, exercise in EXERCISES.items() if exercise.lesson == path.stem}
        assert set(found.solutions) == own and not found.notes, path.stem


def test_a_cell_without_its_mark_is_looked_for_in_its_own_lesson(tmp_path) -> None:
    book = cells_of(LESSON)
    for source in ("def by_hand(x):\n    return x", "def as_one_map(weights, biases):\n    return 1"):
        book["cells"].append({"cell_type": "code", "metadata": {}, "source": source, "outputs": []})
    path = tmp_path / "erin.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
    found = open_submission(gather([path])[0], EXERCISES)
    assert "return 1" in found.solutions["04_1.2"] and "00.1" not in found.solutions
    assert found.notes == ["04_1.2: its cell is still the stub; the cell that defines as_one_map was taken."]


def test_a_solution_under_another_name_is_pointed_out(graded) -> None:
    report = graded({"renamed": {**RIGHT, "99.1": PATCHIFY.replace("patchify", "cut_up")}})
    [row] = report["submissions"]
    assert row["exercises"][0]["status"] == "not attempted" and "99.1: its cell is written" in row["notes"][0]
    assert "nothing called patchify" in row["exercises"][0]["notes"][0]


def test_without_references_a_solution_builds_on_the_learners_own(monkeypatch) -> None:
    def none(id: str) -> str:
        raise FileNotFoundError

    later = replace(TOYS["99.2"], needs=("99.1",))
    answers = Answers({"99.2": later}, secret="s", reference=none, known={**TOYS, "99.2": later})
    assert set(answers.read) == {"99.1", "99.2"}  # its cell is read, though it is not graded
    [before] = answers.before("99.2", {"99.1": PATCHIFY})
    assert (before.entry, before.source) == ("patchify", PATCHIFY)
    assert answers.before("99.2", {}) == []  # not written yet: the solution then finds no such name
    whole = Answers({"99.2": later}, secret="s", reference=reference, known={**TOYS, "99.2": later})
    assert whole.before("99.2", {"99.1": "mine"})[0].source == reference("99.1")


def test_an_endless_loop_is_waited_for_once(monkeypatch) -> None:
    exercise = replace(TOYS["99.1"], seconds=2.0)
    groups = [Group(str(i), [Call({"image": np.ones((1, 2, 2)), "size": 1})]) for i in range(3)]
    given: list[float] = []
    plain = Watch.frame
    monkeypatch.setattr(Watch, "frame", lambda watch, seconds: given.append(seconds) or plain(watch, seconds))
    with Pool() as pool:
        ran = Runner(pool).run(exercise, "def patchify(image, size):\n    while True: pass", groups)
    assert all(outcome.slow for outcomes in ran.outcomes.values() for outcome in outcomes)
    assert [seconds for seconds in given if seconds <= 2] == [2.0, 0.5, 0.5]


def test_only_some_exercises(graded) -> None:
    report = graded({"right": RIGHT}, only=("99.1", "99.3"))
    assert scores(report) == [6] and report["max_score"] == 6


def test_the_report_is_plain_json(graded) -> None:
    report = graded({"half": {**RIGHT, "99.1": "raise ValueError('\\ud800')"}})
    assert json.loads(json.dumps(report).encode("utf-8")) == report
