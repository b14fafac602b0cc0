"""A learner's progress: one local file, a line for each attempt, added and never rewritten, so nothing in it gets lost."""

import fcntl
import html
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mmlab.grading.exercises import EXERCISES

VARIABLE = "MMLAB_PROGRESS"  # a path, or "off": then nothing is read and nothing written
OFF = "off"


@dataclass(frozen=True)
class Attempt:
    """One call of `check` on something that had been attempted; `kind` is the first failure's, empty where all is right."""

    exercise: str
    points: float
    kind: str = ""
    time: str = ""


def place() -> Path | None:
    """Where the file lies: in MMLAB_PROGRESS, else in the learner's home; None where progress is switched off."""
    named = os.environ.get(VARIABLE, "")
    if named == OFF:
        return None
    return Path(named).expanduser() if named else Path.home() / ".mmlab" / "progress.jsonl"


def record(attempt: Attempt) -> str:
    """Adds one line to the file; gives a sentence where that is impossible, else nothing."""
    path = place()
    if path is None:
        return ""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"exercise": attempt.exercise, "points": attempt.points, "kind": attempt.kind, "time": attempt.time or now}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            with suppress(
                OSError
            ):  # a network home may have no locks: then an empty line may slip in, which is skipped
                fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            before = "" if _ends_whole(file) else "\n"
            file.write(f"{before}{json.dumps(line)}\n".encode())
    except OSError as error:
        return (
            f"Your progress could not be saved in {path.name} ({error.strerror}); the result above stands all the same."
        )
    return ""


def attempts() -> tuple[list[Attempt], str]:
    """All attempts in order, and a sentence where lines cannot be read (they stay where they are), else nothing."""
    path = place()
    try:
        lines = path.read_bytes().splitlines() if path is not None and path.exists() else []
    except OSError as error:
        return [], f"Your progress file cannot be opened ({error.strerror}); check its permissions."
    read = [_read(line) for line in lines if line.strip()]
    damaged = read.count(None)
    sentence = ""
    if damaged:
        one = "1 line of your progress file" if damaged == 1 else f"{damaged} lines of your progress file"
        sentence = f"{one} cannot be read and was left as it is; the other {len(read) - damaged} count."
    return [attempt for attempt in read if attempt is not None], sentence


def best(found: list[Attempt]) -> dict[str, float]:
    """The most points that each exercise got so far."""
    points: dict[str, float] = {}
    for attempt in found:
        points[attempt.exercise] = max(points.get(attempt.exercise, 0.0), attempt.points)
    return points


@dataclass(frozen=True)
class Progress:
    """A table of the exercises; a notebook shows it in colour, `print` as text."""

    points: dict[str, float]
    tries: dict[str, int]
    sentence: str = ""
    rows: tuple[tuple[str, str, float, float, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = []
        for exercise in EXERCISES.values():
            full = sum(check.points for check in exercise.visible)  # hidden checks are the grader's
            got = min(self.points.get(exercise.id, 0.0), full)
            rows.append((exercise.id, exercise.title, got, full, self.tries.get(exercise.id, 0)))
        object.__setattr__(self, "rows", tuple(rows))

    @property
    def headline(self) -> str:
        done = sum(got == full for _, _, got, full, _ in self.rows)
        points, full = sum(row[2] for row in self.rows), sum(row[3] for row in self.rows)
        return f"{done} of {len(self.rows)} exercises solved, {points:g} of {full:g} points"

    def __repr__(self) -> str:
        lines = [self.headline]
        for id, title, got, full, tries in self.rows:
            lines.append(f"  {_mark(got, full, tries)} {id:<7} {title:<58} {got:g} of {full:g}")
        return "\n".join([*lines, *([self.sentence] if self.sentence else [])])

    def _repr_html_(self) -> str:
        cells = [
            f"<tr><td>{_mark(got, full, tries)}</td><td>{id}</td><td style='text-align:left'>{html.escape(title)}</td>"
            f"<td><progress value='{got:g}' max='{full:g}'></progress></td><td>{got:g} of {full:g}</td></tr>"
            for id, title, got, full, tries in self.rows
        ]
        note = f"<p>{html.escape(self.sentence)}</p>" if self.sentence else ""
        return f"<p><b>{self.headline}</b></p><table>{''.join(cells)}</table>{note}"


def progress() -> Progress:
    """What has been solved so far on this computer, exercise by exercise."""
    found, sentence = attempts()
    tries: dict[str, int] = {}
    for attempt in found:
        tries[attempt.exercise] = tries.get(attempt.exercise, 0) + 1
    return Progress(best(found), tries, sentence)


def _mark(got: float, full: float, tries: int) -> str:
    return "✓" if got == full else ("◐" if tries else "·")


def _ends_whole(file: BinaryIO) -> bool:
    """Whether the file is empty or its last line came whole."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _read(line: bytes) -> Attempt | None:
    """One line, or None where it is damaged."""
    try:
        found = json.loads(line.decode("utf-8"))
        points = found["points"]
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0 <= points < 1e6:
            return None
        return Attempt(str(found["exercise"]), float(points), str(found["kind"]), str(found["time"]))
    except (ValueError, KeyError, TypeError):
        return None
