"""The reports: each form is what its readers expect, says the same points, and gives nothing hidden away."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from mmlab.cli import app
from mmlab.grading.reports import DOCUMENT, append_step_summary, check_report, write_reports
from mmlab.grading.reports.names import file_names
from mmlab.grading.reports.summary import summary
from mmlab.grading.reports.table import table

EVIL = '=1+1,<script>alert("x")</script>|`\x07'


def check(name: str, *, passed: bool, hidden: bool = False, points: float = 1) -> dict:
    failure = None if passed else {"kind": "sign", "sentence": f"The sign of {EVIL} is wrong."}
    return {
        "name": name, "about": "what it asks for", "hidden": hidden, "passed": passed, "score": points if passed else 0,
        "max_score": points, "failure": failure, "hint": "" if passed else "Look for a minus.",
    }  # fmt: skip


def row(name: str, *, passed: bool, status: str = "graded") -> dict:
    checks = [check("small", passed=True), check("secret", passed=passed, hidden=True, points=2.5)]
    graded = {
        "id": "99.1", "title": "Patches", "status": "graded", "score": 3.5 if passed else 1, "max_score": 3.5,
        "checks": checks, "notes": [], "printed": EVIL,
    }  # fmt: skip
    missing = {
        **graded, "id": "99.2", "status": "missing", "score": 0, "max_score": 1, "printed": "",
        "checks": [{**check("all", passed=False), "failure": {"kind": "missing", "sentence": "Nothing yet."}}],
    }  # fmt: skip
    return {
        "name": name, "path": "x.ipynb", "sha256": "0", "status": status, "reason": f"Because of {EVIL}.", "notes": [EVIL],
        "score": graded["score"], "max_score": 4.5, "exercises": [graded, missing],
    }  # fmt: skip


@pytest.fixture
def report() -> dict:
    isolation = {"level": "process", "official": False, "holds": ["memory is limited"], "missing": ["no network"]}
    rows = [row("anna", passed=True), row(EVIL, passed=False), row("王 小明", passed=False, status="unreadable")]
    return {
        "schema": 1, "tool": "mmlab 0", "graded": "2026-01-02T03:04:05+00:00", "seconds": 1.5, "seed": "abc",
        "hidden_checks": True, "isolation": isolation, "max_score": 4.5, "submissions": rows,
    }  # fmt: skip


@pytest.fixture
def written(report, tmp_path) -> dict[str, str]:
    write_reports(report, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    return {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_every_form_is_written(written) -> None:
    assert {"report.json", "junit.xml", "class.csv", "class.html", "summary.md"} <= written.keys()
    assert {"learners/anna.html", "learners/王 小明.html", "gradescope/anna.json"} <= written.keys()
    assert len(written) == 5 + 2 * 3 and not [name for name in written if name.endswith(".part")]


def test_report_json_is_the_report_and_of_its_documented_form(written, report) -> None:
    assert json.loads(written["report.json"]) == report
    assert {"submissions[].exercises[].checks[]", "submissions[]"} <= DOCUMENT.keys()
    assert all(words for fields in DOCUMENT.values() for _, words in fields.values())


@pytest.mark.parametrize("path", [("score",), ("exercises", 0, "checks"), ("exercises", 0, "checks", 1, "failure")])
def test_a_report_that_lacks_a_field_is_refused(report, path) -> None:
    *way, last = path
    place = report["submissions"][0]
    for step in way:
        place = place[step]
    del place[last]
    with pytest.raises(ValueError, match=last):
        check_report(report)


def test_an_undocumented_field_is_refused(report) -> None:
    report["submissions"][0]["secret"] = 1
    with pytest.raises(ValueError, match="'secret' is not documented"):
        check_report(report)


def test_junit_has_a_case_for_each_check(written) -> None:
    suites = Xml.fromstring(written["junit.xml"].split("\n", 1)[1]).findall("testsuite")
    assert [len(suite.findall("testcase")) for suite in suites] == [3, 3, 3]
    assert [suite.get("failures") for suite in suites] == ["1", "2", "0"]
    assert [suite.get("errors") for suite in suites] == ["0", "0", "3"]
    assert len(suites[2].findall("testcase/error")) == 3
    failure = suites[1].find("testcase/failure")
    assert failure.get("type") == "sign" and "<script>" in failure.get("message")


def test_gradescope_has_its_fields(written) -> None:
    results = json.loads(written["gradescope/anna.json"])
    assert results["score"] == 3.5 and len(results["tests"]) == 3
    assert {test["visibility"] for test in results["tests"]} == {"visible", "after_published"}
    assert {test["status"] for test in results["tests"]} == {"passed", "failed"}
    assert sum(test["score"] for test in results["tests"]) == results["score"]


def test_one_submission_lies_where_gradescope_looks(report, tmp_path) -> None:
    report["submissions"] = report["submissions"][:1]
    write_reports(report, tmp_path)
    assert (tmp_path / "results.json").read_text() == (tmp_path / "gradescope" / "anna.json").read_text()


def test_pages_of_an_earlier_run_are_not_left_behind(report, tmp_path) -> None:
    write_reports({**report, "submissions": report["submissions"][:1]}, tmp_path)
    (tmp_path / "learners" / "mine.html").write_text("mine")
    later = {**report, "submissions": report["submissions"][1:]}
    write_reports(later, tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert "learners/mine.html" in left and not {"learners/anna.html", "gradescope/anna.json", "results.json"} & left
    assert len([name for name in left if name.startswith("learners/")]) == 2 + 1


def test_what_could_not_be_read_has_no_points_in_the_table(report) -> None:
    report["submissions"][0] |= {"status": "unreadable", "reason": "It is no notebook."}
    row = next(csv.DictReader(io.StringIO(table(report))))
    assert (row["score"], row["99.1"], row["status"]) == ("", "", "unreadable")


def test_the_table_holds_every_row_and_runs_nothing(written) -> None:
    rows = list(csv.DictReader(io.StringIO(written["class.csv"])))
    assert [one["score"] for one in rows] == ["3.5", "1", ""] and rows[0]["99.1"] == "3.5"
    assert rows[1]["name"] == f"'{EVIL}"
    assert not [cell for one in rows for cell in one.values() if cell.startswith(("=", "+", "-", "@"))]


class Tags(HTMLParser):
    """The elements of a page, and those that were never closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_whole_and_run_nothing(written) -> None:
    pages = [text for name, text in written.items() if name.endswith(".html")]
    assert len(pages) == 4
    for text in pages:
        tags = Tags(text)
        assert not tags.open and "script" not in tags.seen and "<script" not in text
        assert "http" not in re.sub(r"<!doctype html>", "", text)


def test_the_teachers_page_links_to_every_learner(written) -> None:
    links = re.findall(r'href="([^"]+)"', written["class.html"])
    assert len(links) == 3 and set(links) <= written.keys()
    assert "Hardest checks" in written["class.html"] and "not official" in written["class.html"]
    assert written["class.html"].index("99.1 secret") < written["class.html"].index("99.1 small")


def test_a_learners_page_says_why_and_gives_a_hint(written) -> None:
    page = written["learners/王 小明.html"]
    assert "Look for a minus." in page and "(hidden)" in page and "1 of 3.5" in page


def test_the_summary_stays_a_table(report) -> None:
    lines = [line for line in summary(report).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {5}
    assert "<script" not in summary(report)


def test_the_summary_reaches_the_workflow(report, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    append_step_summary(report)
    assert (tmp_path / "step.md").read_text(encoding="utf-8") == summary(report)


def test_file_names_are_safe_and_unlike() -> None:
    names = file_names(["../../etc/passwd", "..", "a/b", "A_B", "con", "", "王 小明", "x" * 300, "a\0b"])
    assert len({name.lower() for name in names}) == len(names)
    assert not [name for name in names if "/" in name or "\0" in name or name.startswith(".") or len(name) > 90]
    assert "王 小明" in names and "con" not in names


def test_nothing_hidden_stands_in_the_reports(graded, tmp_path) -> None:
    """A hidden check is named; what it asked and what the reference gives are nowhere."""
    from mmlab.grading.runner.answers import Answers
    from tests.grading.toy import STUBS, TOYS, reference

    source = "import numpy as np\ndef patchify(image, size):\n    return np.zeros(image.shape)"
    report = graded({"wrong": {**STUBS, "99.1": source}}, seed="told")  # of other draws one value may be a plain 2
    write_reports(report, tmp_path / "told")
    answers = Answers(TOYS, secret=report["seed"], reference=reference)
    numbers = {f"{abs(n):.5g}" for one in answers.of("99.1") for value in one.expected for n in value.ravel()}
    told = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "told").rglob("*.*") if path.is_file())
    assert len(numbers) > 50 and "colours" in told
    assert not [number for number in numbers if number in told]


@pytest.mark.parametrize(("least", "status"), [("0", 0), ("1000", 1)])
def test_grade_says_by_its_status_whether_all_reach_a_score(tmp_path, least, status) -> None:
    (tmp_path / "a.ipynb").write_bytes(b"{}")
    out = tmp_path / "out"
    command = ["grade", str(tmp_path / "a.ipynb"), "--out", str(out), "--only", "00", "--min-score", least]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == status, done.output
    assert (out / "report.json").is_file() and (out / "results.json").is_file()
    assert "no list of cells" in done.output and "not official" in done.output


def test_grade_fails_with_a_sentence_and_status_two(tmp_path) -> None:
    done = CliRunner().invoke(app, ["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--only", "no such lesson"])
    assert done.exit_code == 2 and "No exercise and no lesson" in done.output
