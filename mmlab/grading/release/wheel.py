"""The package as learners get it: with the lessons and the data inside, without references and right solutions."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from mmlab.paths import DATA, HANDED_OUT, ROOT

ANSWERS = {"wrong": ast.Tuple(elts=[], ctx=ast.Load()), "variant": ast.Constant("")}  # what is left of each


def build_wheel(scratch: Path, lessons: Path) -> Path:
    """Builds the learners' wheel in `scratch`.

    Raises:  RuntimeError with pip's last words where the build fails
    """
    copy = scratch / "source"
    stage(copy, lessons)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(copy)]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"The wheel could not be built: {done.stderr.strip()[-500:]}")
    [wheel] = scratch.glob("mmlab-*.whl")
    return wheel


def stage(copy: Path, lessons: Path) -> None:
    """What goes into the wheel, as a source tree."""
    skipped = shutil.ignore_patterns("__pycache__", "references", HANDED_OUT.name)
    shutil.copytree(ROOT / "mmlab", copy / "mmlab", ignore=skipped)
    for path in (copy / "mmlab" / "grading" / "exercises").glob("e[0-9]*.py"):
        path.write_text(without_answers(path.read_text(encoding="utf-8")), encoding="utf-8")
    inside = copy / "mmlab" / HANDED_OUT.name
    shutil.copytree(lessons, inside / "notebooks")
    shutil.copytree(DATA, inside / "data", ignore=shutil.ignore_patterns(".*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)


def without_answers(source: str) -> str:
    """An exercise's file without its right and wrong solutions, and without comments."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
            for keyword in node.keywords:
                keyword.value = ANSWERS.get(keyword.arg or "", keyword.value)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    tree.body = [node for node in tree.body if not _idle(node, used)]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _idle(node: ast.stmt, used: set[str]) -> bool:
    """Whether a statement gives a value to a name that nobody asks for any more."""
    if not isinstance(node, ast.Assign) or not all(isinstance(target, ast.Name) for target in node.targets):
        return False
    names = {target.id for target in node.targets}
    return not names & used and names != {"EXERCISE"}
