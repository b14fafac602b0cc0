"""The package as pip installs it without a clone: everything that the code opens is inside."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mmlab.paths import ROOT


@pytest.mark.audit
def test_the_wheel_carries_code_font_and_licences(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "mmlab", copy / "mmlab", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(copy)]
    subprocess.run(command, cwd=tmp_path, check=True)
    [wheel] = tmp_path.glob("mmlab-*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    every = {path.relative_to(ROOT).as_posix() for path in (ROOT / "mmlab").rglob("*.*") if path.is_file()}
    assert {name for name in every if "__pycache__" not in name} <= inside
    assert {"mmlab/assets/mmlab-sans-sc.otf", "mmlab/apps/demo.html", "mmlab/bench/probe.js"} <= inside
    assert any(name.endswith("licenses/LICENSE") for name in inside)
