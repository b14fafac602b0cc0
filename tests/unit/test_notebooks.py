"""The normal form of a lesson, what is refused, and when two definitions are the same code."""

import ast
import json
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from mmlab.notebooks import (
    execute,
    lesson_code,
    lessons,
    made_from,
    normalise,
    package_code,
    problems,
    refresh,
    same_code,
    stored_problems,
    written,
)
from mmlab.notebooks.normal import NEAR, OUTPUT_LIMIT, WIDGET
from mmlab.notebooks.run import main


def ran(source: str = "1", *outputs: NotebookNode, count: int = 7, **metadata: object) -> NotebookNode:
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


def shown(**data: object) -> NotebookNode:
    return new_output("display_data", data={key.replace("_", "/"): value for key, value in data.items()})


def picture() -> str:
    """A drawing of many colours, as a notebook stores it."""
    rng, file = np.random.default_rng(0), BytesIO()
    Image.fromarray(rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)).save(file, "PNG")
    return b64encode(file.getvalue()).decode()


def book_of(*cells: NotebookNode) -> NotebookNode:
    book = new_notebook(cells=list(cells))
    book.metadata.update(widgets={"state": 1}, language_info={"name": "python", "version": "3.11.7"})
    book.metadata["mmlab"] = {"made_from": made_from(book)}
    return book


def test_normal_form_drops_clock_machine_and_widget_state() -> None:
    cell = ran("print(1)", execution={"iopub.execute_input": "2024-01-01"}, tags=["raises-exception"], collapsed=True)
    book = normalise(book_of(new_markdown_cell("# a"), cell))
    assert set(book.metadata) == {"kernelspec", "language_info", "mmlab"}
    assert book.metadata.language_info == {"name": "python"}
    assert book.cells[1].metadata == {"tags": ["raises-exception"]}


def test_normal_form_is_idempotent_and_valid() -> None:
    book = book_of(new_markdown_cell("a"), ran("1", printed("x\n")), ran("1"), ran("2"))
    once = written(book)
    assert written(nbformat.reads(once, as_version=4)) == once
    nbformat.validate(json.loads(once))


def test_counts_are_sequential_and_results_carry_them() -> None:
    result = new_output("execute_result", data={"text/plain": "1"}, execution_count=9)
    book = normalise(book_of(ran("1", count=3), new_markdown_cell("text"), ran("2", result, count=9)))
    assert [cell.get("execution_count") for cell in book.cells] == [1, None, 2]
    assert book.cells[2].outputs[0].execution_count == 2


def test_ids_come_from_the_source_and_are_unique() -> None:
    first = [cell.id for cell in normalise(book_of(ran("a = 1"), ran("b = 2"), ran("a = 1"))).cells]
    second = [cell.id for cell in normalise(book_of(ran("new"), ran("a = 1"), ran("b = 2"), ran("a = 1"))).cells]
    assert len(set(first)) == 3
    assert second[1:] == first


def test_streams_join_and_tracebacks_shrink() -> None:
    error = new_output("error", ename="ValueError", evalue="no", traceback=["File /home/someone/x.py", "line"])
    outputs = [printed("a"), printed("e", "stderr"), printed("b\n"), error]
    [cell] = normalise(book_of(ran("1", *outputs, tags=["raises-exception"]))).cells
    assert [output.get("text") for output in cell.outputs] == ["ab\n", "e", None]
    assert cell.outputs[2].traceback == ["ValueError: no"]


def test_a_still_replaces_the_widget_view() -> None:
    output = shown(image_png=picture(), text_plain="Lab()")
    output.data[WIDGET] = {"model_id": "random"}
    book = normalise(book_of(ran("1", output)))
    assert set(book.cells[0].outputs[0].data) == {"image/png", "text/plain"}
    assert problems(book) == []


def test_a_figure_is_stored_in_a_palette_and_stays_what_it_shows() -> None:
    flat = Image.new("RGBA", (60, 40), (255, 0, 0, 255))
    flat.paste((0, 114, 178, 255), (10, 10, 40, 30))
    flat.paste((0, 0, 0, 0), (0, 0, 5, 5))  # transparent: white paper
    file = BytesIO()
    flat.save(file, "PNG")
    once = normalise(book_of(ran("1", shown(image_png=b64encode(file.getvalue()).decode()))))
    stored = Image.open(BytesIO(b64decode(once.cells[0].outputs[0].data["image/png"])))
    assert stored.mode == "P" and stored.size == (60, 40)
    assert [stored.convert("RGB").getpixel(at) for at in ((50, 5), (20, 20), (2, 2))] == [
        (255, 0, 0), (0, 114, 178), (255, 255, 255),
    ]  # fmt: skip
    many = shown(image_png=picture())
    assert (
        len(normalise(book_of(ran("1", many))).cells[0].outputs[0].data["image/png"]) < len(many.data["image/png"]) / 2
    )


def test_small_marks_of_two_colours_stay_two_colours() -> None:
    drawn = Image.new("RGB", (600, 400), "white")
    for shade in range(200):  # the soft rims of lines and letters
        drawn.paste((shade, shade, shade), (shade * 3, 0, shade * 3 + 3, 20))
        drawn.paste((255, shade, 0), (shade * 3, 20, shade * 3 + 3, 40))
    marks = {(20, 100): (0, 114, 178), (60, 100): (0, 158, 115), (100, 100): (213, 94, 0)}
    for (x, y), colour in marks.items():
        drawn.paste(colour, (x, y, x + 6, y + 6))
    file = BytesIO()
    drawn.save(file, "PNG")
    book = normalise(book_of(ran("1", shown(image_png=b64encode(file.getvalue()).decode()))))
    stored = Image.open(BytesIO(b64decode(book.cells[0].outputs[0].data["image/png"]))).convert("RGB")
    for at, colour in marks.items():
        assert max(abs(a - b) for a, b in zip(stored.getpixel(at), colour, strict=True)) <= NEAR


@pytest.mark.parametrize(
    ("output", "word"),
    [
        (printed("saved to /home/ada/x.pt"), "absolute path"),
        (printed("see /Users/ada/x"), "absolute path"),
        (shown(text_html="<b>/tmp/x</b>"), "absolute path"),
        (printed(r"C:\Users\ada"), "Windows path"),
        (printed(str(Path.home())), "home folder"),
        (shown(text_plain="<Thing at 0x7f3a9c0d>"), "object address"),
        (printed("x" * OUTPUT_LIMIT), "the limit"),
        (new_output("display_data", data={WIDGET: {"model_id": "a"}, "text/plain": "W"}), "still picture"),
        (new_output("error", ename="E", evalue="no file /srv/x", traceback=[]), "absolute path"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_outputs_that_depend_on_the_machine_are_refused(output: NotebookNode, word: str) -> None:
    assert word in " ".join(problems(book_of(ran("1", output))))


@pytest.mark.parametrize(
    "text", ["0.25 and 1/2", "https://example.org/home/x", "a/b/c", "text/plain", "0x1f415 is a dog", "http://a/tmp/b"]
)
def test_harmless_outputs_pass(text: str) -> None:
    assert problems(book_of(ran("1", printed(text)))) == []


def test_base64_is_not_read_as_text() -> None:
    page = '<audio src="data:audio/wav;base64,AAA/home/AAAA0x7f3a9c0d"></audio>'
    assert problems(book_of(ran("1", shown(text_html=page, image_png="AAA/tmp/AA")))) == []


def test_a_cell_without_a_run_and_an_empty_cell_are_refused() -> None:
    book = book_of(new_code_cell("1"), new_code_cell("  "))
    assert "stored without a run" in problems(book)[0]
    assert "is empty" in problems(book)[1]


def test_a_changed_cell_makes_the_lesson_stale() -> None:
    book = book_of(ran("1"))
    assert problems(book) == []
    book.cells[0].source = "2"
    assert "stale: code changed" in problems(book)[0]
    del book.metadata["mmlab"]
    assert "stale" in problems(book)[0]


def test_refresh_executes_and_stores_and_then_nothing_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "01_lesson.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import os\nprint(os.environ['OMP_NUM_THREADS'])")]), path)
    assert stored_problems(path) != []
    assert refresh(path) == []
    assert stored_problems(path) == []
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "1\n"


def test_refresh_leaves_a_refused_lesson_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "01_lesson.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("import os\nprint(os.getcwd())")]), path)
    before = path.read_bytes()
    assert "absolute path" in " ".join(refresh(path)) or "home folder" in " ".join(refresh(path))
    assert path.read_bytes() == before


def test_an_error_in_a_cell_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="ZeroDivisionError"):
        execute(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path)


def test_lessons_are_chosen_by_the_start_of_their_names(tmp_path: Path) -> None:
    for name in ("03_1_four_steps", "00_start_here", "04_1_sum"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [path.stem for path in lessons(folder=tmp_path)] == ["00_start_here", "03_1_four_steps", "04_1_sum"]
    assert [path.stem for path in lessons(["03", "00"], tmp_path)] == ["00_start_here", "03_1_four_steps"]
    with pytest.raises(SystemExit, match="No lesson starts with '07'"):
        lessons(["07"], tmp_path)


def test_check_runs_nothing_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "01_a.ipynb")
    monkeypatch.setattr("mmlab.notebooks.run.lessons", lambda names: sorted(tmp_path.glob("*.ipynb")))
    assert main(["--check"]) == 1
    assert "01_a: refused" in capsys.readouterr().out


def test_same_code_ignores_docstrings_comments_and_layout() -> None:
    ours = ast.parse('class A:\n    """One."""\n\n    def f(self, x):\n        return x + 1  # why\n').body[0]
    theirs = ast.parse('class A:\n    def f(self, x):\n        """Two."""\n        return (x + 1)\n').body[0]
    other = ast.parse("class A:\n    def f(self, x):\n        return x + 2\n").body[0]
    assert same_code(ours, theirs)
    assert not same_code(ours, other)


def test_lesson_code_takes_the_last_definition_and_stands_magics() -> None:
    sources = "%matplotlib inline\ndef f():\n    return 1", "def f():\n    return 2\nx = 3"
    cells = [new_code_cell(source) for source in sources]
    found = lesson_code(new_notebook(cells=[*cells, new_markdown_cell("def g(): pass")]))
    assert list(found) == ["f"]
    assert ast.unparse(found["f"]).endswith("return 2")


def test_package_code_lists_public_definitions() -> None:
    package = package_code()
    assert "same_code" in package and "Inputs" in package
    assert not any(name.startswith("_") for name in package)
