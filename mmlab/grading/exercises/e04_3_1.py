"""04_3.1: InfoNCE from first principles."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Tensor, Wrong


def _call(rng: np.random.Generator, batch: int, dim: int, scale: float) -> Call:
    first = rng.normal(size=(batch, dim)) * rng.uniform(0.5, 3, size=(batch, 1))
    second = first + 0.8 * rng.normal(size=(batch, dim))
    return Call({"first": Tensor(first), "second": Tensor(second), "scale": scale})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 5, 4, 3.0), _call(rng, 8, 6, 10.0)]


def _chance(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 6, 5, 0.0), _call(rng, 1, 3, 5.0)]


def _sharp(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 10, 2, 2000.0)]


STATEMENT = """
Where do the $W_m$ come from? In a batch of $B$ pairs, row $i$ of one modality should recognise row $i$ of the other
among all $B$ rows, and the other way round. That is a classification with $B$ classes, twice:

$$s_{ij} = \\tau^{-1} \\cos(u_i, v_j), \\qquad
L = -\\frac{1}{2B} \\sum_{i=1}^{B} \\Big( \\ln \\frac{e^{s_{ii}}}{\\sum_j e^{s_{ij}}} + \\ln
\\frac{e^{s_{ii}}}{\\sum_j e^{s_{ji}}} \\Big)$$

Here $u_i$ and $v_j$ are the rows of `first` and `second`, $s_{ij}$ is the whole score of a pair, and $1/\\tau$ is
what the lesson calls the scale $s$. Write `contrast(first, second, scale)` with torch tensors `first (batch, d)` and
`second (batch, d)`, whose rows may have any length, and the number `scale` $= 1/\\tau$. The result is one number (a
tensor without axes, or a float). It must stay finite at large scales.
"""

EXERCISE = Exercise(
    id="04_3.1",
    lesson="04_3_alignment",
    title="InfoNCE from first principles",
    entry="contrast",
    statement=STATEMENT,
    stub='''
import torch


def contrast(first, second, scale):
    """The symmetric contrastive loss: first (b, d), second (b, d), scale = 1 / temperature  ->  a number."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    checks=(
        Check("random", 2, _random, "pairs that resemble each other, rows of different lengths"),
        Check("chance", 1, _chance, "a scale of 0, where nothing can be told apart; a batch of one", kind="case"),
        Check("sharp", 1, _sharp, "a scale of 2000", kind="case"),
        Check("fresh", 1, _random, "other pairs", hidden=True),
    ),
    hints={
        "value": (
            "Two things are easily left out: the cosine needs unit vectors, and there are two exams, along the rows "
            "and along the columns.",
            "Divide each row by its length first; then take the mean of two cross-entropies, of s and of its "
            "transpose.",
            "`torch.nn.functional.cross_entropy(s, torch.arange(len(s)))` is one of the two.",
        ),
        "case": (
            "NaN or infinite? exp(2000) is infinite. cross_entropy, log_softmax and logsumexp never build it; by "
            "hand, subtract the largest score of the row first.",
            "At scale 0 all partners look alike: what is the loss of guessing among B?",
        ),
        "scale": ("Two directions: the mean of both, not the sum. And the mean over the batch.",),
        "sign": ("A loss is minus a log-probability: never negative.",),
        "type": ("One number: did you forget the mean?",),
    },
    wrong=(
        Wrong(
            """
import torch
from torch.nn import functional as F

def contrast(first, second, scale):
    s = scale * F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    return F.cross_entropy(s, torch.arange(len(s)))
""",
            1,
            "one direction only",
        ),
        Wrong(
            """
import torch
from torch.nn import functional as F

def contrast(first, second, scale):
    s = scale * first @ second.T
    y = torch.arange(len(s))
    return (F.cross_entropy(s, y) + F.cross_entropy(s.T, y)) / 2
""",
            1,
            "inner products of rows that are no unit vectors",
        ),
        Wrong(
            """
import torch

def contrast(first, second, scale):
    u, v = first / first.norm(dim=1, keepdim=True), second / second.norm(dim=1, keepdim=True)
    e = torch.exp(scale * u @ v.T)
    p, q = e.diagonal() / e.sum(dim=1), e.diagonal() / e.sum(dim=0)
    return -(p.log() + q.log()).mean() / 2
""",
            4,
            "exp and log apart from each other: infinite at a sharp temperature",
        ),
    ),
    variant="""
import numpy as np

def contrast(first, second, scale):
    u, v = (x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True) for x in (first, second))
    s = scale * np.einsum("id,jd->ij", u, v)
    def half(s):
        top = s.max(axis=1)
        return np.mean(np.log(np.exp(s - top[:, None]).sum(axis=1)) + top - np.diag(s))
    return 0.5 * half(s) + 0.5 * half(s.T)
""",
)
