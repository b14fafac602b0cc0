"""The files around the package agree with one another, and name no machine."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup
from typer.main import get_command

import mmlab
from mmlab.cli import app
from mmlab.notebooks import lessons
from mmlab.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXTS = {".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".cff", ".ipynb", ".json", ".js", ".css", ".html", ""}
MACHINE = re.compile(r"(?<![\w.:/])/(?:work|root|farm|tmp|home/\w+)/[\w.]")
UNFINISHED = re.compile(r"(?:#|<!--|//).*\b(?:TODO|FIXME|XXX)\b")
PICTURE = re.compile(r'"image/png": "[^"]*"')  # of a notebook: any three letters occur in base64 at some time
SHELL = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
COMMAND_LINES = [line.strip() for block in SHELL for line in block.splitlines() if line.strip()]
INLINE = sorted({" ".join(line.split()) for line in re.findall(r"`(mmlab [a-z][^`]*)`", README)})
TARGETS = re.findall(r"^([a-z]+):.*##", MAKEFILE, re.MULTILINE)


def project_files() -> list[Path]:
    """What git tracks or would track; in a copy without git, everything outside hidden and ignored folders."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    skipped = {".venv", "work", "runs", "build", "dist", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


def supported() -> list[str]:
    """The Python versions that pyproject allows: 3.11, 3.12, ..."""
    low, high = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups())
    return [f"3.{minor}" for minor in range(low, high)]


def test_environment_yml_is_the_list_of_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip["pip"] == [*PROJECT["dependencies"], "-e ."]


def test_the_makefile_installs_the_torch_that_pyproject_pins() -> None:
    command = ["make", "--dry-run", "--always-make", "lab", "TORCH_INDEX=https://example.org/cpu"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    [pinned] = [line for line in PROJECT["dependencies"] if line.startswith("torch==")]
    assert f'install --quiet --index-url https://example.org/cpu "{pinned}"' in shown.stdout


def test_the_supported_pythons_are_stated_alike_everywhere() -> None:
    versions = supported()
    assert versions[0] == "3.11"
    low, high = versions[0].split(".")[1], int(versions[-1].split(".")[1]) + 1
    assert f"(3, {low}) <= sys.version_info[:2] < (3, {high})" in MAKEFILE
    stated = f"Python {', '.join(versions[:-1])} or {versions[-1]}"
    assert stated in README and f"needs {stated}" in MAKEFILE
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == [versions[0], versions[-1]]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}


def test_ci_runs_exactly_what_the_readme_says() -> None:
    runner = ROOT / ".ci" / "run"
    assert "make test" in COMMAND_LINES
    assert runner.read_text(encoding="utf-8").strip().splitlines()[1:] == ['cd "$(dirname "$0")/.." && exec make test']
    assert runner.stat().st_mode & 0o111
    steps = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


def test_make_test_runs_ruff_the_tests_and_compares_the_lessons() -> None:
    recipe = MAKEFILE.split("\ntest:")[1].split("\n\n")[0]
    assert "ruff check ." in recipe and "pytest tests notebooks $(NBVAL)" in recipe and "--dist loadfile" in recipe
    assert re.search(r"^NBVAL := --nbval .*-with tests/notebooks/nbval_sanitize.cfg", MAKEFILE, re.MULTILINE)


def test_make_bench_times_all_that_can_be_timed_or_what_is_asked_for() -> None:
    def dry(*arguments: str) -> list[str]:
        command = ["make", "--dry-run", "bench", *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()

    [every] = [found for line in dry() if (found := re.match(r"for one in ([a-z ]+);", line))]
    assert set(every[1].split()) == set(get_command(app).commands["bench"].commands)
    assert ".venv/bin/mmlab bench train --json" in dry("BENCH_ARGS=train --json")


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_of_the_readme_runs(line: str) -> None:
    """A make target that exists, or a command of `mmlab` that takes those options (each has its own tests)."""
    words = shlex.split(line)
    if words[0] == "make":
        assert next(word for word in words[1:] if "=" not in word) in TARGETS
        return
    assert Path(words[0]).name == "mmlab", f"no test runs `{line}`"
    parsed(words[1:])
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert re.search(rf"""[\[(][^\])]*["']{words[1]}["']""", tests), f"no test runs `mmlab {words[1]}`"


def parsed(words: list[str]) -> dict:
    """What the command line makes of a command of `mmlab`, without running it; it raises for what no command takes."""
    command, context, name = get_command(app), None, "mmlab"
    while isinstance(command, TyperGroup):
        context = command.context_class(command, parent=context, info_name=name)
        name, command, words = command.resolve_command(context, words)
    return command.make_context(name, words, parent=context).params


@pytest.mark.parametrize("line", INLINE)
def test_every_command_in_the_prose_of_the_readme_is_one(line: str) -> None:
    parsed(shlex.split(line)[1:])


def test_a_command_with_an_option_that_it_lacks_does_not_run() -> None:
    assert parsed(["search", "hot dog", "-k", "3"])["count"] == 3
    for wrong in (["search", "hot dog", "--no-such-option"], ["bench", "nothing"], ["nothing"]):
        with pytest.raises(typer.BadParameter.__base__, match=r"No such (option|command)"):
            parsed(wrong)


def test_every_make_target_is_phony_and_explained() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE).group(1).split()
    assert set(TARGETS) == set(phony) >= {"lab", "test", "notebooks", "rebuild", "bench", "audit", "clean", "help"}


def test_the_map_in_the_readme_is_the_folder_of_lessons() -> None:
    rows = [line for line in README.splitlines() if line.startswith("|")]
    here = {name for row in rows if row.endswith("| here |") for name in re.findall(r"`(\d\d\w+)`", row)}
    coming = {name for row in rows if row.endswith("| coming |") for name in re.findall(r"`(\d\d\w+)`", row)}
    assert here == {path.stem for path in lessons()}
    assert coming and not coming & here


def test_links_of_the_readme_lead_somewhere() -> None:
    local = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert local and all((ROOT / link).exists() for link in local)


def test_the_version_is_stated_once_and_cited_right() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == mmlab.__version__ and citation["license"] == PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_no_file_names_a_machine_or_is_left_unfinished() -> None:
    found = []
    for path in project_files():
        if path.suffix in TEXTS and path.stat().st_size < 5_000_000 and path.name != "test_project.py":
            text = PICTURE.sub("", path.read_text(encoding="utf-8", errors="ignore"))
            strict = path.suffix != ".py" or path.parts[-3:-1] != ("tests", "unit")  # tests show paths that are refused
            found += [f"{path.relative_to(ROOT)}: {m.group()!r}" for m in MACHINE.finditer(text) if strict]
            found += [f"{path.relative_to(ROOT)}: {m.group()!r}" for m in UNFINISHED.finditer(text)]
    assert not found, "\n".join(found)


def test_git_ignores_nothing_that_the_project_needs() -> None:
    """A folder of the package that is called `build`, say, must not fall under a rule meant for a tool's output."""
    command = ["git", "-C", str(ROOT), "ls-files", "--others", "--ignored", "--exclude-standard"]
    listed = subprocess.run([*command, "mmlab", "tests", "notebooks", "data"], capture_output=True, text=True)
    left_behind = re.compile(r"__pycache__/|\.ipynb_checkpoints/|\.DS_Store$|\.part$")
    assert not [name for name in listed.stdout.splitlines() if not left_behind.search(name)]


def test_what_is_tracked_stays_small() -> None:
    sizes = {path: path.stat().st_size for path in project_files()}
    assert sum(sizes.values()) <= 60 * 2**20
    assert sum(size for path, size in sizes.items() if (ROOT / "data/checkpoints") in path.parents) <= 18 * 10**6
