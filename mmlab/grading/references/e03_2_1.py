"""Reference solution of 03_2.1."""

import math

import numpy as np


def pairs_needed(pairs, errors, target):
    x, y = np.log(pairs), np.log(errors)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    if slope > -1e-9:
        return math.inf
    return float(np.exp(x.mean() + (math.log(target) - y.mean()) / slope))
