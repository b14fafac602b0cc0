"""Where the course lies on this machine: the folder that holds `mmlab/`, `notebooks/` and `data/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / "data"
