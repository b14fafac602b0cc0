"""Objectives against transformers, torch, NumPy closed forms, and the slow obvious loop."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor
from torch.nn.functional import normalize, triplet_margin_with_distance_loss
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel
from transformers.models.clip.modeling_clip import image_text_contrastive_loss

from mmlab.objectives import (
    LogitScale,
    anchored_info_nce,
    info_nce,
    multi_view_info_nce,
    siglip,
    triplet,
    weighted_multi_view_info_nce,
)
from mmlab.types import InputError
from tests.contract.promises import randomise
from tests.parity.oracle import EXACT, same_as_numpy, same_as_torch

ROWS, DIM = 5, 4
SAME = torch.zeros(ROWS, ROWS, dtype=torch.bool)
SAME[0, 3] = SAME[3, 0] = SAME[1, 4] = SAME[2, 2] = True  # two duplicates, one marked one way only, one on the diagonal
masks = pytest.mark.parametrize("same", [None, SAME], ids=["all", "same"])
TEXT = {"vocab_size": 16, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
IMAGE = {"image_size": 8, "patch_size": 4, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}


def units(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def pair() -> dict[str, Tensor]:
    return {"first": units(ROWS, DIM), "second": units(ROWS, DIM, seed=1), "logit_scale": torch.tensor(7.0).double()}


def numpy_info_nce(first, second, logit_scale, same=None):
    """Row by row, as the formula reads."""
    total = 0.0
    for i in range(len(first)):
        for asks, answers, mine in ((first, second, SAME), (second, first, SAME.T)):
            scores = [logit_scale * (asks[i] * answers[j]).sum() for j in range(len(first))]
            counted = [s for j, s in enumerate(scores) if same is None or j == i or not mine[i, j]]
            total = total - (scores[i] - np.log(sum(np.exp(s) for s in counted)))
    return total / (2 * len(first))


def their_model(kind, config, **more):
    model = randomise(kind(config), seed=0).double().eval()
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(ROWS, 3, 8, 8, generator=generator, dtype=torch.float64)
    words = torch.randint(3, 16, (ROWS, 4), generator=generator)
    return model, model(input_ids=words, pixel_values=pixels, return_loss=True, **more)


def agree(loss: Tensor, theirs: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(loss, theirs, **EXACT)
    ours = torch.autograd.grad(loss, inputs, retain_graph=True)
    for a, b in zip(ours, torch.autograd.grad(theirs, inputs, retain_graph=True), strict=True):
        assert a.abs().max() > 0
        torch.testing.assert_close(a, b, **EXACT)


def check_clip(loss=info_nce) -> None:
    model, out = their_model(CLIPModel, CLIPConfig(text_config=TEXT, vision_config=IMAGE, projection_dim=DIM))
    ours = loss(out.image_embeds, out.text_embeds, model.logit_scale.exp())
    agree(ours, out.loss, [out.image_embeds, out.text_embeds, model.logit_scale])


def check_siglip(loss=siglip) -> None:
    model, out = their_model(SiglipModel, SiglipConfig(text_config=TEXT, vision_config=IMAGE))
    ours = loss(out.image_embeds, out.text_embeds, model.logit_scale.exp().squeeze(), model.logit_bias.squeeze())
    agree(ours, out.loss, [out.image_embeds, out.text_embeds, model.logit_scale, model.logit_bias])


def test_info_nce_as_in_clip():
    check_clip()


def test_siglip_as_in_transformers():
    check_siglip()


def check_info_nce(loss=info_nce, same=None) -> None:
    same_as_numpy(lambda **x: loss(**x, same=same), lambda **x: numpy_info_nce(**x, same=same), pair())


@masks
def test_info_nce_as_the_formula_reads(same):
    check_info_nce(same=same)


def test_a_model_that_knows_nothing_pays_the_logarithm_of_the_batch():
    alike = torch.ones(ROWS, DIM).double()
    assert info_nce(alike, alike, 3.0).item() == pytest.approx(math.log(ROWS), abs=1e-12)
    fewer = (3 * math.log(ROWS - 1) + 2 * math.log(ROWS)) / ROWS  # either way three rows have one wrong answer less
    assert info_nce(alike, alike, 3.0, same=SAME).item() == pytest.approx(fewer, abs=1e-12)


def numpy_siglip(first, second, logit_scale, logit_bias, same=None):
    total = 0.0
    for i in range(len(first)):
        for j in range(len(first)):
            if same is not None and i != j and same[i, j]:
                continue
            y = 1 if i == j else -1
            logit = logit_scale * (first[i] * second[j]).sum() + logit_bias
            total = total + np.log(1 / (1 + np.exp(-y * logit)))
    return -total / len(first)


def check_siglip_formula(loss=siglip, same=None) -> None:
    inputs = {**pair(), "logit_bias": torch.tensor(-2.0).double()}
    same_as_numpy(lambda **x: loss(**x, same=same), lambda **x: numpy_siglip(**x, same=same), inputs)


@masks
def test_siglip_as_the_formula_reads(same):
    check_siglip_formula(same=same)


def obvious(views: Tensor, logit_scale: Tensor, *, weights: Tensor | None = None, same: Tensor | None = None) -> Tensor:
    """The slow version: a loop over pairs, rows and candidates."""
    total, weight = 0.0, 0.0
    for v, w in combinations(range(len(views)), 2):
        omega = 1.0 if weights is None else weights[v, w]
        loss = 0.0
        for i in range(views.shape[1]):
            for a, b, skip in ((v, w, same), (w, v, None if same is None else same.T)):
                scores = [logit_scale * views[a, i] @ views[b, j] for j in range(views.shape[1])]
                counted = [s for j, s in enumerate(scores) if skip is None or i == j or not skip[i, j]]
                loss = loss + torch.logsumexp(torch.stack(counted), 0) - scores[i]
        total = total + omega * loss / (2 * views.shape[1])
        weight = weight + omega
    return total / weight


def check_multi_view(loss=multi_view_info_nce, same=None) -> None:
    inputs = {"views": units(4, ROWS, DIM), "logit_scale": torch.tensor(9.0).double()}
    same_as_torch(lambda **x: loss(**x, same=same), lambda **x: obvious(**x, same=same), inputs)


@masks
def test_many_views_as_the_loop(same):
    check_multi_view(same=same)


@masks
def test_weighted_views_as_the_loop(same):
    weights = torch.rand(4, 4, generator=torch.Generator().manual_seed(0)).double()
    weights[0, 2] = 0.0
    inputs = {"views": units(4, ROWS, DIM), "logit_scale": torch.tensor(9.0).double()}
    same_as_torch(
        lambda **x: weighted_multi_view_info_nce(**x, weights=weights, same=same),
        lambda **x: obvious(**x, weights=weights, same=same),
        inputs,
    )


def test_views_that_are_none():
    with pytest.raises(InputError, match="at least two views"):
        multi_view_info_nce(units(1, ROWS, DIM), 1.0)
    with pytest.raises(InputError, match="above the diagonal"):
        weighted_multi_view_info_nce(units(2, ROWS, DIM), 1.0, weights=torch.eye(2).tril())


def their_anchored(anchor: Tensor, others: Tensor, logit_scale: Tensor) -> Tensor:
    """transformers' CLIP loss of each pair with the anchor; the paper adds the directions that CLIP averages."""
    return sum(2 * image_text_contrastive_loss(logit_scale * anchor @ other.T) for other in others)


def check_anchored(loss=anchored_info_nce) -> None:
    inputs = {"anchor": units(ROWS, DIM), "others": units(3, ROWS, DIM, seed=1)}
    same_as_torch(loss, their_anchored, {**inputs, "logit_scale": torch.tensor(5.0).double()})


def test_anchored_pairs():
    check_anchored()


def check_triplet(loss=triplet) -> None:
    inputs = {name: units(64, DIM, seed=seed) for seed, name in enumerate(("anchor", "positive", "negative"))}
    squared = lambda a, b: ((a - b) ** 2).sum(-1)  # noqa: E731
    same_as_torch(
        lambda **x: loss(**x, margin=0.3),
        lambda **x: triplet_margin_with_distance_loss(**x, distance_function=squared, margin=0.3),
        inputs,
    )


def test_triplet():
    check_triplet()


def test_extreme_scales_stay_finite():
    """Never log(exp): at the largest scale single precision still has a loss and a gradient."""
    first, second = units(8, 4).float().requires_grad_(), units(8, 4, seed=1).float()
    for loss in (info_nce(first, second, 1e4), siglip(first, second, 1e4, -10.0)):
        (grad,) = torch.autograd.grad(loss, first)
        assert loss.isfinite() and grad.isfinite().all()
    a, b = first.detach().numpy().astype(float), second.numpy().astype(float)
    scores = 1e4 * a @ b.T
    exact = (logsumexp(scores, axis=1) + logsumexp(scores, axis=0)) / 2 - np.diag(scores)
    assert info_nce(first, second, 1e4).item() == pytest.approx(exact.mean(), rel=1e-4)


def test_logit_scale():
    scale = LogitScale()
    assert scale().item() == pytest.approx(1 / 0.07, rel=1e-6)
    assert CLIPConfig().logit_scale_init_value == pytest.approx(scale.log_scale.item(), abs=1e-3)
    scale.log_scale.data.fill_(9.0)
    assert scale().item() == pytest.approx(100.0, rel=1e-6)
    scale().backward()
    assert scale.log_scale.grad > 0, "past its limit the scale must still be able to come back"
    for wrong in (0.0, -1.0, 0.001):
        with pytest.raises(InputError, match="LogitScale"):
            LogitScale(wrong)
