"""The exercises of the course, one small file each, in the order of the lessons."""

from importlib import import_module
from pathlib import Path

from mmlab.grading.exercise import Exercise

_FILES = sorted(path.stem for path in Path(__file__).parent.glob("e[0-9]*.py"))
EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise for exercise in (import_module(f"{__name__}.{name}").EXERCISE for name in _FILES)
}
