"""What the checks of a run ask and expect: fresh inputs from a secret against the reference, once for all submissions."""

import importlib.util
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmlab.grading.cross import attempt
from mmlab.grading.exercise import Call, Check, Exercise, inputs
from mmlab.grading.expected import load
from mmlab.grading.reference import build, reference_source
from mmlab.grading.runner.job import Before
from mmlab.grading.values import Value
from mmlab.types import InputError


@dataclass(frozen=True)
class Asked:
    """One check with its calls and what the reference gives for each."""

    check: Check
    calls: tuple[Call, ...]
    expected: tuple[Value, ...]


class Answers:
    """Calls and expected values of every exercise; they never leave the grader's process.

    With references, every check asks what `secret` draws. A copy that was handed out without them has only the visible
    checks, on the inputs of the self-check, and an exercise builds on the learner's own solutions.

    `known` are all exercises of the course: those that are graded may build on others.
    """

    def __init__(
        self,
        exercises: Mapping[str, Exercise],
        *,
        secret: str,
        private: Mapping[str, tuple[Check, ...]] | None = None,
        reference: Callable[[str], str] = reference_source,
        known: Mapping[str, Exercise] | None = None,
    ) -> None:
        self.exercises, self.secret, self.reference = exercises, secret, reference
        self.known = exercises if known is None else known
        self.private = private or {}
        self.asked: dict[str, tuple[Asked, ...]] = {}
        self.lock = threading.Lock()
        self.whole = self._whole()
        if self.private and not self.whole:
            raise InputError(
                "Private checks need the references, and this copy of mmlab came without; use the teacher's."
            )

    def checks(self, id: str) -> tuple[Check, ...]:
        """The checks that count in this run."""
        exercise = self.exercises[id]
        return (*exercise.checks, *self.private.get(id, ())) if self.whole else exercise.visible

    def points(self, id: str) -> float:
        return math.fsum(check.points for check in self.checks(id))

    def of(self, id: str) -> tuple[Asked, ...]:
        """Calls and expected values of one exercise, computed at the first question."""
        with self.lock:
            if id not in self.asked:
                self.asked[id] = tuple(self._asked(id))
            return self.asked[id]

    @property
    def read(self) -> dict[str, Exercise]:
        """The exercises whose cells are read: those that are graded, and those that they build on."""
        found = dict(self.exercises)
        for id in self.exercises:
            found |= {need: self.known[need] for need in self._needs(id)}
        return found

    def before(self, id: str, own: Mapping[str, str]) -> list[Before]:
        """What a solution builds on, those first that others need: the references, or without them the learner's `own`."""
        sources = {need: self.reference(need) if self.whole else own.get(need) for need in self._needs(id)}
        named = [(self.known[need], source) for need, source in sources.items() if source is not None]
        return [Before(exercise.entry, source, exercise.allowed) for exercise, source in named]

    def _needs(self, id: str) -> list[str]:
        found: dict[str, None] = {}
        for need in self.known[id].needs:
            found |= dict.fromkeys([*self._needs(need), need])
        return list(found)

    def _whole(self) -> bool:
        try:
            return all(self.reference(id) for id in self.exercises)
        except FileNotFoundError:
            return False

    def _asked(self, id: str) -> Iterable[Asked]:
        exercise = self.exercises[id]
        if not self.whole:
            stored = load(exercise)
            for check in exercise.visible:
                yield Asked(check, tuple(inputs(exercise, check)), tuple(stored[check.name]))
            return
        entry = build(exercise, self.reference(id))
        for check in self.checks(id):
            calls = tuple(inputs(exercise, check, secret=self.secret))
            outcomes = [attempt(entry, call, kind=exercise.kind) for call in calls]
            failed = [outcome for outcome in outcomes if outcome.missing or outcome.error or outcome.unfit]
            if failed:
                raise RuntimeError(f"The reference of {id} fails in check {check.name!r}: {failed[0]}.")
            yield Asked(check, calls, tuple(outcome.value for outcome in outcomes))


def private_checks(folder: Path, exercises: Mapping[str, Exercise]) -> dict[str, tuple[Check, ...]]:
    """A teacher's own checks: each Python file of the folder has `CHECKS = {"04_1.2": (Check(...), ...)}`.

    They are hidden, whatever they say.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} should be a folder with files of private checks, and there is no such folder.")
    found: dict[str, tuple[Check, ...]] = {}
    for path in sorted(folder.glob("*.py")):
        checks = _checks_of(path)
        if unknown := sorted(set(checks) - set(exercises)):
            raise InputError(
                f"{path.name} has checks for {unknown[0]}, which is no exercise of this run; mend its CHECKS."
            )
        for id, own in checks.items():
            found[id] = (*found.get(id, ()), *(replace(check, hidden=True) for check in own))
    for id, checks in found.items():
        names = [check.name for check in (*exercises[id].checks, *checks)]
        if len(names) > len(set(names)):
            raise InputError(f"{folder.name}: two checks of {id} have the same name; each needs its own.")
    if not found:
        raise InputError(f'{folder} holds no private check; a file there has CHECKS = {{"04_1.2": (Check(...),)}}.')
    return found


def _checks_of(path: Path) -> dict[str, tuple[Check, ...]]:
    spec = importlib.util.spec_from_file_location(f"private_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        checks = {id: tuple(own) for id, own in module.CHECKS.items()}
    except Exception as error:  # a teacher's file may fail in any way; the sentence names it
        raise InputError(
            f"{path.name} could not be used: {type(error).__name__}: {error}. It should define CHECKS."
        ) from error
    if not all(isinstance(check, Check) for own in checks.values() for check in own):
        raise InputError(f"{path.name}: CHECKS should hold tuples of Check for each exercise's id.")
    return checks
