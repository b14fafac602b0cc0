"""The lessons as they lie in the repository, before anything is run."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from mmlab.notebooks import lesson_code, lessons, package_code, same_code, stored_problems
from tests.notebooks.guard import COMPARED, FLOOR, UNCHECKED, kind

LESSONS = lessons()
TAGS = {"nbval-ignore-output", "nbval-skip", "raises-exception"}
UNCHECKED_AT_MOST = 3  # cells of one lesson that are run and not compared
CELL_LINES = 40
NAME = re.compile(r"\d\d(_\d)?_[a-z0-9_]+")

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def test_the_course_starts_with_00_start_here() -> None:
    assert LESSONS and LESSONS[0].stem == "00_start_here"
    assert all(NAME.fullmatch(path.stem) for path in LESSONS)


@each_lesson
def test_is_stored_in_its_normal_form_fresh_and_without_refused_outputs(path: Path) -> None:
    assert stored_problems(path) == []


@each_lesson
def test_no_section_is_lost(path: Path) -> None:
    """Numbered sections run from 1 without a gap: whoever rewrites a cell may take a heading along."""
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    numbers = [int(number) for number in re.findall(r"^## (\d+) ·", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


@each_lesson
def test_enough_of_its_outputs_are_compared(path: Path) -> None:
    kinds = Counter(
        kind(
            check="nbval-ignore-output" not in tags(cell),
            skip="nbval-skip" in tags(cell),
            execution_count=cell.execution_count,
            outputs=cell.outputs,
        )
        for cell in code_cells(read(path))
    )
    assert kinds[COMPARED] >= FLOOR
    assert kinds[UNCHECKED] <= UNCHECKED_AT_MOST


@each_lesson
def test_tags_are_known_and_nothing_is_skipped_by_a_comment(path: Path) -> None:
    for cell in code_cells(read(path)):
        unknown = {tag for tag in tags(cell) if tag.startswith(("nbval", "raises"))} - TAGS
        assert not unknown, f"nbval does not know {unknown}"
        assert not re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE), "use a tag, not a comment"


@each_lesson
def test_an_unchecked_cell_is_followed_by_one_that_compares(path: Path) -> None:
    cells = code_cells(read(path))
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if "nbval-ignore-output" in tags(cell):
            assert following is not None and following.outputs and "nbval-ignore-output" not in tags(following), (
                "call the callback once, or print a digest, in the cell after one whose output is ignored"
            )


@each_lesson
def test_every_figure_has_a_digest_after_it(path: Path) -> None:
    """PNG bytes are not compared, so a cell that shows a figure, or the next one, prints what is in it."""
    cells = code_cells(read(path))
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if any("image/png" in output.get("data", {}) and "Figure" in str(output.data) for output in cell.outputs):
            sources = cell.source + (following.source if following is not None else "")
            assert "digest(" in sources, f"nothing compares the figure of this cell:\n{cell.source}"


@each_lesson
def test_opens_with_title_abstract_and_chinese_abstract(path: Path) -> None:
    first, *others = (cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    opening = "\n".join([first, *others[:2]])
    assert first.startswith("# "), "the first cell begins with the lesson's title"
    assert "摘要" in opening and re.search("[\u4e00-\u9fff]{20}", re.sub("[，。、；：“”（）《》 ]", "", opening))
    assert re.search(r"\bminutes\b", opening), "the opening says how long the lesson runs"


@each_lesson
def test_cells_are_short_and_install_nothing(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert len(cell.source.splitlines()) <= CELL_LINES
        assert not re.search(r"^\s*[!%]\s*(pip|conda|apt)", cell.source, re.MULTILINE)


@each_lesson
def test_code_that_the_package_has_is_the_packages_code(path: Path) -> None:
    package = package_code()
    for name, node in lesson_code(read(path)).items():
        if name in package:
            assert any(same_code(node, own) for own in package[name]), (
                f"{name} differs between this lesson and the package; make them the same, or rename the lesson's"
            )


def test_package_code_is_defined_in_one_lesson_only() -> None:
    package = package_code()
    homes = Counter(name for path in LESSONS for name in lesson_code(read(path)) if name in package)
    assert not [name for name, count in homes.items() if count > 1]
