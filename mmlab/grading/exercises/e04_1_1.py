"""04_1.1: predict shapes, sizes and ranks of the article's model."""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


STATEMENT = """
The encoders give $x_t \\in \\mathbb{R}^{128}$, $x_i \\in \\mathbb{R}^{256}$, $x_a \\in \\mathbb{R}^{192}$, the joint
space has 100 dimensions, and $W_m \\in \\mathbb{R}^{d_m \\times d_z}$. Say without running anything:

- `formula`: which of the two fits these shapes for one vector, `"Wx"` or `"W^T x"`?
- `batch`: the shape of $X_i W_i$ for a batch of 32 pictures, a list of two numbers;
- `parameters`: how many numbers the three matrices hold together;
- `rank`: the sum is one linear map of $[x_t; x_i; x_a] \\in \\mathbb{R}^{576}$; its rank is at most ...?
- `lost`: so at least how many directions of $\\mathbb{R}^{576}$ are mapped to zero, and are lost for every later
  step?
"""

EXERCISE = Exercise(
    id="04_1.1",
    lesson="04_1_projection_and_sum",
    title="Shapes, sizes, and what is lost",
    kind="prediction",
    entry="shapes",
    statement=STATEMENT,
    stub="""
shapes = {
    "formula": ...,
    "batch": ...,
    "parameters": ...,
    "rank": ...,
    "lost": ...,
}
""",
    checks=tuple(
        Check(name, 1, _read, about, Sealed(name))
        for name, about in (
            ("formula", "the product that exists"),
            ("batch", "the shape of a projected batch"),
            ("parameters", "the numbers to learn"),
            ("rank", "the largest possible rank"),
            ("lost", "the smallest possible dimension of what is lost"),
        )
    ),
    hints={
        "value": (
            "An (r, s) matrix times an (s,) vector gives (r,). Write the shapes beside each letter.",
            "A matrix with 576 rows and 100 columns cannot have a larger rank than its shorter side.",
            "The rank and the number of directions that are lost add up to the dimension of the input.",
        ),
    },
    wrong=(
        Wrong(
            'shapes = {"formula": "Wx", "batch": [32, 256], "parameters": 57600, "rank": 576, "lost": 0}',
            1,
            "the article's slip, and the belief that nothing is lost",
        ),
        Wrong(
            'shapes = {"formula": "W^T x", "batch": [32, 100], "parameters": 57600, "rank": 300, "lost": 276}',
            3,
            "adds the ranks of the three matrices, though all three write into the same 100 dimensions",
        ),
    ),
    variant="""
widths, out = (128, 256, 192), 100
shapes = dict(formula="W^T x", batch=(32, out), parameters=sum(widths) * out, rank=out, lost=sum(widths) - out)
""",
)
