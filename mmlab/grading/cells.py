"""The cells of a lesson's exercises, made from the exercises' files: statement, stub and check.

    python -m mmlab.grading.cells NOTEBOOK ...

inserts what is missing and refreshes what is there. They come with nbgrader's metadata and an id of our own.
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES

HEADING = "## Exercises"
NEXT = "## What to take away"
SCHEMA = 3  # of nbgrader's cell metadata


def exercises_of(lesson: str) -> list[Exercise]:
    """The exercises of one lesson (the stem of its file), in order."""
    return [exercise for exercise in EXERCISES.values() if exercise.lesson == lesson]


def cells(exercise: Exercise) -> list[NotebookNode]:
    """Statement, solution and check of one exercise, in the order in which a notebook holds them."""
    statement = f"### {exercise.id} · {exercise.title} ({_points(exercise)})\n\n{exercise.statement.strip()}"
    check = f'from mmlab import check\n\ncheck("{exercise.id}", {exercise.entry})'
    common = {"schema_version": SCHEMA, "task": False}
    solution_keys = {"grade_id": exercise.grade_id, "solution": True, "locked": False, "grade": False, **common}
    check_id = f"{exercise.grade_id}-check"
    check_keys = {
        "grade_id": check_id,
        "points": exercise.points,
        "solution": False,
        "locked": True,
        "grade": True,
        **common,
    }
    return [
        new_markdown_cell(statement, metadata={"mmlab": {"exercise": exercise.id, "part": "statement"}}),
        new_code_cell(
            exercise.stub.strip(),
            metadata={"mmlab": {"exercise": exercise.id, "part": "solution"}, "nbgrader": solution_keys},
        ),
        new_code_cell(
            check,
            metadata={"mmlab": {"exercise": exercise.id, "part": "check"}, "nbgrader": check_keys, "editable": False}
            | {"deletable": False},
        ),
    ]


def refreshed(book: NotebookNode, lesson: str) -> NotebookNode:
    """The notebook with its lesson's exercises as their files say; a cell that is right already keeps its outputs.

    New ones follow the heading "## Exercises", which is made before "## What to take away" where it is missing. Cells
    of exercises that no longer exist are taken out.
    """
    before = {key: cell for cell in book.cells if (key := _key(cell))}
    others = [cell for cell in book.cells if not _key(cell)]
    made = [before[_key(cell)] if _same(before.get(_key(cell)), cell) else cell for cell in _all(lesson)]
    first = next((i for i, cell in enumerate(book.cells) if _key(cell)), None)
    place = first if first is not None else _place(others, HEADING)
    if place is None and made:
        made = [new_markdown_cell(HEADING), *made]
        place = _place(others, NEXT, after=False)
    place = len(others) if place is None else place
    book.cells = [*others[:place], *made, *others[place:]]
    return book


def differences(book: NotebookNode, lesson: str) -> list[str]:
    """Where a notebook's exercise cells differ from the exercises' files, a sentence each."""
    found = [cell for cell in book.cells if _key(cell)]
    wanted = _all(lesson)
    if [_key(cell) for cell in found] != [_key(cell) for cell in wanted]:
        return [
            f"{lesson}: its exercise cells are {[_key(c) for c in found]}, they should be {[_key(c) for c in wanted]}."
        ]
    return [
        f"{lesson}: cell {_key(own)} differs from its file."
        for own, new in zip(found, wanted, strict=True)
        if not _same(own, new)
    ]


def _all(lesson: str) -> list[NotebookNode]:
    return [cell for exercise in exercises_of(lesson) for cell in cells(exercise)]


def _key(cell: NotebookNode) -> tuple[str, str] | None:
    own = cell.metadata.get("mmlab", {})
    return (own["exercise"], own["part"]) if "exercise" in own and "part" in own else None


def _same(own: NotebookNode | None, new: NotebookNode) -> bool:
    if own is None:
        return False
    keys = ("mmlab", "nbgrader", "editable", "deletable")
    alike = all(own.metadata.get(key) == new.metadata.get(key) for key in keys)
    return alike and (own.cell_type, own.source) == (new.cell_type, new.source)


def _place(others: list[NotebookNode], heading: str, *, after: bool = True) -> int | None:
    """Where new cells go: after (or before) the Markdown cell that begins with the heading."""
    for index, cell in enumerate(others):
        if cell.cell_type == "markdown" and cell.source.startswith(heading):
            return index + after
    return None


def _points(exercise: Exercise) -> str:
    hidden = sum(check.points for check in exercise.checks if check.hidden)
    unseen = f", {hidden:g} of them for hidden checks" if hidden else ""
    return f"{exercise.points:g} point" + ("" if exercise.points == 1 else "s") + unseen


def main(names: list[str]) -> None:
    for name in names:
        path = Path(name)
        book = refreshed(nbformat.read(path, as_version=4), path.stem)
        nbformat.write(book, path)
        print(f"{path.stem}: {len(exercises_of(path.stem))} exercises; run it again to store its outputs")


if __name__ == "__main__":
    main(sys.argv[1:])
