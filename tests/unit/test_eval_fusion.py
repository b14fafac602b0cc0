"""The controlled comparison on vectors whose right answers are known: bounds, chance, equal sizes, going on."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from mmlab.datasets.emoji import Thing
from mmlab.evaluation.fusion import (
    Bank,
    Bench,
    Budget,
    FusionHead,
    Point,
    Trainer,
    as_tables,
    compare,
    load_heads,
    over_seeds,
    points,
)
from mmlab.evaluation.fusion.augment import agreeing, rotation
from mmlab.evaluation.fusion.bank import LEVELS, NOISED, STYLES, VOICES, encode_bank, speckled, split_things
from mmlab.evaluation.fusion.deck import TASKS, deck
from mmlab.evaluation.fusion.head import matched_hidden, parameters
from mmlab.fusion import FUSIONS
from mmlab.types import InputError
from tests.unit import toy_emoji
from tests.unit.tiny import picture

THINGS, DIM, RANK = 240, 128, 24
OPERATORS = ("sum", "bilinear")
SMALL = Budget(steps=20, agreement=20, batch=64, choices=((0.01, 1.0),), looks=3)


def things() -> list[Thing]:
    words = {"keywords_en": (), "keywords_zh": (), "emoji": "x", "group": "g", "split": "train"}
    return [
        Thing(id=f"{i:x}", name_en=f"thing {i}", name_zh=f"东西{i}", family=str(i), subgroup=f"kind {i % 8}", **words)
        for i in range(THINGS)
    ]


@pytest.fixture(scope="module")
def bank() -> Bank:
    """Every thing has a random direction in a plane of RANK dimensions, which every view shows with a little noise."""
    generator = torch.Generator().manual_seed(0)
    plane = torch.linalg.qr(torch.randn(DIM, RANK, generator=generator))[0]
    code = normalize(torch.randn(THINGS, RANK, generator=generator) @ plane.T, dim=1)
    views = {name: _near(code, 0.03, generator) for name in ("en", "zh", *STYLES, *VOICES)}
    for name in NOISED:
        views |= {f"{name}@{level}": _near(code, 0.03 * 10 ** (-level / 20), generator) for level in LEVELS}
    return Bank(things(), split_things(things()), views)


def _near(code: torch.Tensor, spread: float, generator: torch.Generator) -> torch.Tensor:
    return normalize(code + spread * torch.randn(code.shape, generator=generator), dim=1)


@pytest.fixture(scope="module")
def trainer(bank: Bank) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(bank, Budget(steps=250, agreement=250, batch=256, choices=((0.003, 0.1),), looks=5))


def test_rows_made_anew_keep_their_answers() -> None:
    """What was the same in two modalities is the same afterwards, what differed differs, and nothing is what it was."""
    generator = torch.Generator().manual_seed(0)
    z = normalize(torch.randn(64, DIM, generator=generator), dim=1)
    label = torch.arange(64) % 2
    other = torch.where(label[:, None] == 1, z, z.roll(2, dims=0))  # the row two further on has the same label
    made = agreeing({"image": z, "audio": other}, label, generator=generator)
    cosine = (made["image"] * made["audio"]).sum(dim=1)
    assert (cosine[label == 1] > 0.999).all() and (cosine[label == 0] < 0.8).all()
    assert ((made["image"] * z).sum(dim=1) < 0.95).all()
    turn = rotation(DIM, generator=generator)
    torch.testing.assert_close(turn @ turn.T, torch.eye(DIM), rtol=0, atol=1e-5)


def share(trainer: Trainer, fitted: FusionHead, task: str, place: str = "near") -> float:
    rows = trainer.deck(task, place, seed=0)
    answers = trainer.answers(fitted, rows, tuple(fitted.projections))
    return trainer.right(answers, rows.label, task).double().mean().item()


def test_splits_are_disjoint_and_keep_families_together() -> None:
    listed = [*things(), *(Thing(**{**vars(thing), "id": f"z{thing.id}"}) for thing in things())]
    split = {name: set(side.tolist()) for name, side in split_things(listed).items()}
    assert set.union(*split.values()) == set(range(2 * THINGS))
    assert sum(map(len, split.values())) == 2 * THINGS
    assert all((at in side) == (at + THINGS in side) for side in split.values() for at in range(THINGS))


def test_pairs_come_in_fours(bank: Bank) -> None:
    rows = deck(bank, "pair", "near", seed=3)
    quarter = len(rows) // 4
    i, j = (rows.at["image"][n * quarter : (n + 1) * quarter] for n in (0, 1))
    assert torch.equal(rows.at["image"], torch.cat([i, j, i, j]))
    assert torch.equal(rows.at["audio"], torch.cat([i, j, j, i]))
    assert torch.equal(rows.label, torch.tensor([1, 1, 0, 0]).repeat_interleave(quarter))
    assert not (i == j).any()


@pytest.mark.parametrize("task", ["pair", "odd"])
def test_views_are_equally_often_under_each_label(bank: Bank, task: str) -> None:
    """What one modality shows says nothing of the answer: a perfect memory of the test would not help."""
    rows = deck(bank, task, "far", seed=1)
    labels = rows.label.unique()
    for at in rows.at.values():
        counts = torch.stack([at[rows.label == label].bincount(minlength=THINGS) for label in labels])
        assert (counts == counts[0]).all()


def test_no_head_meets_a_thing_of_the_test(bank: Bank) -> None:
    for task in TASKS:
        seen = {place: set(torch.cat([*deck(bank, task, place, seed=0).at.values()]).tolist()) for place in
                ("train", "validation", "near")}  # fmt: skip
        assert not seen["near"] & seen["train"] and not seen["near"] & seen["validation"]
        assert not seen["train"] & seen["validation"]


def test_at_most_one_modality_is_under_noise(bank: Bank) -> None:
    rows = deck(bank, "retrieval", "train", seed=0)
    under = [rows.view["image"] >= 3, rows.view["audio"] >= 4]
    assert not (under[0] & under[1]).any()
    assert all(0.2 < side.float().mean() < 0.45 for side in under)


@pytest.mark.parametrize("operator", ["sum", "concat_linear", "late", "weighted_sum", "mean"])
def test_an_additive_operator_stays_below_its_bound(trainer: Trainer, operator: str) -> None:
    assert share(trainer, trainer.fit(operator, "pair", seed=0).head, "pair") <= 0.75


@pytest.mark.parametrize(("operator", "floor"), [("bilinear", 0.8), ("hadamard", 0.95), ("low_rank", 0.95)])
def test_a_product_is_right_where_a_sum_cannot_be(trainer: Trainer, operator: str, floor: float) -> None:
    """The full bilinear map sees 32 directions of the space, and learns slowest."""
    assert share(trainer, trainer.fit(operator, "pair", seed=0).head, "pair") >= floor


def test_equal_heads_let_the_sum_match_too(trainer: Trainer) -> None:
    """The bound is of the linear head: a hidden layer over the sum breaks it."""
    hidden = matched_hidden(["sum", "bilinear"], modalities=("image", "audio"), dim=DIM, answers=1)["sum"]
    assert share(trainer, trainer.fit("sum", "pair", hidden=hidden, seed=0).head, "pair") > 0.8


@pytest.mark.parametrize("hidden", [None, 64])
@pytest.mark.parametrize(("task", "chance"), [("pair", 0.5), ("odd", 0.25)])
def test_one_modality_alone_is_at_chance(trainer: Trainer, task: str, chance: float, hidden: int | None) -> None:
    for alone in TASKS[task][0]:
        head = trainer.fit("sum", task, modalities=(alone,), hidden=hidden, seed=0).head
        assert share(trainer, head, task) == pytest.approx(chance, abs=1e-9)


def test_the_sum_is_enough_for_names(trainer: Trainer) -> None:
    assert share(trainer, trainer.fit("sum", "retrieval", seed=0).head, "retrieval") >= 0.9


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("dropout", [False, True])
def test_sizes_in_table_b_are_equal(task: str, dropout: bool) -> None:
    modalities, answers = TASKS[task]
    sizes = {"modalities": modalities, "dim": 128, "answers": answers or 128, "dropout": dropout}
    hidden = matched_hidden(list(FUSIONS), **sizes)
    counts = [parameters(FusionHead(name, **sizes, hidden=hidden[name])) for name in FUSIONS]
    assert max(counts) / min(counts) < 1.05


def test_all_operators_learn_from_the_same_rows_which_are_made_once(bank: Bank) -> None:
    trainer, asked = Trainer(bank, SMALL), ("pair", ("image", "audio"))
    made = trainer.batches(*asked, seed=0)
    assert len(made) == SMALL.steps_of("pair") and trainer.batches(*asked, seed=0) is made
    again, other = Trainer(bank, SMALL).batches(*asked, seed=0), trainer.batches(*asked, seed=1)
    assert all(torch.equal(a[0]["image"], b[0]["image"]) for a, b in zip(made, again, strict=True))
    assert not torch.equal(made[0][0]["image"], other[0][0]["image"])
    assert trainer.batches(*asked, seed=0) is not made  # those of one task and seed are kept, not all


def test_a_run_that_was_cut_off_goes_on(bank: Bank, tmp_path: Path) -> None:
    def call(folder: str, track: object = iter) -> dict[str, object]:
        return compare(bank, run=tmp_path / folder, seeds=2, budget=SMALL, operators=OPERATORS, tasks=("pair",),
                       say=lambda _: None, track=track)  # fmt: skip

    def cut(plan: list[Point]) -> object:
        yield from plan[:7]
        raise KeyboardInterrupt

    whole = call("whole")
    with pytest.raises(KeyboardInterrupt):
        call("cut", cut)
    files = sorted((tmp_path / "cut" / "points").iterdir())
    assert len(files) == 7
    before = [file.stat().st_mtime_ns for file in files]
    assert call("cut") == whole
    assert [file.stat().st_mtime_ns for file in files] == before
    assert json.loads(json.dumps(whole)) == whole
    table = as_tables({k: v for k, v in whole.items() if k != "made_from"})
    assert "A. One linear head" in table and f"| sum | {whole['pair.linear.sum']['parameters']:,} |" in table
    assert len(re.findall(r"^\| sum \|", table, re.MULTILINE)) == 2
    changed = Bench(Trainer(bank, Budget(steps=31)), run=tmp_path / "cut", made_from={}, operators=OPERATORS)
    with pytest.raises(InputError, match="choose a new --run"):
        changed.measure(Point("pair", "linear", "sum", 0))


def test_figures_carry_bound_chance_and_interval(bank: Bank, tmp_path: Path) -> None:
    found = compare(bank, run=tmp_path / "run", seeds=2, budget=SMALL, operators=OPERATORS, tasks=("pair",),
                    heads=tmp_path / "heads", say=lambda _: None)  # fmt: skip
    figure = found["pair.linear.sum.near"]
    assert figure["bound"] == 0.75 and found["pair"] == {"n": 928, "chance": 0.5} and len(figure["seeds"]) == 2
    table = as_tables({name: one for name, one in found.items() if name != "made_from"})
    mean, (low, high) = over_seeds(figure["seeds"])
    assert low <= mean <= high and f"{100 * mean:.1f} ± {100 * (high - mean):.1f}" in table
    assert "bound" not in found["pair.linear.bilinear.near"] and "bound" not in found["pair.mlp.sum.near"]
    heads = load_heads(tmp_path / "heads")
    assert list(heads) == [f"pair.{name}" for name in OPERATORS]
    trainer = Trainer(bank, SMALL)
    kept = share(trainer, heads["pair.bilinear"], "pair", place="validation")
    stated = json.loads((tmp_path / "heads" / "config.json").read_text("utf-8"))["validation"]["pair.bilinear"]
    assert kept == pytest.approx(stated, abs=0.02) and stated > 0.6


@pytest.mark.parametrize("dropout", [False, True])
def test_a_missing_modality_is_borne(bank: Bank, tmp_path: Path, dropout: bool) -> None:
    bench = Bench(Trainer(bank, SMALL), run=tmp_path, made_from={}, operators=OPERATORS)
    shares = bench.measure(Point("missing", "linear", "sum", 0, dropout=dropout))["shares"]
    assert {f"near_without_{m}" for m in ("text", "image", "audio")} < shares.keys()
    assert shares["near_without_text"]["share"] > 0.5


def test_the_plan_asks_each_operator_once() -> None:
    plan = points(seeds=5)
    assert len({point.name for point in plan}) == len(plan)
    missing = {point.operator for point in plan if point.task == "missing" and not point.dropout}
    assert missing == {name for name, operator in FUSIONS.items() if operator.allows_missing}
    assert {point.operator for point in plan if point.dropout} == set(FUSIONS)


def test_intervals_are_students() -> None:
    mean, interval = over_seeds([0.5, 0.6, 0.7, 0.6, 0.6])
    assert mean == pytest.approx(0.6)  # s = sqrt(0.005); t = 2.776; half = 2.776 * sqrt(0.005 / 5)
    assert interval == pytest.approx([0.6 - 0.08779, 0.6 + 0.08779], abs=1e-4)
    assert over_seeds([0.5])[1] is None


def test_noise_on_a_picture_has_the_strength_that_it_says() -> None:
    pale = Image.fromarray(np.asarray(picture(0)) // 2 + 64)  # far from black and white, so that nothing is clipped
    clean = np.asarray(pale).astype(float)
    noise = np.asarray(speckled(pale, seed=(1,), snr=20)) - clean
    assert 10 * np.log10(clean.var() / noise.var()) == pytest.approx(20, abs=0.5)


def test_views_are_encoded_once(tmp_path: Path) -> None:
    model, data = toy_emoji.Knows(), toy_emoji.make(tmp_path / "data")
    voices = {name: {"voice": "slt"} for name in VOICES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmlab.evaluation.fusion.bank.VOICES", voices)
        first = encode_bank(model, data, cache=tmp_path / "views", made_from="a", say=lambda _: None)
        calls = len(model.calls)
        again = encode_bank(model, data, cache=tmp_path / "views", made_from="a", say=lambda _: None)
        assert len(model.calls) == calls and again.views.keys() == first.views.keys()
        assert all(torch.equal(first.views[name], again.views[name]) for name in first.views)
        assert torch.equal(first.views["noto"], model.vectors) and not first.has("twemoji")[toy_emoji.UNDRAWN]
        with pytest.raises(InputError, match="choose a new --run"):
            encode_bank(model, data, cache=tmp_path / "views", made_from="b", say=lambda _: None)
