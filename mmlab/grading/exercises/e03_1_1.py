"""03_1.1: predict the length of a sum of unit vectors."""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


STATEMENT = """
The $z_m$ of this lesson are unit vectors, and their sum is long where they agree. (The square of a vector's length is
its inner product with itself.) Predict, before you compute anything, the **length** of $z_t + z_i + z_a$ when the
cosine between each two of them is $c$ (two decimals are enough):

- `agree`: $c = 1$, all say the same;
- `unrelated`: $c = 0$;
- `half`: $c = 0.5$;
- `cancel`: the cosine $c$ at which the sum is the zero vector, so that nothing is left to search with (the answer is
  a cosine, not a length).

Then measure in a cell of your own: write down three such vectors in three dimensions and compare.
"""

EXERCISE = Exercise(
    id="03_1.1",
    lesson="03_1_four_steps",
    title="How long is a sum that disagrees?",
    kind="prediction",
    entry="lengths",
    statement=STATEMENT,
    stub="""
lengths = {"agree": ..., "unrelated": ..., "half": ..., "cancel": ...}
""",
    allowed=("math", "numpy", "torch"),
    checks=(
        Check("agree", 1, _read, "all three point in one direction", Sealed("agree", step=0.005)),
        Check("unrelated", 1, _read, "all three are perpendicular", Sealed("unrelated", step=0.005)),
        Check("half", 1, _read, "each two have a cosine of one half", Sealed("half", step=0.005)),
        Check("cancel", 1, _read, "the cosine at which nothing is left", Sealed("cancel", step=0.005)),
    ),
    hints={
        "value": (
            "The squared length of a sum is the sum of all inner products: of each vector with itself, and of "
            "each with each other. The length is its square root.",
            "Three inner products are 1 (a unit vector with itself). How many are c? Each pair counts twice.",
        ),
        "type": ("A number, for example 1.23.",),
    },
    wrong=(
        Wrong(
            'lengths = {"agree": 3, "unrelated": 3, "half": 3, "cancel": -1}',
            1,
            "adds lengths, as if direction did not matter",
        ),
        Wrong('lengths = {"agree": 9, "unrelated": 3, "half": 6, "cancel": -0.5}', 1, "gives the squared lengths"),
        Wrong(
            'lengths = {"agree": 6**0.5, "unrelated": 3**0.5, "half": 4.5**0.5, "cancel": -1}',
            1,
            "counts each pair once",
        ),
    ),
    variant="""
import numpy as np

def length(c):
    gram = np.full((3, 3), c) + (1 - c) * np.eye(3)
    return float(np.sqrt(gram.sum()))

lengths = {"agree": length(1.0), "unrelated": length(0.0), "half": length(0.5), "cancel": -1 / 2}
""",
)
