"""What crosses between a solution and its grader: plain values, what came of a call, and what is wrong with it.

Nothing here imports torch: a tensor crosses as `Tensor(array)`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# None, bool, int, float, str, a NumPy array, a Tensor, and lists, tuples and dicts of these.
Value = Any

MENTIONED = 4  # keys of a dict that are named when it is described

KINDS = (
    "missing",  # nothing was written yet, or the name is not defined
    "names",  # the function does not take the parameters that the stub has
    "error",  # the call raised
    "slow",  # the call ran past its limit
    "in_place",  # the call changed what it was given
    "type",  # an array where a number was asked for, a list of another length, a key too few
    "shape",
    "dtype",
    "axis",  # right numbers in another order of axes, or along another axis
    "sign",
    "scale",  # right up to one factor
    "case",  # wrong only in a special case
    "value",  # anything else
)


@dataclass(frozen=True)
class Tensor:
    """An array that is a torch tensor on the solution's side."""

    array: np.ndarray


@dataclass(frozen=True)
class Call:
    """One call of a solution, by keyword; for an answer or a prediction, no arguments: the variable itself is read."""

    args: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of one call: a value, or why there is none.

    `missing`: the name is not defined, or the stub still stands (NotImplementedError, or `...` as an answer).
    `error`: one line, "TypeError: ...". `slow`: stopped at the limit. `changed`: arguments that the call changed in place.
    `unfit`: what the value was, where it is nothing that can cross ("a function", "an array of objects").
    """

    value: Value = None
    missing: bool = False
    error: str = ""
    slow: bool = False
    changed: tuple[str, ...] = ()
    unfit: str = ""


@dataclass(frozen=True)
class Failure:
    """Why a check does not pass: its kind (one of KINDS) and a sentence with shapes and kinds, never the values asked for."""

    kind: str
    sentence: str


def kind_of(value: Value) -> str:
    """A value in words, without what it holds: "a float64 array of shape (2, 3)"."""
    if isinstance(value, Tensor):
        return f"a {value.array.dtype} tensor of shape {value.array.shape}"
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} array of shape {value.shape}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of length {len(value)}"
    if isinstance(value, dict):
        parts = ", ".join(f"{key}: {kind_of(value[key])}" for key in list(value)[:MENTIONED])
        return f"a dict ({parts}{', ...' if len(value) > MENTIONED else ''})"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "a string", type(None): "None"}
    return names.get(type(value), f"an object of type {type(value).__name__}")
