"""The self-check of a notebook: `check("04_1.2", my_function)` says what was tried, what came, and what to think about."""

import difflib
from dataclasses import dataclass
from typing import Any

from mmlab.grading import progress
from mmlab.grading.cross import attempt
from mmlab.grading.exercise import Call, Check, Exercise, inputs
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.expected import load
from mmlab.grading.hints import hint
from mmlab.grading.show import as_html, as_text
from mmlab.grading.values import Failure, Outcome, Value


@dataclass(frozen=True)
class Line:
    """What one check found: nothing wrong, or the first call that fails, with what came and what should come."""

    check: Check
    failure: Failure | None = None
    call: Call | None = None
    number: int = 0
    outcome: Outcome | None = None
    expected: Value = None


@dataclass(frozen=True)
class Result:
    """What a self-check found; a notebook shows it in colour, `print` as text."""

    exercise: Exercise
    lines: tuple[Line, ...]
    attempted: bool
    hint: str = ""
    note: str = ""

    @property
    def points(self) -> float:
        return sum(line.check.points for line in self.lines if line.failure is None)

    @property
    def full(self) -> float:
        return sum(line.check.points for line in self.lines)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def check(id: str, entry: Any) -> Result:
    """Tries a solution on the exercise's visible checks and compares with stored values; the references are not needed.

    `entry` is your function, or your answer. The result shows what passed, and for what did not: what was tried, what
    came, what kind of thing should have come, and a hint; the next call with the same mistake gives the next hint.

    Raises:  InputError for an id that no exercise has
    """
    exercise = _find(id)
    lines = tuple(_line(exercise, one, entry, stored) for one, stored in zip(*_visible(exercise), strict=True))
    if not _attempted(exercise, lines):
        return Result(exercise, lines, attempted=False)
    failed = [line.failure for line in lines if line.failure is not None]
    before, damaged = progress.attempts()
    words = ""
    if failed:
        same = [one for one in before if one.exercise == id and one.kind == failed[0].kind]
        sentence, number, count = hint(exercise, failed[0].kind, len(same))
        words = f"Hint {number} of {count}: {sentence}"
    points = sum(line.check.points for line in lines if line.failure is None)
    unsaved = progress.record(progress.Attempt(id, points, failed[0].kind if failed else ""))
    return Result(exercise, lines, attempted=True, hint=words, note=" ".join(filter(None, [damaged, unsaved])))


def _find(id: str) -> Exercise:
    if id not in EXERCISES:
        from mmlab.types import InputError  # it loads torch, which a check of plain numbers does without

        near = difflib.get_close_matches(str(id), EXERCISES, n=3, cutoff=0.4) or list(EXERCISES)[:3]
        raise InputError(
            f"There is no exercise {id!r}; did you mean {' or '.join(near)}? The lesson names it above the cell."
        )
    return EXERCISES[id]


def _visible(exercise: Exercise) -> tuple[tuple[Check, ...], list[list[Value]]]:
    stored = load(exercise)
    return exercise.visible, [stored[one.name] for one in exercise.visible]


def _line(exercise: Exercise, one: Check, entry: Any, stored: list[Value]) -> Line:
    """The first call of a check that fails, or none."""
    for number, (call, expected) in enumerate(zip(inputs(exercise, one), stored, strict=True), start=1):
        outcome = attempt(entry, call, kind=exercise.kind, seconds=exercise.seconds)
        if failure := one.fault(call, expected=expected, outcome=outcome):
            return Line(one, failure, call, number, outcome, expected)
    return Line(one)


def _attempted(exercise: Exercise, lines: tuple[Line, ...]) -> bool:
    """A stub that still stands, or an answer with nothing in it, is no attempt."""
    if exercise.kind == "function":
        return not all(line.outcome is not None and line.outcome.missing for line in lines)
    return not all(line.failure is not None and line.failure.kind == "missing" for line in lines)
