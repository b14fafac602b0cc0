"""The learner's copy: new lessons arrive, untouched ones are updated, and what was written is never overwritten."""

import json
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from mmlab.apps.lab import MANIFEST, Change, first_lesson, jupyter_command, update
from mmlab.cli import app
from mmlab.paths import ROOT
from mmlab.types import InputError

RUN = CliRunner()


def notebook(*sources: str, output: str | None = None, tags: tuple[str, ...] = ()) -> str:
    outputs = [] if output is None else [{"output_type": "stream", "name": "stdout", "text": output}]
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "execution_count": 1, "outputs": outputs}
    cells = [{**cell, "source": source.splitlines(keepends=True)} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A course of two lessons and a picture."""
    folder = tmp_path / "notebooks"
    (folder / "pictures").mkdir(parents=True)
    (folder / "00_start.ipynb").write_text(notebook("a = 1", output="one"))
    (folder / "01_next.ipynb").write_text(notebook("b = 1"))
    (folder / "pictures" / "map.png").write_bytes(b"PNG")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "00_start.ipynb").write_text("hidden")
    return folder


@pytest.fixture
def copy(tmp_path: Path, source: Path) -> Path:
    folder = tmp_path / "work"
    update(folder, source=source)
    return folder


def what(changes: list[Change]) -> dict[str, str]:
    return {change.name: change.what for change in changes if change.what != "same"}


def test_everything_arrives_at_first_and_nothing_changes_after(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "new" / "work"
    everything = {"00_start.ipynb": "added", "01_next.ipynb": "added", "pictures/map.png": "added"}
    assert what(update(target, source=source)) == everything
    assert (target / "pictures" / "map.png").read_bytes() == b"PNG"
    assert not (target / ".ipynb_checkpoints").exists()
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert what(update(target, source=source)) == {}
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


def test_new_lessons_arrive_and_untouched_ones_are_updated(copy: Path, source: Path) -> None:
    (source / "02_new.ipynb").write_text(notebook("c = 1"))
    (source / "01_next.ipynb").write_text(notebook("b = 2"))
    assert what(update(copy, source=source)) == {"01_next.ipynb": "updated", "02_new.ipynb": "added"}
    assert (copy / "01_next.ipynb").read_text() == notebook("b = 2")


def test_what_the_learner_wrote_stays(copy: Path, source: Path) -> None:
    mine = notebook("a = 1", "my = 'answer'")
    (copy / "00_start.ipynb").write_text(mine)
    assert what(update(copy, source=source)) == {"00_start.ipynb": "kept"}
    assert (copy / "00_start.ipynb").read_text() == mine


def test_a_conflict_keeps_both_and_is_reported_once(copy: Path, source: Path) -> None:
    mine, newer = notebook("a = 'mine'"), notebook("a = 'newer'")
    (copy / "00_start.ipynb").write_text(mine)
    (source / "00_start.ipynb").write_text(newer)
    [change, *_] = update(copy, source=source)
    assert change == Change("00_start.ipynb", "conflict", "00_start.new.ipynb")
    assert (copy / "00_start.ipynb").read_text() == mine
    assert (copy / "00_start.new.ipynb").read_text() == newer
    assert what(update(copy, source=source)) == {"00_start.ipynb": "kept"}


def test_a_second_conflict_overwrites_neither_of_the_learners_files(copy: Path, source: Path) -> None:
    mine, second, third = notebook("mine"), notebook("second"), notebook("third")
    (copy / "00_start.ipynb").write_text(mine)
    (source / "00_start.ipynb").write_text(second)
    update(copy, source=source)
    (copy / "00_start.new.ipynb").write_text(notebook("second", "and mine"))
    (source / "00_start.ipynb").write_text(third)
    [change, *_] = update(copy, source=source)
    assert change.beside == "00_start.new.new.ipynb"
    assert (copy / "00_start.ipynb").read_text() == mine
    assert (copy / "00_start.new.ipynb").read_text() == notebook("second", "and mine")
    assert (copy / change.beside).read_text() == third


def test_running_a_lesson_does_not_make_it_the_learners(copy: Path, source: Path) -> None:
    (copy / "00_start.ipynb").write_text(notebook("a = 1", output="two"))
    assert what(update(copy, source=source)) == {}
    assert (copy / "00_start.ipynb").read_text() == notebook("a = 1", output="two")
    (source / "00_start.ipynb").write_text(notebook("a = 2"))
    assert what(update(copy, source=source)) == {"00_start.ipynb": "updated"}


def test_new_outputs_reach_a_copy_that_was_not_touched(copy: Path, source: Path) -> None:
    (source / "00_start.ipynb").write_text(notebook("a = 1", output="better"))
    assert what(update(copy, source=source)) == {"00_start.ipynb": "updated"}


def test_a_lesson_that_the_learner_removed_comes_back(copy: Path, source: Path) -> None:
    (copy / "00_start.ipynb").unlink()
    assert what(update(copy, source=source)) == {"00_start.ipynb": "added"}


def test_a_file_that_was_there_before_is_the_learners(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "00_start.ipynb").write_text("my own notes, no notebook at all")
    assert what(update(target, source=source))["00_start.ipynb"] == "conflict"
    assert (target / "00_start.ipynb").read_text() == "my own notes, no notebook at all"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"shipped": 3}', '{"shipped": {"00_start.ipynb": "old"}}'])
def test_without_a_readable_manifest_nothing_is_lost(copy: Path, source: Path, content: str) -> None:
    (copy / MANIFEST).write_text(content)
    (copy / "00_start.ipynb").write_text(notebook("mine"))
    assert what(update(copy, source=source)) == {"00_start.ipynb": "conflict"}
    assert (copy / "00_start.ipynb").read_text() == notebook("mine")


def test_a_copy_cut_off_before_its_manifest_goes_on(copy: Path, source: Path) -> None:
    (copy / MANIFEST).unlink()
    assert what(update(copy, source=source)) == {}
    (source / "01_next.ipynb").write_text(notebook("b = 3"))
    assert what(update(copy, source=source)) == {"01_next.ipynb": "updated"}


def test_impossible_folders_get_a_sentence(tmp_path: Path, source: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="is a file; name a folder"):
        update(file, source=source)
    with pytest.raises(InputError, match="choose another folder"):
        update(source, source=source)
    with pytest.raises(InputError, match="choose another folder"):
        update(source / "mine", source=source)
    with pytest.raises(InputError, match="no such folder exists"):
        update(tmp_path / "work", source=tmp_path / "nowhere")


def test_the_lab_opens_at_the_first_lesson(copy: Path, tmp_path: Path) -> None:
    assert first_lesson(copy) == "00_start.ipynb"
    command = jupyter_command(copy, browser=False, port=8899)
    assert "--LabApp.default_url=/lab/tree/00_start.ipynb" in command
    assert {"--no-browser", "--ServerApp.port=8899"} <= set(command)
    assert "--no-browser" not in jupyter_command(copy)
    assert [part.rpartition("=")[2] for part in command if "LabApp.news" in part or "updates" in part] == [
        "None", "jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no notebook to open"):
        first_lesson(tmp_path / "empty")


def test_the_command_says_what_it_did(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmlab.apps.lab.update", partial(update, source=source))
    target = tmp_path / "work"
    done = RUN.invoke(app, ["lab", str(target), "--no-start"])
    assert done.exit_code == 0 and "3 added" in done.output
    (target / "00_start.ipynb").write_text(notebook("mine"))
    (source / "00_start.ipynb").write_text(notebook("newer"))
    done = RUN.invoke(app, ["lab", str(target), "--no-start"])
    assert "00_start.ipynb has a newer version, and you wrote in yours: the newer is 00_start.new.ipynb" in done.output
    done = RUN.invoke(app, ["lab", str(source), "--no-start"])
    assert done.exit_code == 2 and "choose another folder" in done.output


def test_jupyterlab_really_opens_in_the_copy(tmp_path: Path) -> None:
    """`mmlab lab DIR` as a person types it: the copy is there, and the server answers on its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mmlab.cli", "lab", str(tmp_path / "work"), "--no-browser", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as server:
        try:
            answer = _ask(f"http://127.0.0.1:{port}/api", server, seconds=60)
        finally:
            server.terminate()
    assert "version" in answer, log.read_text()
    assert (tmp_path / "work" / "00_start_here.ipynb").is_file()
    assert "/lab/tree/00_start_here.ipynb" in log.read_text()


def _ask(url: str, server: subprocess.Popen, *, seconds: float) -> dict:
    """The server's first answer, waited for as long as the server lives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(url, timeout=5) as reply:
                return json.load(reply)
        except (URLError, OSError):
            time.sleep(0.3)
    return {}
