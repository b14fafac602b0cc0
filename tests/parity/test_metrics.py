"""Metrics against torchmetrics, scikit-learn, scipy and closed forms, in float64; and what must hold for any input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity
from torch import Tensor
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error
from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

from mmlab import metrics
from mmlab.types import InputError

SEEDS = st.integers(0, 2**31 - 1)


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _queries(scores: Tensor) -> Tensor:
    return torch.arange(len(scores))[:, None].expand_as(scores)


def test_similarity_is_the_cosine():
    a, b = 3 * _random(5, 7), _random(4, 7, seed=1)
    ours = metrics.similarity(a, b)
    torch.testing.assert_close(ours, torch.from_numpy(cosine_similarity(a.numpy(), b.numpy())), rtol=0, atol=1e-10)


@pytest.mark.parametrize("several", [False, True])
def test_recall_and_mrr_are_those_of_torchmetrics(several):
    scores = _random(40, 30)
    single = torch.randint(30, (40,), generator=torch.Generator().manual_seed(2))
    right = torch.zeros(40, 30, dtype=torch.bool).scatter(1, single[:, None], True)
    if several:
        right |= _random(40, 30, seed=3) > 1.3
        assert right.sum(dim=1).max() > 2
    ranks = metrics.ranks(scores, right if several else single)
    # torchmetrics (since its pull request 3104) takes a right answer whose score is not positive for one not found,
    # which would drop half of all cosines; the same ranking in positive numbers is what it can judge.
    positive = scores.exp()
    theirs = RetrievalMRR()(positive, right, indexes=_queries(scores))
    assert metrics.mrr(ranks) == pytest.approx(theirs.item(), abs=1e-6)  # torchmetrics answers in float32
    for k in (1, 5, 10):
        theirs = RetrievalHitRate(top_k=k)(positive, right, indexes=_queries(scores))
        assert metrics.recall_at(ranks, k) == pytest.approx(theirs.item(), abs=1e-6)
    assert 0 < metrics.recall_at(ranks, 5) < 1


def test_ranks_by_hand():
    scores = torch.tensor([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.2, 0.2, 0.1], [0.0, 0.0, 0.0]]).double()
    assert metrics.ranks(scores, torch.tensor([0, 2, 0, 1])).tolist() == [1, 2, 2, 3]  # ties count against
    right = torch.tensor([[0, 1, 1], [1, 1, 1], [1, 1, 0], [0, 1, 1]]).bool()
    assert metrics.ranks(scores, right).tolist() == [2, 1, 1, 2]  # right answers do not count against each other


def test_ranks_are_those_of_sorting_for_scores_of_either_sign():
    scores, single = _random(40, 30), torch.arange(40) % 30
    assert (scores.gather(1, single[:, None]) < 0).sum() > 10
    order = scores.numpy().argsort(axis=1)[:, ::-1]
    expected = [list(row).index(target) + 1 for row, target in zip(order, single.tolist(), strict=True)]
    assert metrics.ranks(scores, single).tolist() == expected
    assert metrics.mrr(metrics.ranks(scores, single)) == pytest.approx(np.mean(1 / np.array(expected)), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS, queries=st.integers(1, 8), gallery=st.integers(1, 9))
def test_ranks_are_the_worst_place_that_sorting_can_give(seed, queries, gallery):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, (queries, gallery)).astype(float)  # few values: many ties
    right = rng.random((queries, gallery)) < 0.3
    right[np.arange(queries), rng.integers(0, gallery, queries)] = True
    expected = []
    for row, mask in zip(scores, right, strict=True):
        best = max(row[mask])
        order = sorted(range(gallery), key=lambda g: (-row[g], mask[g]))  # wrong ones first among equals
        wrong_before = [g for g in order if not mask[g] and row[g] >= best]
        expected.append(1 + len(wrong_before))
        first = next(place for place, g in enumerate(order) if mask[g])
        assert expected[-1] == first + 1
    assert metrics.ranks(torch.from_numpy(scores), torch.from_numpy(right)).tolist() == expected


def test_a_collapsed_model_is_ranked_last():
    ranks = metrics.ranks(torch.ones(6, 9).double(), torch.arange(6))
    assert ranks.tolist() == [9] * 6


def test_summary():
    ranks = torch.tensor([1, 1, 2, 6, 11, 40])
    summary = metrics.retrieval_summary(ranks)
    low, high = binomtest(2, 6).proportion_ci(method="wilson")
    assert summary.pop("interval") == pytest.approx([low, high], abs=1e-12)
    assert summary == pytest.approx({"r1": 2 / 6, "r5": 3 / 6, "r10": 4 / 6, "median_rank": 4.0, "n": 6})
    assert metrics.mrr(ranks) == pytest.approx((1 + 1 + 1 / 2 + 1 / 6 + 1 / 11 + 1 / 40) / 6)
    assert metrics.median_rank(torch.tensor([5, 1, 3])) == 3


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (1, 3), (48, 99), (999, 1440)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_interval_is_that_of_scipy(hits, n, confidence):
    theirs = binomtest(hits, n).proportion_ci(confidence_level=confidence, method="wilson")
    assert metrics.wilson_interval(hits, n, confidence=confidence) == pytest.approx(tuple(theirs), abs=1e-12)


def test_bootstrap_interval_of_a_mean_is_the_normal_one():
    values = _random(400)
    half = norm.ppf(0.95) * values.std().item() / math.sqrt(400)
    ours = metrics.bootstrap_interval(
        values, generator=torch.Generator().manual_seed(0), confidence=0.9, resamples=4000
    )
    assert ours == pytest.approx((values.mean().item() - half, values.mean().item() + half), abs=0.1 * half)
    again = metrics.bootstrap_interval(
        values, generator=torch.Generator().manual_seed(0), confidence=0.9, resamples=4000
    )
    assert again == ours
    wide = metrics.bootstrap_interval(values, generator=torch.Generator().manual_seed(0), statistic=torch.amax)
    assert values.min() < wide[0] <= wide[1] <= values.max()


def test_modality_gap_by_hand():
    """Two clouds that mirror each other at an angle t from an axis have their means 2 sin(t) apart."""
    angle = 0.3
    a = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64) * torch.tensor([[1.0], [5.0]])
    b = torch.tensor([[math.cos(angle), -math.sin(angle)]], dtype=torch.float64)
    assert metrics.modality_gap(a, b) == pytest.approx(2 * math.sin(angle), abs=1e-12)
    up_and_down = torch.tensor([[0.0, 1.0], [0.0, -1.0]]).double()
    assert metrics.modality_gap(b, up_and_down) == pytest.approx(1.0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_modality_gap_is_a_distance_that_ignores_length_and_order(seed):
    a, b = _random(6, 3, seed=seed), _random(9, 3, seed=seed + 1)
    gap = metrics.modality_gap(a, b)
    scales = _random(6, 1, seed=seed + 2).abs() + 0.1
    assert gap == pytest.approx(metrics.modality_gap(b, (a * scales).flip(0)), abs=1e-9)
    assert metrics.modality_gap(a, a) == 0 and 0 <= gap <= 2


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS, ties=st.booleans())
def test_auc_is_that_of_scikit_learn(seed, ties):
    scores = _random(30, seed=seed)
    scores = (2 * scores).round() if ties else scores
    labels = _random(30, seed=seed + 1) + 0.5 * scores > 0.2
    labels[:2] = torch.tensor([True, False])
    ours = metrics.auc(scores, labels)
    assert ours == pytest.approx(roc_auc_score(labels.numpy(), scores.numpy()), abs=1e-10)
    assert metrics.auc(-scores, labels) == pytest.approx(1 - ours, abs=1e-10)
    assert metrics.auc(scores.exp(), labels) == pytest.approx(ours, abs=1e-10)  # only the order matters


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_calibration_error_is_that_of_torchmetrics(bins):
    logits, labels = 2 * _random(200, 4), torch.randint(4, (200,), generator=torch.Generator().manual_seed(5))
    probabilities = logits.softmax(dim=-1)
    confidence, guess = probabilities.max(dim=-1)
    ours = metrics.expected_calibration_error(confidence, guess == labels, bins=bins)
    theirs = multiclass_calibration_error(probabilities, labels, num_classes=4, n_bins=bins, norm="l1")
    assert ours == pytest.approx(theirs.item(), abs=1e-6) and ours > 0.1
    sure = confidence.clamp(0.5, 1)  # torchmetrics reads a binary confidence as the probability of class 1
    theirs = binary_calibration_error(sure, (guess == labels).long(), n_bins=bins, norm="l1")
    assert metrics.expected_calibration_error(sure, guess == labels, bins=bins) == pytest.approx(
        theirs.item(), abs=1e-6
    )


def test_calibration_error_by_hand():
    confidence = torch.tensor([0.0, 0.1, 0.2, 0.9, 1.0], dtype=torch.float64)
    correct = torch.tensor([False, True, False, True, False])
    by_hand = abs((0 - 0.0) + (1 - 0.1) + (0 - 0.2)) / 5 + abs((1 - 0.9) + (0 - 1.0)) / 5
    assert metrics.expected_calibration_error(confidence, correct, bins=2) == pytest.approx(by_hand, abs=1e-12)
    assert metrics.expected_calibration_error(torch.tensor([0.0, 1.0]), torch.tensor([False, True])) == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: metrics.ranks(torch.tensor([[math.nan, 1.0]]), torch.tensor([0])), "got NaN; look for it"),
        (lambda: metrics.ranks(torch.ones(1, 2), torch.zeros(1, 2).bool()), "at least one right answer per query"),
        (lambda: metrics.recall_at(torch.zeros(0).long(), 1), "Recall needs at least one value"),
        (lambda: metrics.retrieval_summary(torch.zeros(0).long()), "at least one value"),
        (lambda: metrics.wilson_interval(3, 2), "got 3 of 2"),
        (lambda: metrics.wilson_interval(0, 0), "n > 0"),
        (lambda: metrics.auc(torch.ones(2), torch.tensor([True, True])), "2 positive and 0 negative"),
        (lambda: metrics.auc(torch.tensor([math.nan, 1.0]), torch.tensor([True, False])), "scores without NaN"),
        (lambda: metrics.expected_calibration_error(torch.tensor([1.5]), torch.tensor([True])), "Confidences lie in"),
        (lambda: metrics.modality_gap(torch.zeros(0, 3), torch.ones(1, 3)), "The modality gap needs at least one"),
    ],
)
def test_refusals_are_sentences(call, said):
    with pytest.raises(InputError, match=said):
        call()
