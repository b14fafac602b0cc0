"""A run that was killed goes on: no grade is lost, none is made twice; two runs do not meet in one folder."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmlab.grading.runner.journal import NAME, Journal
from mmlab.paths import ROOT
from mmlab.types import InputError
from tests.grading.toy import RIGHT, handed_in

SCRIPT = """
import sys
from pathlib import Path
from mmlab.grading.runner import Options, grade
from tests.grading.toy import TOYS, reference
folder = Path(sys.argv[1])
grade(sorted(folder.glob("*.ipynb")), folder / "out", options=Options(workers=1), exercises=TOYS, source_of=reference,
      say=lambda line: print(line, flush=True))
"""
SLOW = {**RIGHT, "99.1": "import time\ntime.sleep(0.4)\n" + RIGHT["99.1"]}


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "out" / NAME).read_text(encoding="utf-8").splitlines()]


def test_a_killed_run_goes_on_with_the_same_secret(tmp_path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.ipynb").write_bytes(handed_in(SLOW))
    run = start(tmp_path)
    for _ in range(2):
        run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.wait()
    before = lines(tmp_path)
    assert 3 <= len(before) < 6 and "finished" not in before[-1]
    with open(tmp_path / "out" / NAME, "ab") as journal:
        journal.write(b'{"name": "4", "sha')  # what a kill in the middle of a line leaves
    done, _ = start(tmp_path).communicate()
    after = lines(tmp_path)
    assert after[: len(before)] == before, "a grade was lost or made again"
    names = [line["name"] for line in after[1:-1]]
    assert sorted(names) == ["0", "1", "2", "3", "4"] and after[-1] == {"finished": True}
    assert f"{len(before) - 1} of 5 are graded" in done


def test_a_killed_grader_takes_its_children_along(tmp_path) -> None:
    (tmp_path / "a.ipynb").write_bytes(handed_in({**RIGHT, "99.1": "import time\ntime.sleep(1000)"}))
    run = start(tmp_path)
    helpers: list[int] = []
    until = time.monotonic() + 60
    while len(helpers) < 2 and time.monotonic() < until:
        time.sleep(0.1)
        helpers = below(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert len(helpers) >= 2
    while any(Path(f"/proc/{pid}").exists() for pid in helpers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in helpers if Path(f"/proc/{pid}").exists()]


def below(pid: int) -> list[int]:
    """The processes under one, as far as /proc tells."""
    try:
        own = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return own + [other for child in own for other in below(child)]


def test_a_changed_submission_is_graded_again_after_a_kill(tmp_path) -> None:
    journal = Journal(tmp_path, key="k", secret="s", total=2)
    journal.add({"name": "a", "sha256": "old"})
    assert journal.done("a", "old") and not journal.done("a", "new") and not journal.done("b", "old")
    journal.close()


def test_a_finished_run_begins_anew(tmp_path) -> None:
    journal = Journal(tmp_path, key="k", secret="first", total=1)
    journal.add({"name": "a", "sha256": "x"})
    journal.finish()
    journal.close()
    again = Journal(tmp_path, key="other", secret="second", total=1)
    assert not again.resumed and not again.rows and again.secret == "second"
    again.close()


def test_another_unfinished_run_is_not_overwritten(tmp_path) -> None:
    Journal(tmp_path, key="k", secret="s", total=1).close()
    with pytest.raises(InputError, match=f"delete {NAME}"):
        Journal(tmp_path, key="other", secret="s", total=1)


def test_reports_that_should_go_into_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine", "utf-8")
    for folder in (tmp_path / "notes", tmp_path / "notes" / "reports"):
        with pytest.raises(InputError, match=r"go into a folder, and .*notes"):
            Journal(folder, key="k", secret="s", total=1)
    assert (tmp_path / "notes").read_text("utf-8") == "mine"


def test_two_graders_do_not_share_a_folder(tmp_path) -> None:
    journal = Journal(tmp_path, key="k", secret="s", total=1)
    with pytest.raises(InputError, match="Another `mmlab grade`"):
        Journal(tmp_path, key="k", secret="s", total=1)
    journal.close()


def test_only_its_owner_reads_the_secret(tmp_path) -> None:
    journal = Journal(tmp_path, key="k", secret="s", total=1)
    assert journal.path.stat().st_mode & 0o077 == 0
    journal.close()
