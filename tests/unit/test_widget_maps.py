"""PCA, look-up and neighbours against plain references, and properties that must hold for any vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from mmlab.types import InputError
from mmlab.widgets.maps import Frame, Lookup, Pca, fit_umap, neighbours, unit


def cloud(n: int = 60, dim: int = 12, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32) * np.linspace(
        3, 0.5, dim, dtype=np.float32
    )


def test_pca_is_scikit_learns() -> None:
    vectors = cloud()
    ours, theirs = Pca.fit(vectors), PCA(2).fit(vectors.astype(np.float64))
    places, expected = ours.place(vectors), theirs.transform(vectors)
    signs = np.sign((places * expected).sum(axis=0))
    np.testing.assert_allclose(places * signs, expected, atol=1e-4)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-6)


def test_the_signs_of_the_axes_are_fixed() -> None:
    axes = Pca.fit(cloud()).axes
    assert (axes[np.abs(axes).argmax(axis=0), [0, 1]] > 0).all()


def test_pca_of_a_mixture_lies_between() -> None:
    """A straight line in the space is a straight line on the live map: the fused point glides."""
    vectors, pca = cloud(), Pca.fit(cloud())
    a, b = pca.place(vectors[:1]), pca.place(vectors[1:2])
    np.testing.assert_allclose(pca.place(0.3 * vectors[:1] + 0.7 * vectors[1:2]), 0.3 * a + 0.7 * b, atol=1e-5)


def test_a_frame_puts_the_farthest_point_on_the_edge_and_keeps_the_shape() -> None:
    xy = cloud(dim=2)
    scaled = Frame.of(xy).scale(xy)
    assert np.abs(scaled).max() == pytest.approx(1.0, abs=1e-6)
    ratio = np.linalg.norm(scaled[0] - scaled[1]) / np.linalg.norm(xy[0] - xy[1])
    assert np.linalg.norm(scaled[5] - scaled[9]) == pytest.approx(ratio * np.linalg.norm(xy[5] - xy[9]), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 80))
def test_neighbours_are_the_sorted_list(seed: int, k: int) -> None:
    vectors = unit(cloud(seed=seed))
    among = np.random.default_rng(seed).random(len(vectors)) < 0.6
    found, cosines = neighbours(vectors, vectors[0], k=k, among=among)
    plain = sorted((-(float(v @ vectors[0])), i) for i, v in enumerate(vectors) if among[i])[:k]
    np.testing.assert_allclose(cosines, [-value for value, _ in plain], atol=1e-6)
    assert set(found.tolist()) == {i for _, i in plain} and len(found) == min(k, among.sum())


def test_lookup_puts_a_known_vector_near_its_place_and_moves_smoothly() -> None:
    vectors = unit(cloud(200, 16))
    xy = Pca.fit(vectors).place(vectors)
    lookup, extent = Lookup(vectors, xy), float(np.ptp(xy, axis=0).max())
    steps = unit(np.linspace(vectors[3], vectors[50], 101))
    walk = lookup.place(steps)
    jumps = np.linalg.norm(np.diff(walk, axis=0), axis=1)
    assert jumps.max() < 0.15 * extent
    assert np.linalg.norm(walk[0] - xy[3]) < np.median(np.linalg.norm(xy - xy[3], axis=1))


def test_lookup_stays_within_the_map() -> None:
    vectors = unit(cloud(100, 8))
    xy = cloud(100, 2, seed=3)
    placed = Lookup(vectors, xy).place(unit(cloud(30, 8, seed=9)))
    assert (placed >= xy.min(axis=0)).all() and (placed <= xy.max(axis=0)).all()


def test_umap_refuses_too_few_points() -> None:
    with pytest.raises(InputError, match=r"UMAP needs more than 15 points, got 10"):
        fit_umap(cloud(10))
