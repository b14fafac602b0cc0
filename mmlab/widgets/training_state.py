"""What is known of a training while it runs: its losses, its recalls, its pace. No widgets here."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from mmlab.types import InputError

MOST = 400  # points of a curve that are drawn
LATELY = 20  # steps over which the pace is taken


@dataclass
class Progress:
    """Grows with each step that is told; `steps` is how many there will be, where that is known.

    Units:   times in seconds
    """

    steps: int | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    recalls: list[tuple[int, float]] = field(default_factory=list)
    times: list[tuple[int, float]] = field(default_factory=list)

    def add(self, step: int, *, at: float, loss: Any = None, recall: Any = None) -> None:
        """One step; loss and recall are numbers or tensors of one. A step before the last one begins a new training.

        Raises:  InputError for what is no number
        """
        told = {name: _number(name, value) for name, value in (("loss", loss), ("recall", recall)) if value is not None}
        if self.times and step < self.times[-1][0]:
            self.losses, self.recalls, self.times = [], [], []
        self.times = [*self.times, (step, at)][-LATELY:]
        self.losses += [(step, told["loss"])] if "loss" in told else []
        self.recalls += [(step, told["recall"])] if "recall" in told else []

    @property
    def step(self) -> int:
        """The last step that was told."""
        return self.times[-1][0] if self.times else 0

    @property
    def pace(self) -> float | None:
        """Steps per second lately; None before there are two."""
        if len(self.times) < 2 or self.times[-1][1] <= self.times[0][1]:
            return None
        (first, start), (last, end) = self.times[0], self.times[-1]
        return (last - first) / (end - start)

    @property
    def left(self) -> float | None:
        """Seconds that are left at this pace."""
        return None if self.steps is None or not self.pace else max(0, self.steps - self.step) / self.pace

    @property
    def broken(self) -> bool:
        """Whether the last loss is not a number: the weights are lost from here on."""
        return bool(self.losses) and not math.isfinite(self.losses[-1][1])


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        came = f"{type(value).__name__} {str(value)[:40]}"
        raise InputError(f"A {name} is one number, got {came}; give its mean, for instance.") from None


def thinned(curve: list[tuple[int, float]], most: int = MOST) -> Float[np.ndarray, "n 2"]:
    """At most `most` points of a curve, means over equal stretches of steps; what is not finite is left out."""
    points = np.array([point for point in curve if math.isfinite(point[1])], dtype=np.float64).reshape(-1, 2)
    if len(points) <= most:
        return points.astype(np.float32)
    stretches = np.array_split(points, most)
    return np.stack([stretch.mean(axis=0) for stretch in stretches]).astype(np.float32)


def duration(seconds: float) -> str:
    """A time as one reads it: `35 s`, `4 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
