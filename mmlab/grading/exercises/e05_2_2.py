"""05_2.2: the mean of the real tokens."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for batch, seq, dim in ((3, 5, 4), (4, 7, 3)):
        lengths = rng.integers(1, seq, size=batch)
        mask = np.arange(seq) < lengths[:, None]
        calls.append(Call({"values": rng.normal(size=(batch, seq, dim)), "mask": mask}))
    return calls


def _scattered(rng: np.random.Generator) -> list[Call]:
    mask = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]], dtype=bool)
    return [Call({"values": rng.normal(size=(2, 5, 3)), "mask": mask})]


def _edges(rng: np.random.Generator) -> list[Call]:
    values = rng.normal(size=(3, 4, 2))
    mask = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=bool)
    poisoned = np.where(mask[:, :, None], values, np.nan)  # what stands in the padding must not matter
    return [Call({"values": values, "mask": mask}), Call({"values": poisoned, "mask": mask})]


STATEMENT = """
Texts have different lengths; in a batch the short ones are filled up, and the mask says which tokens are real. Write
`pool(values, mask)`: for the NumPy arrays `values (batch, seq, dim)` and `mask (batch, seq)`, True where a token is
real, the mean of the real tokens of each row, `(batch, dim)`. A row without any real token gives zeros. What stands in
the padding must not matter, not even if it is NaN.
"""

EXERCISE = Exercise(
    id="05_2.2",
    lesson="05_2_text_encoder",
    title="The mean of the real tokens",
    entry="pool",
    statement=STATEMENT,
    stub='''
import numpy as np


def pool(values, mask):
    """values (batch, seq, dim), mask (batch, seq) True = real  ->  (batch, dim)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "einops"),
    checks=(
        Check("padded", 1, _random, "rows of different lengths, filled up at the end"),
        Check("scattered", 1, _scattered, "real tokens anywhere in the row"),
        Check("special", 1, _edges, "a row without real tokens; NaN in the padding", kind="case"),
        Check("fresh", 1, _random, "other rows", hidden=True),
    ),
    hints={
        "value": (
            "Which tokens does a plain mean count that are not there?",
            "Sum the real tokens, divide by how many there are in that row.",
        ),
        "scale": ("Divide by the number of real tokens of the row, not by the length of the row.",),
        "axis": ("The mean runs over the tokens, axis 1; one vector per row stays.",),
        "shape": (
            "To multiply (batch, seq, dim) by a mask (batch, seq), give the mask a third axis: `mask[:, :, None]`.",
        ),
        "case": (
            "0 times NaN is NaN. `np.where(mask[:, :, None], values, 0)` looks at the padding not at all.",
            "A row without real tokens would be 0/0; divide by at least 1.",
        ),
        "in_place": ("`values[~mask] = 0` changes the caller's array; np.where makes a new one.",),
    },
    wrong=(
        Wrong(
            """
def pool(values, mask):
    return values.mean(axis=1)
""",
            0,
            "counts the padding",
        ),
        Wrong(
            """
import numpy as np

def pool(values, mask):
    total = (values * mask[:, :, None]).sum(axis=1)
    return total / np.maximum(mask.sum(axis=1, keepdims=True), 1)
""",
            3,
            "multiplies NaN by 0",
        ),
        Wrong(
            """
import numpy as np

def pool(values, mask):
    return np.where(mask[:, :, None], values, 0).sum(axis=1) / mask.shape[1]
""",
            0,
            "divides by the length of the padded row",
        ),
    ),
    variant="""
import numpy as np

def pool(values, mask):
    out = np.zeros((values.shape[0], values.shape[2]))
    for row, (tokens, keep) in enumerate(zip(values, mask)):
        if keep.any():
            out[row] = tokens[keep].mean(axis=0)
    return out
""",
)
