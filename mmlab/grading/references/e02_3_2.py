"""Reference solution of 02_3.2."""

import numpy as np


def next_labels(ids, answers):
    labels = np.full(ids.shape, -100)
    labels[:, :-1] = np.where(answers[:, 1:], ids[:, 1:], -100)
    return labels
