"""04_2.3: attention with a mask."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Tensor, Wrong

CLOSE = Close(rtol=1e-6, atol=1e-8)


def _call(rng: np.random.Generator, batch: int, n: int, m: int, dim: int, out: int) -> Call:
    mask = rng.random((batch, m)) < 0.6
    mask[:, :2] = True
    mask[0, -1] = False
    values = {"query": (batch, n, dim), "key": (batch, m, dim), "value": (batch, m, out)}
    made = {name: rng.normal(size=size) for name, size in values.items()}
    return Call({**{name: Tensor(value) for name, value in made.items()}, "mask": Tensor(mask)})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 2, 3, 5, 4, 6), _call(rng, 3, 4, 2, 9, 3)]


def _large(rng: np.random.Generator) -> list[Call]:
    call = _call(rng, 2, 3, 4, 5, 5)
    for name in ("query", "key"):
        call.args[name].array[..., -1] = 60.0  # adds the same to every score, and much
    return [call]


def _nothing(rng: np.random.Generator) -> list[Call]:
    call = _call(rng, 3, 2, 6, 5, 3)
    call.args["mask"].array[1] = False  # the second row has nothing to look at
    return [call]


STATEMENT = """
One modality asks, another answers: each query looks at all positions of the other sequence and takes the mean of
their values, weighted by how well they fit.

$$A = \\mathrm{softmax}\\Big(\\frac{Q K^\\top}{\\sqrt{d}}\\Big), \\qquad \\mathrm{out} = A V$$

Write `attend(query, key, value, mask)` with torch tensors: `query (batch, n, d)`, `key (batch, m, d)`,
`value (batch, m, e)`, and `mask (batch, m)`, True where a position is real. A position that is not real gets no
weight at all. A row of the batch in which nothing is real reads zeros. The result is `(batch, n, e)`.

Write it out; `scaled_dot_product_attention` and `MultiheadAttention` are not allowed here.
"""

EXERCISE = Exercise(
    id="04_2.3",
    lesson="04_2_fusion_operators",
    title="Attention with a mask",
    entry="attend",
    statement=STATEMENT,
    stub='''
import torch


def attend(query, key, value, mask):
    """query (b, n, d), key (b, m, d), value (b, m, e), mask (b, m) True = real  ->  (b, n, e)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    forbidden=(
        "torch.nn.functional.scaled_dot_product_attention",
        "torch.nn.MultiheadAttention",
        "torch.nn.functional.multi_head_attention_forward",
    ),
    checks=(
        Check("random", 2, _random, "sequences of different lengths, some positions not real", CLOSE),
        Check("large scores", 1, _large, "scores so large that exp of them is infinite", CLOSE, kind="case"),
        Check("nothing real", 1, _nothing, "a row in which no position is real", CLOSE, kind="case"),
        Check("fresh", 1, _random, "other sequences", CLOSE, hidden=True),
    ),
    hints={
        "value": (
            "Divide by the square root of d, the width of the queries, not by d and not by the square root of m.",
            "True means real: hide the positions where the mask is False, before the softmax, with -inf.",
            "The softmax runs over the positions that are asked, m: the last axis of the scores.",
        ),
        "case": (
            "softmax of a row of -inf is NaN; `torch.nan_to_num`, or multiplying by the mask afterwards, makes "
            "zeros of it.",
            "torch.softmax subtracts the largest score; if you write exp yourself, do that too.",
        ),
        "shape": ("Scores are (batch, n, m); the mask must be spread over the queries: `mask[:, None, :]`.",),
        "error": ("`key.transpose(1, 2)` swaps the last two axes; `.T` of three axes does not.",),
        "scale": ("Is the division by the square root of d inside the softmax?",),
        "in_place": ("`masked_fill` makes a new tensor, `masked_fill_` changes the old one.",),
    },
    wrong=(
        Wrong(
            """
import torch

def attend(query, key, value, mask):
    scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
    return scores.masked_fill(~mask[:, None, :], -torch.inf).softmax(-1) @ value
""",
            4,
            "NaN where nothing is real",
        ),
        Wrong(
            """
import torch

def attend(query, key, value, mask):
    scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
    weights = scores.softmax(-1) * mask[:, None, :]
    return weights @ value
""",
            0,
            "masks after the softmax: the weights of the real positions no longer sum to one",
        ),
        Wrong(
            """
import torch

def attend(query, key, value, mask):
    scores = query @ key.transpose(1, 2)
    weights = scores.masked_fill(~mask[:, None, :], -torch.inf).softmax(-1).nan_to_num()
    return weights @ value
""",
            0,
            "no division by the square root of d",
        ),
    ),
    variant="""
import torch

def attend(query, key, value, mask):
    rows = []
    for q, k, v, keep in zip(query, key, value, mask):
        if not keep.any():
            rows.append(q.new_zeros(len(q), v.shape[1]))
            continue
        s = torch.einsum("nd,md->nm", q, k[keep]) * k.shape[1] ** -0.5
        w = torch.exp(s - s.amax(dim=1, keepdim=True))
        rows.append(w @ v[keep] / w.sum(dim=1, keepdim=True))
    return torch.stack(rows)
""",
)
