"""Reference solution of 04_1.2."""

import numpy as np


def as_one_map(weights, biases):
    names = [name for name in ("text", "image", "audio") if name in weights]
    return {
        "W": np.concatenate([weights[name] for name in names], axis=0),
        "b": np.sum([biases[name] for name in names], axis=0),
    }
