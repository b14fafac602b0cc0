"""Reference solution of 05_2.2."""

import numpy as np


def pool(values, mask):
    total = np.where(mask[:, :, None], values, 0.0).sum(axis=1)
    return total / np.maximum(mask.sum(axis=1, keepdims=True), 1)
