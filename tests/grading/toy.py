"""Three exercises of the tests' own, with references, stubs and right solutions: nothing of the course's is used."""

import json
from typing import Any

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Tensor, Wrong

PATCHIFY = """
import numpy as np

def patchify(image, size):
    channels, height, width = image.shape
    grid = image.reshape(channels, height // size, size, width // size, size)
    return np.ascontiguousarray(grid.transpose(1, 3, 0, 2, 4).reshape(-1, channels * size * size))
"""
ATTENTION = """
import math
import torch

def attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return torch.softmax(scores, dim=-1) @ value
"""
CONTRAST = """
import torch

def contrast(images, texts):
    logits = images @ texts.T
    rows = torch.log_softmax(logits, dim=1).diagonal().mean()
    columns = torch.log_softmax(logits, dim=0).diagonal().mean()
    return -(rows + columns) / 2
"""


def _picture(rng: np.random.Generator, *, channels: int, size: int) -> Call:
    return Call({"image": rng.standard_normal((channels, 2 * size, 3 * size)), "size": size})


def _heads(rng: np.random.Generator, *, dim: int) -> Call:
    query, key, value = (Tensor(rng.standard_normal((n, dim)).astype(np.float32)) for n in (3, 5, 5))
    return Call({"query": query, "key": key, "value": value})


def _pairs(rng: np.random.Generator, *, batch: int) -> Call:
    images, texts = (Tensor(rng.standard_normal((batch, 4)).astype(np.float32)) for _ in range(2))
    return Call({"images": images, "texts": texts})


FLOAT32 = Close(rtol=1e-4, atol=1e-5)
_COMMON: dict[str, Any] = {"lesson": "99_toys", "hints": {}, "wrong": (), "seconds": 0.5}
TOYS = {
    "99.1": Exercise(
        id="99.1",
        title="Patches",
        entry="patchify",
        statement="Cut a picture.",
        stub="def patchify(image, size):\n    raise NotImplementedError",
        checks=(
            Check("one channel", 1, lambda rng: [_picture(rng, channels=1, size=2)], "a grey picture"),
            Check(
                "colours",
                2,
                lambda rng: [_picture(rng, channels=3, size=n) for n in (1, 2, 4)],
                "three channels",
                hidden=True,
            ),
        ),
        variant=PATCHIFY.replace("np.ascontiguousarray", ""),
        allowed=("math", "numpy", "einops"),
        **_COMMON,
    ),
    "99.2": Exercise(
        id="99.2",
        title="Attention",
        entry="attend",
        statement="Attend.",
        stub="def attend(query, key, value):\n    raise NotImplementedError",
        checks=(
            Check("width one", 1, lambda rng: [_heads(rng, dim=1)], "vectors of one number", FLOAT32),
            Check("wider", 2, lambda rng: [_heads(rng, dim=n) for n in (4, 9)], "wider vectors", FLOAT32, hidden=True),
        ),
        variant=ATTENTION.replace("torch.softmax(scores, dim=-1)", "scores.softmax(-1)"),
        allowed=("math", "numpy", "torch", "einops"),
        forbidden=("torch.nn.functional.scaled_dot_product_attention",),
        **_COMMON,
    ),
    "99.3": Exercise(
        id="99.3",
        title="Contrast",
        entry="contrast",
        statement="Contrast.",
        stub="def contrast(images, texts):\n    raise NotImplementedError",
        checks=(
            Check("two pairs", 1, lambda rng: [_pairs(rng, batch=2)], "two pairs", FLOAT32),
            Check("more", 2, lambda rng: [_pairs(rng, batch=n) for n in (1, 6)], "more pairs", FLOAT32, hidden=True),
        ),
        variant=CONTRAST.replace("images @ texts.T", "(texts @ images.T).T"),
        allowed=("math", "numpy", "torch"),
        forbidden=("torch.nn.functional.cross_entropy",),
        **_COMMON,
    ),
}
RIGHT = {"99.1": PATCHIFY, "99.2": ATTENTION, "99.3": CONTRAST}
STUBS = {id: exercise.stub for id, exercise in TOYS.items()}
ENTRIES = {id: exercise.entry for id, exercise in TOYS.items()}
NO_SCALE = Wrong(ATTENTION.replace(" / math.sqrt(query.shape[-1])", ""), 1, "forgets the scale")


def reference(id: str) -> str:
    return RIGHT[id]


def notebook(solutions: dict[str, str]) -> dict[str, Any]:
    """A lesson that hands in these solutions: for each a statement, the solution cell and the check cell."""
    cells = [_cell("markdown", "# Toys", {}), _cell("code", "import numpy as np\nimport torch", {})]
    for id, source in solutions.items():
        grade_id = TOYS[id].grade_id
        own = {"grade_id": grade_id, "solution": True, "grade": False, "locked": False, "schema_version": 3}
        check = {"grade_id": f"{grade_id}-check", "grade": True, "locked": True, "solution": False, "points": 3}
        cells += [
            _cell("markdown", TOYS[id].statement, {"mmlab": {"exercise": id, "part": "statement"}}),
            _cell("code", source, {"mmlab": {"exercise": id, "part": "solution"}, "nbgrader": own}),
            _cell("code", f"check({id!r})", {"mmlab": {"exercise": id, "part": "check"}, "nbgrader": check}),
        ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def handed_in(solutions: dict[str, str]) -> bytes:
    return json.dumps(notebook(solutions), ensure_ascii=False).encode()


def _cell(kind: str, source: str, metadata: dict) -> dict[str, Any]:
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": metadata, **code}
