"""What one learner handed in: files found, and for each exercise the one cell that counts."""

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import mmlab
from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.runner.read import KINDS, Book, Cell, UnreadableError, read
from mmlab.paths import NOTEBOOKS
from mmlab.types import InputError

SKIPPED = {".ipynb_checkpoints", "__pycache__", "node_modules", "site-packages"}
MOST_FILES = 500
SOURCE_LIMIT = 200_000  # characters of one solution


@dataclass
class Submission:
    """One row of the class: a name, the files behind it, the solutions found in them, and what was odd."""

    name: str
    path: Path
    sha256: str = ""
    solutions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reason: str = ""  # why nothing could be read; empty where something could


def gather(paths: Sequence[Path]) -> list[Submission]:
    """One submission for each path, under a name that no other has; nothing is read yet.

    Files of one name are called by their folders: submissions/anna/lesson.ipynb is anna's.

    Raises:  InputError for no path, and where not one of them leads anywhere
    """
    if paths and not any(os.path.lexists(path) for path in paths):
        raise InputError(f"There is no such file or folder: {paths[0]}; name notebooks, or learners' folders.")
    called = [path.stem if path.suffix in KINDS else path.name or path.resolve().name for path in paths]
    folders: dict[str, list[Path]] = {}
    for path, name in zip(paths, called, strict=True):
        folders.setdefault(name, []).append(path.parent)
    common = {name for name, several in folders.items() if 1 < len(several) == len(set(several))}
    taken: dict[str, int] = {}
    found = []
    for path, name in zip(paths, called, strict=True):
        name = path.parent.name or name if name in common else name
        name = "".join(c if c.isprintable() else "?" for c in os.fsencode(name).decode("utf-8", "replace")) or "unnamed"
        taken[name] = taken.get(name, 0) + 1
        found.append(Submission(name if taken[name] == 1 else f"{name} ({taken[name]})", path))
    if not found:
        raise InputError("Nothing to grade: name a notebook, or a learner's folder, for each submission.")
    return found


def open_submission(submission: Submission, exercises: Mapping[str, Exercise]) -> Submission:
    """Reads the files and chooses the cells; a submission of which nothing can be read gets a reason."""
    books, digest = [], hashlib.sha256()
    try:
        files = files_of(submission.path)
    except UnreadableError as error:
        submission.reason = str(error)
        return submission
    several = submission.path.is_dir()
    for file in files:
        before = f"{file.name}: " if several else ""
        try:
            book = read(os.fspath(file))
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except (UnreadableError, OSError) as error:
            submission.notes.append(f"{before}{error}")
            continue
        submission.notes += [before + note for note in [*book.notes, *version_note(book)]]
        books.append((file, book))
    submission.sha256 = digest.hexdigest()
    if not books:
        submission.reason = " ".join(submission.notes) or "The folder holds no notebook."
        return submission
    submission.notes += shared(submission.path, files)
    choose(submission, books, exercises)
    return submission


def files_of(path: Path) -> list[Path]:
    """The notebook itself, or the notebooks of a folder; links are not followed, so nothing outside is read."""
    if path.is_symlink():
        raise UnreadableError("It is a symbolic link, and links are not followed; hand in the file itself.")
    if not path.is_dir():
        if path.suffix not in KINDS and path.exists():
            raise UnreadableError(
                f"It is neither a notebook nor a Python file but {path.suffix or 'a file without a suffix'}."
            )
        return [path]
    found = []
    for folder, inside, names in os.walk(path):
        inside[:] = sorted(name for name in inside if name not in SKIPPED and not name.startswith("."))
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".ipynb") and not name.startswith(".")]
        if len(found) > MOST_FILES:
            raise UnreadableError(f"The folder holds more than {MOST_FILES} notebooks; hand in one learner's folder.")
    return found


def shared(path: Path, files: Sequence[Path]) -> list[str]:
    """A sentence where folders side by side hold notebooks of one name: those of several learners, perhaps."""
    folders: dict[str, set[str]] = {}
    for file in files if path.is_dir() else ():
        parts = file.relative_to(path).parts
        if len(parts) > 1:
            folders.setdefault(file.name, set()).add(parts[0])
    name, inside = max(folders.items(), key=lambda item: len(item[1]), default=("", set()))
    if len(inside) < 2:
        return []
    first, second = sorted(inside)[:2]
    some = f"{first}, {second}{', ...' if len(inside) > 2 else ''}"
    return [
        f"{name} lies in {len(inside)} of its folders ({some}): if they are several learners', name each of them, as in "
        f"{path}/*."
    ]


def version_note(book: Book) -> list[str]:
    """A sentence where the notebook was made for another version of the course."""
    if not book.course or book.course == mmlab.__version__:
        return []
    return [f"It was made for version {book.course[:40]} of the course; this is {mmlab.__version__}."]


def choose(submission: Submission, books: Iterable[tuple[Path, Book]], exercises: Mapping[str, Exercise]) -> None:
    """For each exercise: the last cell with its mark that is neither empty nor the stub; else one found by its name.

    By name are found only cells that no lesson brings, and in a notebook that is known to be of a lesson, only the
    solutions of that lesson: lessons define many names.
    """
    marks = {exercise.grade_id: id for id, exercise in exercises.items()} | {id: id for id in exercises}
    every = {**EXERCISES, **exercises}
    lesson_of = {mark: one.lesson for id, one in every.items() for mark in (id, one.grade_id)}
    marked: dict[str, list[Cell]] = {}
    unmarked: dict[str, list[Cell]] = {one.lesson: [] for one in exercises.values()}
    for file, book in books:
        lessons = {lesson_of[cell.exercise] for cell in book.cells if cell.exercise in lesson_of}
        lessons |= {file.stem} & set(lesson_of.values())
        for cell in book.cells:
            if cell.exercise in marks and cell.part == "solution":
                marked.setdefault(marks[cell.exercise], []).append(cell)
            elif not cell.exercise and cell.kind == "code" and squeezed(cell.source) not in taught_sources():
                for lesson in (lessons or unmarked.keys()) & unmarked.keys():
                    unmarked[lesson].append(cell)
    for id, exercise in exercises.items():
        source = _chosen(submission, exercise, marked.get(id, []), unmarked[exercise.lesson])
        if source is not None and len(source) > SOURCE_LIMIT:
            submission.notes.append(f"{id}: its cell has {len(source):,} characters; at most {SOURCE_LIMIT:,} are run.")
        elif source is not None:
            submission.solutions[id] = source


def _chosen(submission: Submission, exercise: Exercise, own: list[Cell], unmarked: list[Cell]) -> str | None:
    written = [cell for cell in own if is_written(cell.source, exercise)]
    if not written:
        named = [cell for cell in unmarked if defines(cell.source, exercise.entry)]
        if named:
            what = "its cell is still the stub" if own else "its cell has lost its mark"
            submission.notes.append(f"{exercise.id}: {what}; the cell that defines {exercise.entry} was taken.")
            return named[-1].source
        if not own:
            return None
    if len(written) > 1:
        submission.notes.append(f"{exercise.id}: {len(written)} cells have its mark; the last of them was taken.")
    cell = (written or own)[-1]
    if cell.kind != "code":
        submission.notes.append(f"{exercise.id}: its cell is of kind {cell.kind[:20]!r}; it was run as code.")
    return cell.source


def is_written(source: str, exercise: Exercise) -> bool:
    """Whether a cell holds anything but blanks or the stub."""
    return squeezed(source) not in ("", squeezed(exercise.stub))


def defines(source: str, name: str) -> bool:
    """Whether code defines a name at its top level."""
    if not re.search(rf"\b{re.escape(name)}\b", source):
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    targets = [node for node in tree.body if isinstance(node, ast.Assign) for node in node.targets]
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body) or any(
        isinstance(node, ast.Name) and node.id == name for node in targets
    )


def squeezed(source: str) -> str:
    """A source without blanks at ends of lines and around."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


@cache
def taught_sources() -> frozenset[str]:
    """The cells of the course's own lessons: what they teach is no solution, in whatever file it is handed in."""
    books = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    return frozenset(squeezed("".join(cell["source"])) for book in books for cell in book["cells"])
