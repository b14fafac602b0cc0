"""What an exercise is: plain data that the notebook's check, the hand-out and the grader all read."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mmlab.grading.compare import Close, Compare
from mmlab.grading.values import KINDS, Call, Failure, Outcome, Tensor, Value

__all__ = ["Call", "Check", "Close", "Compare", "Exercise", "Failure", "Outcome", "Tensor", "Wrong", "inputs"]


@dataclass(frozen=True)
class Check:
    """Calls of the solution on seeded inputs, and how their results are compared with the reference's.

    All calls must be right for the points. `about` is shown to the learner. A hidden check is the grader's alone.
    `kind` is what wrong values in this check point to ("case" for a special case), where nothing finer is seen.
    """

    name: str
    points: float
    calls: Callable[[np.random.Generator], list[Call]]
    about: str
    compare: Compare = field(default_factory=Close)
    hidden: bool = False
    kind: str = "value"

    def fault(self, call: Call, *, expected: Value, outcome: Outcome) -> Failure | None:
        """What is wrong with the outcome of one call, or None."""
        return self.compare.fault(call, expected=expected, outcome=outcome, kind=self.kind)


@dataclass(frozen=True)
class Wrong:
    """A wrong solution that a learner may well write, and the points that it deserves."""

    source: str
    points: float
    why: str


@dataclass(frozen=True)
class Exercise:
    """One exercise; `points` is the sum over its checks.

    `entry` is the function (kind "function") or variable (kinds "answer", "prediction") that the solution cell defines.
    `allowed` are top-level modules that the solution may import; `forbidden` are dotted names that it may not use although
    their top is allowed. `needs` are the exercises that it builds on. `hints` go from gentle to plain, by kind of failure;
    `seconds` is the wall limit of one call. `variant` is a right solution written differently from the reference.
    """

    id: str
    lesson: str
    title: str
    entry: str
    statement: str
    stub: str
    checks: tuple[Check, ...]
    hints: dict[str, tuple[str, ...]]
    wrong: tuple[Wrong, ...]
    variant: str
    kind: str = "function"
    allowed: tuple[str, ...] = ("math", "numpy")
    forbidden: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.kind not in ("function", "answer", "prediction"):
            raise ValueError(f"{self.id}: kind is 'function', 'answer' or 'prediction', got {self.kind!r}.")
        if unknown := {*self.hints, *(check.kind for check in self.checks)} - {*KINDS}:
            raise ValueError(f"{self.id}: failure kinds are {', '.join(KINDS)}; got {', '.join(sorted(unknown))}.")
        if len({check.name for check in self.checks}) < len(self.checks):
            raise ValueError(f"{self.id}: two checks have the same name.")

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def grade_id(self) -> str:
        """The name of its solution cell for nbgrader, whose schema knows no dot: "04_1.2" -> "04_1-2"."""
        return self.id.replace(".", "-")

    @property
    def visible(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.hidden)


def inputs(exercise: Exercise, check: Check, *, secret: str = "") -> list[Call]:
    """The calls of one check: always the same without a `secret` (the self-check), others with one (the grader)."""
    seed = hashlib.sha256(f"{exercise.id}/{check.name}/{secret}".encode()).digest()
    return check.calls(np.random.default_rng(int.from_bytes(seed[:8], "big")))
