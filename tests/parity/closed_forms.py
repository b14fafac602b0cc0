"""The vector operators once more, as their papers write them: NumPy, a function each, no code of the package.

`p` are the weights by name, `x` the pooled inputs by modality; all arrays may be complex, so that steps can be taken.
"""

from collections.abc import Callable

import numpy as np
import tensorly as tl
from scipy.special import erf
from tensorly.tenalg import batched_outer

Arrays = dict[str, np.ndarray]
ORDER = ("text", "image", "audio")


def ordered(x: Arrays) -> Arrays:
    return {name: x[name] for name in ORDER if name in x}


def linear(p: Arrays, path: str, x: np.ndarray) -> np.ndarray:
    return x @ p[f"{path}.weight"].T + p.get(f"{path}.bias", 0.0)


def together(x: Arrays) -> np.ndarray:
    return np.concatenate(list(ordered(x).values()), axis=1)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def gelu(a: np.ndarray) -> np.ndarray:
    return a * (1 + erf(a / np.sqrt(2))) / 2


def softmax(a: np.ndarray, axis: int) -> np.ndarray:
    return np.exp(a) / np.exp(a).sum(axis=axis, keepdims=True)


def attention_sum(p: Arrays, x: Arrays) -> np.ndarray:
    scores = np.stack([np.tanh(linear(p, f"keys.{m}", z)) @ p["ask.weight"][0] for m, z in ordered(x).items()])
    return np.einsum("mb,mbd->bd", softmax(scores, axis=0), np.stack(list(ordered(x).values())))


def gated(p: Arrays, x: Arrays) -> np.ndarray:
    out = 0.0
    for place, (name, z) in enumerate(ordered(x).items()):
        value = np.tanh(linear(p, f"values.{name}", z))
        rows = slice(place * value.shape[1], (place + 1) * value.shape[1])
        gate = sigmoid(together(x) @ p["gate.weight"][rows].T + p["gate.bias"][rows])
        out = out + gate * value
    return out


def film(p: Arrays, x: Arrays, feature: str = "image") -> np.ndarray:
    value = x[feature] @ p["value.weight"].T
    others = linear(p, "modulate", together({m: z for m, z in x.items() if m != feature}))
    gamma, beta = 1 + others[:, : value.shape[1]], others[:, value.shape[1] :]
    return gamma * value + beta


def hadamard(p: Arrays, x: Arrays) -> np.ndarray:
    factors = [np.tanh(linear(p, f"factors.{m}", z)) for m, z in x.items()]
    return linear(p, "combine", np.prod(factors, axis=0))


def with_one(z: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((len(z), 1)), z], axis=1)


def tensor(p: Arrays, x: Arrays) -> np.ndarray:
    """tensorly builds the outer product; the package's weight is (all but the last, last, out)."""
    product = batched_outer([with_one(z) for z in ordered(x).values()])
    last = product.shape[-1]
    return np.einsum("bfl,flo->bo", product.reshape(len(product), -1, last), p["weight"]) + p["bias"]


def low_rank(p: Arrays, x: Arrays, rank: int = 4) -> np.ndarray:
    """tensorly builds the whole weight tensor of each output from its factors; it is contracted in full."""
    product = batched_outer([with_one(z) for z in ordered(x).values()])
    out = len(p["bias"])
    columns = []
    for o in range(out):
        factors = []
        for m in ordered(x):
            weight, bias = p[f"factors.{m}.weight"], p[f"factors.{m}.bias"]
            rows = [r * out + o for r in range(rank)]
            factors.append(np.concatenate([bias[rows][None], weight[rows].T], axis=0))
        whole = tl.cp_to_tensor((np.ones(rank), factors))
        columns.append((product * whole).reshape(len(product), -1).sum(axis=1) + p["bias"][o])
    return np.stack(columns, axis=1)


CLOSED_FORMS: dict[str, Callable[[Arrays, Arrays], np.ndarray]] = {
    "sum": lambda p, x: sum(x.values()),
    "weighted_sum": lambda p, x: sum(p[f"weights.{m}"] * z for m, z in x.items()),
    "mean": lambda p, x: sum(x.values()) / len(x),
    "max": lambda p, x: np.max(np.stack(list(x.values())), axis=0),
    "attention_sum": attention_sum,
    "concat_linear": lambda p, x: linear(p, "linear", together(x)),
    "concat_mlp": lambda p, x: linear(p, "layers.2", gelu(linear(p, "layers.0", together(x)))),
    "gated": gated,
    "film": film,
    "hadamard": hadamard,
    "tensor": tensor,
    "low_rank": low_rank,
    "late": lambda p, x: sum(linear(p, f"heads.{m}", z) for m, z in x.items()) / len(x),
}
