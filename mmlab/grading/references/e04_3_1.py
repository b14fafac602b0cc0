"""Reference solution of 04_3.1."""

import torch
from torch.nn import functional as F


def contrast(first, second, scale):
    s = scale * F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    own = torch.arange(len(s))
    return (F.cross_entropy(s, own) + F.cross_entropy(s.T, own)) / 2
