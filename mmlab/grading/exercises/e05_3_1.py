"""05_3.1: cut a picture into patches."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Compare, Exercise, Failure, Tensor, Wrong
from mmlab.grading.values import Value

EXACT = Close(rtol=0, atol=0)


class Patches(Compare):
    """Equal; where only the order within the patches is wrong, that is said."""

    def differs(self, call: Call, *, expected: Value, got: Value, kind: str) -> Failure | None:
        failure = EXACT.differs(call, expected=expected, got=got, kind=kind)
        if failure is None or failure.kind not in ("axis", "case") or expected.array.shape != got.array.shape:
            return failure
        if (np.sort(expected.array, axis=1) == np.sort(got.array, axis=1)).all():
            return Failure("value", "Each patch holds the right numbers, in another order.")
        return failure


def _call(rng: np.random.Generator, height: int, width: int, size: int) -> Call:
    picture = rng.integers(0, 256, size=(3, height, width)) / 255
    return Call({"picture": Tensor(picture), "size": size})


def _square(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 4, 4, 2)]


def _oblong(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 4, 8, 2), _call(rng, 9, 3, 3)]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 2, 3, 1), _call(rng, 4, 4, 4)]


STATEMENT = """
A transformer reads a picture as a sequence of **patches**. Write `patches(picture, size)`:
`picture (3, height, width)` is a torch tensor whose sides `size` divides. The result `(n, 3 * size * size)` has one
row per patch, in reading order: from left to right, row of patches by row of patches, from the top. Within a patch
the numbers stand channel by channel, and in each channel row by row.

By hand: no `unfold`. Reshape and permute, or einops.
"""

EXERCISE = Exercise(
    id="05_3.1",
    lesson="05_3_image_encoder",
    title="Patches by hand",
    entry="patches",
    statement=STATEMENT,
    stub='''
import torch


def patches(picture, size):
    """picture (3, height, width)  ->  (n, 3 * size * size), in reading order, each channel by channel."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    forbidden=("torch.nn.Unfold", "torch.nn.functional.unfold", "torch.Tensor.unfold"),
    checks=(
        Check("square", 1, _square, "4 by 4 pixels, patches of 2 by 2", Patches()),
        Check("oblong", 2, _oblong, "wide and tall pictures", Patches()),
        Check("special", 1, _edges, "patches of a single pixel; one patch for all", Patches(), kind="case"),
        Check("fresh", 1, _oblong, "other pictures", Patches(), hidden=True),
    ),
    hints={
        "shape": (
            "How many patches are there? (height / size) * (width / size), and each has 3 * size * size numbers.",
            "First cut each side in two: (3, rows, size, columns, size). Which axes belong to the patch's place, "
            "which to its content?",
        ),
        "axis": (
            "A reshape alone only cuts; it cannot bring together the rows of one patch. The axes have to change "
            "places in between.",
            "Place first, content after: rows of patches, columns of patches, channel, row in the patch, column "
            "in the patch.",
        ),
        "value": (
            "Within a patch the order is channel, row, column: all of the first channel, row by row, then the next.",
            "Try a picture whose pixels are numbered 0, 1, 2, ... and look where the numbers end up.",
        ),
        "case": ("Does it work if the picture is wider than high?",),
        "type": ("A torch tensor comes in and goes out.",),
        "error": ("After `permute` use `reshape`, not `view`: the numbers no longer lie in a row.",),
    },
    wrong=(
        Wrong(
            """
def patches(picture, size):
    return picture.reshape(-1, 3 * size * size)
""",
            0,
            "cuts the memory, not the picture: rows that lie in one patch do not come together",
        ),
        Wrong(
            """
from einops import rearrange

def patches(picture, size):
    return rearrange(picture, "c (r p) (k q) -> (r k) (p q c)", p=size, q=size)
""",
            0,
            "the channels last within a patch",
        ),
        Wrong(
            """
from einops import rearrange

def patches(picture, size):
    return rearrange(picture, "c (r p) (k q) -> (k r) (c p q)", p=size, q=size)
""",
            0,
            "column by column instead of reading order",
        ),
    ),
    variant="""
import torch

def patches(picture, size):
    _, height, width = picture.shape
    rows = []
    for top in range(0, height, size):
        for left in range(0, width, size):
            rows.append(picture[:, top : top + size, left : left + size].flatten())
    return torch.stack(rows)
""",
)
