"""A learner's own copy of the lessons: later versions add to it and update it, and never overwrite what was written.

`DIR/.mmlab.json` remembers what was shipped into the copy. A file is the learner's once what is written in it differs
from that; in a notebook the kind and source of the cells count, so running a lesson does not make it the learner's.
"""

import hashlib
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from mmlab.paths import NOTEBOOKS
from mmlab.types import InputError

MANIFEST = ".mmlab.json"
ADDED, UPDATED, KEPT, CONFLICT, SAME = "added", "updated", "kept", "conflict", "same"
QUIET = ("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")


@dataclass(frozen=True)
class Print:
    """A file as two hashes: of what a person wrote in it, and of all its bytes (outputs too)."""

    written: str = ""
    bytes: str = ""


@dataclass(frozen=True)
class Change:
    """What happened to one file of the copy; `beside` is where the new version lies after a conflict."""

    name: str
    what: str
    beside: str = ""


def update(target: Path, *, source: Path = NOTEBOOKS) -> list[Change]:
    """Brings the copy in `target` up to date with the lessons in `source` and says what it did, file by file.

    added     the lesson is new, or the learner removed it
    updated   a newer version came, and the learner had not written in the old one
    kept      the learner wrote in it, and no newer version came
    conflict  both: the learner's stays, the newer one is put beside it as NAME.new.ipynb
    same      nothing to do
    """
    target = target.expanduser()
    _check_target(target, source)
    target.mkdir(parents=True, exist_ok=True)
    shipped = _read_manifest(target)
    changes = []
    for file in sorted(path for path in source.rglob("*") if path.is_file() and not _hidden(path.relative_to(source))):
        name = file.relative_to(source).as_posix()
        changes.append(_bring(file, target, name, shipped))
        _write_manifest(target, shipped)
    return changes


def fingerprint(path: Path) -> Print:
    """What a person wrote is, of a notebook, the cells' kind and source; of any other file, all of it."""
    content = path.read_bytes()
    written = content
    if path.suffix == ".ipynb":
        try:
            cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
            written = json.dumps(cells).encode()
        except (ValueError, KeyError, TypeError):
            pass  # no notebook that anyone could open: its bytes stand for it, so it counts as changed and is kept
    return Print(hashlib.sha256(written).hexdigest(), hashlib.sha256(content).hexdigest())


def compare(own: Print | None, before: Print, new: Print) -> str:
    """What is to happen to a file that is now `own`, was shipped as `before` and ships as `new`."""
    if own is None:
        return ADDED
    if own.bytes == new.bytes:
        return SAME
    if own.written == before.written:
        only_ran = own.written == new.written and own.bytes != before.bytes  # the learner's outputs are the learner's
        return SAME if only_ran else UPDATED
    if own.written == new.written:
        return SAME
    return KEPT if before.written == new.written else CONFLICT


def _bring(file: Path, target: Path, name: str, shipped: dict[str, Print]) -> Change:
    """Adds, updates or keeps one file, and notes in `shipped` which version the copy now knows."""
    own, new = target / name, fingerprint(file)
    what = compare(fingerprint(own) if own.exists() else None, shipped.get(name, Print()), new)
    shipped[name] = new
    if what in (ADDED, UPDATED):
        own.parent.mkdir(parents=True, exist_ok=True)
        _copy_atomically(file, own)
    if what == CONFLICT:  # the course's version gets a name of its own, by the same rules
        beside = _bring(file, target, Path(name).with_suffix(f".new{file.suffix}").as_posix(), shipped)
        return Change(name, what, beside.beside or beside.name)
    return Change(name, what)


def _check_target(target: Path, source: Path) -> None:
    if not source.is_dir():
        raise InputError(f"{source} should hold the lessons, and no such folder exists; work in a clone of mmlab.")
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; name a folder for your copy of the lessons, new or old.")
    if target.resolve() == source.resolve() or source.resolve() in target.resolve().parents:
        raise InputError(f"{target} is where the course keeps its lessons; choose another folder for your own copy.")


def _read_manifest(target: Path) -> dict[str, Print]:
    """What was shipped before; without a readable list every file that differs counts as the learner's."""
    try:
        shipped = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["shipped"]
        return {name: Print(**entry) for name, entry in shipped.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_manifest(target: Path, shipped: dict[str, Print]) -> None:
    part = target / f"{MANIFEST}.part"
    entries = {"shipped": {name: asdict(entry) for name, entry in shipped.items()}}
    part.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, target / MANIFEST)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.parts)


def _copy_atomically(file: Path, to: Path) -> None:
    part = to.with_name(f".{to.name}.part")
    shutil.copyfile(file, part)
    os.replace(part, to)


def first_lesson(target: Path) -> str:
    """The name of the notebook at which the lab opens."""
    notebooks = sorted(path.name for path in target.glob("*.ipynb"))
    if not notebooks:
        raise InputError(f"{target} holds no notebook to open; the course should have put its lessons there.")
    return notebooks[0]


def jupyter_command(target: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """The command that opens JupyterLab in the copy, at the first lesson; it asks the network for no news and no updates."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={target.resolve()}"]
    command += [f"--LabApp.default_url=/lab/tree/{first_lesson(target)}", *QUIET]
    command += [] if browser else ["--no-browser"]
    command += [] if port is None else [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # in a container everybody is root, and Jupyter would not start
    return command
