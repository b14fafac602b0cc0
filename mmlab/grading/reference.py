"""The reference solutions, for graders and for making expected values; a learner's package comes without them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES


def module_name(id: str) -> str:
    """The file name that belongs to an exercise: "04_1.2" -> "e04_1_2"."""
    return "e" + id.replace(".", "_")


def reference_source(id: str) -> str:
    """The source of a reference solution; it defines the exercise's entry.

    Raises:  FileNotFoundError, one sentence, where the package was handed out without references
    """
    found = find_spec("mmlab.grading.references")
    folder = Path(found.origin).parent if found is not None and found.origin else None
    if folder is None or not (folder / f"{module_name(id)}.py").is_file():
        raise FileNotFoundError(
            f"The reference solution of {id} is not part of this copy of mmlab: it was handed out without references. "
            "Grade with the teacher's copy."
        )
    return (folder / f"{module_name(id)}.py").read_text(encoding="utf-8")


def build(exercise: Exercise, source: str) -> Any:
    """Runs a solution's source in a namespace of its own and gives its entry; Ellipsis where it defines none.

    What the exercise needs is there before: the reference's, of each exercise in `needs`.
    """
    space: dict[str, Any] = {"__name__": exercise.id}
    for need in exercise.needs:
        space[EXERCISES[need].entry] = build(EXERCISES[need], reference_source(need))
    exec(compile(source, f"<{exercise.id}>", "exec"), space)
    return space.get(exercise.entry, Ellipsis)
