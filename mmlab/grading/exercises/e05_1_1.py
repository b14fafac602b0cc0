"""05_1.1: whole families on one side of a split."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Wrong

EXACT = Close(rtol=0, atol=0)


def _pairs(rng: np.random.Generator, things: int, links: int) -> Call:
    return Call({"things": things, "related": rng.integers(things, size=(links, 2)).tolist()})


def _paper(rng: np.random.Generator) -> list[Call]:
    chain = [[4, 3], [1, 2], [2, 4]]  # 1 - 2 - 4 - 3, written in no order
    return [Call({"things": 6, "related": chain}), Call({"things": 5, "related": [[0, 4], [3, 1]]})]


def _random(rng: np.random.Generator) -> list[Call]:
    return [_pairs(rng, 40, 36), _pairs(rng, 80, 80), _pairs(rng, 120, 120)]  # with chains that take many passes


def _edges(rng: np.random.Generator) -> list[Call]:
    return [
        Call({"things": 4, "related": []}),
        Call({"things": 3, "related": [[1, 1], [2, 0], [0, 2]]}),
        Call({"things": 40, "related": [[i + 1, i] for i in reversed(range(39))]}),
    ]


STATEMENT = """
If 👨‍🚒 is in the training set and 👩‍🚒 in the test set, the test is too easy: the two drawings are nearly the same. So
whole **families** go to one side. We know which things are related, in pairs; a relative of a relative belongs to the
family too.

Write `families(things, related)`: `things` is how many things there are (0, 1, ..., `things` - 1), `related` a list
of pairs `[a, b]`. Give a list with the family of each thing, named by its smallest member. Things 1 and 2 related, 2
and 4 related, five things in all: `[0, 1, 1, 3, 1]`. A pair may come in either order or twice, or join a thing to itself;
a thing without relatives names itself.
"""

EXERCISE = Exercise(
    id="05_1.1",
    lesson="05_1_environment_and_data",
    title="Whole families on one side",
    entry="families",
    statement=STATEMENT,
    stub='''
def families(things, related):
    """things: how many; related: pairs [a, b]  ->  a list of length `things`: the smallest member of each one's family."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "collections", "itertools", "numpy"),
    checks=(
        Check("on paper", 1, _paper, "two small examples, one with a chain of relatives", EXACT),
        Check("random", 1, _random, "40, 80 and 120 things, related at random", EXACT),
        Check("special", 1, _edges, "no relatives, a thing related to itself, one long chain", EXACT, kind="case"),
        Check("fresh", 1, _random, "other relations", EXACT, hidden=True),
    ),
    hints={
        "value": (
            "Follow relatives of relatives: one pass over the pairs is not enough.",
            "Start with everyone alone; for each pair, give all members of both families the smaller name.",
        ),
        "case": ("A long chain, given from its end: does the smallest name reach the last member?",),
        "shape": ("A list with one entry for each thing, also for those that have no relatives.",),
        "type": ("A list of whole numbers.",),
    },
    wrong=(
        Wrong(
            """
def families(things, related):
    family = list(range(things))
    for a, b in related:
        family[a] = family[b] = min(family[a], family[b])
    return family
""",
            0,
            "moves the two things, not their families",
        ),
        Wrong(
            """
def families(things, related):
    family = list(range(things))
    for _ in range(2):
        for a, b in related:
            family[a] = family[b] = min(family[a], family[b])
    return family
""",
            1,
            "two passes: short chains come out right, long ones do not",
        ),
    ),
    variant="""
def families(things, related):
    near = {thing: set() for thing in range(things)}
    for a, b in related:
        near[a].add(b)
        near[b].add(a)
    family = [None] * things
    for start in range(things):
        queue = [start] if family[start] is None else []
        while queue:
            thing = queue.pop()
            if family[thing] is None:
                family[thing] = start
                queue.extend(near[thing])
    return family
""",
)
