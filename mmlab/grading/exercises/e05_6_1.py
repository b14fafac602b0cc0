"""05_6.1: recall at k, with ties counted against."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for queries, gallery, k in ((30, 9, 1), (60, 15, 5)):
        targets = rng.integers(gallery, size=queries)
        scores = rng.normal(size=(queries, gallery))
        scores[np.arange(queries), targets] += 1.0
        calls.append(Call({"scores": scores, "targets": targets.tolist(), "k": k}))
    return calls


def _ties(rng: np.random.Generator) -> list[Call]:
    scores = rng.integers(0, 4, size=(40, 8)).astype(float)  # four levels: ties everywhere
    targets = rng.integers(8, size=40).tolist()
    scores[0, targets[0]] = 4.0  # and in one row none, so that something is found at k = 1
    return [Call({"scores": scores, "targets": targets, "k": k}) for k in (1, 3)]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [
        Call({"scores": np.zeros((4, 5)), "targets": [0, 1, 2, 4], "k": 1}),  # the lazy model
        Call({"scores": np.zeros((4, 5)), "targets": [0, 1, 2, 4], "k": 5}),
        Call({"scores": np.eye(3), "targets": [0, 1, 2], "k": 1}),
    ]


STATEMENT = """
Recall at $k$ is the share of queries whose right answer is among the first $k$ of the ranked list. But where does it
stand if other answers have the **same** score? `argsort` puts them in some order, and a model that gives everything
the score 0 may come out at any figure. We count every tie against the model:

$$r_q = 1 + \\#\\{g \\ne t_q : s_{qg} \\ge s_{q t_q}\\}, \\qquad R@k = \\frac{1}{Q} \\#\\{q : r_q \\le k\\}$$

Write `hits_at(scores, targets, k)` with `scores (queries, gallery)` a NumPy array, `targets` a list with the position of
each query's right answer, and $k$. The result is a number between 0 and 1.
"""

EXERCISE = Exercise(
    id="05_6.1",
    lesson="05_6_results",
    title="Recall at k, and the lazy model",
    entry="hits_at",
    statement=STATEMENT,
    stub='''
import numpy as np


def hits_at(scores, targets, k):
    """scores (queries, gallery), targets a list of positions, k  ->  a number between 0 and 1; ties count against."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("no ties", 1, _random, "random scores, k of 1 and of 5"),
        Check("ties", 2, _ties, "scores with four levels only", kind="case"),
        Check("lazy", 1, _edges, "a model that scores everything 0, and one that is always right", kind="case"),
        Check("fresh", 1, _ties, "other scores with ties", hidden=True, kind="case"),
    ),
    hints={
        "value": (
            "Take each query's score of its right answer, and count how many others are at least as high.",
            "`scores[np.arange(len(scores)), targets]` picks one score from each row.",
        ),
        "case": (
            "Which of two equal scores does argsort put first? Do not sort; count.",
            "`>=` counts the right answer itself, too: once.",
        ),
        "axis": ("A row is a query, a column an item of the gallery.",),
        "scale": ("A share: between 0 and 1, not percent.",),
        "type": ("One number.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def hits_at(scores, targets, k):
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.mean([target in row for row, target in zip(order, targets)]))
""",
            1,
            "the order of argsort decides ties",
        ),
        Wrong(
            """
import numpy as np

def hits_at(scores, targets, k):
    own = scores[np.arange(len(scores)), targets]
    return float(((scores > own[:, None]).sum(axis=1) < k).mean())
""",
            1,
            "ties count for the model: the lazy model is perfect",
        ),
        Wrong(
            """
import numpy as np

def hits_at(scores, targets, k):
    own = scores[np.arange(len(scores)), targets]
    return float(((scores >= own[:, None]).sum(axis=1) < k).mean())
""",
            0,
            "off by one: the right answer is at least as high as itself",
        ),
    ),
    variant="""
def hits_at(scores, targets, k):
    hits = 0
    for row, target in zip(scores.tolist(), targets):
        rivals = [score for place, score in enumerate(row) if place != target and score >= row[target]]
        hits += len(rivals) < k
    return hits / len(targets)
""",
)
