"""06_1.2: find pairs that differ in exactly what is asked."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Compare, Exercise, Failure, Wrong
from mmlab.grading.values import Value

EXACT = Close(rtol=0, atol=0)
VALUES = {
    "thing": ("cat", "car", "cup"),
    "colour": ("red", "blue"),
    "style": ("noto", "fluent"),
    "voice": ("rms", "slt"),
}


class Pairs(Compare):
    """Equal; where each pair is written as asked, it is the choice of the pairs that is wrong, or only their order."""

    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        failure = EXACT.differs(call, expected=expected, got=got, kind=kind)
        if failure is None or not _as_asked(got):
            return failure
        if sorted(list(pair) for pair in got) == expected:
            return Failure("axis", "The right pairs, in another order.")
        return Failure(kind, failure.sentence)


def _as_asked(got: Value) -> bool:
    """Whether it is a list of pairs [i, j] with i < j, each of them once."""
    if not isinstance(got, list | tuple) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in got):
        return False
    ordered = all(type(i) is type(j) is int and i < j for i, j in got)
    return ordered and len({tuple(pair) for pair in got}) == len(got)


def _scenes(rng: np.random.Generator, n: int, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{key: str(rng.choice(VALUES[key])) for key in keys} for _ in range(n)]


def _paper(rng: np.random.Generator) -> list[Call]:
    scenes = [
        {"thing": "cat", "colour": "red"},
        {"thing": "cat", "colour": "blue"},
        {"thing": "car", "colour": "blue"},
        {"thing": "cat", "colour": "red"},
    ]
    return [Call({"scenes": scenes, "key": key}) for key in ("colour", "thing")]


def _random(rng: np.random.Generator) -> list[Call]:
    return [
        Call({"scenes": _scenes(rng, 10, ("thing", "colour", "style")), "key": "thing"}),
        Call({"scenes": _scenes(rng, 14, ("voice", "thing", "colour", "style")), "key": "colour"}),
    ]


def _edges(rng: np.random.Generator) -> list[Call]:
    turned = [{"thing": "cat", "colour": "red"}, {"colour": "blue", "thing": "cat"}]
    return [
        Call({"scenes": [], "key": "colour"}),
        Call({"scenes": [{"colour": "red"}, {"colour": "red"}, {"colour": "blue"}], "key": "colour"}),
        Call({"scenes": turned, "key": "colour"}),
    ]


STATEMENT = """
Design the test of the exercise before: from a list of scenes, find the pairs that make good counterfactuals for a
question about one attribute. A good pair differs in **that attribute and in nothing else**: if the style changes too,
nobody knows which change the model answered to.

Write `minimal_pairs(scenes, key)`: `scenes` is a list of dicts with the same keys and strings as values, `key` is the
attribute that is asked for. Give all pairs `[i, j]` of positions in the list, counted from 0, with $i < j$ such that the
two scenes differ in `key` and agree in all else, ordered by $i$, then by $j$.
"""

EXERCISE = Exercise(
    id="06_1.2",
    lesson="06_1_dialogue",
    title="Design minimal pairs",
    entry="minimal_pairs",
    statement=STATEMENT,
    stub='''
def minimal_pairs(scenes, key):
    """scenes: dicts of strings, key: the attribute asked for  ->  pairs [i, j], i < j, that differ in key alone."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "itertools", "collections"),
    checks=(
        Check("on paper", 1, _paper, "four scenes of two attributes", Pairs()),
        Check("random", 1, _random, "ten and fourteen scenes of three and four attributes", Pairs()),
        Check(
            "special", 1, _edges, "no scenes; one attribute only; keys written in another order", Pairs(), kind="case"
        ),
        Check("fresh", 1, _random, "other scenes", Pairs(), hidden=True),
    ),
    hints={
        "value": (
            "Look at every key: the two scenes must differ in `key`, and agree in each of the others.",
            "Go through i from the start and j from i + 1: the order comes by itself.",
        ),
        "shape": ("Each pair once, with the smaller number first; a scene makes no pair with itself.",),
        "case": ("Compare by key, not by the order in which a dict is written.",),
        "type": ("A list of lists [i, j] of whole numbers.",),
        "axis": ("The smaller number comes first, and the pairs are ordered.",),
    },
    wrong=(
        Wrong(
            """
def minimal_pairs(scenes, key):
    n = len(scenes)
    return [[i, j] for i in range(n) for j in range(i + 1, n) if scenes[i][key] != scenes[j][key]]
""",
            1,
            "lets everything else differ, too",
        ),
        Wrong(
            """
def minimal_pairs(scenes, key):
    n = len(scenes)
    def rest(scene):
        return [value for name, value in scene.items() if name != key]
    return [[i, j] for i in range(n) for j in range(n) if i != j
            and scenes[i][key] != scenes[j][key] and rest(scenes[i]) == rest(scenes[j])]
""",
            0,
            "each pair twice",
        ),
        Wrong(
            """
def minimal_pairs(scenes, key):
    n = len(scenes)
    def rest(scene):
        return {name: value for name, value in scene.items() if name != key}
    return [[i, j] for i in range(n) for j in range(i + 1, n) if rest(scenes[i]) == rest(scenes[j])]
""",
            0,
            "takes scenes that do not differ at all",
        ),
    ),
    variant="""
from collections import defaultdict
from itertools import combinations

def minimal_pairs(scenes, key):
    groups = defaultdict(list)
    for place, scene in enumerate(scenes):
        groups[frozenset((k, v) for k, v in scene.items() if k != key)].append(place)
    pairs = [(i, j) for group in groups.values() for i, j in combinations(group, 2) if scenes[i][key] != scenes[j][key]]
    return sorted(pairs)
""",
)
