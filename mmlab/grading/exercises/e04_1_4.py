"""04_1.4: the gradient of the sum's matrices, by hand."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong

ORDER = ("text", "image", "audio")


def _call(rng: np.random.Generator, names: tuple[str, ...], batch: int, out: int) -> Call:
    widths = dict(zip(ORDER, rng.integers(2, 6, size=3).tolist(), strict=True))
    x = {name: rng.normal(size=(batch, widths[name])) for name in names}
    weights = {name: rng.normal(size=(widths[name], out)) for name in names}
    return Call({"x": x, "weights": weights, "target": rng.normal(size=(batch, out))})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, ORDER, 5, 3), _call(rng, ORDER, 2, 4)]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, ("image",), 1, 3), _call(rng, ("text", "audio"), 4, 1)]


STATEMENT = """
Nobody gives us the $W_m$; they are learned. For inputs $x_m$ (NumPy arrays, a row per example), the sum
$z = \\sum_m x_m W_m$ and targets $y$, take the loss

$$L = \\frac{1}{2B} \\sum_{b=1}^{B} \\lVert z_b - y_b \\rVert^2$$

Write `gradients(x, weights, target)`, which gives for each modality $\\partial L / \\partial W_m$, in the shape of
$W_m$, by your own formula: first the residual of the sum, then one matrix product for each modality, no automatic
differentiation. (Check yourself:
compare with `torch.autograd`, inside `with torch.enable_grad():`, because this lesson has switched gradients off.)
"""

EXERCISE = Exercise(
    id="04_1.4",
    lesson="04_1_projection_and_sum",
    title="Gradients of the sum, by hand",
    entry="gradients",
    statement=STATEMENT,
    stub='''
import numpy as np


def gradients(x, weights, target):
    """x: name -> (batch, d_m), weights: name -> (d_m, d_z), target (batch, d_z)  ->  name -> (d_m, d_z)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "einops"),
    checks=(
        Check("three modalities", 2, _random, "random inputs, weights and targets"),
        Check("fewer", 1, _edges, "one modality and one example, two modalities and one output", kind="case"),
        Check("fresh", 1, _random, "other random inputs", hidden=True),
    ),
    hints={
        "shape": ("The gradient has the shape of the weights: (d_m, batch) times (batch, d_z).",),
        "axis": ("Transpose x, not the residual: the result has a row for each feature of x.",),
        "scale": (
            "The 2 of the square and the 1/2 cancel; the mean over the batch stays.",
            "Divide by the number of examples B, not by the number of entries of z.",
        ),
        "sign": ("The residual is z - y, not y - z.",),
        "value": (
            "All modalities share one residual: that of the whole sum, not of their own term.",
            "The derivative of z with respect to W_m sees only x_m; the derivative of L with respect to z is (z -"
            " y) / B.",
        ),
        "case": ("With one modality the sum has one term, with one example the mean has one.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def gradients(x, weights, target):
    return {n: x[n].T @ (x[n] @ weights[n] - target) / len(target) for n in x}
""",
            0,
            "fits each modality to the target alone; the sum's residual is shared",
        ),
        Wrong(
            """
import numpy as np

def gradients(x, weights, target):
    residual = sum(x[n] @ weights[n] for n in x) - target
    return {n: x[n].T @ residual / residual.size for n in x}
""",
            0,
            "takes the mean over all entries, not over the examples",
        ),
        Wrong(
            """
import numpy as np

def gradients(x, weights, target):
    residual = target - sum(x[n] @ weights[n] for n in x)
    return {n: x[n].T @ residual / len(target) for n in x}
""",
            0,
            "the opposite sign: the loss would rise",
        ),
    ),
    variant="""
import numpy as np

def gradients(x, weights, target):
    names = list(x)
    whole = np.concatenate([x[n] for n in names], axis=1)
    stacked = np.concatenate([weights[n] for n in names], axis=0)
    g = np.einsum("bd,bo->do", whole, whole @ stacked - target) / whole.shape[0]
    cuts = np.cumsum([x[n].shape[1] for n in names])[:-1]
    return dict(zip(names, np.split(g, cuts, axis=0)))
""",
)
