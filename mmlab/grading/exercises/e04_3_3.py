"""04_3.3: predict what a contrastive loss can be."""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


STATEMENT = """
Before a training run, predict what its loss curve may show (natural logarithms, two decimals):

- `start`: InfoNCE of a model that knows nothing (all cosines equal), with a batch of 64 pairs;
- `larger`: the same with a batch of 512;
- `twins`: in a batch of 64, every thing occurs exactly twice (32 things), and twins are indistinguishable. The model
  is perfect and infinitely sure: how low can the loss get?
- `collapse`: a model maps *every* input to the same vector. Batch 64, scale 100. Its loss?
- `trivial`: which value of the scale gives every model, good or bad, the same loss? (a number)
"""

EXERCISE = Exercise(
    id="04_3.3",
    lesson="04_3_alignment",
    title="Chance, twins and collapse",
    kind="prediction",
    entry="losses",
    statement=STATEMENT,
    stub="""
losses = {
    "start": ...,
    "larger": ...,
    "twins": ...,
    "collapse": ...,
    "trivial": ...,
}
""",
    allowed=("math", "numpy"),
    checks=(
        Check("start", 1, _read, "a model that knows nothing, 64 pairs", Sealed("start", step=0.005)),
        Check("larger", 1, _read, "a model that knows nothing, 512 pairs", Sealed("larger", step=0.005)),
        Check("twins", 1, _read, "the floor that false negatives make", Sealed("twins", step=0.005)),
        Check("collapse", 1, _read, "everything at one point", Sealed("collapse", step=0.005)),
        Check("trivial", 1, _read, "the scale that hides every difference", Sealed("trivial")),
    ),
    hints={
        "value": (
            "A model that cannot tell B candidates apart gives each the probability 1/B. What is -ln of it?",
            "With a twin in the batch the best that a perfect model can say is one half for each.",
            "In a collapse all cosines are 1: are they different from each other? Then does the scale matter?",
        ),
        "type": ("A number, for example 1.23, or an expression such as math.log(2).",),
    },
    wrong=(
        Wrong(
            'losses = {"start": 1.0, "larger": 1.0, "twins": 0.0, "collapse": 100.0, "trivial": 0}',
            1,
            "takes the loss for an error rate, and believes that it can always reach 0",
        ),
        Wrong(
            'losses = {"start": 4.16, "larger": 6.24, "twins": 0.0, "collapse": 0.0, "trivial": 1}',
            2,
            "knows the chance level, but not what false negatives and a collapse do",
        ),
        Wrong(
            'losses = {"start": 6.0, "larger": 9.0, "twins": 1.0, "collapse": 6.0, "trivial": 0}',
            1,
            "counts in bits",
        ),
    ),
    variant="""
import math

ln = math.log
losses = dict(start=ln(64), larger=ln(512), twins=ln(2), collapse=ln(64), trivial=0.0)
""",
)
