"""Reference solution of 02_3.1."""

import numpy as np


def splice(ids, table, patches, placeholder):
    where = ids == placeholder
    spliced = table[np.where(where, 0, ids)]
    spliced[where] = patches.reshape(-1, patches.shape[-1])
    return spliced
