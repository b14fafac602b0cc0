"""The learners' course in a folder: lessons with stubs, the package without references, and a workflow that grades.

`release` makes it; the folder installs and runs on its own.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import mmlab
from mmlab.apps.lab import CONFLICT, MANIFEST, update
from mmlab.grading.release.texts import environment, gitignore, readme, workflow
from mmlab.grading.release.wheel import build_wheel
from mmlab.paths import NOTEBOOKS, ROOT
from mmlab.types import InputError

__all__ = ["release"]

LESSONS = "notebooks"


def release(folder: Path, *, say: Callable[[str], None] = print) -> int:
    """Makes the learners' course in `folder`, or brings an earlier one there up to date; gives the number of lessons.

    Raises:  InputError where this is no clone of the course, or the folder holds something else
    """
    check_target(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mmlab-release-") as scratch:
        lessons = stamped(NOTEBOOKS, Path(scratch) / LESSONS)
        say("Building the package without references ...")
        wheel = build_wheel(Path(scratch), lessons)
        for old in folder.glob("mmlab-*.whl"):
            old.unlink()
        shutil.copy(wheel, folder)
        for change in update(folder / LESSONS, source=lessons):
            if change.what == CONFLICT:
                say(f"{change.name} was changed in the folder; the new version lies beside it as {change.beside}.")
    python = requires_python()
    files = {
        "README.md": readme(wheel.name, python),
        "environment.yml": environment(wheel.name, (ROOT / "environment.yml").read_text(encoding="utf-8")),
        ".github/workflows/grade.yml": workflow(),
        ".gitignore": gitignore(),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and (old := path.read_text(encoding="utf-8")) != text:
            path.with_name(f"{path.name}.old").write_text(old, encoding="utf-8")
            say(f"{name} in the folder was another; it lies beside the new one as {path.name}.old.")
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", folder)
    return len(list((folder / LESSONS).glob("*.ipynb")))


def check_target(folder: Path) -> None:
    """Only a clone can be handed out, and only into a folder that is new, empty or an earlier release."""
    if not (ROOT / "pyproject.toml").is_file() or not (ROOT / "mmlab" / "grading" / "references").is_dir():
        raise InputError("A release is made from a clone of the course; this copy of mmlab was handed out itself.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the learners' course, new or old.")
    if folder.resolve() == ROOT or folder.resolve() in ROOT.parents:
        raise InputError(f"{folder} is the course itself; name another folder for the learners' course.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / LESSONS / MANIFEST).is_file():
        raise InputError(f"{folder} holds something that is no release of the course; name a new or empty folder.")


def stamped(source: Path, target: Path) -> Path:
    """The lessons, each with the version of the course that it belongs to."""
    target.mkdir(parents=True)
    for path in sorted(source.glob("*.ipynb")):
        book = json.loads(path.read_text(encoding="utf-8"))
        book["metadata"].setdefault("mmlab", {})["course"] = mmlab.__version__
        text = json.dumps(book, ensure_ascii=False, indent=1)
        (target / path.name).write_text(text + "\n", encoding="utf-8")
    return target


def requires_python() -> str:
    """What pyproject says, such as ">=3.11,<3.14"."""
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
