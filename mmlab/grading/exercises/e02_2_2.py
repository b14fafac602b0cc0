"""02_2.2: Kneser-Ney smoothing."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for size in (5, 7):
        counts = rng.poisson(0.8, size=(size, size))
        counts[:, 0] += 1  # every word was followed by something
        calls.append(Call({"counts": counts, "discount": float(rng.uniform(0.2, 0.9))}))
    return calls


def _francisco(rng: np.random.Generator) -> list[Call]:
    counts = np.zeros((4, 4), dtype=int)
    counts[0, 3] = 40  # "san francisco": frequent, and after one word only
    counts[1, 2], counts[1, 0], counts[2, 1], counts[3, 2] = 1, 2, 2, 1
    return [Call({"counts": counts, "discount": 0.75})]


def _edges(rng: np.random.Generator) -> list[Call]:
    counts = rng.poisson(1.0, size=(5, 5)) + 1
    counts[0, 0] += counts.sum()  # the commonest word, but after as many others as each of the rest
    counts[2] = 0  # nothing ever followed the third word
    return [Call({"counts": counts, "discount": 0.5})]


STATEMENT = """
"Francisco" is frequent, but it follows one word only. After a history that was never seen, a model that backs off to
frequencies would say "Francisco"; Kneser-Ney backs off to how many *different* words a word follows:

$$P(w \\mid v) = \\frac{\\max(c(v, w) - d,\\, 0)}{c(v)} + \\frac{d\\, N(v, \\cdot)}{c(v)}\\, P_{\\mathrm{cont}}(w),
\\qquad P_{\\mathrm{cont}}(w) = \\frac{N(\\cdot, w)}{N(\\cdot, \\cdot)}$$

with $c(v) = \\sum_w c(v, w)$, $N(v, \\cdot)$ the number of different words seen after $v$, $N(\\cdot, w)$ the number
of different words seen before $w$, $N(\\cdot, \\cdot)$ the number of different pairs, and $0 < d < 1$. Write
`kneser_ney(counts, discount)`, the table of all $P(w \\mid v)$. After a word that nothing ever followed,
$P(w \\mid v) = P_{\\mathrm{cont}}(w)$.
"""

EXERCISE = Exercise(
    id="02_2.2",
    lesson="02_2_language_models",
    title="Kneser-Ney: how many words does a word follow?",
    entry="kneser_ney",
    statement=STATEMENT,
    stub='''
import numpy as np


def kneser_ney(counts, discount):
    """Probabilities of the next word: counts (V, V), a row per word before -> (V, V), rows that sum to 1."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("san francisco", 2, _francisco, "a word that is frequent and follows one word only"),
        Check("random", 1, _random, "random counts over five and seven words"),
        Check("nothing follows", 1, _edges, "a word that was never followed by anything", kind="case"),
        Check("fresh", 1, _random, "other random counts", hidden=True),
    ),
    hints={
        "value": (
            "P_cont counts different words before w, not occurrences of w.",
            "Do your rows sum to 1? What the discount takes away from the seen pairs, the second term must give back.",
            "`counts > 0` says which pairs were seen; its sums along the two axes are N(v, ·) and N(·, w).",
        ),
        "case": (
            "Where c(v) is 0 both fractions are 0/0. Divide only where c(v) > 0, and take P_cont for the other rows.",
        ),
        "axis": ("Rows are the words before. `keepdims=True` keeps a row's sum beside its row.",),
        "dtype": ("Counts are whole numbers; probabilities need floats.",),
        "in_place": ("Work on `counts > 0` and on new arrays; `counts -= discount` would change the caller's table.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def kneser_ney(counts, discount):
    total = counts.sum(axis=1, keepdims=True)
    back = counts.sum(axis=0) / counts.sum()
    seen = (counts > 0).sum(axis=1, keepdims=True)
    safe = np.maximum(total, 1)
    p = np.maximum(counts - discount, 0) / safe + discount * seen / safe * back
    return np.where(total > 0, p, back)
""",
            0,
            "backs off to frequencies: absolute discounting, not Kneser-Ney",
        ),
        Wrong(
            """
import numpy as np

def kneser_ney(counts, discount):
    total = counts.sum(axis=1, keepdims=True)
    seen = counts > 0
    with np.errstate(all="ignore"):
        first = np.maximum(counts - discount, 0) / total
        return first + discount * seen.sum(axis=1, keepdims=True) / total * seen.sum(axis=0) / seen.sum()
""",
            4,
            "0/0 after a word that nothing followed",
        ),
        Wrong(
            """
import numpy as np

def kneser_ney(counts, discount):
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    seen = counts > 0
    cont = seen.sum(axis=0) / seen.sum()
    p = np.maximum(counts - discount, 0) / total + discount / total * cont
    return np.where(counts.sum(axis=1, keepdims=True) > 0, p, cont)
""",
            0,
            "gives back one discount a row instead of one for each seen pair: rows do not sum to 1",
        ),
    ),
    variant="""
import numpy as np

def kneser_ney(counts, discount):
    size = len(counts)
    pairs = int(np.count_nonzero(counts))
    table = np.empty((size, size))
    for w in range(size):
        cont = np.count_nonzero(counts[:, w]) / pairs
        for v in range(size):
            c = counts[v].sum()
            if c == 0:
                table[v, w] = cont
            else:
                table[v, w] = (max(counts[v, w] - discount, 0) + discount * np.count_nonzero(counts[v]) * cont) / c
    return table
""",
)
