"""From the space to the plane: PCA, which follows every knob, and UMAP, which was made before and only looks places up."""

import re
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from mmlab.types import InputError

SEED = 0
UMAP = {"n_neighbors": 15, "min_dist": 0.1, "metric": "cosine", "random_state": SEED}
NEAR, SHARP = 10, 0.05  # neighbours that place a new point on the UMAP map, and the temperature of their weights


def unit(vectors: Float[np.ndarray, "*rows dim"]) -> Float[np.ndarray, "*rows dim"]:
    """Rows of length one; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


@dataclass(frozen=True)
class Pca:
    r"""The plane in which the vectors vary most: a matrix, so that any new vector has its place at once.

    $$y = (z - \bar z)\, P, \qquad P = \text{the two leading eigenvectors of the covariance}$$

    Shape:   vectors (n, dim) -> places (n, 2); shares (2,) of the variance
    Cost:    fit O(n * dim^2 + dim^3), place O(n * dim)
    Parity:  tests/unit/test_widget_maps.py (scikit-learn)
    """

    mean: Float[np.ndarray, " dim"]
    axes: Float[np.ndarray, "dim 2"]
    shares: Float[np.ndarray, " 2"]

    @classmethod
    def fit(cls, vectors: Float[np.ndarray, "n dim"]) -> "Pca":
        """The signs of the axes are such that the largest entry of each is positive."""
        mean = vectors.mean(axis=0)
        centred = (vectors - mean).astype(np.float64)
        values, directions = np.linalg.eigh(centred.T @ centred / max(1, len(vectors) - 1))
        axes = directions[:, [-1, -2]]
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
        shares = values[[-1, -2]] / max(values.sum(), 1e-12)
        return cls(mean.astype(np.float32), axes.astype(np.float32), shares)

    def place(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, "n 2"]:
        return ((vectors - self.mean) @ self.axes).astype(np.float32)


@dataclass(frozen=True)
class Lookup:
    r"""A map whose points have their places already; a new vector is placed among its nearest neighbours.

    $$y = \sum_{j \in N(z)} \frac{e^{\cos(z, z_j) / \tau}}{\sum_k e^{\cos(z, z_k) / \tau}}\; y_j$$

    So a fused point glides. UMAP's own `transform` would let it jump across the map at each tick of a slider.

    Shape:   vectors (n, dim) of unit length, xy (n, 2)
    Cost:    O(n * dim) for each new vector
    """

    vectors: Float[np.ndarray, "n dim"]
    xy: Float[np.ndarray, "n 2"]

    def place(self, vectors: Float[np.ndarray, "k dim"]) -> Float[np.ndarray, "k 2"]:
        placed = np.empty((len(vectors), 2), dtype=np.float32)
        for row, z in enumerate(unit(vectors)):
            near, cosines = neighbours(self.vectors, z, k=NEAR)
            weights = np.exp((cosines - cosines.max()) / SHARP)
            placed[row] = (weights / weights.sum()) @ self.xy[near]
        return placed


class _Percent:
    """Takes what UMAP's progress bar writes, and passes on the percentages in it."""

    def __init__(self, say: Callable[[int], None]) -> None:
        self.say, self.last = say, -1

    def write(self, text: str) -> None:
        for found in re.findall(r"(\d+)%", text):
            if (percent := int(found)) != self.last:
                self.last = percent
                self.say(percent)

    def flush(self) -> None:
        """A progress bar expects a file, and a file can be flushed."""


def fit_umap(
    vectors: Float[np.ndarray, "n dim"], *, say: Callable[[int], None] | None = None
) -> Float[np.ndarray, "n 2"]:
    """A seeded UMAP of the vectors: the same on one machine, nearly the same on another (half a minute for thousands).

    `say` is told the progress in per cent.

    Source:  McInnes, Healy, Melville 2018, arXiv:1802.03426
    Raises:  InputError for fewer points than UMAP has neighbours
    """
    if len(vectors) <= UMAP["n_neighbors"]:
        raise InputError(f"UMAP needs more than {UMAP['n_neighbors']} points, got {len(vectors)}; look at the PCA map.")
    import umap

    progress = {} if say is None else {"verbose": True, "tqdm_kwds": {"file": _Percent(say), "mininterval": 0.5}}
    with warnings.catch_warnings(action="ignore"), redirect_stdout(StringIO()):  # it says that a seed means one thread
        placed = umap.UMAP(**UMAP, **progress).fit_transform(vectors)
    return np.asarray(placed, dtype=np.float32)


@dataclass(frozen=True)
class Frame:
    """The limits of a map, fixed once so that the map stands still while points move: centre to 0, farthest to 1."""

    centre: Float[np.ndarray, " 2"]
    half: float

    @classmethod
    def of(cls, xy: Float[np.ndarray, "n 2"]) -> "Frame":
        low, high = xy.min(axis=0), xy.max(axis=0)
        return cls((low + high) / 2, max(float((high - low).max()) / 2, 1e-9))

    def scale(self, xy: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        return ((xy - self.centre) / self.half).astype(np.float32)


def neighbours(
    vectors: Float[np.ndarray, "n dim"],
    z: Float[np.ndarray, " dim"],
    *,
    k: int,
    among: Bool[np.ndarray, " n"] | None = None,
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """The `k` rows with the largest cosine to z and these cosines, best first; fewer where `among` holds fewer."""
    cosines = vectors @ z
    if among is not None:
        cosines = np.where(among, cosines, -np.inf)
    k = min(k, len(vectors) if among is None else int(among.sum()))
    found = np.argpartition(-cosines, min(k, len(cosines) - 1))[:k]
    found = found[np.lexsort((found, -cosines[found]))]
    return found, cosines[found]


def axis_names(kind: str, shares: Any = None) -> list[str]:
    """What stands at the two axes."""
    if shares is None:
        return [f"{kind} 1", f"{kind} 2"]
    return [f"{kind} {i} ({100 * share:.0f} %)" for i, share in enumerate(shares, start=1)]
