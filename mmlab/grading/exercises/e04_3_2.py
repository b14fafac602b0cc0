"""04_3.2: the modality gap, measured and closed."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _call(rng: np.random.Generator, n: int, m: int, dim: int) -> Call:
    first = rng.normal(size=(n, dim)) + 2 * rng.normal(size=dim)
    second = rng.normal(size=(m, dim)) - 1.5 * rng.normal(size=dim)
    return Call(
        {"first": first * rng.uniform(0.3, 4, size=(n, 1)), "second": second * rng.uniform(0.3, 4, size=(m, 1))}
    )


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 6, 6, 4), _call(rng, 5, 9, 7)]


def _paper(rng: np.random.Generator) -> list[Call]:
    first, second = np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[-1.0, 0.0], [0.0, -5.0], [0.0, -0.5]])
    return [Call({"first": first, "second": second}), Call({"first": first, "second": 7 * first})]


STATEMENT = """
In many trained joint spaces, CLIP's for one, all pictures lie on one side and all texts on another: the **modality
gap** (Liang et al. 2022); in this lesson's space it is small. It is measured as the distance between the two means of
the **unit** vectors,

$$g = \\lVert \\bar u - \\bar v \\rVert,
\\qquad \\bar u = \\frac{1}{n} \\sum_i \\frac{u_i}{\\lVert u_i \\rVert},
\\quad \\bar v = \\frac{1}{m} \\sum_j \\frac{v_j}{\\lVert v_j \\rVert}$$

Write `gap(first, second)` for `first (n, d)` and `second (m, d)`, rows of any length. Give a dict: `"gap"` is $g$,
and `"closed"` is the `second` rows after moving them over the gap: their unit vectors, shifted by
$\\bar u - \\bar v$, and made unit vectors again, `(m, d)`.

Then think: does moving them change which picture is nearest to a text? Try it on the lesson's vectors:
`gap(vectors(W, "image", test).numpy(), vectors(W, "text", test).numpy())`. (Your `gap` replaces that of section 5.)
"""

EXERCISE = Exercise(
    id="04_3.2",
    lesson="04_3_alignment",
    title="The modality gap, measured and closed",
    entry="gap",
    statement=STATEMENT,
    stub='''
import numpy as np


def gap(first, second):
    """first (n, d), second (m, d)  ->  {"gap": a number, "closed": (m, d)}."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    checks=(
        Check("on paper", 1, _paper, "two vectors and three in a plane; the same directions on both sides"),
        Check("random", 2, _random, "random rows of different lengths, as many on both sides and more on one"),
        Check("fresh", 1, _random, "other random rows", hidden=True),
    ),
    hints={
        "value": (
            "If `gap` is wrong: first unit vectors, then means; a long row must not count more than a short one. If "
            "only `closed` is: after the shift the rows are no longer of length 1.",
            "`gap` is the distance between the means, not the mean of the distances. `closed` are the unit vectors of "
            "`second`, plus the mean of the first, minus that of the second, and each divided by its length once more.",
            "The same directions on both sides have no gap, whatever their lengths: then nothing moves.",
        ),
        "shape": ("A row has one length: `np.linalg.norm(x, axis=1, keepdims=True)`.",),
        "axis": ("The mean runs over the rows (axis 0), the length over the features (axis 1).",),
        "sign": ("The second side moves towards the first: add the mean of the first, subtract that of the second.",),
        "in_place": ("`second /= ...` changes the caller's array.",),
        "type": ('A dict with the keys "gap" and "closed".',),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def gap(first, second):
    shift = first.mean(axis=0) - second.mean(axis=0)
    moved = second + shift
    return {"gap": float(np.linalg.norm(shift)), "closed": moved / np.linalg.norm(moved, axis=1, keepdims=True)}
""",
            0,
            "means of vectors of any length",
        ),
        Wrong(
            """
import numpy as np

def gap(first, second):
    u, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    shift = u.mean(axis=0) - v.mean(axis=0)
    return {"gap": float(np.linalg.norm(shift)), "closed": v + shift}
""",
            0,
            "leaves the moved rows at any length",
        ),
        Wrong(
            """
import numpy as np

def gap(first, second):
    u, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    shift = v.mean(axis=0) - u.mean(axis=0)
    moved = v + shift
    return {"gap": float(np.linalg.norm(shift)), "closed": moved / np.linalg.norm(moved, axis=1, keepdims=True)}
""",
            0,
            "moves the second side further away",
        ),
    ),
    variant="""
import numpy as np

def gap(first, second):
    def unit(x):
        return x / np.sqrt(np.einsum("nd,nd->n", x, x))[:, None]
    mean_first, second = np.average(unit(first), axis=0), unit(second)
    difference = mean_first - np.average(second, axis=0)
    return {"closed": unit(second + difference), "gap": np.sqrt(difference @ difference)}
""",
)
