"""How like the learned material an input is, so that a stranger is called one instead of answered with confidence."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.models.covariance import whitening
from mmlab.models.manner import MANNERS
from mmlab.types import InputError

STRANGE = 0.02  # of inputs of known kinds one in fifty is less familiar than this
FEWEST = 50  # held-out samples, below which a share of 2 % is no more than one sample


class Familiarity(nn.Module):
    r"""The percentile of an input among held-out inputs of known kinds; one module per modality.

    $$\delta(x) = \sqrt{(x - \mu)^\top \hat\Sigma^{-1} (x - \mu)}, \quad \kappa(z) = 1 - \max_g \cos(z, z_g), \quad
      m = \min\left(\Pr[\delta_h > \delta],\; \Pr[\kappa_h > \kappa],\; \Pr[\sigma_v > \sigma]\right), \quad
      \mathrm{score} = \Pr[m_h < m]$$

    mu and Sigma (shrunk) describe the pooled features of the training samples, z_g are the things of the gallery,
    sigma is the strangeness of the `Manner` (of a modality that has one), and the probabilities run over held-out
    samples: h of things that were not learned, v of styles or voices that the manner was not fitted on. The first part
    notices what looks or sounds like nothing learned, the second what lies near no known thing, the third what is not
    drawn or spoken as anything learned was; an input is as strange as the strangest of the three says. Read m as the
    smallest of the p-values; the last step makes it one again, so that a share t of inputs of known kinds scores below
    t. 1: as familiar as the most familiar held-out sample; 0: stranger than all of them.

    Shape:   x (batch, dim) pooled features, z (batch, out) vectors in the joint space, strangeness (batch,)
             ->  score (batch,)
    Cost:    O(batch * (dim^2 + items * out))
    Source:  Lee et al. 2018, arXiv:1807.03888 (Mahalanobis distance; one Gaussian here, not one per class); the
             percentile is a conformal p-value, Bates et al. 2023, arXiv:2104.08279, with a fixed table of quantiles
    Parity:  tests/unit/test_familiarity.py (closed forms, scikit-learn)
    Raises:  InputError before `fit`, for NaN, for widths that do not fit, and for too few samples
    """

    def __init__(self, dim: int, *, out: int, items: int, levels: int = 512, manner: str | None = None) -> None:
        super().__init__()
        if manner is not None and manner not in MANNERS:
            raise InputError(f"A manner is one of {', '.join(MANNERS)}, or None, got {manner!r}; name one of these.")
        self.config = {"dim": dim, "out": out, "items": items, "levels": levels, "manner": manner}
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("whiten", torch.zeros(dim, dim))
        self.register_buffer("gallery", torch.zeros(items, out))
        self.manner = None if manner is None else MANNERS[manner]()
        for name in ("distance", "nearest", "combined", *(() if manner is None else ("manner",))):
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
        held_strangeness: Float[Tensor, " held"] | None = None,
        unseen_strangeness: Float[Tensor, " unseen"] | None = None,
    ) -> "Familiarity":
        """Learn from training features and the gallery, calibrate on held-out samples of known kinds.

        With a manner (fitted before), its strangeness comes twice: of the held-out samples, and of samples in styles
        or voices that it was not fitted on, whatever their things.
        """
        self._check(held_x, held_z)
        self._check_manner(held_x, held_strangeness, unseen_strangeness)
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
        whiten = whitening(x)
        if whiten is None:
            raise InputError("Familiarity needs training features that differ, got all the same; look at the encoder.")
        self.mean.copy_(x.double().mean(dim=0))
        self.whiten.copy_(whiten)
        self.gallery.copy_(normalize(gallery, dim=-1))
        self.distance_quantiles.copy_(self._quantiles(self._distance(held_x)))
        self.nearest_quantiles.copy_(self._quantiles(self._nearest(held_z)))
        if unseen_strangeness is not None:
            self.manner_quantiles.copy_(self._quantiles(unseen_strangeness))
        self.combined_quantiles.copy_(self._quantiles(self._combined(held_x, held_z, held_strangeness)))
        self.fitted.fill_(True)
        return self

    @torch.no_grad()
    def score(
        self,
        x: Float[Tensor, "batch dim"],
        z: Float[Tensor, "batch out"],
        *,
        strangeness: Float[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """The percentile in [0, 1]; 0 is a stranger. Without `strangeness`, x and z alone judge."""
        if not self.fitted:
            raise InputError(
                "This Familiarity has learned nothing yet, so it cannot score; call fit or load one first."
            )
        self._check(x, z)
        if strangeness is not None and self.manner is None:
            raise InputError("This Familiarity has no manner, but strangeness was given; leave it out.")
        return _share_below(self._combined(x, z, strangeness), self.combined_quantiles)

    def is_familiar(
        self,
        x: Float[Tensor, "batch dim"],
        z: Float[Tensor, "batch out"],
        *,
        strangeness: Float[Tensor, " batch"] | None = None,
        threshold: float = 0.02,
    ) -> Bool[Tensor, " batch"]:
        """True unless the input is stranger than all but a share `threshold` of the held-out samples."""
        return self.score(x, z, strangeness=strangeness) > threshold

    def _distance(self, x: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
        return ((x.to(self.mean) - self.mean) @ self.whiten).norm(dim=-1)

    def _nearest(self, z: Float[Tensor, "batch out"]) -> Float[Tensor, " batch"]:
        return 1 - (normalize(z.to(self.gallery), dim=-1) @ self.gallery.T).amax(dim=-1)

    def _combined(
        self, x: Float[Tensor, "batch dim"], z: Float[Tensor, "batch out"], strangeness: Float[Tensor, " batch"] | None
    ) -> Float[Tensor, " batch"]:
        strangest = torch.maximum(
            _share_below(self._distance(x), self.distance_quantiles),
            _share_below(self._nearest(z), self.nearest_quantiles),
        )
        if strangeness is not None:
            apart = _share_below(strangeness.to(self.manner_quantiles), self.manner_quantiles)
            strangest = torch.maximum(strangest, apart)
        return 1 - strangest

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

    def _check_manner(self, held_x: Tensor, held: Tensor | None, unseen: Tensor | None) -> None:
        """Strangeness comes where there is a manner, and only there, and enough of it."""
        if self.manner is None and held is None and unseen is None:
            return
        sizes = [0 if part is None else len(part) for part in (held, unseen)]
        if self.manner is None or sizes[0] != len(held_x) or sizes[1] < FEWEST:
            name = self.config["manner"]
            raise InputError(
                f"Familiarity with manner {name!r} takes no strangeness for None, else that of each of the "
                f"{len(held_x)} held-out samples and of at least {FEWEST} unseen ones, got {sizes[0]} and {sizes[1]}."
            )


def _share_below(values: Float[Tensor, " batch"], quantiles: Float[Tensor, " levels"]) -> Float[Tensor, " batch"]:
    """The share of a distribution that lies below each value, by a straight line between its quantiles."""
    upper = torch.searchsorted(quantiles, values).clamp(1, len(quantiles) - 1)
    low, high = quantiles[upper - 1], quantiles[upper]
    within = ((values - low) / (high - low).clamp(min=torch.finfo(values.dtype).tiny)).clamp(0, 1)
    return (upper - 1 + within) / (len(quantiles) - 1)
