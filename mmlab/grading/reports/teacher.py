"""The page of the teacher: the distribution, the hardest checks, what went wrong most, and every row."""

from collections import Counter
from collections.abc import Mapping
from html import escape
from statistics import median
from typing import Any

from mmlab.grading.reports.names import file_names, points
from mmlab.grading.reports.style import bar, page

HARDEST = 12
TENTHS = 10


def teacher_page(report: Mapping[str, Any]) -> str:
    rows, full = report["submissions"], report["max_score"]
    scores = [row["score"] for row in rows]
    middle = f", median {points(median(scores))}" if scores else ""
    parts = [
        f"<h1>{len(rows)} submissions, {points(full)} points to reach{middle}</h1>",
        _isolation(report),
        "<h2>Distribution</h2>",
        _distribution(scores, full),
        "<h2>Hardest checks</h2>",
        _hardest(rows),
        "<h2>Submissions</h2>",
        _rows(rows),
        f'<p class="quiet">{escape(report["tool"])}, {escape(report["graded"])}, {report["seconds"]} s; '
        f"the inputs are drawn again by --seed {escape(report['seed'])}</p>",
    ]
    return page("Grades of the class", "\n".join(parts))


def _isolation(report: Mapping[str, Any]) -> str:
    isolation = report["isolation"]
    words = "official" if isolation["official"] else "not official (grade with --isolate user, or in a container)"
    lines = [f"Isolation: {isolation['level']}; these marks are {words}."]
    lines += [f"Holds: {', '.join(isolation['holds'])}."] if isolation["holds"] else []
    lines += [f"Missing on this machine: {', '.join(isolation['missing'])}."] if isolation["missing"] else []
    lines += [] if report["hidden_checks"] else ["Without hidden checks: this copy of mmlab came without references."]
    return "<p>" + "<br>".join(escape(line) for line in lines) + "</p>"


def _distribution(scores: list[float], full: float) -> str:
    """How many reached each tenth of the points."""
    counts = Counter(min(int(TENTHS * score / full), TENTHS - 1) if full else 0 for score in scores)
    most = max(counts.values(), default=1)
    lines = ['<table><tr><th>points</th><th></th><th class="n">learners</th></tr>']
    for tenth in range(TENTHS):
        low, high = points(full * tenth / TENTHS), points(full * (tenth + 1) / TENTHS)
        said = f"{low} to {high}" if tenth == TENTHS - 1 else f"{low} to below {high}"
        count = counts[tenth]
        lines.append(f'<tr><td>{said}</td><td>{bar(count / most)}</td><td class="n">{count}</td></tr>')
    return "\n".join([*lines, "</table>"])


def _hardest(rows: list[Mapping[str, Any]]) -> str:
    """The checks that fewest of those who attempted the exercise passed, and the kinds of failure."""
    passed: dict[tuple[str, str], list[bool]] = {}
    kinds: dict[tuple[str, str], Counter] = {}
    for row in rows:
        for exercise in row["exercises"]:
            for check in exercise["checks"] if exercise["status"] == "graded" else ():
                key = (exercise["id"], check["name"])
                passed.setdefault(key, []).append(check["passed"])
                kinds.setdefault(key, Counter()).update([] if check["passed"] else [check["failure"]["kind"]])
    order = sorted(passed, key=lambda key: (sum(passed[key]) / len(passed[key]), key))[:HARDEST]
    lines = ['<table><tr><th>check</th><th class="n">passed</th><th></th><th>most frequent failures</th></tr>']
    for key in order:
        share, said = sum(passed[key]) / len(passed[key]), ", ".join(f"{k} {n}" for k, n in kinds[key].most_common(3))
        count = f"{sum(passed[key])} of {len(passed[key])}"
        name = escape(" ".join(key))
        lines.append(f'<tr><td>{name}</td><td class="n">{count}</td><td>{bar(share)}</td><td>{said}</td></tr>')
    return "\n".join([*lines, "</table>"])


def _rows(rows: list[Mapping[str, Any]]) -> str:
    lines = ['<table><tr><th>name</th><th class="n">points</th><th></th><th>reason and notes</th></tr>']
    for row, file in zip(rows, file_names([row["name"] for row in rows]), strict=True):
        name = f'<a href="learners/{escape(file)}.html">{escape(row["name"])}</a>'
        share = row["score"] / row["max_score"] if row["max_score"] else 0
        notes = "<br>".join(escape(line) for line in [row["reason"], *row["notes"]])
        lines.append(
            f'<tr><td>{name}</td><td class="n">{points(row["score"])}</td><td>{bar(share)}</td><td>{notes}</td></tr>'
        )
    return "\n".join([*lines, "</table>"])
