"""02_2.1: perplexity of a smoothed bigram model."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _random(rng: np.random.Generator, sizes: tuple = (5, 8)) -> list[Call]:
    calls = []
    for size in sizes:
        counts = rng.poisson(3, size=(size, size)) + np.eye(size, dtype=int)
        tokens = rng.integers(size, size=12).tolist()
        calls.append(Call({"counts": counts, "tokens": tokens, "k": float(rng.uniform(0.1, 1.5))}))
    return calls


def _unseen(rng: np.random.Generator) -> list[Call]:
    counts = np.zeros((4, 4), dtype=int)
    counts[0, 1] = 3
    return [
        Call({"counts": counts, "tokens": [2, 3, 2], "k": 0.5}),  # a history that never occurred
        Call({"counts": counts, "tokens": [0, 2], "k": 1.0}),  # one that occurred, and a word that never followed
    ]


def _long(rng: np.random.Generator) -> list[Call]:
    counts = rng.poisson(1, size=(30, 30))
    return [Call({"counts": counts, "tokens": rng.integers(30, size=900).tolist(), "k": 0.3})]


STATEMENT = """
`counts[v, w]` says how often word `w` followed word `v` in the training text. A bigram model with add-k smoothing
gives

$$P(w \\mid v) = \\frac{c(v, w) + k}{\\sum_{w'} c(v, w') + k\\,V}$$

with $V$ the size of the vocabulary. Write `perplexity(counts, tokens, k)` of a text: with $n$ tokens there are
$n - 1$ predictions, each of a token from the one before it, and

$$\\mathrm{PPL} = \\exp\\Big(-\\frac{1}{n - 1} \\sum_{t=2}^{n} \\ln P(x_t \\mid x_{t-1})\\Big)$$
"""

EXERCISE = Exercise(
    id="02_2.1",
    lesson="02_2_language_models",
    title="Perplexity, from counts",
    entry="perplexity",
    statement=STATEMENT,
    stub='''
import numpy as np


def perplexity(counts, tokens, k):
    """How many words the model hesitates between: counts (V, V), tokens a list of word numbers, k > 0 -> a number."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("random", 1, _random, "texts over vocabularies of five and eight words"),
        Check("never seen", 1, _unseen, "histories and pairs that the training text does not have", kind="case"),
        Check("long", 1, _long, "a text of 900 words, whose probability itself is too small for a float", kind="case"),
        Check("fresh", 1, _random, "other texts", hidden=True),
    ),
    hints={
        "value": (
            "Which word is the history: the row of the table or the column?",
            "How many predictions does a text of n tokens have? The first token is predicted by nothing.",
            "The denominator counts k once for each word of the vocabulary.",
        ),
        "case": (
            "A product of 900 probabilities is 0 in floating point. Add logarithms.",
            "With smoothing no probability is 0; if yours is, k is missing somewhere.",
        ),
        "scale": ("Natural logarithm and exp belong together, as 2 and log2 do.",),
        "type": ("Give one number, not the list of probabilities.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def perplexity(counts, tokens, k):
    p = (counts + k) / (counts.sum(axis=0) + k * len(counts))
    return float(np.exp(-np.mean([np.log(p[a, b]) for a, b in zip(tokens, tokens[1:])])))
""",
            0,
            "divides by how often a word comes second, so that the rows do not sum to one",
        ),
        Wrong(
            """
import numpy as np

def perplexity(counts, tokens, k):
    p = (counts + k) / (counts.sum(axis=1, keepdims=True) + k * len(counts))
    return float(np.prod([p[a, b] for a, b in zip(tokens, tokens[1:])]) ** (-1 / (len(tokens) - 1)))
""",
            3,
            "multiplies probabilities: right for short texts, infinite for long ones",
        ),
        Wrong(
            """
import numpy as np

def perplexity(counts, tokens, k):
    p = (counts + k) / (counts.sum(axis=1, keepdims=True) + k * len(counts))
    return float(np.exp(-sum(np.log(p[a, b]) for a, b in zip(tokens, tokens[1:])) / len(tokens)))
""",
            0,
            "divides by the number of tokens; there is one prediction less",
        ),
    ),
    variant="""
import math

def perplexity(counts, tokens, k):
    bits = 0.0
    for before, word in zip(tokens[:-1], tokens[1:]):
        row = [float(c) + k for c in counts[before]]
        bits -= math.log2(row[word] / sum(row))
    return 2 ** (bits / (len(tokens) - 1))
""",
)
