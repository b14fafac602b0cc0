"""nbgrader and otter on our exercises: the same solutions, the visible checks as asserts, their own commands.

Neither is a dependency of anything here; both run in an environment of their own.
"""

import json
import os
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook

from mmlab.grading.exercise import Check, Exercise, inputs
from mmlab.grading.expected import load
from mmlab.grading.values import Tensor, Value
from mmlab.types import InputError

IMPORTS = "import math\nimport numpy as np\nimport torch\nfrom einops import rearrange"
OTTER_RUN = """
import sys, time
from otter.api import grade_submission
zipped, *books = sys.argv[1:]
began = time.perf_counter()
for book in books:
    grade_submission(book, ag_path=zipped, quiet=True)
print("seconds", time.perf_counter() - began)
"""


class Peer(ABC):
    """One other grader, set up once with the class; `seconds` grades it anew."""

    name: ClassVar[str]
    package: ClassVar[str]

    def __init__(self, folder: Path, python: Path, exercises: list[Exercise], learners: int) -> None:
        self.folder, self.python = folder, python.absolute()
        folder.mkdir(parents=True)
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        self.version = self.run("-c", code).strip()
        self.prepare(exercises, learners)

    @abstractmethod
    def prepare(self, exercises: list[Exercise], learners: int) -> None:
        """Writes the assignment and what the learners hand in."""

    @abstractmethod
    def seconds(self) -> float:
        """Seconds of grading all of them, from start to marks."""

    def run(self, *words: str) -> str:
        search = f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"  # they start tools of their own
        where = {"cwd": self.folder, "env": {**os.environ, "PATH": search}}
        done = subprocess.run([str(self.python), *words], capture_output=True, text=True, **where)
        if done.returncode != 0:
            raise InputError(f"{self.name} failed in {self.python}: {done.stderr.strip()[-400:]}")
        return done.stdout


class Nbgrader(Peer):
    """Two cells for each exercise: the solution, and a locked cell of asserts."""

    name, package = "nbgrader", "nbgrader"

    def prepare(self, exercises: list[Exercise], learners: int) -> None:
        from mmlab.bench.grading import solutions

        book = self.book(
            exercises, {one.id: f"### BEGIN SOLUTION\n{one.variant}\n### END SOLUTION" for one in exercises}
        )
        self.write(book, "source/ps/ps.ipynb")
        self.run("-m", "nbgrader", "generate_assignment", "ps", "--create")
        for number in range(learners):
            self.write(self.book(exercises, solutions(exercises, number)), f"submitted/learner{number:03}/ps/ps.ipynb")

    def seconds(self) -> float:
        began = time.perf_counter()
        self.run("-m", "nbgrader", "autograde", "ps", "--force")
        return time.perf_counter() - began

    def book(self, exercises: list[Exercise], sources: dict[str, str]) -> nbformat.NotebookNode:
        made = [new_code_cell(IMPORTS)]
        for one in exercises:
            keys = {"schema_version": 3, "task": False, "grade_id": one.grade_id}
            own = {**keys, "solution": True, "grade": False, "locked": False}
            made.append(new_code_cell(sources[one.id], metadata={"nbgrader": own}))
            tests = {
                **keys,
                "grade_id": f"{one.grade_id}-test",
                "points": 1,
                "solution": False,
                "grade": True,
                "locked": True,
            }
            made.append(new_code_cell(asserts(one), metadata={"nbgrader": tests}))
        return new_notebook(cells=made, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})

    def write(self, book: nbformat.NotebookNode, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)


class Otter(Peer):
    """One test file for each exercise; the notebook holds the solutions."""

    name, package = "otter", "otter-grader"

    def prepare(self, exercises: list[Exercise], learners: int) -> None:
        from mmlab.bench.grading import solutions

        (self.folder / "tests").mkdir()
        for one in exercises:
            body = asserts(one).replace("\n", "\n    ")
            head = "OK_FORMAT = False\nfrom otter.test_files import test_case\nimport numpy as np\nimport torch\n"
            told = (
                f"{head}name = {one.grade_id!r}\npoints = 1\n\n@test_case()\ndef test_all({one.entry}):\n    {body}\n"
            )
            (self.folder / "tests" / f"{one.grade_id}.py").write_text(told, encoding="utf-8")
        self.run("-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment")
        self.books = []
        for number in range(learners):
            made = [new_code_cell(IMPORTS), *(new_code_cell(text) for text in solutions(exercises, number).values())]
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            nbformat.write(new_notebook(cells=made, metadata=kernel), self.folder / f"learner{number:03}.ipynb")
            self.books.append(f"learner{number:03}.ipynb")

    def seconds(self) -> float:
        return float(self.run("-c", OTTER_RUN, "autograder.zip", *self.books).split()[-1])


PEERS: tuple[type[Peer], ...] = (Nbgrader, Otter)


def asserts(exercise: Exercise) -> str:
    """The visible checks as plain asserts on stored values."""
    stored = load(exercise)
    return "\n".join(line for check in exercise.visible for line in _asserts(exercise, check, stored[check.name]))


def _asserts(exercise: Exercise, check: Check, stored: list[Value]) -> list[str]:
    lines = []
    for call, expected in zip(inputs(exercise, check), stored, strict=True):
        given = ", ".join(f"{name}={_literal(value)}" for name, value in call.args.items())
        lines += [f"got = np.asarray({exercise.entry}({given}))", f"want = np.asarray({_literal(expected)})"]
        lines += ["assert got.shape == want.shape and np.allclose(got, want, rtol=1e-4, atol=1e-5)"]
    return lines


def _literal(value: Any) -> str:
    """A value as source."""
    if isinstance(value, Tensor):
        return f"torch.tensor({json.dumps(value.array.tolist())}, dtype=torch.{value.array.dtype})"
    if isinstance(value, np.ndarray):
        return f"np.array({json.dumps(value.tolist())}, dtype={str(value.dtype)!r})"
    return repr(value)
