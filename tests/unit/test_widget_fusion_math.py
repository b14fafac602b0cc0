"""What a FusionLab computes, against the operators of the package and against formulas written out."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.evaluation.fusion import FusionHead
from mmlab.fusion import FUSIONS
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.fusion_math import (
    Outcome,
    agreement,
    combine,
    cosines,
    fused_outcome,
    moves,
    parts,
    shapley,
    softmax,
)
from mmlab.widgets.fusion_state import DIRECT, FusionState
from tests.unit.test_widget_fusion_state import START

DIM, THINGS = 16, 40
LEARNED = [name for name in FUSIONS if name not in DIRECT]
TINY = {"rtol": 0, "atol": 1e-6}


def heads() -> dict[str, nn.Module]:
    """Heads of every learned operator with random weights, as the comparison trains them."""
    torch.manual_seed(0)
    two, made = ("image", "audio"), {}
    for name in FUSIONS:
        made[f"retrieval.{name}"] = FusionHead(name, modalities=two, dim=DIM, answers=DIM).eval()
        made[f"pair.{name}"] = FusionHead(name, modalities=two, dim=DIM, answers=1).eval()
    return made


def rows(count: int, *, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


HEADS, GALLERY = heads(), rows(THINGS)
Z = dict(zip(MODALITIES, rows(3, seed=1), strict=True))
NEUTRAL = dict(zip(MODALITIES, 0.2 * rows(3, seed=2), strict=True))


def outcome(state: FusionState, **changed: object) -> Outcome:
    return fused_outcome(**{"z": Z, "state": state, "gallery": GALLERY, "heads": HEADS, "neutral": NEUTRAL, **changed})


@pytest.mark.parametrize("operator", DIRECT)
@given(weights=st.lists(st.floats(0.1, 2), min_size=3, max_size=3))
def test_operators_without_trained_parts_are_the_packages(operator: str, weights: list[float]) -> None:
    given_ = {m: np.float32(w) * z for (m, z), w in zip(Z.items(), weights, strict=True)}
    dims = dict.fromkeys(MODALITIES, DIM)
    theirs = FUSIONS[operator](dims, out=DIM)(**{m: torch.from_numpy(z)[None] for m, z in given_.items()})
    np.testing.assert_allclose(combine(operator, given_), theirs[0].detach().numpy(), **TINY)


@pytest.mark.parametrize("operator", FUSIONS)
def test_the_shares_add_up_to_the_scores(operator: str) -> None:
    state = START.change("operator", operator).change("audio.weight", 0.7)
    found = outcome(state)
    total = sum(found.shares.values()) + found.rest
    np.testing.assert_allclose(total, found.scores[found.best], rtol=0, atol=1e-5)


@pytest.mark.parametrize("operator", FUSIONS)
def test_the_outcome_is_that_of_the_operator(operator: str) -> None:
    state = START.change("operator", operator).change("image.weight", 0.4)
    names = MODALITIES if operator in DIRECT else ("image", "audio")
    scaled = {m: torch.from_numpy(state.weight(m) * Z[m])[None] for m in names}
    fusion = FUSIONS[operator](dict.fromkeys(names, DIM)) if operator in DIRECT else HEADS[f"retrieval.{operator}"]
    with torch.no_grad():
        expected = normalize(fusion(**scaled), dim=1)[0].numpy()
    found = outcome(state)
    np.testing.assert_allclose(found.z, expected, rtol=0, atol=1e-5)
    order = np.argsort(-(GALLERY @ expected), kind="stable")
    assert found.best.tolist() == order[: len(found.best)].tolist()
    assert found.places()[found.best].tolist() == list(range(1, len(found.best) + 1))
    assert found.used == names


def test_parts_of_the_maximum_come_from_who_said_most() -> None:
    split = parts("max", Z)
    stacked = np.stack(list(Z.values()))
    np.testing.assert_array_equal(sum(split.values()), stacked.max(axis=0))
    assert all(((split[m] == 0) | (split[m] == stacked.max(axis=0))).all() for m in Z)


class Product(nn.Module):
    """A made-up head of any number of modalities that is not additive."""

    def forward(self, **z: Tensor) -> Tensor:
        return torch.stack([value + 0.3 for value in z.values()]).prod(dim=0) + 0.1 * z["image"]


@pytest.mark.parametrize("names", [("image", "audio"), MODALITIES])
def test_shapley_is_the_mean_over_all_orders_of_joining(names: tuple[str, ...]) -> None:
    head, targets = Product(), GALLERY[:4]
    inputs = {m: Z[m] for m in names}

    def score(present: set[str]) -> np.ndarray:
        rows_ = {m: torch.from_numpy(inputs[m] if m in present else NEUTRAL[m])[None] for m in names}
        return targets @ normalize(head(**rows_), dim=1)[0].numpy()

    expected = {m: np.zeros(4) for m in names}
    for order in permutations(names):
        for at, m in enumerate(order):
            expected[m] += (score(set(order[: at + 1])) - score(set(order[:at]))) / factorial(len(names))
    shares, rest = shapley(head, inputs, NEUTRAL, targets)
    for m in names:
        np.testing.assert_allclose(shares[m], expected[m], rtol=0, atol=1e-5)
    np.testing.assert_allclose(rest, score(set()), rtol=0, atol=1e-5)


def test_a_lower_temperature_is_surer_of_the_same_order() -> None:
    sharp, flat = outcome(START.change("temperature", 0.01)), outcome(START.change("temperature", 1.0))
    assert sharp.best.tolist() == flat.best.tolist()
    assert sharp.chances.max() > flat.chances.max()
    assert sharp.chances.sum() == pytest.approx(1) and flat.chances.sum() == pytest.approx(1)
    assert softmax(np.array([1000.0, 0.0])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({m + ".on": False for m in MODALITIES}, "No modality is left: switch one on"),
        ({m + ".weight": 0.0 for m in MODALITIES}, "no direction: raise the weight"),
        ({"operator": "bilinear", "audio.on": False}, "bilinear learned from image and audio, and audio is missing"),
        (
            {"operator": "late", "audio.on": False, "image.on": False},
            "late learned from image and audio, and image and",
        ),
    ],
)
def test_what_leaves_nothing_to_fuse_is_said_in_a_sentence(changes: dict[str, object], said: str) -> None:
    state = START
    for knob, value in changes.items():
        state = state.change(knob, value)
    with pytest.raises(InputError, match=said):
        outcome(state)


def test_an_operator_without_heads_says_so_and_what_to_do() -> None:
    with pytest.raises(InputError, match=r"gated has to learn before it can fuse.*mmlab eval fusion"):
        outcome(START.change("operator", "gated"), heads={})


def test_an_operator_that_bears_a_missing_modality_answers_from_one() -> None:
    found = outcome(START.change("operator", "late").change("audio.on", False))
    assert found.used == ("image",) and set(found.shares) == {"image"}


def test_a_modality_that_has_no_part_is_named() -> None:
    assert outcome(START).notes == ()
    [note] = outcome(START.change("operator", "gated")).notes
    assert "take image and audio; text has no part" in note


def test_the_pair_head_is_asked_only_where_it_can_answer() -> None:
    state = START.change("operator", "gated")
    with torch.no_grad():
        logit = HEADS["pair.gated"](**{m: torch.from_numpy(Z[m])[None] for m in ("image", "audio")}).item()
    assert agreement(state, Z, HEADS) == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-6)
    assert agreement(state.change("audio.on", False), Z, HEADS) is None
    assert agreement(state, Z, {}) is None


def test_cosines_and_moves() -> None:
    found = cosines({m: 3 * z for m, z in Z.items()}, ("text", "audio"))
    assert found == {("text", "audio"): pytest.approx(float(Z["text"] @ Z["audio"]), abs=1e-6)}
    assert moves(np.array([3, 1, 2]), np.array([1, 2, 3]), np.array([0, 1])) == [2, -1]


def test_fewer_things_than_answers() -> None:
    assert len(outcome(START, gallery=GALLERY[:3]).best) == 3
