"""04_4.2: which of several answers does the model prefer?"""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _call(rng: np.random.Generator, lengths: tuple[int, ...], vocab: int = 9, scale: float = 2.0) -> Call:
    logits = [rng.normal(size=(length, vocab)) * scale + rng.normal() for length in lengths]
    candidates = [rng.integers(vocab, size=length).tolist() for length in lengths]
    return Call({"logits": logits, "candidates": candidates})


def _same_length(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, (3, 3, 3)), _call(rng, (1, 1))]


def _lengths(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, (1, 6, 3)), _call(rng, (5, 2, 8, 1)), _call(rng, (4, 1))]


def _edges(rng: np.random.Generator) -> list[Call]:
    level = np.zeros((2, 4))
    huge = [rng.normal(size=(2, 5)) * 1000 for _ in range(2)]
    unlikely, likely = huge[0].argmin(axis=1).tolist(), huge[1].argmax(axis=1).tolist()
    return [
        Call({"logits": [level, np.zeros((4, 4))], "candidates": [[0, 1], [2, 3, 0, 1]]}),  # all alike
        Call({"logits": huge, "candidates": [unlikely, likely]}),
        _call(rng, (2,)),
    ]


STATEMENT = """
What colour is it: "red", "dark blue", "light green"? A dialogue model need not write the answer; we can ask which
candidate it finds most likely. Each candidate is put after the prompt and the model is run once; that gives logits
`(length, vocab)` for the tokens of the candidate, a table for each. A candidate's score is the **mean** over its
tokens of $\\ln p(\\text{token})$: a sum would favour short answers.

Write `pick(logits, candidates)`: `logits` is a list of arrays, `candidates` a list of lists of token numbers, row $t$
of a candidate's logits speaking about its token $t$. Give `{"scores": [...], "best": number}`, with `best` the
position of the highest score; of equal ones, the first.
"""

EXERCISE = Exercise(
    id="04_4.2",
    lesson="04_4_case_dialogue",
    title="Which answer does it prefer?",
    entry="pick",
    statement=STATEMENT,
    stub='''
import numpy as np


def pick(logits, candidates):
    """logits: a list of (length, vocab), candidates: a list of lists of token numbers -> {"scores": [...], "best": i}."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("same length", 1, _same_length, "candidates of one length"),
        Check("lengths", 1, _lengths, "short and long candidates", kind="scale"),
        Check("special", 1, _edges, "equal scores, logits in the thousands, a single candidate", kind="case"),
        Check("fresh", 1, _lengths, "other candidates", hidden=True),
    ),
    hints={
        "value": (
            "Logits are no log-probabilities: subtract the logarithm of the sum of their exponentials, row by row.",
            "From each row take the number of the candidate's own token.",
        ),
        "scale": ("Compare candidates of different lengths by their mean, not by their sum.",),
        "case": (
            "Of equal scores the first counts; np.argmax does so.",
            "exp(1000) is infinite: subtract each row's maximum before the exponential.",
        ),
        "type": ('Give {"scores": a list of numbers, "best": a whole number}.',),
        "sign": ("ln p is negative; the best candidate has the highest, not the lowest.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def pick(logits, candidates):
    scores = []
    for table, tokens in zip(logits, candidates):
        top = table.max(axis=1, keepdims=True)
        logp = table - top - np.log(np.exp(table - top).sum(axis=1, keepdims=True))
        scores.append(float(logp[np.arange(len(tokens)), tokens].sum()))
    return {"scores": scores, "best": int(np.argmax(scores))}
""",
            0,
            "the sum, which favours short answers",
        ),
        Wrong(
            """
import numpy as np

def pick(logits, candidates):
    scores = [float(np.mean([row[token] for row, token in zip(table, tokens)])) for table, tokens in zip(logits, candidates)]
    return {"scores": scores, "best": int(np.argmax(scores))}
""",
            0,
            "takes logits for log-probabilities",
        ),
        Wrong(
            """
import numpy as np

def pick(logits, candidates):
    scores = []
    for table, tokens in zip(logits, candidates):
        p = np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)
        scores.append(float(np.log(p[np.arange(len(tokens)), tokens]).mean()))
    return {"scores": scores, "best": int(np.argmax(scores))}
""",
            3,
            "overflows at large logits",
        ),
    ),
    variant="""
import numpy as np

def pick(logits, candidates):
    best, scores = 0, []
    for table, tokens in zip(logits, candidates):
        parts = [row[token] - np.logaddexp.reduce(row) for row, token in zip(table, tokens)]
        scores.append(sum(parts) / len(parts))
        if scores[-1] > scores[best]:
            best = len(scores) - 1
    return {"best": best, "scores": scores}
""",
)
