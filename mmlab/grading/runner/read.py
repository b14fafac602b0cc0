"""Reads what was handed in, whatever its state: cells with their marks, and a sentence for each thing that was odd.

Only the standard library is used, and nothing of mmlab: a large file is read by this file in a process of its own, whose
memory is limited (`python read.py FILE`).
"""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import asdict, dataclass, field

LARGE = 2**24  # bytes; above it, in a process of its own
LARGEST = 2**29
MEMORY, SECONDS = 3 * 2**30, 60
CELL = re.compile(r"^# ?%%.*$", re.MULTILINE)
KINDS = (".ipynb", ".py")


class UnreadableError(ValueError):
    """A file that cannot be read at all; the message is the sentence for its row."""


@dataclass
class Cell:
    """One cell: its kind, source, and the exercise that its marks name ("" where they name none)."""

    kind: str
    source: str
    exercise: str = ""
    part: str = ""


@dataclass
class Book:
    """The cells of one file, the version of the course that it was made for, and what was odd."""

    cells: list[Cell] = field(default_factory=list)
    course: str = ""
    notes: list[str] = field(default_factory=list)


def read(path: str) -> Book:
    """The cells of a notebook or a script.

    Raises:  UnreadableError
    """
    try:
        status = os.lstat(path)
    except (OSError, ValueError) as error:
        raise UnreadableError("There is no such file.") from error
    if stat.S_ISLNK(status.st_mode):
        raise UnreadableError("It is a symbolic link, and links are not followed; hand in the file itself.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("It is no ordinary file.")
    if status.st_size > LARGEST:
        raise UnreadableError(
            f"It has {status.st_size / 2**20:.0f} MiB; at most {LARGEST / 2**20:.0f} are read. Clear its outputs."
        )
    return _read_apart(path) if status.st_size > LARGE else _read_here(path)


def _read_here(path: str) -> Book:
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise UnreadableError(f"It could not be opened ({error.strerror}).") from error
    if not raw.strip(b"\0 \t\r\n"):
        raise UnreadableError("The file is empty.")
    book = Book()
    text = decoded(raw, book.notes)
    return script(text, book) if path.endswith(".py") else notebook(text, book)


def _read_apart(path: str) -> Book:
    command = [sys.executable, "-I", os.path.abspath(__file__), os.path.abspath(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnreadableError(f"It could not be read in {SECONDS} seconds; clear its outputs.") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise UnreadableError("It is too large to be read; clear its outputs.") from error
    if "unreadable" in answer:
        raise UnreadableError(answer["unreadable"])
    book = Book(**{**answer, "cells": [Cell(**cell) for cell in answer["cells"]]})
    book.notes.append("It is a large file; clear the outputs before handing in.")
    return book


def decoded(raw: bytes, notes: list[str]) -> str:
    """The text of a file; UTF-8 is expected, and what others write is understood."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif raw[:4].count(0) >= 2:
        encodings = ["utf-16-le" if raw[1] == 0 else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            notes.append(f"The file is not UTF-8; it was read as {encoding}.")
        return text
    notes.append("The file is not UTF-8; it was read as Latin-1, and some characters may be wrong.")
    return raw.decode("latin-1")


def notebook(text: str, book: Book) -> Book:
    """The cells of a notebook of format 4, or of the older ones, with or without the marks that it should have."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UnreadableError(
            f"It is no notebook: its JSON is broken{where}. Open and save it in JupyterLab."
        ) from error
    if not isinstance(tree, dict):
        raise UnreadableError("It is JSON, but no notebook.")
    version = tree.get("nbformat")
    cells = tree.get("cells")
    if not isinstance(cells, list):
        sheets = tree.get("worksheets")
        sheets = [sheet for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        if not sheets:
            raise UnreadableError("It is JSON, but no notebook: it has no list of cells.")
        cells = [cell for sheet in sheets for cell in sheet.get("cells", []) if isinstance(sheet.get("cells"), list)]
    if version != 4:
        book.notes.append(f"The notebook is of format {str(version)[:20]}, not 4; it was read all the same.")
    book.course = _text(_dict(_dict(tree.get("metadata")).get("mmlab")).get("course"))
    book.cells = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    if len(book.cells) < len(cells):
        book.notes.append(f"{len(cells) - len(book.cells)} of its cells are no cells and were left out.")
    return book


def _cell(cell: dict) -> Cell:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    marks = _dict(cell.get("metadata"))
    own, other = _dict(marks.get("mmlab")), _dict(marks.get("nbgrader"))
    exercise, part = _text(own.get("exercise")), _text(own.get("part"))
    if not exercise:
        exercise = _text(other.get("grade_id"))
        part = "solution" if other.get("solution") is True else "check"
    return Cell(_text(cell.get("cell_type")), _text(source), exercise, part or "solution")


def script(text: str, book: Book) -> Book:
    """A Python file as cells: cut at lines that begin with `# %%`."""
    book.notes.append("It is a Python file, not a notebook; solutions were looked for by name.")
    book.cells = [Cell("code", part) for part in CELL.split(text) if part.strip()]
    return book


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def main(path: str) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # the system has no such limit
    try:
        answer = asdict(_read_here(path))
    except UnreadableError as error:
        answer = {"unreadable": str(error)}
    except MemoryError:
        answer = {"unreadable": "It is too large to be read; clear its outputs."}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
