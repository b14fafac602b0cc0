"""Values on the solution's side: tensors made of what crosses, and results turned back into what may cross."""

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from mmlab.grading.compare import Close
from mmlab.grading.values import Call, Outcome, Tensor, Value, kind_of

DEEPEST = 8  # lists within lists
SIMPLE = frozenset({type(None), bool, int, float, str})  # cross as they are; a list of thousands needs no call for each


class UnfitError(ValueError):
    """A result that is no number, string, array, or list or dict of these; the message says what it is."""


def live(value: Value) -> Any:
    """A fresh copy of a value as a solution sees it."""
    if isinstance(value, Tensor):
        import torch

        return torch.from_numpy(value.array.copy())
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple):
        return type(value)(each if type(each) in SIMPLE else live(each) for each in value)
    return {key: live(each) for key, each in value.items()} if isinstance(value, dict) else value


def plain(value: Any, depth: int = 0) -> Value:
    """A result as a plain value.

    Raises:  UnfitError for anything that cannot cross
    """
    if value is Ellipsis:
        return None  # a blank that still stands in an answer
    if type(value) in SIMPLE:
        return value
    if isinstance(value, np.generic):
        return plain(value.item(), depth)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.dtype == torch.bfloat16:
            value = value.float()  # NumPy has no bfloat16
        return Tensor(plain(value.detach().cpu().resolve_conj().resolve_neg().numpy()))
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            raise UnfitError(f"a NumPy array of {value.dtype}")
        return np.array(value, subok=False)
    if depth >= DEEPEST:
        raise UnfitError("a list of lists of lists, too deep to read")
    if isinstance(value, list | tuple):
        plained = [each if type(each) in SIMPLE else plain(each, depth + 1) for each in value]
        return tuple(plained) if isinstance(value, tuple) else plained
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise UnfitError("a dict whose keys are not all strings")
        return {key: plain(each, depth + 1) for key, each in value.items()}
    raise UnfitError(kind_of(value))


def attempt(entry: Any, call: Call, *, kind: str = "function", seconds: float = float("inf")) -> Outcome:
    """Calls a solution here, in this process, with copies of the arguments; for an answer, reads the value itself."""
    if entry is Ellipsis or entry is None:
        return Outcome(missing=True)
    if kind != "function":
        return _outcome(entry)
    if not callable(entry):
        return Outcome(
            error=f"TypeError: a function is asked for, got {kind_of(entry)}; give its name without brackets."
        )
    return _call(entry, call, seconds)


def _call(entry: Callable[..., Any], call: Call, seconds: float) -> Outcome:
    args = {name: live(value) for name, value in call.args.items()}
    start = time.process_time()  # what this call costs, however busy the computer is
    try:
        value = entry(**args)
    except NotImplementedError as error:
        if len(traceback.extract_tb(error.__traceback__)) > 2:  # this call, the entry, and one that the entry called
            return Outcome(error="NotImplementedError: a function that yours calls is not written yet.")
        return Outcome(missing=True)
    except Exception as error:  # a solution may raise anything; its sentence is shown
        return Outcome(error=_one_line(error))
    if time.process_time() - start > seconds:
        return Outcome(slow=True)
    return _outcome(value, changed=tuple(name for name, given in call.args.items() if _changed(given, args[name])))


def _outcome(value: Any, changed: tuple[str, ...] = ()) -> Outcome:
    try:
        return Outcome(plain(value), changed=changed)
    except UnfitError as error:
        return Outcome(unfit=str(error))


def _changed(given: Value, now: Any) -> bool:
    """Whether an argument holds something else after the call."""
    try:
        after = plain(now)
    except UnfitError:
        return True
    try:
        if after == given:
            return False
    except ValueError:  # arrays within: entry by entry
        pass
    exact = Close(rtol=0, atol=0)
    return exact.differs(Call(), expected=given, got=after, kind="value") is not None


def _one_line(error: Exception) -> str:
    """The error in one line, with the line of the learner's code in which it arose."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is the call above
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    own = [frame for frame in frames if frame.filename.startswith("<") or "ipykernel" in frame.filename]
    return f"{text} (line {own[-1].lineno} of your cell)" if own else text
