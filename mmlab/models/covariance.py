"""Covariance of features, and what turns it into a distance."""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor


def ledoit_wolf(x: Float[Tensor, "n dim"]) -> Float[Tensor, "dim dim"]:
    r"""Covariance, drawn towards a multiple of the identity by as much as the sample is too small.

    $$\hat\Sigma = (1 - \lambda) S + \lambda \mu I, \qquad \mu = \tfrac{1}{d} \operatorname{tr} S, \qquad
      \lambda = \min\left(1, \frac{\sum_k \lVert x_k x_k^\top - S \rVert^2}{n^2 \lVert S - \mu I \rVert^2}\right)$$

    where S is the covariance of the n centred samples x_k.

    Cost:    O(n * dim^2)
    Source:  Ledoit and Wolf 2004, J. Multivariate Analysis 88(2)
    Parity:  tests/unit/test_familiarity.py (sklearn.covariance.ledoit_wolf)
    """
    n, dim = x.shape
    x = x - x.mean(dim=0)
    sample = einsum(x, x, "n i, n j -> i j") / n
    target = sample.trace() / dim * torch.eye(dim, dtype=x.dtype, device=x.device)
    spread = (einsum(x.square(), x.square(), "n i, n j ->") / n - sample.square().sum()) / n
    distance = (sample - target).square().sum()
    shrink = 1.0 if distance == 0 else (spread / distance).clamp(0, 1)
    return (1 - shrink) * sample + shrink * target


def whitening(x: Float[Tensor, "n dim"]) -> Float[Tensor, "dim dim"] | None:
    """The A for which `((x - mean) @ A).norm()` is the Mahalanobis distance; None where the samples do not differ."""
    factor, failed = torch.linalg.cholesky_ex(ledoit_wolf(x.double()))
    if failed:
        return None
    identity = torch.eye(len(factor), dtype=factor.dtype, device=factor.device)
    return torch.linalg.solve_triangular(factor, identity, upper=False).T
