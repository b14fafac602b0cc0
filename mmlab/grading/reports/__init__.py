"""Every form in which a run is told: for programs, for learners, for the teacher.

REPORTS names the files of a run; `write_reports` writes them all. What hidden checks asked for stands in none of them.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmlab.grading.reports.gradescope import gradescope
from mmlab.grading.reports.junit import junit
from mmlab.grading.reports.names import file_names
from mmlab.grading.reports.page import learner_page
from mmlab.grading.reports.schema import DOCUMENT, check_report
from mmlab.grading.reports.summary import summary
from mmlab.grading.reports.table import table
from mmlab.grading.reports.teacher import teacher_page

Report = Mapping[str, Any]


def as_json(report: Report) -> str:
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


# The table of contents: files about the whole class, then files in a folder, one for each learner.
REPORTS: dict[str, Callable[[Report], str]] = {
    "report.json": as_json,
    "junit.xml": junit,
    "class.csv": table,
    "class.html": teacher_page,
    "summary.md": summary,
}
EACH: dict[str, Callable[[Report, Mapping[str, Any]], str]] = {
    "learners/{name}.html": learner_page,
    "gradescope/{name}.json": gradescope,
}


def write_reports(report: Report, out: Path) -> None:
    """Writes every report into `out`; a single submission's results.json lies at its top, where Gradescope looks.

    Files of learners whom only the report there before names are deleted: they would be taken for this run's.
    """
    check_report(report)
    files = {name: make(report) for name, make in REPORTS.items()}
    rows = report["submissions"]
    for row, name in zip(rows, file_names([row["name"] for row in rows]), strict=True):
        files |= {pattern.format(name=name): make(report, row) for pattern, make in EACH.items()}
    if len(rows) == 1:
        files["results.json"] = gradescope(report, rows[0])
    for name in _earlier(out) - files.keys():
        (out / name).unlink(missing_ok=True)
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)


def _earlier(out: Path) -> set[str]:
    """The files that the report in this folder wrote for its learners; none where there is no report that one can read."""
    try:
        names = [row["name"] for row in json.loads((out / "report.json").read_text(encoding="utf-8"))["submissions"]]
    except (OSError, ValueError, LookupError, TypeError):
        return set()
    found = {pattern.format(name=name) for name in file_names(names) for pattern in EACH}
    return found | ({"results.json"} if len(names) == 1 else set())


def append_step_summary(report: Report) -> None:
    """Adds the summary to the page of a GitHub workflow's step, where one is running."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with open(target, "a", encoding="utf-8") as file:
            file.write(summary(report))


__all__ = ["DOCUMENT", "EACH", "REPORTS", "append_step_summary", "check_report", "write_reports"]
