"""04_1.2: a sum of projections is one linear map of the concatenation."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong

ORDER = ("text", "image", "audio")


def _call(rng: np.random.Generator, names: tuple[str, ...], out: int) -> Call:
    widths = dict(zip(ORDER, rng.integers(2, 6, size=3).tolist(), strict=True))
    weights = {name: rng.normal(size=(widths[name], out)) for name in names}
    return Call({"weights": weights, "biases": {name: rng.normal(size=out) for name in names}})


def _three(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, ORDER, 4), _call(rng, ORDER, 7)]


def _shuffled(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, ("audio", "text", "image"), 3), _call(rng, ("image", "text"), 5), _call(rng, ("audio",), 2)]


STATEMENT = """
The article maps each modality by its own matrix and adds. Show that this is nothing but **one** linear map of the
concatenation:

$$\\sum_m \\big(x_m W_m + b_m\\big) = [x_t,\\, x_i,\\, x_a]\\, W + b$$

Write `as_one_map(weights, biases)`. Both are dicts by modality: `weights[name]` is $W_m$ with shape `(d_m, d_z)`,
`biases[name]` is $b_m$ with shape `(d_z,)`. Give `{"W": ..., "b": ...}` such that the equation holds for inputs that
are concatenated in the order **text, image, audio**; a modality may be absent, and the dicts may be written in any
order.
"""

EXERCISE = Exercise(
    id="04_1.2",
    lesson="04_1_projection_and_sum",
    title="A sum is one linear map",
    entry="as_one_map",
    statement=STATEMENT,
    stub='''
import numpy as np


def as_one_map(weights, biases):
    """weights: name -> (d_m, d_z), biases: name -> (d_z,)  ->  {"W": (sum of d_m, d_z), "b": (d_z,)}."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    checks=(
        Check("three modalities", 2, _three, "text, image and audio of three widths"),
        Check("any order", 1, _shuffled, "dicts in another order, modalities that are absent", kind="case"),
        Check("fresh", 1, _shuffled, "other widths and orders", hidden=True, kind="case"),
    ),
    hints={
        "shape": (
            "x has as many entries as all modalities together; W needs a row for each of them.",
            "Stack the matrices on top of each other: the rows follow the entries of the concatenation.",
            "And b? It meets no x: biases are added, not stacked, so its shape is (d_z,).",
        ),
        "value": (
            "Multiply it out for two modalities of width 1: which row of W meets which entry of the concatenation?",
            "The biases do not meet any x; what does the sum do to them?",
        ),
        "case": (
            "The order is that of the concatenation, not that of the dict.",
            'Go through ("text", "image", "audio") and skip what is absent.',
        ),
        "axis": ("Compare the rows of W with the order text, image, audio.",),
        "type": ('The result is a dict with the keys "W" and "b".',),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def as_one_map(weights, biases):
    return {"W": sum(weights.values()), "b": sum(biases.values())}
""",
            0,
            "adds matrices of different heights",
        ),
        Wrong(
            """
import numpy as np

def as_one_map(weights, biases):
    return {"W": np.concatenate(list(weights.values())), "b": sum(biases.values())}
""",
            2,
            "takes the dict's order for the concatenation's",
        ),
        Wrong(
            """
import numpy as np

def as_one_map(weights, biases):
    names = [name for name in ("text", "image", "audio") if name in weights]
    return {"W": np.concatenate([weights[n] for n in names]), "b": np.concatenate([biases[n] for n in names])}
""",
            0,
            "concatenates the biases, which are added",
        ),
    ),
    variant="""
import numpy as np

def as_one_map(weights, biases):
    kept = sorted(weights, key=["text", "image", "audio"].index)
    b = np.zeros_like(biases[kept[0]])
    rows = []
    for name in kept:
        rows.extend(weights[name])
        b = b + biases[name]
    return {"b": b, "W": np.stack(rows)}
""",
)
