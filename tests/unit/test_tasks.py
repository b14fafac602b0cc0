"""The matching tasks are balanced: no modality alone, and for the odd one out no two of three, tell the label."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmlab.datasets.emoji import EmojiData, Thing
from mmlab.datasets.tasks import KINDS, ODD_LABELS, PAIR_LABELS, OddOneOutTask, PairTask, odd_one_out_task, pair_task
from mmlab.types import MODALITIES, InputError

SEED = 7


def make(subgroups: list[int], names: list[int] | None = None) -> list[Thing]:
    """One thing for each entry, in that subgroup; things with the same entry in `names` are called the same."""
    names = list(range(len(subgroups))) if names is None else names
    return [
        Thing(str(i), "?", f"name {name}", f"名 {name}", (), (), "group", f"kind {kind}", f"family {i}", "train")
        for i, (kind, name) in enumerate(zip(subgroups, names, strict=True))
    ]


THINGS = make([i % 13 for i in range(120)])


@pytest.fixture(scope="module")
def shipped(data: EmojiData) -> list[Thing]:
    return data.split("train")


def columns(task: PairTask | OddOneOutTask) -> dict[str, np.ndarray]:
    return {name: getattr(task, name) for name in MODALITIES if hasattr(task, name)}


def check_one_modality_is_at_chance(task: PairTask | OddOneOutTask, labels: int) -> None:
    """Each modality shows the same things equally often under each label: the best table is right 1 in `labels`."""
    for kind in np.unique(task.kind):
        here = task.kind == kind
        assert len(set(Counter(task.label[here].tolist()).values())) == 1
        for column in columns(task).values():
            seen = [Counter(column[here & (task.label == label)].tolist()) for label in range(labels)]
            assert all(counts == seen[0] for counts in seen)
            assert len(set(seen[0].values())) == 1, "some things are shown more often than others"
            best = sum(max(counts[thing] for counts in seen) for thing in seen[0])
            assert best * labels == here.sum()


def check_two_modalities_are_at_half(task: OddOneOutTask) -> None:
    shown = columns(task)
    for first, second in combinations(shown, 2):
        tables = Counter(zip(shown[first].tolist(), shown[second].tolist(), task.label.tolist(), strict=True))
        best = Counter()
        for (a, b, _), count in tables.items():
            best[a, b] = max(best[a, b], count)
        assert sum(best.values()) * 2 == len(task)


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1], KINDS[1:]])
def test_pairs_are_balanced(rounds: int, kinds: tuple[str, ...]) -> None:
    task = pair_task(THINGS, seed=SEED, rounds=rounds, kinds=kinds)
    assert len(task) == 2 * rounds * len(kinds) * len(THINGS)
    check_one_modality_is_at_chance(task, len(PAIR_LABELS))


@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("kinds", [KINDS, KINDS[:1], KINDS[1:]])
def test_odd_one_out_is_balanced(rounds: int, kinds: tuple[str, ...]) -> None:
    task = odd_one_out_task(THINGS, seed=SEED, rounds=rounds, kinds=kinds)
    assert len(task) == 8 * rounds * len(kinds) * len(THINGS)
    check_one_modality_is_at_chance(task, len(ODD_LABELS))
    check_two_modalities_are_at_half(task)


def test_the_shipped_things_are_balanced_too(shipped: list[Thing]) -> None:
    pairs, odd = pair_task(shipped, seed=SEED), odd_one_out_task(shipped, seed=SEED)
    check_one_modality_is_at_chance(pairs, len(PAIR_LABELS))
    check_one_modality_is_at_chance(odd, len(ODD_LABELS))
    check_two_modalities_are_at_half(odd)
    takes_part = {kind: len(set(pairs.image[pairs.kind == at].tolist())) for at, kind in enumerate(KINDS)}
    assert takes_part["other_subgroup"] == len(shipped)
    assert takes_part["same_subgroup"] > 0.95 * len(shipped)


def test_an_additive_score_has_one_mean_under_both_labels() -> None:
    task = pair_task(THINGS, seed=SEED)
    rng = np.random.default_rng(0)
    score = rng.normal(size=len(THINGS))[task.image] + rng.normal(size=len(THINGS))[task.audio]
    np.testing.assert_allclose(score[task.label == 0].mean(), score[task.label == 1].mean(), rtol=0, atol=1e-12)


def test_labels_say_what_the_items_hold() -> None:
    pairs = pair_task(THINGS, seed=SEED)
    assert ((pairs.image == pairs.audio) == (pairs.label == PAIR_LABELS.index("same"))).all()
    odd = odd_one_out_task(THINGS, seed=SEED)
    rows = np.stack(list(columns(odd).values()), axis=1)
    for row, label in zip(rows, odd.label, strict=True):
        others = np.delete(row, label) if label < len(MODALITIES) else row
        assert len(set(others)) == 1
        assert label == ODD_LABELS.index("none") or row[label] != others[0]


def test_negatives_are_of_the_kind_that_is_stated() -> None:
    task = pair_task(THINGS, seed=SEED)
    for image, audio, label, kind in zip(task.image, task.audio, task.label, task.kind, strict=True):
        if label == 0:
            same = THINGS[image].subgroup == THINGS[audio].subgroup
            assert KINDS[kind] == ("same_subgroup" if same else "other_subgroup")


def test_things_of_one_name_are_never_a_negative(shipped: list[Thing]) -> None:
    for things in (make([0, 0, 0, 0, 1, 1, 1, 1], names=[0, 0, 1, 2, 0, 3, 4, 5]), shipped):
        task = pair_task(things, seed=SEED, rounds=2)
        for image, audio, label in zip(task.image, task.audio, task.label, strict=True):
            a, b = things[image], things[audio]
            assert label == 1 or (a.name_en != b.name_en and a.name_zh != b.name_zh)


def test_a_thing_without_a_partner_of_its_kind_stays_out() -> None:
    task = pair_task(make([0, 0, 0, 1]), seed=SEED, kinds=["same_subgroup"])
    assert set(task.image.tolist()) == {0, 1, 2}


def raw(task: PairTask | OddOneOutTask) -> bytes:
    return b"".join(getattr(task, name).tobytes() for name in task.__dataclass_fields__)


@pytest.mark.parametrize("make_task", [pair_task, odd_one_out_task])
def test_same_seed_same_bytes_other_seed_other_bytes(make_task) -> None:
    assert raw(make_task(THINGS, seed=1)) == raw(make_task(THINGS, seed=1))
    assert raw(make_task(THINGS, seed=1)) != raw(make_task(THINGS, seed=2))
    twice = make_task(THINGS, seed=1, rounds=2)
    assert len(twice) == 2 * len(make_task(THINGS, seed=1))
    partners = {(i, j) for i, j, label in zip(twice.image, twice.audio, twice.label, strict=True) if i != j}
    assert len(partners) > 2 * len(THINGS), "the rounds repeat each other"


def test_the_order_of_the_items_hides_the_label() -> None:
    labels = odd_one_out_task(THINGS, seed=SEED).label
    runs = 1 + (labels[1:] != labels[:-1]).sum()
    assert 0.7 * len(labels) < runs < 0.8 * len(labels)  # 3 in 4 neighbours differ in a shuffled list


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=40), st.integers(0, 2**31))
def test_any_things_are_balanced_or_refused(subgroups: list[int], seed: int) -> None:
    for kind in KINDS:
        sizes = Counter(subgroups)
        possible = max(sizes.values()) > 1 if kind == KINDS[0] else 2 * max(sizes.values()) <= len(subgroups)
        if not possible:
            with pytest.raises(InputError, match="No negatives of kind"):
                pair_task(make(subgroups), seed=seed, kinds=[kind])
            continue
        task = odd_one_out_task(make(subgroups), seed=seed, kinds=[kind])
        expected = sum(n for n in sizes.values() if n > 1) if kind == KINDS[0] else len(subgroups)
        assert len(task) == 8 * expected
        check_one_modality_is_at_chance(task, len(ODD_LABELS))
        check_two_modalities_are_at_half(task)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="same_subgroup and other_subgroup"):
        pair_task(THINGS, seed=SEED, kinds=["hard"])
