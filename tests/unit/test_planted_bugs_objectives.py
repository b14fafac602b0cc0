"""Bugs planted in the objectives, and the checks that catch them.

That the objectives without a bug pass the same checks is what tests/parity/test_objectives.py shows.
"""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from mmlab.objectives import info_nce
from tests.parity import test_objectives as parity


def scale_inside_the_log(first, second, logit_scale, *, same=None):
    """The temperature multiplies the probabilities instead of the scores."""
    logits = first @ second.T
    rows = -(logit_scale * logits.softmax(1)).diagonal().log()
    return (rows - (logit_scale * logits.softmax(0)).diagonal().log()).mean() / 2


def one_direction_twice(first, second, logit_scale, *, same=None):
    """transformers' ClapModel: text to audio is counted twice."""
    logits = logit_scale * first @ second.T
    labels = torch.arange(len(first))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits, labels)) / 2


def directions_added(first, second, logit_scale, *, same=None):
    return 2 * info_nce(first, second, logit_scale, same=same)


def divided_by_scale(first, second, logit_scale, *, same=None):
    return info_nce(first, second, 1 / logit_scale, same=same)


def ignores_duplicates(first, second, logit_scale, *, same=None):
    return info_nce(first, second, logit_scale)


def counts_only_duplicates(first, second, logit_scale, *, same=None):
    return info_nce(first, second, logit_scale, same=None if same is None else ~same)


NCE = parity.check_info_nce
CLIP = parity.check_clip
OBJECTIVE_BUGS = [
    (scale_inside_the_log, NCE),
    (scale_inside_the_log, CLIP),
    (one_direction_twice, NCE),
    (one_direction_twice, CLIP),
    (directions_added, NCE),
    (divided_by_scale, NCE),
    (ignores_duplicates, lambda loss: NCE(loss, same=parity.SAME)),
    (counts_only_duplicates, lambda loss: NCE(loss, same=parity.SAME)),
]


@pytest.mark.parametrize(("bug", "check"), OBJECTIVE_BUGS)
def test_bug_in_info_nce_is_caught(bug, check):
    with pytest.raises(AssertionError):
        check(bug)


def siglip_over_pairs(first, second, logit_scale, logit_bias, *, same=None):
    """Divided by the number of pairs, B^2, instead of B."""
    signs = 2 * torch.eye(len(first)).double() - 1
    return -F.logsigmoid(signs * (logit_scale * first @ second.T + logit_bias)).mean()


def siglip_without_bias(first, second, logit_scale, logit_bias, *, same=None):
    signs = 2 * torch.eye(len(first)).double() - 1
    return -F.logsigmoid(signs * (logit_scale * first @ second.T)).sum() / len(first) + 0 * logit_bias


def siglip_bias_scaled(first, second, logit_scale, logit_bias, *, same=None):
    signs = 2 * torch.eye(len(first)).double() - 1
    return -F.logsigmoid(signs * logit_scale * (first @ second.T + logit_bias)).sum() / len(first)


@pytest.mark.parametrize("bug", [siglip_over_pairs, siglip_without_bias, siglip_bias_scaled])
@pytest.mark.parametrize("check", [parity.check_siglip, parity.check_siglip_formula])
def test_bug_in_siglip_is_caught(bug, check):
    with pytest.raises(AssertionError):
        check(bug)


def anchor_averaged(anchor, others, logit_scale):
    return sum(info_nce(anchor, other, logit_scale) for other in others)


def every_pair(anchor, others, logit_scale):
    views = torch.cat([anchor[None], others])
    pairs = [(i, j) for i in range(len(views)) for j in range(i)]
    return 2 * sum(info_nce(views[i], views[j], logit_scale) for i, j in pairs)


@pytest.mark.parametrize("bug", [anchor_averaged, every_pair])
def test_bug_in_anchored_pairs_is_caught(bug):
    with pytest.raises(AssertionError):
        parity.check_anchored(bug)


def triplet_of_lengths(anchor, positive, negative, *, margin=0.2):
    """Distances not squared."""
    return F.relu(margin + (anchor - positive).norm(dim=-1) - (anchor - negative).norm(dim=-1)).mean()


def triplet_without_hinge(anchor, positive, negative, *, margin=0.2):
    return (margin + (anchor - positive).square().sum(-1) - (anchor - negative).square().sum(-1)).mean()


@pytest.mark.parametrize("bug", [triplet_of_lengths, triplet_without_hinge])
def test_bug_in_triplet_is_caught(bug):
    with pytest.raises(AssertionError):
        parity.check_triplet(bug)


def neighbours_only(views, logit_scale, *, same=None):
    """A chain of views instead of all pairs."""
    return sum(info_nce(a, b, logit_scale, same=same) for a, b in pairwise(views)) / (len(views) - 1)


def test_bug_in_many_views_is_caught():
    with pytest.raises(AssertionError):
        parity.check_multi_view(neighbours_only)
