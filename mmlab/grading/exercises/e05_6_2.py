"""05_6.2: is the difference between two models real?"""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _call(rng: np.random.Generator, n: int, better: float) -> Call:
    """The second model is right more often; level counts, which are a case of their own, are drawn again."""
    while True:
        first, second = rng.random(n) < 0.6, rng.random(n) < 0.6 + better
        if second.sum() > first.sum():
            return Call({"first": first.tolist(), "second": second.tolist()})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 40, 0.3), _call(rng, 60, 0.2), _call(rng, 25, 0.35)]


def _clear(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 40, 0.35), _call(rng, 25, 0.39)]


def _paper(rng: np.random.Generator) -> list[Call]:
    only_second = [False] * 5 + [True] * 7
    return [
        Call({"first": only_second, "second": [True] * 12}),
        Call({"first": [True, True, False], "second": [False, True, True]}),
    ]


def _edges(rng: np.random.Generator) -> list[Call]:
    same = (rng.random(20) < 0.5).tolist()
    return [Call({"first": same, "second": same}), _call(rng, 2400, 0.03)]


STATEMENT = """
Two models answer the same questions; one is right a little more often. Is it better, or lucky? Questions that both
get right or both get wrong say nothing about that. Of the $d$ questions on which exactly one is right, if both are
equally good, each is the first's or the second's like the toss of a coin.

Write `by_chance(first, second)`, two lists of True and False (right or wrong, question by question): the probability
that $d$ fair tosses fall **at least as unevenly** as these did, to either side (the exact two-sided sign test, or
McNemar's exact test). With $k$ the smaller of the two counts,

$$p = \\min\\Big(1,\\ 2 \\sum_{i=0}^{k} \\binom{d}{i} 2^{-d}\\Big)$$

and $p = 1$ if $d = 0$. Then use it on `right` of section 4, `by_chance(right["sum"], right["picture"])`: is the sum
better than the picture alone?
"""

EXERCISE = Exercise(
    id="05_6.2",
    lesson="05_6_results",
    title="Better, or lucky?",
    entry="by_chance",
    statement=STATEMENT,
    stub='''
import math


def by_chance(first, second):
    """Right or wrong, question by question, of two models  ->  the two-sided probability under equal skill."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "fractions", "itertools"),
    checks=(
        Check("on paper", 1, _paper, "five wins to none; one win each"),
        Check("random", 2, _random, "models of 60 % against better ones, 25 to 60 questions"),
        Check("special", 1, _edges, "the same answers; 2,400 questions", kind="case"),
        Check("fresh", 1, _clear, "other answers", hidden=True),
    ),
    hints={
        "value": (
            "Count only the questions on which exactly one model is right: first only, second only.",
            "`math.comb(d, i)` is the number of ways to get i heads in d tosses.",
            "Both sides: twice the tail of the smaller count, and never more than 1.",
        ),
        "scale": ("Two-sided: twice one tail.",),
        "case": (
            "If the models never differ there is no evidence at all: p = 1.",
            "2.0 ** 1100 is too large for a float; add the whole numbers first, then divide whole numbers: `total"
            " / 2**d`.",
        ),
        "error": ("OverflowError? Keep whole numbers whole until the last division.",),
        "slow": ("Sum over i up to k, not over all sequences of tosses.",),
        "type": ("One number between 0 and 1.",),
    },
    wrong=(
        Wrong(
            """
import math

def by_chance(first, second):
    wins = sum(b and not a for a, b in zip(first, second))
    losses = sum(a and not b for a, b in zip(first, second))
    d, k = wins + losses, min(wins, losses)
    return sum(math.comb(d, i) for i in range(k + 1)) / 2**d
""",
            0,
            "one side only",
        ),
        Wrong(
            """
import math

def by_chance(first, second):
    n = len(first)
    k = min(sum(first), sum(second))
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
""",
            0,
            "counts all questions, also those that say nothing",
        ),
        Wrong(
            """
import math

def by_chance(first, second):
    wins = sum(b and not a for a, b in zip(first, second))
    losses = sum(a and not b for a, b in zip(first, second))
    d, k = wins + losses, min(wins, losses)
    return 2 * sum(math.comb(d, i) for i in range(k + 1)) / 2**d
""",
            3,
            "a probability of more than 1 where the counts are level",
        ),
    ),
    variant="""
from fractions import Fraction
from math import comb

def by_chance(first, second):
    signs = [int(b) - int(a) for a, b in zip(first, second) if a != b]
    d, far = len(signs), abs(sum(signs))
    as_uneven = sum(comb(d, i) for i in range(d + 1) if abs(d - 2 * i) >= far)
    return float(Fraction(as_uneven, 2**d))
""",
)
