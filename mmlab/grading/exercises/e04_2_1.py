"""04_2.1: low-rank fusion, without the outer product."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _call(rng: np.random.Generator, batch: int, text: int, image: int, rank: int, out: int) -> Call:
    widths = {"text": text, "image": image}
    given = {name: rng.normal(size=(batch, width)) for name, width in widths.items()}
    factors = {f"{name}_factors": rng.normal(size=(rank, width + 1, out)) for name, width in widths.items()}
    return Call({**given, **factors, "bias": rng.normal(size=out)})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 3, 4, 5, 2, 6), _call(rng, 2, 6, 3, 4, 2)]


def _one(rng: np.random.Generator) -> list[Call]:
    absent = _call(rng, 2, 3, 4, 3, 2)
    absent.args["image"][:] = 0.0  # only the 1 in front of it speaks
    return [_call(rng, 1, 1, 1, 1, 1), absent]


def _wide(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 16, 900, 1100, 3, 4)]


STATEMENT = """
Tensor fusion multiplies every feature of one modality with every feature of the other. Its weight tensor is huge;
with **rank** $R$ it is a sum of $R$ products, and then the outer product need never be built:

$$z_o = b_o + \\sum_{r=1}^{R} \\big\\langle u^{(t)}_{r o},\\, [1;\\, z_t] \\big\\rangle \\; \\big\\langle
u^{(i)}_{r o},\\, [1;\\, z_i] \\big\\rangle$$

Write `low_rank(text, image, text_factors, image_factors, bias)` with `text (batch, d_t)`, `image (batch, d_i)`,
`text_factors (R, d_t + 1, out)`, `image_factors (R, d_i + 1, out)`, `bias (out,)`. Row 0 of each factor belongs to
the 1. The result is `(batch, out)`.
"""

EXERCISE = Exercise(
    id="04_2.1",
    lesson="04_2_fusion_operators",
    title="Low-rank fusion",
    entry="low_rank",
    statement=STATEMENT,
    stub='''
import numpy as np


def low_rank(text, image, text_factors, image_factors, bias):
    """text (b, d_t), image (b, d_i), factors (R, d_m + 1, out), bias (out,)  ->  (b, out)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    seconds=1.5,
    checks=(
        Check("random", 2, _random, "small random inputs of different widths"),
        Check("special", 1, _one, "everything of size one; a picture that is all zeros", kind="case"),
        Check(
            "wide", 1, _wide, "900 and 1100 features: the outer product would have a million numbers a row", hidden=True
        ),
        Check("fresh", 1, _random, "other random inputs", hidden=True),
    ),
    hints={
        "shape": (
            "Put a column of ones in front of text and image first; then their widths fit the factors.",
            '`np.einsum("bd,rdo->bro", text, text_factors)` is one number per example, rank and output.',
        ),
        "value": (
            "In which order: first multiply the two modalities for each r, then sum over r.",
            "The 1 stands in front: row 0 of the factors belongs to it.",
            "The bias is added once, not once for each rank.",
        ),
        "case": ("A picture of zeros still has its 1: the text must come through.",),
        "scale": ("A sum over the ranks, not a mean.",),
        "axis": ("Give the batch first, then the outputs.",),
        "slow": ("Never multiply (d_t + 1) by (d_i + 1) numbers: contract each modality with its factors first.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def low_rank(text, image, text_factors, image_factors, bias):
    one = np.ones((len(text), 1))
    t = np.einsum("bd,rdo->bo", np.hstack([one, text]), text_factors)
    i = np.einsum("bd,rdo->bo", np.hstack([one, image]), image_factors)
    return bias + t * i
""",
            0,
            "sums over the ranks before it multiplies: a product of sums, of rank one",
        ),
        Wrong(
            """
import numpy as np

def low_rank(text, image, text_factors, image_factors, bias):
    t = np.einsum("bd,rdo->bro", text, text_factors[:, 1:])
    i = np.einsum("bd,rdo->bro", image, image_factors[:, 1:])
    return bias + (t * i).sum(axis=1)
""",
            0,
            "forgets the ones, and with them each modality alone",
        ),
        Wrong(
            """
import numpy as np

def low_rank(text, image, text_factors, image_factors, bias):
    one = np.ones((len(text), 1))
    t = np.einsum("bd,rdo->bro", np.hstack([text, one]), text_factors)
    i = np.einsum("bd,rdo->bro", np.hstack([image, one]), image_factors)
    return bias + (t * i).sum(axis=1)
""",
            0,
            "puts the ones behind, where the factors do not expect them",
        ),
    ),
    variant="""
import numpy as np

def low_rank(text, image, text_factors, image_factors, bias):
    z = np.tile(bias, (len(text), 1))
    for u, v in zip(text_factors, image_factors):
        z = z + (u[0] + text @ u[1:]) * (v[0] + image @ v[1:])
    return z
""",
)
