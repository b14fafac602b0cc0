"""`report.json`, documented: what each field is, and a check that a report is of that form.

The number `schema` grows when a field is removed or changes its meaning; fields may be added without.
"""

from collections.abc import Mapping
from typing import Any

NUMBER = (int, float)
CHECK = {
    "name": (str, "the check's name, unique in its exercise"),
    "about": (str, "what it asks for, in a sentence"),
    "hidden": (bool, "whether learners have it not in their notebook"),
    "passed": (bool, "whether every call was right"),
    "score": (NUMBER, "points given: all of them, or 0"),
    "max_score": (NUMBER, "points that it is worth"),
    "failure": ((dict, type(None)), "null, or {kind, sentence}: why it does not pass, without the values asked for"),
    "hint": (str, "a hint for this kind of failure, or nothing"),
}
EXERCISE = {
    "id": (str, "the exercise's id, such as 04_1.2"),
    "title": (str, "its title"),
    "status": (str, '"graded", "not attempted" (the stub still stands) or "missing" (no cell was found)'),
    "score": (NUMBER, "points given"),
    "max_score": (NUMBER, "points that its checks are worth"),
    "checks": (list, "its checks"),
    "notes": (list, "what was noticed while it ran"),
    "printed": (str, "the first of what the solution printed; never part of a verdict"),
}
SUBMISSION = {
    "name": (str, "the learner: the file's or folder's name, unique in the report"),
    "path": (str, "the last part of the path"),
    "sha256": (str, "of what was read; empty where nothing could be"),
    "status": (str, '"graded" or "unreadable"'),
    "reason": (str, "one sentence: what was graded, or why nothing could be"),
    "notes": (list, "what was odd about the files, a sentence each"),
    "score": (NUMBER, "points given"),
    "max_score": (NUMBER, "points that all exercises of the run are worth"),
    "exercises": (list, "every exercise of the run, attempted or not"),
}
REPORT = {
    "schema": (int, "the version of this form"),
    "tool": (str, "name and version of the grader"),
    "graded": (str, "when, in UTC, ISO 8601"),
    "seconds": (NUMBER, "how long the run took (after a kill: its last part)"),
    "seed": (str, "the secret that drew the inputs; `--seed` repeats them"),
    "hidden_checks": (bool, "whether hidden checks were part of the run; a hand-out has no references for them"),
    "isolation": (dict, "{level, official, holds, missing}: how solutions were kept apart, as a probe found it"),
    "max_score": (NUMBER, "points that all exercises are worth"),
    "submissions": (list, "one row for each submission, in the order given"),
}
DOCUMENT = {
    "report": REPORT,
    "submissions[]": SUBMISSION,
    "submissions[].exercises[]": EXERCISE,
    "submissions[].exercises[].checks[]": CHECK,
}


def check_report(report: Mapping[str, Any]) -> None:
    """Holds a report to its own documentation.

    Raises:  ValueError naming the field
    """
    _fields(report, REPORT, "report")
    for row in report["submissions"]:
        _fields(row, SUBMISSION, f"submission {row.get('name')}")
        for exercise in row["exercises"]:
            where = f"submission {row['name']}, exercise {exercise.get('id')}"
            _fields(exercise, EXERCISE, where)
            for check in exercise["checks"]:
                _fields(check, CHECK, where)


def _fields(found: Mapping[str, Any], fields: Mapping[str, tuple], where: str) -> None:
    for name, (kind, _) in fields.items():
        if name not in found or not isinstance(found[name], kind):
            raise ValueError(f"{where}: the field {name!r} is missing or of the wrong kind.")
    if unknown := sorted(set(found) - set(fields)):
        raise ValueError(f"{where}: the field {unknown[0]!r} is not documented.")
