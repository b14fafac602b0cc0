"""The verdict on one submission, from values alone: plain data, as the reports and the journal hold it."""

import json
import math
from dataclasses import dataclass
from typing import Any

from mmlab.grading.exercise import Exercise
from mmlab.grading.hints import hints
from mmlab.grading.runner.answers import Answers, Asked
from mmlab.grading.runner.job import Group, Runner
from mmlab.grading.runner.submission import Submission, defines, is_written
from mmlab.grading.values import Failure, Outcome

SHOWN = 2000  # characters of what a solution printed
GRADED, MISSING, NOT_ATTEMPTED, UNREADABLE = "graded", "missing", "not attempted", "unreadable"


@dataclass(frozen=True)
class Judge:
    """Grades submissions, one after another; the runner is its own."""

    answers: Answers
    runner: Runner

    def submission(self, submission: Submission) -> dict[str, Any]:
        """The row of one submission: score, reason, and every exercise."""
        exercises = [self.exercise(submission, exercise) for exercise in self.answers.exercises.values()]
        status = UNREADABLE if submission.reason else GRADED
        row = {
            "name": submission.name,
            "path": submission.path.name,
            "sha256": submission.sha256,
            "status": status,
            "reason": submission.reason or said(exercises),
            "notes": submission.notes,
            "score": total(one["score"] for one in exercises),
            "max_score": total(one["max_score"] for one in exercises),
            "exercises": exercises,
        }
        text = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")  # half characters cannot be written
        return json.loads(text)

    def exercise(self, submission: Submission, exercise: Exercise) -> dict[str, Any]:
        """Every check of one exercise."""
        source = submission.solutions.get(exercise.id)
        asked, printed, notes = self.answers.of(exercise.id), "", []
        if source is None:
            outcomes = {one.check.name: [Outcome(missing=True)] for one in asked}
        else:
            groups = [Group(one.check.name, one.calls) for one in asked]
            before = self.answers.before(exercise.id, submission.solutions)
            ran = self.runner.run(exercise, source, groups, before=before)
            outcomes, printed, notes = ran.outcomes, ran.printed, ran.notes
        checks = [verdict(exercise, one, outcomes[one.check.name]) for one in asked]
        attempted = any(check["passed"] or check["failure"]["kind"] != "missing" for check in checks)
        written = source is not None and is_written(source, exercise)
        if written and not (attempted or defines(source, exercise.entry)):
            notes.append(f"Something is written, but nothing called {exercise.entry}, the name that the task gives.")
            submission.notes.append(f"{exercise.id}: its cell is written, but defines no {exercise.entry}; look at it.")
        return {
            "id": exercise.id,
            "title": exercise.title,
            "status": MISSING if source is None else GRADED if attempted else NOT_ATTEMPTED,
            "score": total(check["score"] for check in checks),
            "max_score": total(check["max_score"] for check in checks),
            "checks": checks,
            "notes": notes,
            "printed": printed[:SHOWN],
        }


def verdict(exercise: Exercise, asked: Asked, outcomes: list[Outcome]) -> dict[str, Any]:
    """One check: all of its calls are right, or the first that is not gives the reason."""
    failure = None
    for call, expected, outcome in zip(asked.calls, asked.expected, outcomes, strict=False):
        failure = fault(asked, call, expected, outcome)
        if failure is not None:
            break
    if failure is None and len(outcomes) < len(asked.calls):
        failure = Failure("error", "Not every call gave a result.")
    check = asked.check
    return {
        "name": check.name,
        "about": check.about,
        "hidden": check.hidden,
        "passed": failure is None,
        "score": check.points if failure is None else 0,
        "max_score": check.points,
        "failure": None if failure is None else {"kind": failure.kind, "sentence": failure.sentence},
        "hint": "" if failure is None else hints(exercise, failure.kind)[0],
    }


def fault(asked: Asked, call: Any, expected: Any, outcome: Outcome) -> Failure | None:
    """What a check says of one outcome; a value on which the comparison itself fails is not right."""
    try:
        return asked.check.fault(call, expected=expected, outcome=outcome)
    except Exception as error:  # the value is a stranger's: anything may be wrong with it
        return Failure("type", f"The result could not be compared ({type(error).__name__}).")


def said(exercises: list[dict[str, Any]]) -> str:
    """The reason of a row that was graded, in one sentence."""
    count = {status: sum(one["status"] == status for one in exercises) for status in (GRADED, NOT_ATTEMPTED, MISSING)}
    parts = [f"{count[GRADED]} of {len(exercises)} exercises attempted"]
    parts += [f"{count[MISSING]} without a cell"] if count[MISSING] else []
    return ", ".join(parts) + "."


def total(points: Any) -> float:
    """A sum of points without the noise of floats; whole where it is whole."""
    found = round(math.fsum(points), 6)
    return int(found) if found == int(found) else found
