"""The run in Markdown, for the page of a workflow's step."""

from collections.abc import Mapping
from typing import Any

from mmlab.grading.reports.names import points

MOST = 300  # rows; GitHub shows one mebibyte


def summary(report: Mapping[str, Any]) -> str:
    rows, isolation = report["submissions"], report["isolation"]
    lines = ["## Grades", "", "| | points | of | |", "|---|---:|---:|---|"]
    lines += [
        f"| {_cell(row['name'])} | {points(row['score'])} | {points(row['max_score'])} | {_cell(row['reason'])} |"
        for row in rows[:MOST]
    ]
    lines += [f"\n... and {len(rows) - MOST} more, in report.json."] if len(rows) > MOST else []
    if len(rows) == 1:
        lines += ["", "| exercise | points | of | what to look at |", "|---|---:|---:|---|"]
        lines += [_exercise(exercise) for exercise in rows[0]["exercises"]]
        lines += ["", *(f"- {_cell(note)}" for note in rows[0]["notes"])]
    official = "official" if isolation["official"] else "not official"
    lines += ["", f"Isolation: {isolation['level']}; these marks are {official}. Hidden checks: {_yes(report)}."]
    lines += [f"Missing here: {', '.join(isolation['missing'])}."] if isolation["missing"] else []
    return "\n".join(lines) + "\n"


def _exercise(exercise: Mapping[str, Any]) -> str:
    failed = next((check for check in exercise["checks"] if not check["passed"]), None)
    words = "" if failed is None else _cell(f"{failed['name']}: {failed['failure']['sentence']}")
    name = _cell(f"{exercise['id']} {exercise['title']}")
    return f"| {name} | {points(exercise['score'])} | {points(exercise['max_score'])} | {words} |"


def _yes(report: Mapping[str, Any]) -> str:
    return "yes" if report["hidden_checks"] else "no, this copy came without references"


def _cell(text: str) -> str:
    """Text that cannot end a cell, open a tag or make a link."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return " ".join(text.split())
