"""01.2: examples that no modality can solve alone."""

from collections import Counter

import numpy as np

from mmlab.grading.compare import Judged
from mmlab.grading.exercise import Call, Check, Exercise, Failure, Wrong
from mmlab.grading.values import Value


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


def _rows(got: Value) -> list[tuple[str, str, str]] | Failure:
    """The rows, or why they cannot be read."""
    if got is None:
        return Failure("missing", "There are no rows yet.")
    if not isinstance(got, list | tuple) or not all(isinstance(row, list | tuple) and len(row) == 3 for row in got):
        return Failure("type", "Expected a list of rows [text, picture, label], each of three strings.")
    if not all(isinstance(word, str) for row in got for word in row):
        return Failure("type", "Expected every text, picture and label to be a string.")
    labels = Counter(row[2] for row in got)
    if len(labels) < 2 or len(set(labels.values())) != 1:
        return Failure(
            "case", f"Expected at least two labels, each equally often, got the counts {sorted(labels.values())}."
        )
    return [tuple(row) for row in got]


def _best(rows: list[tuple[str, str, str]], columns: tuple[int, ...]) -> float:
    """The best share of right answers from some of the columns."""
    groups: dict[tuple[str, ...], Counter] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), Counter())[row[2]] += 1
    return sum(max(group.values()) for group in groups.values()) / len(rows)


def _alone(column: int, name: str) -> Judged:
    def rule(args: dict[str, Value], got: Value) -> Failure | None:
        rows = _rows(got)
        if isinstance(rows, Failure):
            return rows
        chance, found = 1 / len({row[2] for row in rows}), _best(rows, (column,))
        if found > chance + 1e-9:
            return Failure("value", f"A rule that sees only the {name} gets {found:.0%}; chance is {chance:.0%}.")
        return None

    return Judged(rule, like=False)


def _together(args: dict[str, Value], got: Value) -> Failure | None:
    rows = _rows(got)
    if isinstance(rows, Failure):
        return rows
    found = _best(rows, (0, 1))
    return None if found == 1 else Failure("axis", f"A rule that sees text and picture gets {found:.0%}, not 100%.")


STATEMENT = """
Design a test that a model can pass only by using text **and** picture. Give `rows`, a list of at least four examples
`[text, picture, label]` (strings; emoji are fine as pictures), such that

- there are at least two labels, each equally often;
- the best rule that sees only the text is at chance, and so is the best rule that sees only the picture;
- the best rule that sees both is always right.

This is how the course's own comparisons of fusion are built: what one modality gives away cannot be mistaken for
understanding.
"""

EXERCISE = Exercise(
    id="01.2",
    lesson="01_background",
    title="A test that needs both",
    kind="answer",
    entry="rows",
    statement=STATEMENT,
    stub="""
# Replace the ... by your list of [text, picture, label].
rows = ...
""",
    checks=(
        Check("text alone", 1, _read, "from the text alone, nothing can be told", _alone(0, "text")),
        Check("picture alone", 1, _read, "from the picture alone, nothing can be told", _alone(1, "picture")),
        Check("both", 2, _read, "from both together, everything can", Judged(_together, like=False)),
    ),
    hints={
        "value": (
            "Whatever the modality shows must occur equally often with every label.",
            "Take two texts and two pictures, and use all four combinations.",
            "Let the label say whether text and picture belong together.",
        ),
        "axis": ("The same text with the same picture must always have the same label.",),
        "case": ("Count the labels: each must occur equally often, and there must be at least two.",),
    },
    wrong=(
        Wrong(
            'rows = [["bat", "🦇", "蝙蝠"], ["bat", "🏏", "球拍"], ["bat", "🦇", "蝙蝠"], ["bat", "🏏", "球拍"]]',
            3,
            "the picture alone decides: a test of translation, not of both",
        ),
        Wrong(
            'rows = [["cat", "🐱", "animal"], ["pear", "🍐", "fruit"], ["dog", "🐶", "animal"], ["plum", "🫐", "fruit"]]',
            2,
            "each modality alone is enough",
        ),
        Wrong(
            'rows = [["cat", "🐱", "yes"], ["cat", "🐱", "no"], ["dog", "🐶", "yes"], ["dog", "🐶", "no"]]',
            2,
            "nobody can know: the same example has two labels",
        ),
    ),
    variant="""
names, drawn = ["sun", "moon", "star"], ["☀", "🌙", "⭐"]
labels = ["same", "one further", "two further"]
rows = [(names[i], drawn[j], labels[(j - i) % 3]) for i in range(3) for j in range(3)]
""",
)
