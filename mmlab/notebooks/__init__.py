"""Keeps the committed lessons executed, small, and the same on every machine (`python -m mmlab.notebooks`)."""

from mmlab.notebooks.code import lesson_code, package_code, same_code
from mmlab.notebooks.normal import normalise, problems, stored_problems, written
from mmlab.notebooks.origin import made_from, stale
from mmlab.notebooks.run import execute, lessons, refresh

__all__ = [
    "execute",
    "lesson_code",
    "lessons",
    "made_from",
    "normalise",
    "package_code",
    "problems",
    "refresh",
    "same_code",
    "stale",
    "stored_problems",
    "written",
]
