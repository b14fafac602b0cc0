"""Remaking `data/emoji` from the drawings, names and voices it is made of: `build` is what `mmlab data build` runs."""

from mmlab.datasets.build.build import build

__all__ = ["build"]
