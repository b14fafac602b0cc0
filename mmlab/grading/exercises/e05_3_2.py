"""05_3.2: a convolution is a matrix on patches."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Tensor, Wrong

CLOSE = Close(rtol=1e-6, atol=1e-8)


def _call(rng: np.random.Generator, height: int, width: int, size: int, dim: int) -> Call:
    shapes = {"picture": (3, height, width), "kernel": (dim, 3, size, size), "bias": (dim,)}
    return Call({name: Tensor(rng.normal(size=shape)) for name, shape in shapes.items()})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 4, 6, 2, 5), _call(rng, 6, 3, 3, 4)]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 4, 4, 4, 3), _call(rng, 2, 3, 1, 1)]


STATEMENT = """
The first layer of a vision transformer is written as a convolution whose step is as long as its kernel is wide. But
then each patch is seen exactly once, and the convolution is nothing but a matrix product: every patch, laid out as a
row, times one matrix.

Write `embed(picture, kernel, bias)`: `picture (3, height, width)`, `kernel (dim, 3, size, size)`, `bias (dim,)`,
torch tensors. The result `(n, dim)` holds for each patch, in reading order, what
`torch.nn.functional.conv2d(picture[None], kernel, bias, stride=size)` gives there. Do it with your `patches` of
exercise 05_3.1 and one matrix product, without a convolution.
"""

EXERCISE = Exercise(
    id="05_3.2",
    lesson="05_3_image_encoder",
    title="A convolution is a matrix on patches",
    entry="embed",
    statement=STATEMENT,
    stub='''
def embed(picture, kernel, bias):
    """picture (3, height, width), kernel (dim, 3, size, size), bias (dim,)  ->  (n, dim), by patches and a matrix product."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    forbidden=(
        "torch.nn.functional.conv2d",
        "torch.conv2d",
        "torch.nn.Conv2d",
        "torch.nn.functional.unfold",
        "torch.nn.Unfold",
    ),
    needs=("05_3.1",),
    checks=(
        Check("random", 2, _random, "random pictures and kernels", CLOSE),
        Check("special", 1, _edges, "one patch for all; patches of one pixel, one output", CLOSE, kind="case"),
        Check("fresh", 1, _random, "other pictures and kernels", CLOSE, hidden=True),
    ),
    hints={
        "shape": (
            "The matrix must take 3 * size * size numbers to dim numbers.",
            "Flatten each kernel to a row, (dim, 3 * size * size), and transpose.",
        ),
        "axis": ("Kernel and patch must be laid out alike: channel by channel, row by row.",),
        "value": (
            "Is the bias added once to each output?",
            "A convolution in torch does not turn the kernel around: it is a sum of products as they stand.",
        ),
        "error": (
            "NameError? `patches` comes from exercise 05_3.1: run that cell first. The size is kernel.shape[-1].",
        ),
        "case": ("With one patch the result still has two axes, (1, dim).",),
        "type": ("A torch tensor comes in and goes out.",),
    },
    wrong=(
        Wrong(
            """
def embed(picture, kernel, bias):
    return patches(picture, kernel.shape[-1]) @ kernel.reshape(-1, len(kernel)) + bias
""",
            0,
            "reshapes where it should transpose: the kernels get mixed up",
        ),
        Wrong(
            """
def embed(picture, kernel, bias):
    return patches(picture, kernel.shape[-1]) @ kernel.flip(2, 3).flatten(1).T + bias
""",
            0,
            "turns the kernel around, as the convolution of mathematics does",
        ),
        Wrong(
            """
def embed(picture, kernel, bias):
    return patches(picture, kernel.shape[-1]) @ kernel.flatten(1).T
""",
            0,
            "no bias",
        ),
    ),
    variant="""
import torch

def embed(picture, kernel, bias):
    size = kernel.shape[-1]
    rows = []
    for top in range(0, picture.shape[1], size):
        for left in range(0, picture.shape[2], size):
            patch = picture[:, top : top + size, left : left + size]
            rows.append(torch.einsum("dcpq,cpq->d", kernel, patch) + bias)
    return torch.stack(rows)
""",
)
