"""Whether a value is right, and if not, what kind of mistake it shows; sentences name shapes and kinds, never answers."""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmlab.grading.mistakes import mistake
from mmlab.grading.values import Call, Failure, Outcome, Tensor, Value, kind_of

DEEPEST = 10  # lists within lists
LARGEST_BITS = 1000  # of a whole number; beyond, it is no float any more
UNCALLABLE = re.compile(  # the parameters do not fit; an error that arose within the solution ends with its line
    r"TypeError: \S+\(\) (got an unexpected keyword|got some positional-only|missing \d+ required)"
    r"(?!.*\(line \d+ of (your|the) cell\)$)"
)


class Compare(ABC):
    """How the result of a call is judged; one of these stands in each check."""

    def fault(self, call: Call, *, expected: Value, outcome: Outcome, kind: str = "value") -> Failure | None:
        """What is wrong with an outcome, or None; `kind` is what wrong values point to."""
        if failure := _no_value(outcome):
            return failure
        if strange := _strange(outcome.value):
            return Failure("type", f"The result holds {strange}.")
        return self.differs(call, expected=expected, got=outcome.value, kind=kind)

    @abstractmethod
    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        """What is wrong with a value that came, or None."""

    def stored(self, expected: Value) -> Value:
        """The form in which the expected value lies in a file that learners have."""
        return expected


@dataclass(frozen=True)
class Close(Compare):
    """The same structure, shapes and kinds of numbers, and numbers within atol + rtol * |expected|."""

    rtol: float = 1e-6
    atol: float = 1e-9

    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        return _compare(expected, got, "the result", rtol=self.rtol, atol=self.atol, kind=kind)

    def stored(self, expected: Value) -> Value:
        return _in_short(expected) if self.rtol else expected


@dataclass(frozen=True)
class Judged(Compare):
    """Many results are right: a rule on (arguments, result) finds no fault.

    With `like`, the rule sees only results that have the structure of the reference's; without, any plain value.
    """

    rule: Callable[[dict[str, Value], Value], Failure | None]
    like: bool = True

    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        structure = _compare(expected, got, "the result", rtol=None, atol=None, kind=kind) if self.like else None
        return structure or self.rule(call.args, got)

    def stored(self, expected: Value) -> Value:
        return expected if self.like else None  # one right answer would give the others away


@dataclass(frozen=True)
class Seal:
    """A hash that stands for an answer in a file that learners can read."""

    digest: str


@dataclass(frozen=True)
class Sealed(Compare):
    """One part of an answer, kept as a hash: a word, a whole number, a list of these, or a number to within `step`.

    `part` is the key of the answer's dict. With `step`, numbers within one step of the reference's pass.
    """

    part: str
    step: float | None = None

    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        if not isinstance(got, dict):
            return Failure("type", f"Expected a dict of answers, got {kind_of(got)}.")
        if self.part not in got:
            return Failure("missing", f"The answer has no part {self.part!r}; its parts are {_words(list(got))}.")
        value = got[self.part]
        if value is None or value == "":
            return Failure("missing", f"The part {self.part!r} is still empty.")
        if self.step is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            return Failure("type", f"The part {self.part!r} is a number, got {kind_of(value)}.")
        if self.step is not None and not np.isfinite(value / self.step):
            return Failure("value", f"The part {self.part!r} is not a finite number.")
        seal = expected if isinstance(expected, Seal) else self.stored(expected)
        near = [0] if self.step is None else [0, -1, 1]
        if any(self._digest(value, shift) == seal.digest for shift in near):
            return None
        return Failure(kind, f"The part {self.part!r} is not right.")

    def stored(self, expected: Value) -> Value:
        return Seal(self._digest(expected[self.part], 0))

    def _digest(self, value: Value, shift: int) -> str:
        if self.step is not None:
            value = round(value / self.step) + shift
        text = json.dumps(_canonical(value), ensure_ascii=False)
        return hashlib.sha256(f"mmlab {self.part} {text}".encode(errors="backslashreplace")).hexdigest()[:24]


def _canonical(value: Value) -> Value:
    """Words without case and outer blanks, tuples as lists, whole floats as whole numbers: writing is not graded."""
    if isinstance(value, str):
        return " ".join(value.lower().split())
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, bool | int | float) else kind_of(value)


def _no_value(outcome: Outcome) -> Failure | None:
    if outcome.missing:
        return Failure("missing", "Nothing has been written here yet.")
    if outcome.slow:
        return Failure("slow", "The call was stopped at its time limit.")
    if outcome.error:
        kind = "names" if UNCALLABLE.match(outcome.error) else "error"
        return Failure(kind, f"The call ended with {outcome.error}")
    if outcome.unfit:
        return Failure(
            "type", f"The result is {outcome.unfit}; return numbers, strings, arrays, or lists and dicts of them."
        )
    if outcome.changed:
        what = "argument" if len(outcome.changed) == 1 else "arguments"
        return Failure("in_place", f"The call changed its {what} {_words(list(outcome.changed))} in place.")
    return None


def _strange(value: Value, depth: int = 0) -> str:
    """What no comparison could work with, in words; nothing for a value that is fit."""
    if depth > DEEPEST:
        return "lists within lists without end"
    if isinstance(value, int) and abs(value).bit_length() > LARGEST_BITS:
        return "a whole number with hundreds of digits"
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        return "a dict whose keys are not all strings"
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for each in inner if (found := _strange(each, depth + 1))), "")


def _words(names: list) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _in_short(value: Value) -> Value:
    """With twelve digits of each number of an array: six more than a comparison asks for, and a fifth less to store."""
    if isinstance(value, Tensor):
        return Tensor(_in_short(value.array))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        digits = [float(f"{number:.12g}") for number in value.ravel().tolist()]
        return np.array(digits, dtype=value.dtype).reshape(value.shape)
    if isinstance(value, list | tuple):
        return type(value)(_in_short(each) for each in value)
    return {key: _in_short(each) for key, each in value.items()} if isinstance(value, dict) else value


def _compare(
    expected: Value, got: Value, where: str, *, rtol: float | None, atol: float | None, kind: str
) -> Failure | None:
    """Structure first, from the outside in; without tolerances numbers are only asked to be finite."""
    rules = {"rtol": rtol, "atol": atol, "kind": kind}
    if got is None and expected is not None:
        return Failure(
            "missing", f"Expected {where} to be {kind_of(expected)}, got None: is a `return` or a part missing?"
        )
    if isinstance(expected, np.ndarray | Tensor) and _array(expected).shape == ():
        expected = _array(expected).item()  # a number may come with or without the array around it
    if isinstance(expected, np.ndarray | Tensor):
        if not isinstance(got, type(expected)):
            return Failure("type", f"Expected {where} to be {kind_of(expected)}, got {kind_of(got)}.")
        return mistake(_array(expected), _array(got), where, **rules)
    if isinstance(expected, dict):
        return _compare_dicts(expected, got, where, **rules)
    if isinstance(expected, list | tuple):
        return _compare_lists(list(expected), got, where, **rules)
    if isinstance(got, np.ndarray | Tensor) and _array(got).shape == ():
        got = _array(got).item()  # a number that still sits in an array
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        if type(got) is not type(expected):
            return Failure("type", f"Expected {where} to be {kind_of(expected)}, got {kind_of(got)}.")
        return None if got == expected or rtol is None else Failure(kind, f"Not the right value for {where}.")
    if isinstance(got, bool) or not isinstance(got, int | float):
        return Failure("type", f"Expected {where} to be {kind_of(expected)}, got {kind_of(got)}.")
    return mistake(np.asarray(float(expected)), np.asarray(float(got)), where, **rules)


def _array(value: np.ndarray | Tensor) -> np.ndarray:
    return value.array if isinstance(value, Tensor) else value


def _compare_dicts(expected: dict, got: Value, where: str, **rules: Value) -> Failure | None:
    if not isinstance(got, dict):
        return Failure("type", f"Expected {where} to be {kind_of(expected)}, got {kind_of(got)}.")
    if expected.keys() != got.keys():
        lacking, extra = list(expected.keys() - got.keys()), list(got.keys() - expected.keys())
        sentence = f"The keys of {where}: missing {_words(sorted(lacking))}, not expected {_words(sorted(extra))}."
        return Failure("type", sentence)
    found = (_compare(expected[key], got[key], f"{where}[{key!r}]", **rules) for key in expected)
    return next((failure for failure in found if failure), None)


def _compare_lists(expected: list, got: Value, where: str, **rules: Value) -> Failure | None:
    if isinstance(got, np.ndarray | Tensor):
        got = _array(got).tolist()
    if not isinstance(got, list | tuple):
        return Failure("type", f"Expected {where} to be {kind_of(expected)}, got {kind_of(got)}.")
    if len(expected) != len(got):
        return Failure("shape", f"Expected {where} to have {len(expected)} elements, got {len(got)}.")
    if expected and all(_number(value) for value in (*expected, *got)):
        return mistake(np.asarray(expected, float), np.asarray(got, float), where, **rules)
    found = (_compare(e, g, f"{where}[{i}]", **rules) for i, (e, g) in enumerate(zip(expected, got, strict=True)))
    return next((failure for failure in found if failure), None)


def _number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
