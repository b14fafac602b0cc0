"""Reference solution of 04_2.1."""

import numpy as np


def low_rank(text, image, text_factors, image_factors, bias):
    ones = np.ones((len(text), 1))
    terms = [
        np.einsum("bd,rdo->bro", np.concatenate([ones, z], axis=1), factors)
        for z, factors in ((text, text_factors), (image, image_factors))
    ]
    return bias + (terms[0] * terms[1]).sum(axis=1)
