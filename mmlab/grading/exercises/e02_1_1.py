"""02_1.1: alignment of a sound with a sequence, by dynamic programming."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _random(rng: np.random.Generator, shapes: tuple = ((8, 12), (14, 7), (10, 10))) -> list[Call]:
    # Large enough that hardly any draw lets the greedy path be the cheapest one of all three.
    return [Call({"costs": rng.uniform(0.1, 3, size=shape)}) for shape in shapes]


def _small(rng: np.random.Generator) -> list[Call]:
    paper = np.array([[1.0, 9.0, 9.0], [1.0, 9.0, 1.0], [9.0, 1.0, 1.0]])
    trap = np.array([[1.0, 2.0, 2.0, 1.0], [9.0, 1.0, 9.0, 1.0], [9.0, 9.0, 9.0, 1.0]])  # the cheapest step ends badly
    return [Call({"costs": paper}), Call({"costs": trap})]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [Call({"costs": rng.uniform(0.1, 3, size=shape)}) for shape in ((1, 1), (1, 5), (4, 1))]


def _large(rng: np.random.Generator) -> list[Call]:
    return [Call({"costs": rng.uniform(0.1, 3, size=(40, 60))})]


STATEMENT = """
**Alignment** asks which part of one modality goes with which part of another. A word has been cut into `n` sounds and
a recording into `m` moments; `costs[i, j]` says how badly sound `i` fits moment `j`. Time runs forward in both, so an
alignment is a path from the first pair to the last, each step of which goes one sound on, one moment on, or both:

$$D_{ij} = c_{ij} + \\min(D_{i-1,\\,j},\\ D_{i,\\,j-1},\\ D_{i-1,\\,j-1})$$

The path starts with $D_{00} = c_{00}$; cells outside the table do not count. Write `align(costs)`: the smallest possible
sum of costs over all such paths (dynamic time warping).
"""

EXERCISE = Exercise(
    id="02_1.1",
    lesson="02_1_multimodal_learning",
    title="Align a sound with a sequence",
    entry="align",
    statement=STATEMENT,
    stub='''
import numpy as np


def align(costs):
    """The smallest sum of costs of a path from the first corner to the last: costs (n, m) -> a number."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("on paper", 1, _small, "two tables that fit on paper; in one, the next cheapest step is a trap"),
        Check("random", 1, _random, "tables with more sounds than moments, fewer, and as many"),
        Check("one row or column", 1, _edges, "a single sound, a single moment, one of each", kind="case"),
        Check("long", 1, _large, "40 sounds and 60 moments: too many paths to try them all", hidden=True),
    ),
    hints={
        "value": (
            "Fill a table of the same size: the cheapest way to get to each pair from the start.",
            "There are three ways into a cell: from above, from the left, and diagonally. Is one forgotten?",
            "The first row can only be reached from the left, the first column only from above; add up the costs "
            "on the way.",
        ),
        "case": ("With one row there is one path only, straight through: the sum of all its costs.",),
        "slow": (
            "The number of paths grows exponentially, the table has n · m cells: compute each once, from its "
            "neighbours.",
        ),
        "in_place": ("Make a table of your own, for example `np.full(costs.shape, np.inf)`.",),
        "type": ("The answer is one number, the last cell of the table.",),
    },
    wrong=(
        Wrong(
            """
def align(costs):
    i = j = 0
    total = costs[0, 0]
    n, m = costs.shape
    while (i, j) != (n - 1, m - 1):
        steps = [(a, b) for a, b in ((i + 1, j + 1), (i + 1, j), (i, j + 1)) if a < n and b < m]
        i, j = min(steps, key=lambda step: costs[step])
        total += costs[i, j]
    return float(total)
""",
            1,
            "greedy: the cheapest next step is not on the cheapest path",
        ),
        Wrong(
            """
import numpy as np

def align(costs):
    n, m = costs.shape
    table = np.zeros((n + 1, m + 1))
    for i in range(n):
        for j in range(m):
            table[i + 1, j + 1] = costs[i, j] + min(table[i, j + 1], table[i + 1, j], table[i, j])
    return float(table[n, m])
""",
            0,
            "a border of zeros lets a path begin anywhere on the edge",
        ),
        Wrong(
            """
import numpy as np

def align(costs):
    n, m = costs.shape
    table = np.full((n, m), np.inf)
    table[0, 0] = costs[0, 0]
    for i in range(n):
        for j in range(m):
            if i: table[i, j] = min(table[i, j], costs[i, j] + table[i - 1, j])
            if j: table[i, j] = min(table[i, j], costs[i, j] + table[i, j - 1])
    return float(table[-1, -1])
""",
            1,
            "no diagonal step",
        ),
    ),
    variant="""
import numpy as np

def align(costs):
    row = np.cumsum(costs[0])
    for cost in costs[1:]:
        new = [row[0] + cost[0]]
        for j in range(1, len(cost)):
            new.append(cost[j] + min(row[j], row[j - 1], new[-1]))
        row = new
    return row[-1]
""",
)
