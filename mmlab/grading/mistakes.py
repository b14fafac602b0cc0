"""What kind of mistake a wrong array shows: an axis, a sign, a factor, a dtype, a shape, or none of these."""

import math
from collections.abc import Callable
from functools import partial
from itertools import permutations

import numpy as np

from mmlab.grading.values import Failure

Numbers = np.ndarray | np.generic  # arithmetic on an array without axes gives no array

KNOWN_FACTORS = (math.log(2), 1 / math.log(2), math.sqrt(2), 1 / math.sqrt(2), 100, 1 / 100, 1000, 1 / 1000)
LARGEST_FACTOR = 64  # of a single number: twice, a third, ... ; further off nobody can say

SENTENCES = {
    "sign": "The numbers of {where} are right up to their sign.",
    "axis": "The right numbers stand in {where}, in another order: is an axis swapped, reversed or shifted?",
    "scale": "The numbers of {where} are right up to one factor.",
}


def mistake(
    expected: np.ndarray, got: np.ndarray, where: str, *, rtol: float | None, atol: float | None, kind: str
) -> Failure | None:
    """What is wrong with an array, or None; without tolerances only its shape, its dtype and that it is finite."""
    if expected.shape != got.shape:
        return _shape(expected, got, where, rtol=rtol, atol=atol)
    if failure := _dtype(expected, got, where):
        return failure
    if rtol is None or atol is None:
        return None if np.isfinite(got).all() else Failure(kind, _not_finite(got, where))

    right = _close(expected, got, rtol=rtol, atol=atol)
    if right.all():
        return None
    if not np.isfinite(got).all() and np.isfinite(expected).all():
        return Failure(kind, _not_finite(got, where))
    if kind == "value" and expected.dtype != bool and np.isfinite(expected).all():
        seen = _kind(expected.astype(float), got.astype(float), partial(_same, rtol=rtol, atol=atol))
        if seen in SENTENCES:
            return Failure(seen, SENTENCES[seen].format(where=where))
    return Failure(kind, _counted(right, where))


def _close(a: np.ndarray, b: np.ndarray, *, rtol: float, atol: float) -> np.ndarray:
    return np.asarray(np.isclose(b, a, rtol=rtol, atol=atol, equal_nan=True))


def _same(a: Numbers, b: Numbers, *, rtol: float, atol: float) -> bool:
    return bool(_close(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol).all())


def _shape(expected: np.ndarray, got: np.ndarray, where: str, *, rtol: float | None, atol: float | None) -> Failure:
    shapes = f"Expected {where} to have shape {expected.shape}, got {got.shape}"
    if rtol is not None and atol is not None and expected.ndim == got.ndim <= 5 and expected.size:
        for order in permutations(range(got.ndim)):
            turned = got.transpose(order)
            if turned.shape == expected.shape and _close(expected, turned, rtol=rtol, atol=atol).all():
                return Failure("axis", f"{shapes}: the right numbers with the axes in another order.")
    return Failure("shape", f"{shapes}.")


def _dtype(expected: np.ndarray, got: np.ndarray, where: str) -> Failure | None:
    wanted, came = expected.dtype.kind.replace("u", "i"), got.dtype.kind.replace("u", "i")
    fewer_bits = wanted == came == "f" and got.dtype.itemsize < expected.dtype.itemsize
    if (wanted == came and not fewer_bits) or (wanted == "f" and came == "i"):  # whole numbers may stand for floats
        return None
    return Failure("dtype", f"Expected {where} to be of {expected.dtype}, got {got.dtype}.")


def _not_finite(got: np.ndarray, where: str) -> str:
    bad = got[~np.isfinite(got)]
    what = "NaN" if np.isnan(bad).any() else "infinite"
    return f"{bad.size} of {got.size} entries of {where} are {what}." if got.size > 1 else f"{where} is {what}."


def _kind(expected: np.ndarray, got: np.ndarray, same: Callable[[Numbers, Numbers], bool]) -> str:
    """The first simple mistake that explains all the numbers."""
    if same(-expected, got):
        return "sign"
    if expected.size > 1:
        if expected.min() < expected.max() and same(np.sort(expected, axis=None), np.sort(got, axis=None)):
            return "axis"
        factor = (expected * got).sum() / (expected**2).sum() if (expected != 0).any() else 0.0
        return "scale" if factor and np.ptp(expected) > 0 and same(factor * expected, got) else "value"
    if any(abs(n * expected.item() - round(n * expected.item())) < 1e-9 for n in range(1, LARGEST_FACTOR)):
        return "value"  # a share such as 2/3 is a multiple of many wrong ones by chance
    factors = (*KNOWN_FACTORS, *range(2, LARGEST_FACTOR), *(1 / n for n in range(2, LARGEST_FACTOR)))
    return "scale" if expected.any() and any(same(factor * expected, got) for factor in factors) else "value"


def _counted(right: np.ndarray, where: str) -> str:
    if right.size == 1:
        return f"Not the right value for {where}."
    index = [int(i) for i in np.argwhere(~right)[0]]
    return f"{int((~right).sum())} of {right.size} entries of {where} are wrong, the first at index {index}."
