"""Every exercise: its reference is right, its stub is nothing, its wrong solutions get what they deserve."""

import ast
import re
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from mmlab.grading.compare import Seal
from mmlab.grading.cross import attempt
from mmlab.grading.exercise import Exercise, inputs
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.expected import FOLDER, load, written
from mmlab.grading.hints import hints
from mmlab.grading.reference import build, reference_source
from mmlab.grading.values import KINDS

LESSONS = ("00", "01", "02_1", "02_2", "02_3", "03_1", "03_2", "04_1", "04_2", "04_3", "04_4")
LESSONS += ("05_1", "05_2", "05_3", "05_4", "05_5", "05_6", "06_1")
SECRETS = ("", "one", "another")  # the self-check's inputs, and what two runs of the grader draw

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # wrong solutions divide by zero and overflow


@cache
def answers(id: str, secret: str) -> list[tuple[Any, list]]:
    """Each check with its calls and the reference's values."""
    exercise = EXERCISES[id]
    reference = build(exercise, reference_source(id))
    found = []
    for check in exercise.checks:
        calls = inputs(exercise, check, secret=secret)
        values = [attempt(reference, call, kind=exercise.kind) for call in calls]
        assert all(value == type(value)(value.value) for value in values), f"the reference of {id} fails: {values}"
        found.append((check, [(call, value.value) for call, value in zip(calls, values, strict=True)]))
    return found


def score(exercise: Exercise, source: str, secret: str = "") -> float:
    entry, points = build(exercise, source), 0.0
    for check, cases in answers(exercise.id, secret):
        outcomes = [(call, expected, attempt(entry, call, kind=exercise.kind)) for call, expected in cases]
        points += check.points * all(check.fault(c, expected=e, outcome=o) is None for c, e, o in outcomes)
    return points


def test_there_are_enough_and_every_lesson_has_one_or_more() -> None:
    assert len(EXERCISES) >= 24
    by_lesson = Counter(exercise.id.split(".")[0] for exercise in EXERCISES.values())
    assert set(by_lesson) == set(LESSONS)
    kinds = Counter(exercise.kind for exercise in EXERCISES.values())
    assert kinds["function"] >= 18 and kinds["answer"] >= 3 and kinds["prediction"] >= 4


@each_exercise
def test_the_reference_and_a_variant_have_full_marks(exercise: Exercise) -> None:
    for secret in SECRETS:
        assert score(exercise, reference_source(exercise.id), secret) == exercise.points
        assert score(exercise, exercise.variant, secret) == exercise.points
    assert exercise.variant.strip() not in reference_source(exercise.id), "the variant is written differently"


@each_exercise
def test_the_stub_has_nothing(exercise: Exercise) -> None:
    assert score(exercise, exercise.stub) == 0


@each_exercise
def test_wrong_solutions_have_the_points_that_they_deserve(exercise: Exercise) -> None:
    assert len(exercise.wrong) >= 2
    for wrong in exercise.wrong:
        assert wrong.points < exercise.points
        for secret in SECRETS:
            assert score(exercise, wrong.source, secret) == wrong.points, wrong.why


@pytest.mark.audit
@each_exercise
def test_no_draw_lets_a_wrong_solution_through(exercise: Exercise) -> None:
    """The grader draws its hidden inputs anew each time; one draw in some hundred that misses a mistake is too many."""
    for draw in range(500):
        got = [score(exercise, wrong.source, f"draw {draw}") for wrong in exercise.wrong]
        assert got == [wrong.points for wrong in exercise.wrong], f"draw {draw}"
        answers.cache_clear()


@each_exercise
def test_is_complete(exercise: Exercise) -> None:
    lesson, number = exercise.id.split(".")
    assert exercise.lesson.startswith(f"{lesson}_") and number.isdigit()
    assert re.fullmatch(r"[A-Za-z0-9_-]+", exercise.grade_id)
    assert f"`{exercise.entry}" in exercise.statement or exercise.kind != "function"
    assert exercise.entry in exercise.stub and len(exercise.stub.strip().splitlines()) <= 40
    assert exercise.hints and all(kind in KINDS and texts for kind, texts in exercise.hints.items())
    assert all(hints(exercise, kind) for kind in KINDS)
    assert exercise.visible and exercise.points >= 4
    assert exercise.kind != "function" or any(check.hidden for check in exercise.checks)
    earlier = list(EXERCISES)[: list(EXERCISES).index(exercise.id)]
    assert set(exercise.needs) <= set(earlier)


def names(source: str) -> tuple[set[str], set[str]]:
    """The top-level modules that a source imports, and every name and attribute that it uses."""
    tops, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            tops |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").split(".")[0])
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Name):
            used.add(node.id)
    return tops, used


@each_exercise
def test_solutions_import_what_is_allowed_and_nothing_that_is_forbidden(exercise: Exercise) -> None:
    sources = [
        exercise.stub,
        exercise.variant,
        reference_source(exercise.id),
        *(wrong.source for wrong in exercise.wrong),
    ]
    for source in sources:
        tops, used = names(source)
        assert tops <= set(exercise.allowed), f"{exercise.id} imports {tops - set(exercise.allowed)}"
        assert not used & {name.split(".")[-1] for name in exercise.forbidden}


@each_exercise
def test_inputs_repeat_without_a_secret_and_change_with_one(exercise: Exercise) -> None:
    for check in exercise.checks:
        assert repr(inputs(exercise, check)) == repr(inputs(exercise, check))
        if check.hidden:
            drawn = {repr(inputs(exercise, check, secret=secret)) for secret in ("a", "b", "c")}
            assert len(drawn) > 1, f"the hidden check {check.name!r} gives the same calls whatever the secret"


@each_exercise
def test_expected_values_are_fresh(exercise: Exercise) -> None:
    """What `python -m mmlab.grading.expected` would write now is what lies there, up to the last digits."""
    stored = (FOLDER / f"{exercise.id}.json").read_text(encoding="utf-8")
    made = written(exercise, build(exercise, reference_source(exercise.id)))
    number = r"-?\d+\.\d+(?:e[-+]?\d+)?"
    assert re.sub(number, "#", stored) == re.sub(number, "#", made), "run `python -m mmlab.grading.expected`"
    old, new = (np.array(re.findall(number, text), dtype=float) for text in (stored, made))
    assert np.allclose(old, new, rtol=1e-9, atol=1e-12), "run `python -m mmlab.grading.expected`"


def test_no_expected_values_are_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(EXERCISES)


def test_answers_lie_sealed() -> None:
    for exercise in EXERCISES.values():
        values = [value for stored in load(exercise).values() for value in stored]
        if exercise.kind != "function":
            assert all(value is None or isinstance(value, Seal) for value in values), "a glance would give it away"


def test_no_entry_shadows_the_package() -> None:
    """A stub must not hide a function that the lesson uses from the package."""
    import mmlab

    assert len({exercise.entry for exercise in EXERCISES.values()}) == len(EXERCISES)
    assert not {exercise.entry for exercise in EXERCISES.values()} & set(mmlab.__all__)
