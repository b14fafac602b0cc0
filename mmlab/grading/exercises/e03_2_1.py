"""03_2.1: how much data would it take?"""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _exact(rng: np.random.Generator) -> list[Call]:
    pairs = np.array([100.0, 200.0, 400.0, 800.0])
    slow = Call({"pairs": pairs, "errors": 2.0 * pairs**-0.1, "target": 0.5})
    return [*(Call({"pairs": pairs, "errors": 2.0 * pairs**-0.5, "target": t}) for t in (0.05, 0.01)), slow]


def _noisy(rng: np.random.Generator) -> list[Call]:
    calls = []
    for _ in range(3):
        pairs = np.sort(rng.integers(50, 20_000, size=7)).astype(float)
        errors = rng.uniform(2, 5) * pairs ** -rng.uniform(0.2, 0.6) * np.exp(rng.normal(0, 0.05, size=7))
        calls.append(Call({"pairs": pairs, "errors": errors, "target": float(errors[-1] * rng.uniform(0.3, 0.8))}))
    return calls


def _flat(rng: np.random.Generator) -> list[Call]:
    pairs = np.array([100.0, 200.0, 400.0])
    rising = 0.1 * pairs**0.1
    return [Call({"pairs": pairs, "errors": errors, "target": 0.1}) for errors in (np.array([0.3, 0.3, 0.3]), rising)]


STATEMENT = """
You have learned a model from 100, 200, 400 and 800 pairs, have measured its error on held-out ones each time, and want
to know how many pairs it would take to reach a target. In many tasks the error falls as a power of the amount of data,
$e(n) \\approx a\\, n^{-b}$: a straight line where both axes are logarithmic.

Write `pairs_needed(pairs, errors, target)`: fit the line $\\ln e = \\ln a - b \\ln n$ by least squares and give the
$n$ at which it reaches `target`. If the fitted error does not fall ($b \\le 0$, up to rounding), no amount of such
data will do: give `math.inf`.
"""

EXERCISE = Exercise(
    id="03_2.1",
    lesson="03_2_strengths_and_limits",
    title="How much data would it take?",
    entry="pairs_needed",
    statement=STATEMENT,
    stub='''
import math

import numpy as np


def pairs_needed(pairs, errors, target):
    """The amount of data at which the fitted power law reaches the target: pairs (k,), errors (k,), target -> a number."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("exact", 1, _exact, "errors that follow a power law exactly"),
        Check("measured", 2, _noisy, "errors with noise, amounts of data at random distances"),
        Check("no end", 1, _flat, "errors that stay the same, errors that rise", kind="case"),
        Check("fresh", 1, _noisy, "other measurements", hidden=True),
    ),
    hints={
        "value": (
            "Take logarithms of both, fit a straight line (`np.polyfit(x, y, 1)` gives slope and intercept), then"
            " solve it for n.",
            "Least squares in the logarithms, over all points: not a line through the first and the last.",
            "From ln(target) = ln a - b ln n follows n = exp((ln a - ln(target)) / b).",
        ),
        "case": (
            "What does the line do when its slope is 0 or positive? Compare with a small number, not with 0: rounding.",
        ),
        "sign": ("The slope of the fitted line is -b.",),
        "scale": ("Use the same logarithm on the way in and on the way out.",),
    },
    wrong=(
        Wrong(
            """
import math
import numpy as np

def pairs_needed(pairs, errors, target):
    slope, start = np.polyfit(pairs, errors, 1)
    return float((target - start) / slope) if slope < -1e-9 else math.inf
""",
            1,
            "a straight line through the errors themselves, which soon promises errors below zero",
        ),
        Wrong(
            """
import math
import numpy as np

def pairs_needed(pairs, errors, target):
    b = -math.log(errors[-1] / errors[0]) / math.log(pairs[-1] / pairs[0])
    return float(pairs[0] * (errors[0] / target) ** (1 / b)) if b > 1e-9 else math.inf
""",
            2,
            "a line through the first and the last point only: right without noise",
        ),
        Wrong(
            """
import numpy as np

def pairs_needed(pairs, errors, target):
    slope, start = np.polyfit(np.log(pairs), np.log(errors), 1)
    return float(np.exp((np.log(target) - start) / slope))
""",
            4,
            "solves the equation where it has no useful solution",
        ),
    ),
    variant="""
import math
import numpy as np

def pairs_needed(pairs, errors, target):
    x, y = np.log10(pairs), np.log10(errors)
    design = np.stack([np.ones_like(x), x], axis=1)
    (start, slope), *_ = np.linalg.lstsq(design, y, rcond=None)
    if slope > -1e-6:
        return math.inf
    return 10 ** ((math.log10(target) - start) / slope)
""",
)
