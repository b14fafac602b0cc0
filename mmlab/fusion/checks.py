"""What fusion operators refuse, and the sentence that says so: which operator, which modality, what to do."""

import math
from typing import Any

import torch
from torch import Tensor

from mmlab.types import MODALITIES, InputError, Tokens


def listed(names: Any) -> str:
    """`text, image and audio`"""
    *front, last = [str(name) for name in names] or ["nothing"]
    return f"{', '.join(front)} and {last}" if front else last


def check_dims(operator: str, dims: dict[str, int], *, out: int) -> dict[str, int]:
    """The widths in the order of MODALITIES, whatever order they came in."""
    unknown = [name for name in dims if name not in MODALITIES]
    if unknown or not dims:
        raise InputError(
            f"{operator} needs widths for some of {listed(MODALITIES)}, got {listed(unknown)}; name only these."
        )
    sizes = {**dims, "out": out}
    wrong = [f"{name}={size}" for name, size in sizes.items() if not isinstance(size, int) or size < 1]
    if wrong:
        raise InputError(f"{operator} needs whole widths of at least 1, got {listed(wrong)}; correct them.")
    return {name: dims[name] for name in MODALITIES if name in dims}


def check_names(operator: str, names: Any, given: dict[str, Any], *, allows_missing: bool, positional: int = 0) -> None:
    """Refuses inputs without a name, with a name that the operator does not know, and missing ones that it needs."""
    if positional:
        example = ", ".join(f"{name}=..." for name in names)
        raise InputError(f"{operator} takes its inputs by name, got {positional} without one; write fusion({example}).")
    unknown = [name for name in given if name not in names]
    if unknown:
        raise InputError(f"{operator} was built for {listed(names)}, got {listed(unknown)}; pass only what it knows.")
    missing = [name for name in names if given.get(name) is None]
    if len(missing) == len(names):
        raise InputError(f"{operator} got none of {listed(names)}; pass at least one of them by name.")
    if missing and not allows_missing:
        raise InputError(
            f"{operator} needs {listed(missing)}, which is missing; pass it, "
            "or use an operator that allows a missing modality."
        )


def check_pooled(operator: str, dims: dict[str, int], given: dict[str, Any]) -> None:
    """Refuses what is not a float tensor (batch, width), and batches that differ."""
    rows: dict[str, int] = {}
    for name, pooled in given.items():
        if not isinstance(pooled, Tensor) or not pooled.is_floating_point():
            came = f"{pooled.dtype} tensor" if isinstance(pooled, Tensor) else type(pooled).__name__
            raise InputError(f"{operator} expects {name} as a float tensor, got a {came}; encode it first.")
        if pooled.ndim != 2 or pooled.shape[1] != dims[name]:
            raise InputError(
                f"{operator} expects {name} of shape (batch, {dims[name]}), got {tuple(pooled.shape)}; "
                "pool and project it to this width, or build the operator for the width you have."
            )
        rows[name] = len(pooled)
    check_rows(operator, rows)


def check_rows(operator: str, rows: dict[str, int]) -> None:
    if len(set(rows.values())) > 1:
        came = listed(f"{name} with {count}" for name, count in rows.items())
        raise InputError(f"{operator} expects the same number of rows in each input, got {came}; align the batch.")


def check_present(operator: str, present: Any, given: dict[str, Tensor], *, allows_missing: bool) -> None:
    """Refuses a `present` of another shape, a row without anything, and absences that the operator cannot bear."""
    shape = (len(next(iter(given.values()))), len(MODALITIES))
    if not isinstance(present, Tensor) or present.dtype != torch.bool or tuple(present.shape) != shape:
        came = f"{present.dtype} {tuple(present.shape)}" if isinstance(present, Tensor) else type(present).__name__
        raise InputError(
            f"{operator} expects present as a Bool tensor {shape} with columns {listed(MODALITIES)}, got {came}; "
            "mark with True what each row has."
        )
    here = present[:, [MODALITIES.index(name) for name in given]]
    gaps = ~here
    if not allows_missing and gaps.any():
        row, column = gaps.nonzero()[0].tolist()
        raise InputError(
            f"{operator} needs {list(given)[column]}, which is missing in row {row}; "
            "drop the row, or use an operator that allows a missing modality."
        )
    empty = gaps.all(dim=1)
    if empty.any():
        row = empty.nonzero()[0].item()
        raise InputError(f"{operator} got a row without any of {listed(given)}, first row {row}; drop such rows.")


def check_tokens(operator: str, dims: dict[str, int], given: dict[str, Any], *, allows_missing: bool) -> None:
    """Refuses what is not `Tokens` of the right width, batches that differ, and rows without a single real token."""
    rows: dict[str, int] = {}
    for name, tokens in given.items():
        if not isinstance(tokens, Tokens):
            came = type(tokens).__name__
            raise InputError(f"{operator} expects {name} as Tokens(values, mask), got {came}; wrap it.")
        if tokens.values.shape[-1] != dims[name]:
            raise InputError(
                f"{operator} expects {name} tokens {dims[name]} wide, got shape {tuple(tokens.values.shape)}; "
                "build the operator for the width you have."
            )
        rows[name] = len(tokens.values)
    check_rows(operator, rows)
    full = {name: tokens.mask.any(dim=1) for name, tokens in given.items()}
    if allows_missing:  # an all-masked row is a modality missing in that row: borne where a missing modality is
        full = {listed(full): torch.stack(list(full.values())).any(dim=0)}
    for name, has in full.items():
        if not has.all():
            row = (~has).nonzero()[0].item()
            raise InputError(f"{operator} got an all-masked row of {name}, first row {row}; drop such rows.")


def check_finite(operator: str, fused: list[Tensor], given: dict[str, Tensor]) -> None:
    """Refuses NaN and infinity. The sum of the result shows them in one pass; only then are the inputs searched.

    A result that is not finite though every input is (weights that diverged, say) is no fault of the input: it passes.
    """
    if all(math.isfinite(part.detach().sum().item()) for part in fused):
        return
    for name, values in given.items():
        bad = ~values.isfinite().flatten(1).all(dim=1)
        if bad.any():
            row = bad.nonzero()[0].item()
            raise InputError(f"{operator} got {name} with NaN or infinity, first in row {row}; check what encoded it.")
