"""04_2.2: the gated unit for two modalities."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Tensor, Wrong

CLOSE = Close(rtol=1e-6, atol=1e-8)


def _call(rng: np.random.Generator, batch: int, text: int, image: int, out: int, scale: float = 1.0) -> Call:
    sizes = {
        "text": (batch, text),
        "image": (batch, image),
        "w_text": (text, out),
        "w_image": (image, out),
        "w_gate": (text + image, out),
    }
    values = {name: rng.normal(size=size) for name, size in sizes.items()}
    values["w_gate"] *= scale
    if scale > 1:
        values["w_gate"][:, 1] = -values["w_gate"][:, 0]  # of these two one opens wide and one shuts
    return Call({name: Tensor(value) for name, value in values.items()})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 3, 4, 6, 5), _call(rng, 4, 5, 2, 3)]


def _edges(rng: np.random.Generator) -> list[Call]:
    closed = _call(rng, 2, 3, 3, 3, scale=0.0)  # every gate stands at one half
    return [closed, _call(rng, 3, 3, 4, 6, scale=300.0), _call(rng, 1, 1, 1, 1)]


STATEMENT = """
A sum listens to both modalities alike, even when one is noise. The **gated unit** (Arevalo et al. 2017) lets both
decide together, for each feature, whom to believe:

$$h_t = \\tanh(x_t W_t), \\quad h_i = \\tanh(x_i W_i), \\quad g = \\sigma\\big([x_t,\\, x_i]\\, W_g\\big),
\\qquad z = g \\odot h_t + (1 - g) \\odot h_i$$

Write `gated(text, image, w_text, w_image, w_gate)` with torch tensors: `text (batch, d_t)`, `image (batch, d_i)`,
`w_text (d_t, out)`, `w_image (d_i, out)`, `w_gate (d_t + d_i, out)`. The result is `(batch, out)`.
"""

EXERCISE = Exercise(
    id="04_2.2",
    lesson="04_2_fusion_operators",
    title="A gate that decides whom to believe",
    entry="gated",
    statement=STATEMENT,
    stub='''
import torch


def gated(text, image, w_text, w_image, w_gate):
    """text (b, d_t), image (b, d_i), w_text (d_t, out), w_image (d_i, out), w_gate (d_t + d_i, out)  ->  (b, out)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy", "torch", "einops"),
    checks=(
        Check("random", 2, _random, "random inputs and weights of different widths", CLOSE),
        Check("special", 1, _edges, "gates at one half, gates wide open or shut, size one", CLOSE, kind="case"),
        Check("fresh", 1, _random, "other random inputs", CLOSE, hidden=True),
    ),
    hints={
        "value": (
            "What does the gate read: the inputs x, or what tanh made of them?",
            "g opens for the text; the picture gets what is left, 1 - g.",
            "σ is the logistic function, torch.sigmoid; the gate has one number for each feature, not one for "
            "each example.",
        ),
        "shape": ("Concatenate along the features (dim=1), text first.",),
        "type": ("Torch tensors go in, a torch tensor comes out.",),
        "dtype": ("The inputs are float64; keep it so.",),
        "case": ("With a gate of one half the result is the mean of the two h.",),
        "scale": ("g and 1 - g sum to one; there is no further division.",),
    },
    wrong=(
        Wrong(
            """
import torch

def gated(text, image, w_text, w_image, w_gate):
    g = torch.sigmoid(torch.cat([text, image], dim=1) @ w_gate)
    return (1 - g) * torch.tanh(text @ w_text) + g * torch.tanh(image @ w_image)
""",
            0,
            "the gate is the wrong way round",
        ),
        Wrong(
            """
import torch

def gated(text, image, w_text, w_image, w_gate):
    g = torch.sigmoid(torch.cat([text, image], dim=1) @ w_gate)
    return g * torch.tanh(text @ w_text) + torch.tanh(image @ w_image)
""",
            0,
            "the picture has no gate",
        ),
        Wrong(
            """
import torch

def gated(text, image, w_text, w_image, w_gate):
    g = torch.sigmoid(torch.cat([text, image], dim=1) @ w_gate).mean(dim=1, keepdim=True)
    return g * torch.tanh(text @ w_text) + (1 - g) * torch.tanh(image @ w_image)
""",
            0,
            "one gate for the whole example instead of one a feature",
        ),
    ),
    variant="""
import torch

def gated(text, image, w_text, w_image, w_gate):
    logits = text @ w_gate[: text.shape[1]] + image @ w_gate[text.shape[1] :]
    both = torch.stack([(text @ w_text).tanh(), (image @ w_image).tanh()])
    return both[1] + (both[0] - both[1]) * (1 + (logits / 2).tanh()) / 2
""",
)
