"""02_3.2: which tokens a dialogue model learns to predict."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _turns(rng: np.random.Generator) -> list[Call]:
    answers = np.array([[0, 0, 0, 1, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]], dtype=bool)
    return [Call({"ids": rng.integers(1, 50, size=answers.shape), "answers": answers})]


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for shape in ((3, 8), (2, 15), (4, 5)):
        answers = rng.random(shape) < 0.5
        answers[0, 0] = True  # what is lost at the front must not come back at the end
        calls.append(Call({"ids": rng.integers(1, 90, size=shape), "answers": answers}))
    return calls


def _edges(rng: np.random.Generator) -> list[Call]:
    ids = rng.integers(1, 50, size=(2, 6))
    first = np.zeros((2, 6), dtype=bool)
    first[:, 0] = True  # the very first token is predicted by nothing
    return [
        Call({"ids": ids, "answers": np.ones((2, 6), dtype=bool)}),
        Call({"ids": ids, "answers": np.zeros((2, 6), dtype=bool)}),
        Call({"ids": ids, "answers": first}),
        Call({"ids": ids[:, :1], "answers": first[:, :1]}),
    ]


SHIFTED = (
    "The label at position t is about the token at t + 1: its number, and whether it is part of an answer.",
    "Begin with a table full of -100, then fill all positions but the last: `labels[:, :-1] = ...`.",
)
STATEMENT = """
At position $t$ a language model predicts token $t + 1$. A dialogue model shall learn to say the *answers*; the
questions and the picture's placeholders are given, not learned. The usual way is a table of labels for the loss, with
-100 where nothing is to be learned.

Write `next_labels(ids, answers)`: `ids (batch, seq)` are the tokens, `answers (batch, seq)` is True where a token
belongs to an answer. The result `(batch, seq)` holds at position $t$ the token $t + 1$ if *that* token belongs to an
answer, and -100 otherwise; at the last position, -100.
"""

EXERCISE = Exercise(
    id="02_3.2",
    lesson="02_3_multimodal_language_models",
    title="What the loss may see",
    entry="next_labels",
    statement=STATEMENT,
    stub='''
import numpy as np


def next_labels(ids, answers):
    """ids (batch, seq) whole numbers, answers (batch, seq) True or False -> labels (batch, seq) whole numbers."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("two turns", 1, _turns, "dialogues with a question, an answer, a question, an answer"),
        Check("random", 1, _random, "any pattern of answers"),
        Check("special", 1, _edges, "only answers, none, an answer at the first place, a single token", kind="case"),
        Check("fresh", 1, _random, "other patterns", hidden=True),
    ),
    hints={
        "value": SHIFTED,
        "axis": SHIFTED,
        "case": (
            "Nothing comes after the last token: its label is always -100. `np.roll` puts the first token there.",
            "The first token of a row is predicted by nothing, so it stands in no label.",
        ),
        "dtype": ("Labels are whole numbers, -100 too: `np.full(ids.shape, -100)`.",),
        "shape": ("The result has as many columns as ids.",),
        "in_place": ("Copy, or fill a new table.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def next_labels(ids, answers):
    return np.where(answers, ids, -100)
""",
            0,
            "not shifted: the model would learn to repeat the token that it reads",
        ),
        Wrong(
            """
import numpy as np

def next_labels(ids, answers):
    labels = np.where(answers, np.roll(ids, -1, axis=1), -100)
    labels[:, -1] = -100
    return labels
""",
            0,
            "asks whether the token that is read belongs to an answer, not the one that is predicted",
        ),
        Wrong(
            """
import numpy as np

def next_labels(ids, answers):
    return np.roll(np.where(answers, ids, -100), -1, axis=1)
""",
            1,
            "the last position learns the first token of its row",
        ),
    ),
    variant="""
import numpy as np

def next_labels(ids, answers):
    labels = []
    for row, kept in zip(ids.tolist(), answers.tolist()):
        labels.append([token if keep else -100 for token, keep in zip(row[1:], kept[1:])] + [-100])
    return np.array(labels, dtype=np.int64)
""",
)
