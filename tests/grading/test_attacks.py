"""The corpus: no submission gets more than it deserves, none less, and none changes another."""

import os
from pathlib import Path

import pytest

from mmlab.grading.runner import Options, grade
from mmlab.types import InputError
from tests.grading.corpus import CASES
from tests.grading.toy import TOYS, reference


def hand_in(folder: Path, cases: dict) -> list[Path]:
    """The files of the cases, each under its name."""
    paths = []
    for name, case in cases.items():
        path = folder / f"{name}{case.suffix}"
        path.write_bytes(case.bytes())
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict:
    """The whole corpus, graded in one run."""
    return graded(tmp_path_factory.mktemp("class"), CASES, "process")


def graded(folder: Path, cases: dict, level: str) -> dict:
    """The rows of a run, by name."""
    options = Options(isolate=level, workers=2)
    paths = hand_in(folder, cases)
    report = grade(paths, folder / "out", options=options, exercises=TOYS, source_of=reference, say=lambda line: None)
    assert report["isolation"]["official"] == (level == "user")
    return {row["name"]: row for row in report["submissions"]}


@pytest.mark.parametrize("name", CASES)
def test_every_submission_gets_what_it_deserves(rows, name) -> None:
    row = rows[name]
    told = [(one["id"], check["name"], check["failure"]) for one in row["exercises"] for check in one["checks"]]
    assert row["score"] == CASES[name].points, (row["reason"], row["notes"], told)
    assert row["max_score"] == 9 and row["reason"]


def test_the_corpus_is_as_large_as_it_says() -> None:
    count = {
        kind: sum(name.startswith(kind) for name in CASES) for kind in ("peers", "escapes", "lies", "honest", "files")
    }
    assert count["peers"] == 28 and count["escapes"] >= 30 and count["lies"] >= 20
    assert count["honest"] >= 15 and count["files"] >= 25


def test_what_was_odd_is_said(rows) -> None:
    said = {name: " ".join([row["reason"], *row["notes"]]) for name, row in rows.items()}
    assert "JSON is broken" in said["peers-11 broken JSON"]
    assert "2 cells have its mark" in said["peers-22 copied solution cell"]
    assert "empty" in said["files-empty"]
    assert "of format 3" in said["files-format 3"]
    assert "run as code" in said["files-solutions as markdown"]
    assert "lost its mark" in said["files-solutions without marks"]
    assert "version 0.0.1 of the course" in said["files-another version of the course"]
    assert "utf-16" in said["files-UTF-16"] and "gb18030" in said["files-GB 18030"]
    assert "large file" in said["files-large outputs"]
    assert "Python file" in said["files-a script"]
    assert "without a cell" in said["files-one solution missing"]
    assert not rows["honest-einops"]["notes"]


def test_another_user_gets_no_further(tmp_path) -> None:
    """As root, the attacks once more with solutions that run as another user; without it, the level is refused."""
    if os.geteuid() != 0:
        with pytest.raises(InputError, match="only root can start"):
            graded(tmp_path, {}, "user")
        return
    attacks = {name: case for name, case in CASES.items() if name.startswith(("escapes", "peers"))}
    slow = {name for name in attacks if name.endswith(("sleeps", "loop", "loops", "50 MB", "bit by bit"))}
    cases = {name: case for name, case in attacks.items() if name not in slow}
    got = graded(tmp_path, cases, "user")
    assert {name: row["score"] for name, row in got.items()} == {name: case.points for name, case in cases.items()}
