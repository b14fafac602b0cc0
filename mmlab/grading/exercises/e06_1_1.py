"""06_1.1: does the answer follow the picture?"""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong

COLOURS = ("red", "blue", "green", "yellow")
KEYS = ("truth", "answer", "truth_swapped", "answer_swapped")


def _rows(*rows: tuple[str, str, str, str]) -> Call:
    return Call({"rows": [dict(zip(KEYS, row, strict=True)) for row in rows]})


def _paper(rng: np.random.Generator) -> list[Call]:
    return [
        _rows(
            ("red", "red", "blue", "blue"),  # follows the picture
            ("red", "red", "green", "red"),  # says the same whatever it sees
            ("blue", "green", "red", "green"),  # blind and wrong
            ("yellow", "yellow", "blue", "red"),
            ("red", "red", "red", "red"),  # the swap changed nothing that was asked for
        )
    ]


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for n, skill in ((20, 0.7), (35, 0.4), (50, 0.6)):
        rows = []
        for _ in range(n):
            truth, swapped = rng.choice(COLOURS), rng.choice(COLOURS)
            answer = truth if rng.random() < skill else rng.choice(COLOURS)
            other = swapped if rng.random() < skill else (answer if rng.random() < 0.7 else rng.choice(COLOURS))
            rows.append((str(truth), str(answer), str(swapped), str(other)))
        if sum(row[0] == row[1] for row in rows) == sum(row[2] == row[3] for row in rows):
            rows.append(("red", "red", "blue", "red"))  # both pictures must not come out level
        calls.append(_rows(*rows))
    return calls


def _edges(rng: np.random.Generator) -> list[Call]:
    return [
        _rows(("red", "red", "red", "red"), ("blue", "red", "blue", "red")),  # no swap mattered
        _rows(("red", "blue", "green", "blue")),
        _rows(("red", "red", "blue", "green")),
    ]


STATEMENT = """
A dialogue model is asked the colour of a thing in a picture and is right in 60 % of the cases. Does it look? A
**counterfactual** test asks the same question again with a picture that differs in what was asked. Each row is a dict
of four strings: `truth` and `answer` for the picture, `truth_swapped` and `answer_swapped` for the swapped one.

Write `counterfactual(rows)`, which gives a dict of three shares; there is always at least one row:

- `accuracy`: of all answers, two for each row, how many are right;
- `both`: of the rows in which **the truth changes** with the picture, those in which both answers are right;
- `blind`: of the same rows, those in which the two answers are the same.

If the truth changes in no row, `both` and `blind` are 0.
"""

EXERCISE = Exercise(
    id="06_1.1",
    lesson="06_1_dialogue",
    title="Does the answer follow the picture?",
    entry="counterfactual",
    statement=STATEMENT,
    stub='''
def counterfactual(rows):
    """rows: dicts with truth, answer, truth_swapped, answer_swapped  ->  {"accuracy", "both", "blind"}, shares."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "collections"),
    checks=(
        Check("on paper", 1, _paper, "five rows that can be counted by hand"),
        Check("random", 1, _random, "twenty to fifty rows"),
        Check("special", 1, _edges, "no row in which the truth changes; a single row", kind="case"),
        Check("fresh", 1, _random, "other rows", hidden=True),
    ),
    hints={
        "value": (
            "Two of the three shares look only at the rows in which truth and truth_swapped differ.",
            "Accuracy counts answers, not rows: each row has two.",
            "Blind means the same answer twice, whether it is right or wrong.",
        ),
        "scale": ("Shares between 0 and 1; the accuracy is over two answers for each row.",),
        "case": ("If the truth changes in no row, there is nothing to divide by: 0 for both shares.",),
        "error": ("ZeroDivisionError? Then no row was left; the statement says what to give.",),
        "type": ('A dict with the keys "accuracy", "both" and "blind".',),
    },
    wrong=(
        Wrong(
            """
def counterfactual(rows):
    n = len(rows)
    right = sum((r["answer"] == r["truth"]) + (r["answer_swapped"] == r["truth_swapped"]) for r in rows)
    both = sum(r["answer"] == r["truth"] and r["answer_swapped"] == r["truth_swapped"] for r in rows)
    blind = sum(r["answer"] == r["answer_swapped"] for r in rows)
    return {"accuracy": right / (2 * n), "both": both / n, "blind": blind / n}
""",
            0,
            "counts rows in which the swap changed nothing, where a blind model looks right",
        ),
        Wrong(
            """
def counterfactual(rows):
    right = sum((r["answer"] == r["truth"]) + (r["answer_swapped"] == r["truth_swapped"]) for r in rows)
    kept = [r for r in rows if r["truth"] != r["truth_swapped"]]
    both = sum(r["answer"] == r["truth"] and r["answer_swapped"] == r["truth_swapped"] for r in kept)
    blind = sum(r["answer"] == r["answer_swapped"] for r in kept)
    return {"accuracy": right / (2 * len(rows)), "both": both / len(kept), "blind": blind / len(kept)}
""",
            3,
            "divides by zero where no swap mattered",
        ),
        Wrong(
            """
def counterfactual(rows):
    right = sum(r["answer"] == r["truth"] for r in rows)
    kept = [r for r in rows if r["truth"] != r["truth_swapped"]] or [None]
    both = sum(r["answer"] == r["truth"] and r["answer_swapped"] == r["truth_swapped"] for r in kept if r)
    blind = sum(r["answer"] == r["answer_swapped"] for r in kept if r)
    return {"accuracy": right / len(rows), "both": both / len(kept), "blind": blind / len(kept)}
""",
            0,
            "the accuracy of the first picture only",
        ),
    ),
    variant="""
import numpy as np

def counterfactual(rows):
    t, a, ts, s = (np.array([row[k] for row in rows]) for k in ("truth", "answer", "truth_swapped", "answer_swapped"))
    first, second, moved = a == t, s == ts, t != ts
    n = max(int(moved.sum()), 1)
    return {
        "blind": (moved & (a == s)).sum() / n,
        "both": (moved & first & second).sum() / n,
        "accuracy": np.concatenate([first, second]).mean(),
    }
""",
)
