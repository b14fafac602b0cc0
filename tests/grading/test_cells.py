"""The exercise cells of a notebook are made from the exercises' files, and stay equal to them."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mmlab.grading.cells import cells, differences, exercises_of, main, refreshed
from mmlab.grading.exercises import EXERCISES
from mmlab.notebooks import lesson_code, lessons, normalise

LESSON = "04_1_projection_and_sum"
GRADER_KEYS = {"grade_id", "points", "solution", "locked", "grade", "schema_version", "task"}


def book() -> NotebookNode:
    sections = ("# Title", "## Exercises\n\nTry these.", "## What to take away")
    return new_notebook(cells=[new_markdown_cell(text) for text in sections])


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_the_cells_of_each_lesson_are_those_of_its_exercises(path: Path) -> None:
    found = nbformat.read(path, as_version=4)
    assert differences(found, path.stem) == [], f"run `python -m mmlab.grading.cells notebooks/{path.name}`"


def test_cells_go_after_the_heading_and_survive_the_normal_form() -> None:
    made = normalise(refreshed(book(), LESSON))
    parts = [cell.metadata.get("mmlab", {}).get("part", cell.source[:6]) for cell in made.cells]
    each = ["statement", "solution", "check"]
    assert parts == ["# Titl", "## Exe", *each * len(exercises_of(LESSON)), "## Wha"]
    assert differences(made, LESSON) == []
    assert made == normalise(refreshed(normalise(made), LESSON))


def test_without_a_heading_one_is_made_before_what_to_take_away() -> None:
    bare = new_notebook(cells=[new_markdown_cell("# Title"), new_markdown_cell("## What to take away")])
    sources = [cell.source for cell in refreshed(bare, LESSON).cells]
    assert sources[1] == "## Exercises" and sources[-1] == "## What to take away"
    assert refreshed(new_notebook(cells=[new_markdown_cell("# T")]), LESSON).cells[1].source == "## Exercises"
    assert len(refreshed(new_notebook(cells=[]), "no_lesson").cells) == 0


def test_a_refresh_mends_what_differs_and_keeps_the_outputs_of_what_does_not() -> None:
    made = refreshed(book(), LESSON)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = 1, [nbformat.v4.new_output("stream", text="kept")]
    solution = next(cell for cell in made.cells if cell.metadata.get("mmlab", {}).get("part") == "solution")
    solution.source += "\n# written here"
    check = [cell for cell in made.cells if cell.metadata.get("mmlab", {}).get("part") == "check"][1]
    check.metadata["nbgrader"]["points"] = 100
    assert len(differences(made, LESSON)) == 2
    mended = refreshed(made, LESSON)
    assert differences(mended, LESSON) == []
    kept = [cell.outputs for cell in mended.cells if cell.cell_type == "code"]
    assert [len(outputs) for outputs in kept].count(0) == 2 and len(kept) > 4


def test_cells_that_are_lost_doubled_or_of_no_exercise_are_told() -> None:
    for spoil in ("lost", "doubled", "foreign"):
        made = refreshed(book(), LESSON)
        if spoil == "lost":
            del made.cells[3]
        else:
            made.cells.insert(3, nbformat.from_dict(made.cells[3]))
        if spoil == "foreign":
            made.cells[3].metadata["mmlab"]["exercise"] = "99.1"
        assert differences(made, LESSON)
        assert differences(refreshed(made, LESSON), LESSON) == []


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_the_metadata_is_what_nbgrader_takes(exercise: object) -> None:
    statement, solution, check = cells(exercise)
    assert "nbgrader" not in statement.metadata and exercise.title in statement.source
    for cell, graded in ((solution, False), (check, True)):
        keys = cell.metadata["nbgrader"]
        assert set(keys) <= GRADER_KEYS and re.fullmatch(r"[a-zA-Z0-9_-]+", keys["grade_id"])
        assert (keys["grade"], keys["locked"], keys["solution"]) == (graded, graded, not graded)
        assert ("points" in keys) == graded and keys["schema_version"] == 3
    assert check.source.endswith(f'check("{exercise.id}", {exercise.entry})')
    assert not [line for line in statement.source.splitlines() if line.startswith(("+ ", "> "))]
    compile(solution.source, exercise.id, "exec")


def test_stubs_are_a_readers_own_and_not_the_lessons_code() -> None:
    made = refreshed(new_notebook(cells=[new_code_cell("def kept():\n    pass")]), LESSON)
    assert set(lesson_code(made)) == {"kept"}


def test_the_command_writes_the_notebook(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / f"{LESSON}.ipynb"
    nbformat.write(book(), path)
    main([str(path)])
    assert f"{len(exercises_of(LESSON))} exercises" in capsys.readouterr().out
    assert differences(nbformat.read(path, as_version=4), LESSON) == []
