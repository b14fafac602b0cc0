"""02_2.3: temperature and top-p."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _temperature(rng: np.random.Generator) -> list[Call]:
    return [Call({"logits": rng.normal(size=6), "temperature": t, "top_p": 1.0}) for t in (0.5, 1.0, 2.5)]


def _nucleus(rng: np.random.Generator) -> list[Call]:
    paper = np.log(np.array([0.15, 0.5, 0.05, 0.3]))
    calls = [Call({"logits": paper, "temperature": 1.0, "top_p": p}) for p in (0.45, 0.6, 0.85)]
    return [*calls, *_both(rng)]


def _both(rng: np.random.Generator) -> list[Call]:
    sizes, temperatures, shares = (9, 20, 50), (0.7, 1.3, 2.0), (0.3, 0.8, 0.95)
    made = zip(sizes, temperatures, shares, strict=True)
    return [Call({"logits": rng.normal(size=n) * 2, "temperature": t, "top_p": p}) for n, t, p in made]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [
        Call({"logits": np.array([1000.0, 999.0, -1000.0]), "temperature": 1.0, "top_p": 1.0}),
        Call({"logits": np.array([2.0, 7.0, 1.0]), "temperature": 0.01, "top_p": 0.9}),
        Call({"logits": np.array([0.3, 2.0, 0.1]), "temperature": 1.0, "top_p": 0.0001}),
    ]


STATEMENT = """
Before a language model draws its next token, two knobs reshape the distribution. **Temperature** divides the logits:
$p = \\mathrm{softmax}(\\ell / T)$. **Top-p** then keeps the smallest set of most probable tokens whose probabilities
sum to at least `top_p`, sets the others to 0, and divides by what is left, so that the kept ones sum to 1. At least
one token is always kept.

Write `reshape_next(logits, temperature, top_p)`, which gives the probabilities, in the order of the tokens, as an
array of the same length.
"""

EXERCISE = Exercise(
    id="02_2.3",
    lesson="02_2_language_models",
    title="Temperature and top-p",
    entry="reshape_next",
    statement=STATEMENT,
    stub='''
import numpy as np


def reshape_next(logits, temperature, top_p):
    """What a sampler draws from: logits (V,), temperature > 0, 0 < top_p <= 1 -> probabilities (V,)."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("temperature", 1, _temperature, "three temperatures, nothing cut off"),
        Check("top-p", 2, _nucleus, "four probabilities that fit on paper, and longer lists"),
        Check("special", 1, _edges, "logits of 1000, a temperature near 0, a top_p near 0", kind="case"),
        Check("fresh", 1, _both, "other logits, both knobs at once", hidden=True),
    ),
    hints={
        "value": (
            "First temperature, then softmax, then top-p, then the division by what is left.",
            "The token with which the sum reaches top_p belongs to the set. A token stays if the sum *before* it "
            "is below top_p.",
            "Sort, sum up, decide, and put the decision back into the original order: `order = np.argsort(-p)`, "
            "`keep[order] = ...`.",
        ),
        "axis": ("The probabilities came out sorted; put them back into the order of the tokens.",),
        "scale": ("After cutting, divide by the sum of what is left.",),
        "case": (
            "exp(1000) is infinite. Subtract the largest logit first; softmax does not change.",
            "The most probable token is always kept, however small top_p is.",
        ),
        "in_place": ("`logits /= temperature` changes the caller's array.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def reshape_next(logits, temperature, top_p):
    p = np.exp(logits / temperature - (logits / temperature).max())
    p = p / p.sum()
    order = np.argsort(-p)
    keep = np.zeros(len(p), dtype=bool)
    keep[order] = np.cumsum(p[order]) <= top_p + 1e-9
    p = np.where(keep, p, 0)
    return p / p.sum()
""",
            1,
            "drops the token with which the sum reaches top_p, and where that is the first nothing is left",
        ),
        Wrong(
            """
import numpy as np

def reshape_next(logits, temperature, top_p):
    p = np.exp(logits / temperature)
    p = p / p.sum()
    order = np.argsort(-p)
    keep = np.zeros(len(p), dtype=bool)
    keep[order] = np.cumsum(p[order]) - p[order] < top_p
    p = np.where(keep, p, 0)
    return p / p.sum()
""",
            4,
            "overflows for large logits",
        ),
        Wrong(
            """
import numpy as np

def reshape_next(logits, temperature, top_p):
    x = logits * temperature
    p = np.exp(x - x.max())
    p = p / p.sum()
    order = np.argsort(-p)
    keep = np.zeros(len(p), dtype=bool)
    keep[order] = np.cumsum(p[order]) - p[order] < top_p
    p = np.where(keep, p, 0)
    return p / p.sum()
""",
            0,
            "multiplies by the temperature, so that heat sharpens",
        ),
    ),
    variant="""
import numpy as np

def reshape_next(logits, temperature, top_p):
    x = [float(l) / temperature for l in logits]
    top = max(x)
    weights = [np.exp(v - top) for v in x]
    total = sum(weights)
    out, so_far = np.zeros(len(x)), 0.0
    for i in sorted(range(len(x)), key=lambda i: x[i], reverse=True):
        if so_far >= top_p:
            break
        out[i] = weights[i] / total
        so_far += out[i]
    return out / so_far
""",
)
