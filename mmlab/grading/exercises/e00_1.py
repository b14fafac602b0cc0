"""00.1: a sum, by hand, and what it is nearest to."""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


STATEMENT = """
Three modalities in a space of two dimensions, small enough for a sheet of paper:

$$z_t = (3, 0), \\qquad z_i = (0, 4), \\qquad z_a = (0, -1)$$

and three things that they may mean: **east** $(1, 0)$, **north-east** $(1, 1)$ and **north** $(0, 1)$. Work out
without running anything:

- `z`: the sum $z_t + z_i + z_a$, a list of two numbers;
- `nearest`: the name of the thing whose direction is nearest to `z` by cosine (the inner product of two vectors,
  divided by the lengths of both);
- `unchanged`: the one modality (`"text"`, `"image"` or `"audio"`) that can be missing without a change of the nearest
  thing;
- `cosine`: with that modality missing, the cosine between the sum and the nearest thing, to two decimals.
"""

STUB = """
# Replace each ... by your answer.
by_hand = {
    "z": ...,
    "nearest": ...,
    "unchanged": ...,
    "cosine": ...,
}
"""

EXERCISE = Exercise(
    id="00.1",
    lesson="00_start_here",
    title="A sum by hand",
    kind="prediction",
    entry="by_hand",
    statement=STATEMENT,
    stub=STUB,
    checks=(
        Check("the sum", 1, _read, "the sum of the three vectors, a list of two numbers", Sealed("z")),
        Check("the nearest", 1, _read, "the thing with the largest cosine", Sealed("nearest")),
        Check(
            "what can be missing",
            1,
            _read,
            "the modality without which the answer stays",
            Sealed("unchanged"),
            kind="case",
        ),
        Check("the cosine", 1, _read, "the cosine without that modality", Sealed("cosine", step=0.005), kind="scale"),
    ),
    hints={
        "value": (
            "Draw the three vectors head to tail; the sum is the arrow from the start of the first to the tip of "
            "the last. The nearest thing is the one with the smallest angle to that arrow.",
            "Add first numbers to first and second to second. Then compare the sum's two numbers: the more alike they "
            "are, the nearer it points to (1, 1).",
        ),
        "case": ("Leave out one modality at a time, add the other two, and see which thing is nearest each time.",),
        "scale": (
            "A cosine lies between -1 and 1: did you divide by both lengths?",
            "Inner product, divided by the length of the sum, divided by the length of the thing: (1, 1) is "
            "longer than 1.",
        ),
    },
    wrong=(
        Wrong(
            'by_hand = {"z": [3, 3], "nearest": "north-east", "unchanged": "image", "cosine": 0.95}',
            2,
            "takes the sum for its largest term, and so leaves out the wrong modality",
        ),
        Wrong(
            'by_hand = {"z": [3, 3], "nearest": "north-east", "unchanged": "audio", "cosine": 7}',
            3,
            "an inner product without the lengths is no cosine",
        ),
    ),
    variant='by_hand = dict(z=(3.0, 3.0), nearest="North-East", unchanged="audio", cosine=7 / (5 * 2**0.5))',
)
