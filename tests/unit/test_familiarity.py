"""Familiarity on Gaussians, where what it should say is known; its covariance against scikit-learn."""

import math

import pytest
import torch
from scipy.stats import kstest
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf
from torch import Tensor
from torch.nn.functional import normalize

from mmlab.models.covariance import ledoit_wolf
from mmlab.models.familiarity import Familiarity
from mmlab.types import InputError

DIM, OUT, ITEMS = 12, 6, 20
MIX = torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(99)) + torch.eye(DIM)
MAP = torch.randn(DIM, OUT, generator=torch.Generator().manual_seed(98))


def _known(n: int, *, seed: int) -> tuple[Tensor, Tensor]:
    """Features of known kinds, stretched and turned, and the vectors that a linear map makes of them."""
    x = torch.randn(n, DIM, generator=torch.Generator().manual_seed(seed)) @ MIX + 3
    return x, normalize(x @ MAP, dim=-1)


def _fitted(*, held: int = 4000, levels: int = 512) -> Familiarity:
    x, _ = _known(3000, seed=0)
    _, gallery = _known(ITEMS, seed=1)
    held_x, held_z = _known(held, seed=2)
    return Familiarity(DIM, out=OUT, items=ITEMS, levels=levels).fit(x, gallery=gallery, held_x=held_x, held_z=held_z)


@pytest.fixture(scope="module")
def fitted() -> Familiarity:
    return _fitted()


@pytest.mark.parametrize(("n", "dim"), [(5, 12), (40, 7), (3000, 4)])
def test_covariance_is_that_of_scikit_learn(n, dim):
    x = torch.randn(n, dim, generator=torch.Generator().manual_seed(n), dtype=torch.float64) @ MIX[:dim, :dim].double()
    theirs, shrinkage = sklearn_ledoit_wolf(x.numpy() + 5)
    assert 0 < shrinkage < 1
    torch.testing.assert_close(ledoit_wolf(x), torch.from_numpy(theirs), rtol=0, atol=1e-10)


def test_known_kinds_score_as_often_below_t_as_t_says(fitted):
    score = fitted.score(*_known(4000, seed=3))
    assert score.min() >= 0 and score.max() <= 1
    for t in (0.02, 0.1, 0.5, 0.9):
        assert (score <= t).float().mean().item() == pytest.approx(t, abs=4 * math.sqrt(t * (1 - t) / 2000))
    assert kstest(score.numpy(), "uniform").statistic < 0.035
    assert fitted.is_familiar(*_known(4000, seed=3)).float().mean() == pytest.approx(0.98, abs=0.012)


def test_a_feature_that_looks_like_nothing_learned_is_strange(fitted):
    """Far in a direction of little variance: by the plain distance to the mean it would pass."""
    x, z = _known(500, seed=4)
    values, vectors = torch.linalg.eigh(torch.cov(x.T))
    shift = 11 * values[0].sqrt() * vectors[:, 0]
    assert shift.norm() < (x - x.mean(dim=0)).norm(dim=1).median()
    assert (fitted.score(x + shift, z) == 0).float().mean() > 0.95
    assert not fitted.is_familiar(x + shift, z).float().mean() > 0.02


def test_a_vector_that_lies_near_no_known_thing_is_strange():
    x, _ = _known(600, seed=5)
    near = torch.zeros(600, OUT)
    near[:, 0], near[:, 1:3] = 1, 0.1 * torch.randn(600, 2, generator=torch.Generator().manual_seed(6))
    gallery = near[:ITEMS]
    model = Familiarity(DIM, out=OUT, items=ITEMS).fit(x, gallery=gallery, held_x=x[300:], held_z=near[300:])
    away = near.roll(3, dims=1)
    assert (model.score(x, away) == 0).all()
    assert model.score(x, near).mean() > 0.3


def test_ends_of_the_scale(fitted):
    x, z = _known(4000, seed=2)  # the held-out samples themselves
    score = fitted.score(x, z)
    assert score.max() == 1 and score.min() == 0
    assert (fitted.score(x * 100, z) == 0).all()
    assert fitted.score(x, z).mean().item() == pytest.approx(0.5, abs=0.01)


def test_stranger_never_means_more_familiar(fitted):
    x, z = _known(200, seed=7)
    away = torch.stack([fitted.score(fitted.mean + s * (x - fitted.mean), z) for s in (0.5, 1.0, 1.5, 3.0, 9.0)])
    assert (away.diff(dim=0) <= 1e-6).all()
    assert (away[0] > away[-1]).float().mean() > 0.8


def test_by_hand_on_few_samples():
    """With as many levels as held-out samples, the score is a count of them."""
    held = 60
    x, _ = _known(500, seed=8)
    held_x, held_z = _known(held, seed=9)
    _, gallery = _known(ITEMS, seed=10)
    gallery = gallery * torch.linspace(0.1, 5, ITEMS)[:, None]  # only directions may count
    model = Familiarity(DIM, out=OUT, items=ITEMS, levels=held).double()
    model.fit(x.double(), gallery=gallery.double(), held_x=held_x.double(), held_z=held_z.double())
    precision = torch.linalg.inv(torch.from_numpy(sklearn_ledoit_wolf(x.double().numpy())[0]))
    centred = held_x.double() - x.double().mean(dim=0)
    far = torch.einsum("ni,ij,nj->n", centred, precision, centred)
    alone = 1 - (held_z.double() @ normalize(gallery.double(), dim=-1).T).max(dim=1).values
    below = [torch.stack([(v < own).double().sum() for own in v]) / (held - 1) for v in (far, alone)]
    m = 1 - torch.maximum(*below)
    expected = torch.stack([(m < own).double().sum() for own in m]) / (held - 1)
    torch.testing.assert_close(model.score(held_x.double(), held_z.double()), expected, rtol=0, atol=1e-6)


def test_rows_are_independent(fitted):
    x, z = _known(30, seed=11)
    alone = torch.cat([fitted.score(x[i : i + 1], z[i : i + 1]) for i in range(30)])
    torch.testing.assert_close(fitted.score(x, z), alone, rtol=0, atol=1e-5)


def test_state_round_trip_and_half_precision(fitted):
    x, z = _known(300, seed=12)
    again = Familiarity(**{k: v for k, v in fitted.config.items() if k != "dim"}, dim=fitted.config["dim"])
    again.load_state_dict(fitted.state_dict(), strict=True)
    torch.testing.assert_close(again.score(x, z), fitted.score(x, z), rtol=0, atol=0)
    assert not list(fitted.parameters())
    small = {k: v.half() if v.is_floating_point() else v for k, v in fitted.state_dict().items()}
    again.load_state_dict(small)
    torch.testing.assert_close(again.score(x, z), fitted.score(x, z), rtol=0, atol=0.02)


def test_refusals_are_sentences(fitted):
    x, z = _known(60, seed=13)
    fresh = Familiarity(DIM, out=OUT, items=ITEMS)
    with pytest.raises(InputError, match="learned nothing yet"):
        fresh.score(x, z)
    with pytest.raises(InputError, match="width 12 and vectors of width 6, got widths 6 and 6"):
        fitted.score(z, z)
    with pytest.raises(InputError, match="finite features"):
        fitted.score(x.log(), z)
    with pytest.raises(
        InputError, match="at least 2 training and 50 held-out samples, each with x and z, got 60, 9 and 9"
    ):
        fresh.fit(x, gallery=z[:ITEMS], held_x=x[:9], held_z=z[:9])
    with pytest.raises(InputError, match=r"a gallery \(3, 6\); pass finite arrays"):
        fresh.fit(x, gallery=z[:3], held_x=x, held_z=z)
    with pytest.raises(InputError, match="got all the same; look at the encoder"):
        fresh.fit(torch.ones(60, DIM), gallery=z[:ITEMS], held_x=x, held_z=z)
