"""`mmlab doctor` sees what is missing and says how to get it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmlab.apps import doctor
from mmlab.apps.doctor import MISSING, OK, SLOW, Finding
from mmlab.cli import app
from mmlab.models import checkpoint

RUN = CliRunner()


def test_every_part_of_the_machine_is_looked_at_once() -> None:
    names = Counter(finding.name for finding in doctor.examine())
    assert {"Python", "packages", "processor", "memory", "bf16", "GPU", "Chromium", "data", "lessons"} <= names.keys()
    assert max(names.values()) == 1


def test_whatever_is_not_ok_comes_with_advice(tmp_path: Path) -> None:
    findings = doctor.examine(data=tmp_path / "data", notebooks=tmp_path / "notebooks")
    states = {finding.name: finding.state for finding in findings}
    assert states["data"] == states["models"] == states["lessons"] == MISSING
    assert all(finding.advice.endswith(".") for finding in findings if finding.state != OK)


def test_a_dataset_with_a_changed_byte_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "things.parquet").write_bytes(b"data")
    right = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"  # sha256 of b"data"
    (tmp_path / "SHA256SUMS").write_text(f"{right}  things.parquet\n")
    assert doctor.dataset(tmp_path).state == OK
    (tmp_path / "things.parquet").write_bytes(b"date")
    assert doctor.dataset(tmp_path).state == MISSING


def test_a_checkpoint_with_a_changed_byte_is_not_whole(tmp_path: Path) -> None:
    folder = tmp_path / "joint"
    folder.mkdir()
    weights = folder / checkpoint.WEIGHTS
    weights.write_bytes(b"weights")
    (folder / checkpoint.CONFIG).write_text(json.dumps({"weights_sha256": checkpoint.sha256(weights)}))
    (folder / "words.json").write_text("{}")
    checkpoint.seal(folder, "words.json")
    assert [finding.state for finding in doctor.checkpoints(tmp_path)] == [OK]
    (folder / "words.json").write_text("[]")
    [finding] = doctor.checkpoints(tmp_path)
    assert (finding.state, finding.detail) == (MISSING, "its words.json is not what shipped")
    (folder / "words.json").unlink()
    [finding] = doctor.checkpoints(tmp_path)
    assert (finding.state, finding.detail) == (MISSING, "its words.json is missing")
    (folder / "words.json").write_text("{}")
    weights.write_bytes(b"weighty")
    [finding] = doctor.checkpoints(tmp_path)
    assert finding.state == MISSING and "joint" in finding.advice
    weights.unlink()
    assert [finding.state for finding in doctor.checkpoints(tmp_path)] == [MISSING]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[]", b"{}"])
def test_a_damaged_config_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "joint").mkdir()
    (tmp_path / "joint" / checkpoint.CONFIG).write_bytes(content)
    [finding] = doctor.checkpoints(tmp_path)
    assert (finding.state, finding.detail) == (MISSING, "its config.json is damaged") and "joint" in finding.advice


@pytest.mark.parametrize(
    ("capabilities", "state"),
    [({"amx_bf16": True}, OK), ({"avx512_bf16": True}, OK), ({"avx512_bf16": False}, SLOW), ({}, SLOW)],
)
def test_bf16_depends_on_the_processor(
    capabilities: dict[str, bool], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities)
    assert doctor.number_format().state == state


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=2.0,<3", "no-such-package-here>=1", 'pytest>=9; extra == "test"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
    finding = doctor.packages()
    assert finding.state == MISSING and finding.detail == "not installed: no-such-package-here"


def test_the_command_fails_when_something_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("data", MISSING, "gone", "Get it.")])
    done = RUN.invoke(app, ["doctor"])
    assert done.exit_code == 1 and "Missing: data." in done.output and "Get it." in done.output
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("data", OK, "there")])
    done = RUN.invoke(app, ["doctor"])
    assert done.exit_code == 0 and "Everything that the course needs is here." in done.output
