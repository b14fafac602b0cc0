"""Where the course lies on this machine: beside `mmlab/` in a clone, inside the package where a teacher handed it out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HANDED_OUT = Path(__file__).resolve().parent / "_course"  # a hand-out's wheel brings lessons and data along
_HOME = HANDED_OUT if HANDED_OUT.is_dir() else ROOT
NOTEBOOKS = _HOME / "notebooks"
DATA = _HOME / "data"
