"""01.1: the most that any model can know from one modality."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong

THINGS = ("animal", "tool", "fruit", "colour")


def _bats(rng: np.random.Generator) -> list[Call]:
    texts, pictures, labels = (
        ["bat"] * 4 + ["cat"] * 2,
        ["🦇", "🦇", "🏏", "🏏", "🐱", "🐱"],
        ["蝙蝠"] * 2 + ["球拍"] * 2 + ["猫"] * 2,
    )
    both = [[text, picture] for text, picture in zip(texts, pictures, strict=True)]
    alone = [[[word] for word in words] for words in (texts, pictures)]
    return [Call({"inputs": seen, "labels": labels}) for seen in (*alone, both)]


def _random(rng: np.random.Generator, rows: int = 40, kinds: int = 6) -> list[Call]:
    words = [f"w{number}" for number in rng.integers(kinds, size=rows)]
    seen = [f"p{number}" for number in rng.integers(kinds, size=rows)]
    labels = [THINGS[number] for number in rng.integers(len(THINGS), size=rows)]
    pairs = [[word, picture] for word, picture in zip(words, seen, strict=True)]
    return [Call({"inputs": inputs, "labels": labels}) for inputs in ([[word] for word in words], pairs)]


def _edges(rng: np.random.Generator) -> list[Call]:
    same = [["bark"]] * 5
    return [
        Call({"inputs": same, "labels": ["dog", "tree", "dog", "tree", "tree"]}),
        Call({"inputs": [["a", "bc"], ["ab", "c"]], "labels": ["one", "two"]}),  # joined as text, they look the same
        Call({"inputs": [[str(number)] for number in range(5)], "labels": ["x", "y", "x", "y", "z"]}),
        Call({"inputs": [["only"]], "labels": ["it"]}),
        Call({"inputs": [["often"], ["often"], ["often"], ["once"]], "labels": ["x", "y", "z", "x"]}),
    ]


STATEMENT = """
A model that sees only the word "bat" cannot know whether 蝙蝠 or 球拍 is meant, however large it is. Write
`best_accuracy(inputs, labels)`: the largest share of right answers that *any* rule can reach on these examples when
it sees only `inputs`. Each input is a list of what is seen (one string for one modality, two for two); each label is
a string.

A rule answers the same to the same input, so for each distinct input it can do no better than the label that is most
frequent there.
"""

STUB = '''
def best_accuracy(inputs, labels):
    """The best share of right answers of a rule that sees only the inputs: a number between 0 and 1."""
    raise NotImplementedError  # your code here
'''

EXERCISE = Exercise(
    id="01.1",
    lesson="01_background",
    title="The most that one modality can know",
    entry="best_accuracy",
    statement=STATEMENT,
    stub=STUB,
    allowed=("math", "collections", "itertools"),
    checks=(
        Check("bats", 1, _bats, "six examples of bats and cats: the word alone, the picture alone, both"),
        Check("random", 1, _random, "forty random examples, one modality and two"),
        Check("special", 1, _edges, "one input for all, all inputs different, a single example", kind="case"),
        Check("fresh", 1, _random, "other random examples", hidden=True),
    ),
    hints={
        "value": (
            "Group the examples by their input first: what would you answer in each group?",
            "Count the most frequent label of each group, add these counts, divide by the number of examples.",
        ),
        "case": (
            "Are two inputs the same only if every part of them is the same? Joining the parts to one string "
            "forgets where they end.",
            "Use tuple(one_input) as the key of a dict.",
        ),
        "error": ("A list cannot be a key of a dict, a tuple can.",),
        "scale": ("A share: divide by the number of examples, not of groups.",),
    },
    wrong=(
        Wrong(
            """
from collections import Counter

def best_accuracy(inputs, labels):
    return Counter(labels).most_common(1)[0][1] / len(labels)
""",
            0,
            "the majority label over all examples, as if nothing were seen",
        ),
        Wrong(
            """
from collections import Counter, defaultdict

def best_accuracy(inputs, labels):
    groups = defaultdict(Counter)
    for one, label in zip(inputs, labels):
        groups["".join(one)][label] += 1
    return sum(max(group.values()) for group in groups.values()) / len(labels)
""",
            3,
            "joins the parts of an input, so that different inputs become one",
        ),
        Wrong(
            """
from collections import Counter, defaultdict

def best_accuracy(inputs, labels):
    groups = defaultdict(Counter)
    for one, label in zip(inputs, labels):
        groups[tuple(one)][label] += 1
    return sum(max(group.values()) / sum(group.values()) for group in groups.values()) / len(groups)
""",
            0,
            "the mean over groups, not over examples: a rare input counts as much as a frequent one",
        ),
    ),
    variant="""
def best_accuracy(inputs, labels):
    pairs = [(tuple(one), label) for one, label in zip(inputs, labels, strict=True)]
    right = 0
    for seen in {one for one, _ in pairs}:
        here = [label for one, label in pairs if one == seen]
        right += max(here.count(label) for label in here)
    return right / len(pairs)
""",
)
