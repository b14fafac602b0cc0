"""The learners' course: whole, current, and with nothing of the right solutions in it."""

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import mmlab
from mmlab.cli import app
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.reference import reference_source
from mmlab.grading.release import check_target, release
from mmlab.grading.release.wheel import without_answers
from mmlab.paths import NOTEBOOKS, ROOT
from mmlab.types import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("hand-out") / "course"
    done = CliRunner().invoke(app, ["course", "release", str(made)])
    assert done.exit_code == 0, done.output
    return made


@pytest.fixture(scope="module")
def inside(folder) -> dict[str, bytes]:
    """Every file of the release, those in the wheel too."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    [wheel] = folder.glob("mmlab-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        return files | {f"wheel/{name}": packed.read(name) for name in packed.namelist()}


def texts(inside: dict[str, bytes]) -> dict[str, str]:
    kinds = (".py", ".ipynb", ".json", ".md", ".yml", ".txt", "RECORD", "METADATA")
    return {name: content.decode() for name, content in inside.items() if name.endswith(kinds)}


def functions(source: str) -> dict[str, str]:
    """The functions of a source as syntax trees without docstrings, by name; short ones are anybody's."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            told = "".join(ast.dump(line) for line in body)
            if len(told) > 200:
                found[node.name] = told
    return found


def test_everything_is_there(inside) -> None:
    assert {"README.md", "environment.yml", "LICENSE", ".gitignore", ".github/workflows/grade.yml"} <= inside.keys()
    lessons = {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    assert {f"notebooks/{name}" for name in lessons} <= inside.keys()
    assert {f"wheel/mmlab/_course/notebooks/{name}" for name in lessons} <= inside.keys()
    assert "wheel/mmlab/_course/data/emoji/images.parquet" in inside
    assert "wheel/mmlab/grading/runner/box/zygote.py" in inside


def test_no_reference_and_no_right_solution_is_in_it(inside) -> None:
    assert not [name for name in inside if "references" in name or "/tests/" in name]
    code = texts(inside)
    known = {text for name, source in code.items() if name.endswith(".py") for text in functions(source).values()}
    for id, exercise in EXERCISES.items():
        for source in (reference_source(id), exercise.variant, *(wrong.source for wrong in exercise.wrong)):
            assert not [name for name, told in functions(source).items() if told in known], id
            lines = [line.strip() for line in source.splitlines() if len(line.strip()) > 40]
            own = [line for line in lines if line not in exercise.stub and line not in exercise.statement]
            for first, second in pairwise(own):
                assert not [name for name, text in code.items() if first in text and second in text], (id, first)


def test_that_test_would_see_a_reference(inside) -> None:
    [id] = [id for id in EXERCISES if functions(reference_source(id))][:1]
    known = set(functions(reference_source(id)).values())
    assert known and known & set(functions("x = 1\n" + reference_source(id)).values())


def test_exercises_without_their_answers_still_load(inside) -> None:
    shipped = [name for name in inside if re.fullmatch(r"wheel/mmlab/grading/exercises/e\d.*\.py", name)]
    assert len(shipped) == len(EXERCISES)
    for name in shipped:
        space: dict = {"__name__": "handed_out"}
        exec(compile(inside[name].decode(), name, "exec"), space)
        own = space["EXERCISE"]
        assert own.variant == "" and own.wrong == ()
        assert (own.stub, own.statement, own.points) == tuple(
            getattr(EXERCISES[own.id], field) for field in ("stub", "statement", "points")
        )


def test_answers_go_with_the_names_that_held_them() -> None:
    source = (
        "RIGHT = 'def f(): return 42'\nkept = 7\nEXERCISE = Exercise(id='x', variant=RIGHT, wrong=(1, 2), n=kept)\n"
    )
    assert "42" not in without_answers(source) and "kept = 7" in without_answers(source)


def test_lessons_know_their_course(inside) -> None:
    for name, content in inside.items():
        if name.endswith(".ipynb"):
            assert json.loads(content)["metadata"]["mmlab"]["course"] == mmlab.__version__


def test_the_workflow_grades_and_holds_no_secret(inside) -> None:
    text = inside[".github/workflows/grade.yml"].decode()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"} and "secrets." not in text
    [job] = workflow["jobs"].values()
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == "mmlab grade . --out report" and any("mmlab-*.whl" in line for line in runs)


def test_the_environment_takes_the_wheel(inside, folder) -> None:
    [wheel] = folder.glob("mmlab-*.whl")
    environment = yaml.safe_load(inside["environment.yml"])
    own = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["dependencies"][-1]["pip"] == [*own["dependencies"][-1]["pip"][:-1], f"./{wheel.name}"]


def test_a_second_release_keeps_what_was_changed_there(folder) -> None:
    lesson = next((folder / "notebooks").glob("*.ipynb"))
    book = json.loads(lesson.read_text(encoding="utf-8"))
    book["cells"][0]["source"] = ["# Mine"]
    lesson.write_text(json.dumps(book), encoding="utf-8")
    release(folder, say=lambda line: None)
    assert json.loads(lesson.read_text(encoding="utf-8"))["cells"][0]["source"] == ["# Mine"]
    assert len(list(folder.glob("mmlab-*.whl"))) == 1


def test_a_folder_with_something_else_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="no release of the course"):
        check_target(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        check_target(tmp_path / "mine.txt")
    with pytest.raises(InputError, match="the course itself"):
        check_target(ROOT)


def test_it_runs_from_that_folder_alone(folder, tmp_path) -> None:
    """The wheel, unpacked beside nothing: lessons open from it, and a stub is graded without references."""
    [wheel] = folder.glob("mmlab-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import mmlab.paths; from pathlib import Path\n"
        "assert Path(sys.argv[1]).resolve() in Path(mmlab.paths.DATA).resolve().parents, mmlab.paths.DATA\n"
        "from mmlab.cli import app\nsys.argv = ['mmlab', *sys.argv[2:]]\napp()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (["lab", "copy", "--no-start"], ["grade", str(folder), "--out", "report"]):  # as its README says
        line = [sys.executable, "-I", "-c", script, str(tmp_path / "site"), *command]
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    assert list((tmp_path / "copy").glob("*.ipynb"))
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert not report["hidden_checks"] and report["submissions"][0]["score"] == 0
    assert {one["id"] for one in report["submissions"][0]["exercises"]} == set(EXERCISES)  # also those that need others


def test_a_changed_readme_is_kept_beside_the_new_one(folder) -> None:
    said: list[str] = []
    (folder / "README.md").write_text("Hand in by Friday.", encoding="utf-8")
    release(folder, say=said.append)
    assert (folder / "README.md.old").read_text(encoding="utf-8") == "Hand in by Friday."
    assert "Start" in (folder / "README.md").read_text(encoding="utf-8") and any(
        "README.md.old" in line for line in said
    )
