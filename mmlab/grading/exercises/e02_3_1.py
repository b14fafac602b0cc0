"""02_3.1: splice a picture's vectors into a sentence."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _batch(
    rng: np.random.Generator, batch: int = 3, seq: int = 9, k: int = 4, dim: int = 5, scattered: bool = False
) -> Call:
    vocab, placeholder = 11, 10
    ids = rng.integers(placeholder, size=(batch, seq))
    for row in range(batch):
        start = int(rng.integers(seq - k + 1))
        places = rng.choice(seq, k, replace=False) if scattered else np.arange(start, start + k)
        ids[row, places] = placeholder
    made = {"table": rng.normal(size=(vocab, dim)), "patches": rng.normal(size=(batch, k, dim))}
    return Call({"ids": ids, **made, "placeholder": placeholder})


def _runs(rng: np.random.Generator) -> list[Call]:
    return [_batch(rng), _batch(rng, batch=1, seq=4, k=4, dim=3)]


def _scattered(rng: np.random.Generator) -> list[Call]:
    return [_batch(rng, scattered=True), _batch(rng, batch=4, seq=12, k=3, dim=6, scattered=True)]


def _outside(rng: np.random.Generator) -> list[Call]:
    """The placeholder is no word: its id lies outside of the table, as in LLaVA's code."""
    calls = []
    for placeholder in (-200, 32000):
        call = _batch(rng)
        ids = np.where(call.args["ids"] == call.args["placeholder"], placeholder, call.args["ids"])
        calls.append(Call({**call.args, "ids": ids, "placeholder": placeholder}))
    return calls


STATEMENT = """
How does a picture get into a language model? Its sentence is written with a **placeholder** once for each patch, for
example "what is this? ▢▢▢▢ answer:". Then words are looked up in the table of embeddings, and at the placeholders
stand the picture's own vectors instead, in order. Nothing else changes: the language model reads one sequence of
vectors.

Write `splice(ids, table, patches, placeholder)`: `ids (batch, seq)` are token ids, `table (vocab, dim)` the
embeddings, `patches (batch, k, dim)` the vectors of each row's picture. Each row holds the placeholder exactly `k`
times. The result is `(batch, seq, dim)`.

The placeholder need not be a word of the table: some models use -200, or a number beyond the vocabulary.
"""

EXERCISE = Exercise(
    id="02_3.1",
    lesson="02_3_multimodal_language_models",
    title="Splice a picture into a sentence",
    entry="splice",
    statement=STATEMENT,
    stub='''
import numpy as np


def splice(ids, table, patches, placeholder):
    """ids (batch, seq), table (vocab, dim), patches (batch, k, dim), placeholder a whole number -> (batch, seq, dim)."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("in one run", 1, _runs, "the placeholders stand together, somewhere in each row"),
        Check("scattered", 1, _scattered, "the placeholders stand anywhere; the patches keep their order"),
        Check("no word", 1, _outside, "the placeholder's id lies outside of the table", kind="case"),
        Check("fresh", 1, _scattered, "other rows", hidden=True),
    ),
    hints={
        "value": (
            "Look up the words first, then overwrite the places of the placeholder, row by row.",
            "`where = ids == placeholder` is a mask (batch, seq); with it, `result[where]` has one row per "
            "placeholder, in reading order.",
            "Every row of the batch has its own picture.",
        ),
        "case": (
            "`table[ids]` fails for an id that is not in the table, and takes row -200 from the end for a "
            "negative one.",
            "Look up with the placeholder replaced by 0: `np.where(where, 0, ids)`. What is read there is "
            "overwritten anyway.",
        ),
        "error": (
            "An IndexError? Which ids may be looked up in the table? Any other error: call your function on one short "
            "row, and write down the shape of each thing in the line that fails.",
        ),
        "in_place": (
            "`table[ids]` is a copy and may be written to; `ids` and `table` themselves belong to the caller.",
        ),
        "shape": ("`patches.reshape(-1, dim)` has one row per placeholder of the whole batch.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def splice(ids, table, patches, placeholder):
    out = table[ids]
    out[ids == placeholder] = patches.reshape(-1, patches.shape[-1])
    return out
""",
            3,
            "looks the placeholder up as if it were a word",
        ),
        Wrong(
            """
import numpy as np

def splice(ids, table, patches, placeholder):
    where = ids == placeholder
    out = table[np.where(where, 0, ids)]
    for row in range(len(ids)):
        start = int(np.argmax(where[row]))
        out[row, start:start + patches.shape[1]] = patches[row][:out.shape[1] - start]
    return out
""",
            2,
            "takes for granted that the placeholders stand together",
        ),
        Wrong(
            """
import numpy as np

def splice(ids, table, patches, placeholder):
    where = ids == placeholder
    out = table[np.where(where, 0, ids)]
    for row in range(len(ids)):
        out[row, where[row]] = patches[0]
    return out
""",
            0,
            "shows every row the first picture",
        ),
    ),
    variant="""
import numpy as np

def splice(ids, table, patches, placeholder):
    rows = []
    for one, picture in zip(ids.tolist(), patches):
        queue = iter(picture)
        rows.append([next(queue) if token == placeholder else table[token] for token in one])
    return np.array(rows)
""",
)
