"""Files that ship inside the package: the house font for Chinese, with its licence."""

from pathlib import Path

FONT = Path(__file__).with_name("mmlab-sans-sc.otf")
