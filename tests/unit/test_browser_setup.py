"""The set-up of the browser tests: it finds a browser that starts, tries to get one, and says so where it cannot."""

import os
from pathlib import Path

import pytest

from mmlab.bench import chromium
from mmlab.paths import ROOT


def program(path: Path, *, status: int) -> Path:
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but a folder on the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "NAMES", ("chromium-of-this-test",))
    monkeypatch.setattr(chromium, "MAC", ())
    monkeypatch.setattr(chromium, "own", lambda: str(tmp_path / "own"))
    return tmp_path


def test_one_on_the_path_is_taken_and_one_that_does_not_start_is_not(bare: Path) -> None:
    assert chromium.find() is None
    program(bare / "own", status=0)
    program(bare / "chromium-of-this-test", status=127)
    assert chromium.find() == str(bare / "own")
    program(bare / "chromium-of-this-test", status=0)
    assert chromium.find() == str(bare / "chromium-of-this-test")


def test_a_path_that_was_said_is_the_only_one(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "own", status=0)
    monkeypatch.setenv("CHROMIUM", str(bare / "nowhere"))
    assert chromium.find() is None


def test_a_missing_browser_is_a_sentence_and_a_failure(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[list[str]] = []
    monkeypatch.setattr(chromium, "run", lambda command: tried.append(command))
    assert chromium.main() == 1
    said = capsys.readouterr()
    assert "none was found. Install one" in said.err and "playwright install chromium" in said.out
    assert tried[0][1:] == ["-m", "playwright", "install", "chromium"]


def test_one_that_was_installed_is_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "run", lambda command: program(bare / "own", status=0))
    assert chromium.main() == 0


def test_make_test_looks_for_a_browser() -> None:
    assert "-m mmlab.bench.chromium" in (ROOT / "Makefile").read_text("utf-8")
