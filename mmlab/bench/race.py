"""Two ways of doing the same, timed in turns: seconds of the processor, medians, and how sure they are."""

import ctypes
import gc
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

LEAST, MOST = 6, 101  # pairs of runs
SAMPLE = 2e-3  # seconds that one timed sample lasts at least


@dataclass(frozen=True)
class Figure:
    """A median with its 95 % interval, taken from the order of the n samples: no shape of their spread is assumed."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Figure":
        ordered, n = sorted(samples), len(samples)
        reach = 0.98 * math.sqrt(n)
        low, high = max(0, math.floor(n / 2 - reach)), min(n - 1, math.ceil(n / 2 + reach))
        return cls(value=median(ordered), low=ordered[low], high=ordered[high], n=n)


class Step:
    """Forward and backward of one form: outputs, then the gradients of every leaf from which they were made."""

    def __init__(self, forward: Callable[[], Tensor | Iterable[Tensor]]) -> None:
        self.forward = forward
        outputs = self._outputs()
        self.leaves = leaves(outputs)
        self.cotangents = [torch.randn_like(output) for output in outputs]

    def __call__(self) -> tuple[Tensor, ...]:
        return torch.autograd.grad(self._outputs(), self.leaves, self.cotangents)

    def _outputs(self) -> list[Tensor]:
        outputs = self.forward()
        return [outputs] if isinstance(outputs, Tensor) else list(outputs)


def leaves(outputs: list[Tensor]) -> list[Tensor]:
    """The tensors that collect gradients, found by walking back from the outputs."""
    found, seen, waiting = [], set(), [output.grad_fn for output in outputs]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__ == "AccumulateGrad":
            found.append(node.variable)
        waiting += [parent for parent, _ in node.next_functions]
    return found


def race(steps: Sequence[Callable[[], object]], *, seconds: float) -> list[list[float]]:
    """Seconds per call of each step, sample by sample: the steps take turns, and who begins changes every time.

    Time is the processor time of this process, so that other people's work on the machine is not counted; torch
    should run on one thread, for the times of threads add up.
    """
    for step in steps:
        step()  # warms up
    calls = [math.ceil(SAMPLE / _timed(step, 1)) for step in steps]
    samples: list[list[float]] = [[] for _ in steps]
    began = time.process_time()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(MOST):
            if turn >= LEAST and time.process_time() - began > seconds:
                break
            order = range(len(steps)) if turn % 2 else reversed(range(len(steps)))
            for i in order:
                samples[i].append(_timed(steps[i], calls[i]))
    finally:
        if collecting:
            gc.enable()
    return samples


def keep_memory() -> None:
    """Tells glibc to keep freed blocks for the next call; no effect elsewhere, and it lasts as long as the process.

    Without it, results of some megabytes go back to the kernel after each call and are paid for again, page by page:
    growth would then show the allocator (a sum of vectors twice as wide took five times as long), not the operator.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # glibc has it, musl has not
            libc.mallopt(-1, 2**30)  # M_TRIM_THRESHOLD
            libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD, the largest it accepts


def _timed(step: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        step()
    return max(time.process_time() - began, 1e-9) / calls
