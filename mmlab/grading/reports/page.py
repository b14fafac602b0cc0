"""The page of one learner: what passed, what did not and why, and a hint; no value that a hidden check asks for."""

from collections.abc import Mapping
from html import escape
from typing import Any

from mmlab.grading.reports.names import points
from mmlab.grading.reports.style import bar, page

STATES = {"missing": "no cell was found for it", "not attempted": "not attempted yet"}


def learner_page(report: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    score, full = points(row["score"]), points(row["max_score"])
    official = "" if report["isolation"]["official"] else " These marks are feedback, not official."
    parts = [
        f"<h1>{escape(row['name'])}: {score} of {full} points</h1>",
        bar(row["score"] / row["max_score"] if row["max_score"] else 0),
        f"<p>{escape(row['reason'])}{official}</p>",
    ]
    if row["notes"]:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in row["notes"]) + "</ul>")
    parts += [_exercise(exercise) for exercise in row["exercises"]]
    parts.append(f'<p class="quiet">{escape(report["tool"])}, {escape(report["graded"])}</p>')
    return page(f"{row['name']}: {score} of {full}", "\n".join(parts))


def _exercise(exercise: Mapping[str, Any]) -> str:
    head = f"{exercise['id']} {exercise['title']}: {points(exercise['score'])} of {points(exercise['max_score'])}"
    parts = [f"<h2>{escape(head)}</h2>"]
    if exercise["status"] in STATES:
        return parts[0] + f'\n<p class="quiet">{STATES[exercise["status"]]}</p>'
    parts.append('<table><tr><th>check</th><th></th><th class="n">points</th><th>what to look at</th></tr>')
    parts += [_check(check) for check in exercise["checks"]]
    parts.append("</table>")
    parts += [f"<p>{escape(note)}</p>" for note in exercise["notes"]]
    if exercise["printed"].strip():
        parts.append(
            f"<details><summary>What your code printed</summary><pre>{escape(exercise['printed'])}</pre></details>"
        )
    return "\n".join(parts)


def _check(check: Mapping[str, Any]) -> str:
    mark = '<span class="right">passed</span>' if check["passed"] else '<span class="wrong">failed</span>'
    said = "" if check["passed"] else f"{escape(check['failure']['sentence'])}<br>{escape(check['hint'])}"
    of = f"{points(check['score'])} of {points(check['max_score'])}"
    hidden = ' <span class="quiet">(hidden)</span>' if check["hidden"] else ""
    name = f'{escape(check["name"])}{hidden}<br><span class="quiet">{escape(check["about"])}</span>'
    return f'<tr><td>{name}</td><td>{mark}</td><td class="n">{of}</td><td>{said}</td></tr>'
