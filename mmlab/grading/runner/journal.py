"""What survives a kill: one line for each submission that is graded, added and synced, never rewritten."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmlab.types import InputError

NAME = "journal.jsonl"
VERSION = 1


class Journal:
    """The rows of one run in `OUT/journal.jsonl`; a run that was cut off goes on from there, with the same secret.

    Only its owner can read the file, for the secret stands in it while the run lasts.

    Raises:  InputError where the folder is a file, another grader writes into it, or the run before was another one
    """

    def __init__(self, folder: Path, *, key: str, secret: str, total: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(
                f"The reports go into a folder, and {folder} is (or lies in) a file; name another."
            ) from error
        self.path = folder / NAME
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._lock(folder)
        lines = list(self._lines())
        unfinished = bool(lines) and not any("finished" in line for line in lines)
        if unfinished and lines[0].get("key") != key:
            os.close(self.handle)
            raise InputError(
                f"{folder} holds a run that was cut off, of other submissions, exercises or options. "
                f"Start that one again, or delete {NAME} there to begin anew."
            )
        self.resumed = unfinished
        self.secret = lines[0]["secret"] if unfinished else secret
        self.rows = {line["name"]: line for line in lines[1:]} if unfinished else {}
        if not unfinished:
            os.ftruncate(self.handle, 0)
            os.lseek(self.handle, 0, os.SEEK_SET)
            self._append({"journal": VERSION, "key": key, "secret": secret, "submissions": total})

    def add(self, row: dict[str, Any]) -> None:
        """One graded submission; when this returns, it is on the disk."""
        self.rows[row["name"]] = row
        self._append(row)

    def done(self, name: str, sha256: str) -> bool:
        """Whether this submission was graded in this run, in the state in which it is now."""
        return name in self.rows and self.rows[name]["sha256"] == sha256

    def finish(self) -> None:
        self._append({"finished": True})

    def close(self) -> None:
        os.close(self.handle)

    def _append(self, line: dict[str, Any]) -> None:
        os.write(self.handle, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fsync(self.handle)

    def _lines(self) -> Iterable[dict[str, Any]]:
        """The whole lines; one that a kill cut short is taken off the file."""
        content, whole = self.path.read_bytes(), 0
        for line in content.splitlines(keepends=True):
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n") or not isinstance(entry, dict):
                break
            whole += len(line)
            yield entry
        os.ftruncate(self.handle, whole)
        os.lseek(self.handle, whole, os.SEEK_SET)

    def _lock(self, folder: Path) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock; two graders in one folder are then the teacher's to avoid
            return
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.handle)
            raise InputError(
                f"Another `mmlab grade` is writing into {folder}; wait for it, or name another folder."
            ) from error
