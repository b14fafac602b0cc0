"""05_5.1: one step of AdamW, by hand."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _call(rng: np.random.Generator, shape: tuple[int, ...], step: int, decay: float, lr: float = 0.01) -> Call:
    values = {name: rng.normal(size=shape) for name in ("weight", "gradient", "mean")}
    return Call({**values, "square": rng.uniform(0.01, 2, size=shape), "step": step, "lr": lr, "decay": decay})


def _random(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, (3, 4), 7, 0.1), _call(rng, (5,), 120, 0.02, lr=0.1)]


def _plain(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, (4,), 3, 0.0)]


def _first(rng: np.random.Generator) -> list[Call]:
    call = _call(rng, (3,), 1, 0.05)
    for name in ("mean", "square"):
        call.args[name][:] = 0.0
    still = _call(rng, (3,), 1, 0.05)
    for name in ("gradient", "mean", "square"):
        still.args[name][:] = 0.0  # no gradient at all: only the decay moves the weight
    return [call, still]


STATEMENT = """
The training loop of this lesson hides its heart in `optimizer.step()`. Write that heart: one step of AdamW
(Loshchilov and Hutter 2019) with $\\beta_1 = 0.9$, $\\beta_2 = 0.999$, $\\varepsilon = 10^{-8}$, learning rate
$\\eta$ and weight decay $\\lambda$. (Both means start at zero and are too small at first; dividing by $1 - \\beta^t$
corrects that.)

$$m \\leftarrow \\beta_1 m + (1 - \\beta_1) g, \\qquad v \\leftarrow \\beta_2 v + (1 - \\beta_2) g^2, \\qquad
\\hat m = \\frac{m}{1 - \\beta_1^t}, \\quad \\hat v = \\frac{v}{1 - \\beta_2^t}$$

$$w \\leftarrow w - \\eta \\lambda w - \\eta\\, \\frac{\\hat m}{\\sqrt{\\hat v} + \\varepsilon}$$

`adamw_step(weight, gradient, mean, square, step, lr, decay)` takes $w, g, m, v$ (arrays of one shape), the number $t$
of this step (the first is 1), $\\eta$ and $\\lambda$; it gives `{"weight": ..., "mean": ..., "square": ...}`, new
arrays. Then replace the optimizer of the lesson's loop by yours: the loss curve must be the same, to about five
decimals.
"""

EXERCISE = Exercise(
    id="05_5.1",
    lesson="05_5_joint_embedding",
    title="The heart of a training loop",
    entry="adamw_step",
    statement=STATEMENT,
    stub='''
import numpy as np


def adamw_step(weight, gradient, mean, square, step, lr, decay):
    """One step of AdamW: arrays of one shape, step from 1 on  ->  {"weight", "mean", "square"}, new arrays."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy"),
    checks=(
        Check("without decay", 1, _plain, "no weight decay: Adam"),
        Check("with decay", 1, _random, "weight decay, at an early and at a late step"),
        Check("first step", 1, _first, "the first step; no gradient at all", kind="case"),
        Check("fresh", 1, _random, "other weights and gradients", hidden=True),
    ),
    hints={
        "value": (
            "The corrected m̂ and v̂ are used for this step only; what is kept is m and v.",
            "Before the division, m and v are corrected: m / (1 - β₁ᵗ) and v / (1 - β₂ᵗ). ε is added after the square root.",
            "In AdamW the decay acts on the weight itself, apart from the gradient: it is not divided by √v̂.",
        ),
        "case": ("At step 1, 1 - β₁ᵗ is 0.1: without the correction the first steps would be ten times too short.",),
        "scale": (
            "What is kept is m and v, not the corrected m̂ and v̂.",
            "Is the learning rate multiplied into the decay, too?",
        ),
        "in_place": ("`weight -= ...` changes the caller's array; write `weight - ...`.",),
        "sign": ("Downhill: minus.",),
        "type": ('A dict with "weight", "mean" and "square".',),
    },
    wrong=(
        Wrong(
            """
def adamw_step(weight, gradient, mean, square, step, lr, decay):
    gradient = gradient + decay * weight
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    new = weight - lr * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    return {"weight": new, "mean": m, "square": v}
""",
            1,
            "Adam with L2 regularisation: the decay goes through the gradient",
        ),
        Wrong(
            """
def adamw_step(weight, gradient, mean, square, step, lr, decay):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    new = weight - lr * decay * weight - lr * m / (v**0.5 + 1e-8)
    return {"weight": new, "mean": m, "square": v}
""",
            0,
            "no correction of the first steps",
        ),
        Wrong(
            """
def adamw_step(weight, gradient, mean, square, step, lr, decay):
    mean *= 0.9
    mean += 0.1 * gradient
    square *= 0.999
    square += 0.001 * gradient**2
    new = weight * (1 - lr * decay) - lr * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)) ** 0.5 + 1e-8)
    return {"weight": new, "mean": mean, "square": square}
""",
            0,
            "changes the caller's mean and square in place",
        ),
    ),
    variant="""
import numpy as np

def adamw_step(weight, gradient, mean, square, step, lr, decay):
    b1, b2, eps = 0.9, 0.999, 1e-8
    new_mean = mean + (1 - b1) * (gradient - mean)
    new_square = square + (1 - b2) * (np.square(gradient) - square)
    size = lr / -np.expm1(step * np.log(b1))
    root = np.sqrt(new_square) / np.sqrt(1 - b2**step)
    return {"mean": new_mean, "square": new_square, "weight": (1 - lr * decay) * weight - size * new_mean / (root + eps)}
""",
)
