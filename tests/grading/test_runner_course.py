"""The course's own exercises through the whole grader: each kind of solution gets what its file says."""

from pathlib import Path

import nbformat
import pytest

from mmlab.grading.cells import cells
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.reference import reference_source
from mmlab.grading.runner import Options, grade

MOST_WRONG = max(len(exercise.wrong) for exercise in EXERCISES.values())
LEARNERS = ["reference", "variant", "stub", *(f"wrong {n}" for n in range(MOST_WRONG))]


def hand_in(folder: Path, learner: str) -> Path:
    """One notebook with every exercise of the course, solved as that learner does."""
    book = nbformat.v4.new_notebook()
    for id, exercise in EXERCISES.items():
        own = cells(exercise)
        if learner.startswith("wrong"):
            number = int(learner.split()[1])
            own[1].source = exercise.wrong[number].source if number < len(exercise.wrong) else exercise.stub
        elif learner != "stub":
            own[1].source = reference_source(id) if learner == "reference" else exercise.variant
        book.cells += own
    path = folder / f"{learner}.ipynb"
    nbformat.write(book, path)
    return path


def deserved(learner: str, id: str) -> float:
    exercise = EXERCISES[id]
    if learner.startswith("wrong"):
        number = int(learner.split()[1])
        return exercise.wrong[number].points if number < len(exercise.wrong) else 0
    return 0 if learner == "stub" else exercise.points


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("course")
    paths = [hand_in(folder, learner) for learner in LEARNERS]
    report = grade(paths, folder / "out", options=Options(workers=2), say=lambda line: None)
    return {row["name"]: row for row in report["submissions"]}


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_kind_of_solution_gets_what_its_file_says(rows, learner) -> None:
    got = {one["id"]: one["score"] for one in rows[learner]["exercises"]}
    wrong = {id: (got[id], deserved(learner, id)) for id in EXERCISES if got[id] != deserved(learner, id)}
    assert not wrong


def test_a_stub_is_no_attempt(rows) -> None:
    attempted = [one["id"] for one in rows["stub"]["exercises"] if one["status"] != "not attempted"]
    assert not attempted
