"""How like the learned material an input is, so that a stranger is called one instead of answered with confidence."""

import torch
from einops import einsum
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.types import InputError

FEWEST = 50  # held-out samples, below which a share of 2 % is no more than one sample


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


class Familiarity(nn.Module):
    r"""The percentile of an input among held-out inputs of known kinds; one module per modality.

    $$\delta(x) = \sqrt{(x - \mu)^\top \hat\Sigma^{-1} (x - \mu)}, \quad \kappa(z) = 1 - \max_g \cos(z, z_g), \quad
      m = \min\left(\Pr[\delta_h > \delta(x)],\; \Pr[\kappa_h > \kappa(z)]\right), \quad \mathrm{score} = \Pr[m_h < m]$$

    mu and Sigma (shrunk) describe the pooled features of the training samples, z_g are the things of the gallery, and
    the probabilities run over held-out samples h. The first part notices what looks or sounds like nothing learned,
    the second what lies near no known thing; an input is as strange as the stranger of the two says. Read m as the
    smaller of two p-values; the last step makes it one again, so that a share t of inputs of known kinds scores below
    t. 1: as familiar as the most familiar held-out sample; 0: stranger than all of them.

    Shape:   x (batch, dim) pooled features, z (batch, out) vectors in the joint space  ->  score (batch,)
    Cost:    O(batch * (dim^2 + items * out))
    Source:  Lee et al. 2018, arXiv:1807.03888 (Mahalanobis distance; one Gaussian here, not one per class); the
             percentile is a conformal p-value, Bates et al. 2023, arXiv:2104.08279, with a fixed table of quantiles
    Parity:  tests/unit/test_familiarity.py (closed forms, scikit-learn)
    Raises:  InputError before `fit`, for NaN, for widths that do not fit, and for too few samples
    """

    def __init__(self, dim: int, *, out: int, items: int, levels: int = 512) -> None:
        super().__init__()
        self.config = {"dim": dim, "out": out, "items": items, "levels": levels}
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("whiten", torch.zeros(dim, dim))
        self.register_buffer("gallery", torch.zeros(items, out))
        for name in ("distance", "nearest", "combined"):
            self.register_buffer(f"{name}_quantiles", torch.zeros(levels))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(
        self,
        x: Float[Tensor, "train dim"],
        *,
        gallery: Float[Tensor, "items out"],
        held_x: Float[Tensor, "held dim"],
        held_z: Float[Tensor, "held out"],
    ) -> "Familiarity":
        """Learn from training features and the gallery, calibrate on held-out samples of known kinds."""
        self._check(held_x, held_z)
        if gallery.shape != self.gallery.shape or x.shape[1] != self.config["dim"] or not x.isfinite().all():
            raise InputError(
                f"Familiarity was built for {self.config}, got features {tuple(x.shape)} and a gallery "
                f"{tuple(gallery.shape)}; pass finite arrays of these sizes."
            )
        if len(held_x) < FEWEST or len(x) < 2 or len(held_x) != len(held_z):
            raise InputError(
                f"Familiarity needs at least 2 training and {FEWEST} held-out samples, each with x and z, got "
                f"{len(x)}, {len(held_x)} and {len(held_z)}; hold out more."
            )
        x = x.double()
        factor, failed = torch.linalg.cholesky_ex(ledoit_wolf(x))
        if failed:
            raise InputError("Familiarity needs training features that differ, got all the same; look at the encoder.")
        identity = torch.eye(len(factor), dtype=x.dtype, device=x.device)
        self.mean.copy_(x.mean(dim=0))
        self.whiten.copy_(torch.linalg.solve_triangular(factor, identity, upper=False).T)
        self.gallery.copy_(normalize(gallery, dim=-1))
        self.distance_quantiles.copy_(self._quantiles(self._distance(held_x)))
        self.nearest_quantiles.copy_(self._quantiles(self._nearest(held_z)))
        self.combined_quantiles.copy_(self._quantiles(self._combined(held_x, held_z)))
        self.fitted.fill_(True)
        return self

    @torch.no_grad()
    def score(self, x: Float[Tensor, "batch dim"], z: Float[Tensor, "batch out"]) -> Float[Tensor, " batch"]:
        """The percentile in [0, 1]; 0 is a stranger."""
        if not self.fitted:
            raise InputError(
                "This Familiarity has learned nothing yet, so it cannot score; call fit or load one first."
            )
        self._check(x, z)
        return _share_below(self._combined(x, z), self.combined_quantiles)

    def is_familiar(
        self, x: Float[Tensor, "batch dim"], z: Float[Tensor, "batch out"], *, threshold: float = 0.02
    ) -> Bool[Tensor, " batch"]:
        """True unless the input is stranger than all but a share `threshold` of the held-out samples."""
        return self.score(x, z) > threshold

    def _distance(self, x: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
        return ((x.to(self.mean) - self.mean) @ self.whiten).norm(dim=-1)

    def _nearest(self, z: Float[Tensor, "batch out"]) -> Float[Tensor, " batch"]:
        return 1 - (normalize(z.to(self.gallery), dim=-1) @ self.gallery.T).amax(dim=-1)

    def _combined(self, x: Float[Tensor, "batch dim"], z: Float[Tensor, "batch out"]) -> Float[Tensor, " batch"]:
        far = _share_below(self._distance(x), self.distance_quantiles)
        alone = _share_below(self._nearest(z), self.nearest_quantiles)
        return 1 - torch.maximum(far, alone)

    def _quantiles(self, values: Float[Tensor, " held"]) -> Float[Tensor, " levels"]:
        return values.double().quantile(
            torch.linspace(0, 1, self.config["levels"], dtype=torch.double).to(values.device)
        )

    def _check(self, x: Float[Tensor, "batch dim"], z: Float[Tensor, "batch out"]) -> None:
        want = (self.config["dim"], self.config["out"])
        if (x.shape[1], z.shape[1]) != want or not (x.isfinite().all() and z.isfinite().all()):
            raise InputError(
                f"Familiarity reads finite features of width {want[0]} and vectors of width {want[1]}, got widths "
                f"{x.shape[1]} and {z.shape[1]}; pass what the encoder and the projection of this model give."
            )


def _share_below(values: Float[Tensor, " batch"], quantiles: Float[Tensor, " levels"]) -> Float[Tensor, " batch"]:
    """The share of a distribution that lies below each value, by a straight line between its quantiles."""
    upper = torch.searchsorted(quantiles, values).clamp(1, len(quantiles) - 1)
    low, high = quantiles[upper - 1], quantiles[upper]
    within = ((values - low) / (high - low).clamp(min=torch.finfo(values.dtype).tiny)).clamp(0, 1)
    return (upper - 1 + within) / (len(quantiles) - 1)
