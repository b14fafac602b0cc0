"""The expected values of the self-check: one small file per exercise, made by `python -m mmlab.grading.expected`.

They hold results, not solutions; answers that a glance would give away lie there as hashes.
"""

import json
from pathlib import Path

import numpy as np

from mmlab.grading.compare import Seal
from mmlab.grading.cross import attempt
from mmlab.grading.exercise import Check, Exercise, inputs
from mmlab.grading.values import Tensor, Value

FOLDER = Path(__file__).parent


def load(exercise: Exercise) -> dict[str, list[Value]]:
    """Of each visible check, the expected value of each call.

    Raises:  FileNotFoundError where the file was never made
    """
    text = (FOLDER / f"{exercise.id}.json").read_text(encoding="utf-8")
    return {name: [_decode(value) for value in values] for name, values in json.loads(text).items()}


def written(exercise: Exercise, entry: object) -> str:
    """The text of an exercise's file, made with the reference's entry."""
    found = {check.name: expected_values(exercise, check, entry) for check in exercise.visible}
    rows = [
        f'  "{name}": [\n'
        + ",\n".join(f"    {json.dumps(_encode(value), ensure_ascii=False)}" for value in values)
        + "\n  ]"
        for name, values in found.items()
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def expected_values(exercise: Exercise, check: Check, entry: object) -> list[Value]:
    """What the reference's entry gives for the calls of one check, in the form in which it may be stored.

    Raises:  RuntimeError where the reference fails
    """
    values = []
    for call in inputs(exercise, check):
        outcome = attempt(entry, call, kind=exercise.kind)
        if outcome != type(outcome)(outcome.value):
            raise RuntimeError(f"The reference of {exercise.id} fails in check {check.name!r}: {outcome}.")
        values.append(check.compare.stored(outcome.value))
    return values


def _encode(value: Value) -> Value:
    if isinstance(value, Seal):
        return {"$": "seal", "digest": value.digest}
    if isinstance(value, Tensor | np.ndarray):
        array = value.array if isinstance(value, Tensor) else value
        what = "tensor" if isinstance(value, Tensor) else "array"
        return {"$": what, "dtype": str(array.dtype), "shape": list(array.shape), "data": array.ravel().tolist()}
    if isinstance(value, list | tuple):
        return [_encode(each) for each in value]
    return {key: _encode(each) for key, each in value.items()} if isinstance(value, dict) else value


def _decode(value: Value) -> Value:
    if isinstance(value, list):
        return [_decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") == "seal":
        return Seal(value["digest"])
    if "$" in value:
        array = np.asarray(value["data"], dtype=value["dtype"]).reshape(value["shape"])
        return Tensor(array) if value["$"] == "tensor" else array
    return {key: _decode(each) for key, each in value.items()}
