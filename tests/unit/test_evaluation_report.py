"""Baselines, tables, the log, and the sweeps: what stands beside the figures, and how they are kept."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from typer.testing import CliRunner

from mmlab.cli.eval import app
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation import as_table, card_figures, evaluate_joint, report, scaling
from mmlab.evaluation.baselines import baselines
from mmlab.evaluation.nearest import Features, nearest, tfidf
from mmlab.evaluation.report import keep_seed
from mmlab.evaluation.scaling import BATCH, PAIRS, SIZES, Point, nested, points, recipe_of
from mmlab.evaluation.scaling import scaling as sweep
from mmlab.evaluation.seeds import others, told
from mmlab.models.checkpoint import WEIGHTS, sha256
from mmlab.types import InputError
from tests.unit import tiny
from tests.unit.toy_emoji import THINGS, ZERO_SHOT, Knows, SaysOneThing, make

TRAINED = THINGS - ZERO_SHOT


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EmojiData:
    return make(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def beside(data: EmojiData) -> dict:
    return baselines(data)


@pytest.fixture(scope="module")
def results(data: EmojiData, beside: dict) -> dict:
    return {**evaluate_joint(Knows(image=lambda thing: thing + thing % 2), data), **beside}


# ---- baselines ----


def test_baselines_answer_the_models_questions(results: dict, beside: dict) -> None:
    for name, figure in beside.items():
        [base] = [name.removesuffix(f"_{end}") for end in report.BASELINES if name.endswith(end)]
        assert results[base]["n"] == figure["n"], name
        assert "r1" not in figure or results[base]["chance"] == figure["chance"], name


def test_flat_colours_and_pure_tones_need_no_learning(beside: dict) -> None:
    """In the toy data styles and voices hardly differ, so the nearest item is always right; real ones are not so."""
    for name, figure in beside.items():
        if "text_only" not in name and "subgroup" not in name:
            assert figure["r1"] == 1, name
    assert beside["subgroup_far_nearest_pixels"]["accuracy"] == 1


def test_zero_shot_things_are_in_no_memory(data: EmojiData, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[int] = []

    def spy(queries: torch.Tensor, memory: Iterable[Features], *, count: int) -> torch.Tensor:
        memory = list(memory)
        remembered.extend(thing for part in memory for thing in part.things.tolist())
        scores = nearest(queries, memory, count=count)
        assert torch.isinf(scores[:, TRAINED:]).all() and not torch.isinf(scores[:, :TRAINED]).any()
        return scores

    monkeypatch.setattr("mmlab.evaluation.baselines.nearest", spy)
    baselines(data)
    assert set(remembered) == set(range(TRAINED))


def test_nearest_is_the_least_distance_to_any_item_of_the_thing() -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(300, 5, generator=generator)
    memory = [Features(torch.tensor([0, 2, 2]), torch.randn(3, 5, generator=generator)) for _ in range(2)]
    scores = nearest(queries, memory, count=4)
    for thing in (0, 2):
        items = torch.cat([part.values[part.things == thing] for part in memory])
        expected = -torch.cdist(queries, items).square().amin(1)
        torch.testing.assert_close(scores[:, thing], expected, rtol=1e-4, atol=1e-4)
    assert torch.isinf(scores[:, [1, 3]]).all()


def test_tfidf_is_scikit_learns() -> None:
    texts = ["red apple", "apple pie", "苹果", "ｒｅｄ Pie"]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=True, dtype=np.float64)
    plain = ["red apple", "apple pie", "苹果", "red pie"]
    expected = vectorizer.fit_transform(plain).toarray()
    np.testing.assert_allclose((tfidf(texts) @ tfidf(texts).T).numpy(), expected @ expected.T, rtol=0, atol=1e-6)


def test_while_tuning_the_memory_holds_training_rows_only(data: EmojiData, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        EmojiData, "images", lambda self, style, old=EmojiData.images: (asked.append(style), old(self, style))[1]
    )
    baselines(data, split="validation")
    assert asked == [
        "emojione",
        "noto",
        "fluent_3d",
        "fluent_flat",
        "emojione_line",
        "noto",
        "fluent_3d",
        "fluent_flat",
    ]


# ---- tables ----


def cells(table: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {line[0].strip("`"): line[1:] for line in lines}


def test_every_figure_stands_in_the_table_once(results: dict) -> None:
    table = as_table(results)
    named = {name for name in results if not name.endswith(report.BASELINES) and name != "shared_names"}
    assert set(cells(table)) == named
    for block in table.split("\n\n"):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_the_table_says_what_the_figures_say(results: dict) -> None:
    found = cells(as_table(results))
    figure = results["image_to_text_far"]
    assert 0.4 < figure["r1"] < 0.6
    assert found["image_to_text_far"][0] == f"{100 * figure['r1']:.1f}"
    assert found["image_to_text_far"][-1].startswith("100.0 (nearest pixels)")
    assert found["match_auc_far"][0] == f"{results['match_auc_far']['auc']:.3f}"


def test_seeds_give_the_least_and_the_largest(results: dict, data: EmojiData) -> None:
    other = evaluate_joint(SaysOneThing(), data)
    training = {"figures": {"image_to_text_far": other["image_to_text_far"]["r1"]}}
    rows = cells(as_table(results, seeds=[training]))
    assert rows["image_to_text_far"][2] == f"0.0 to {100 * results['image_to_text_far']['r1']:.1f}"
    assert rows["image_to_text_near"][2] == ""  # the other training has no such figure


def training(folder: Path, **recipe: Any) -> Path:
    folder.mkdir()
    made = {
        "recipe": {"seed": 0, "steps": 9, "tuning": False, **recipe},
        "training": {"seconds": 90, "machine": "an X"},
    }
    (folder / "config.json").write_text(json.dumps(made))
    return folder


def test_only_trainings_that_differ_in_the_seed_are_a_spread(results: dict, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "seeds.jsonl"
    shipped = {"seed": 0, "steps": 9, "tuning": False}
    assert others(shipped, path=path) == []
    for name, recipe in {"a": {"seed": 1}, "b": {"seed": 2}, "c": {"seed": 3, "steps": 8}, "d": {}}.items():
        keep_seed(training(tmp_path / name, **recipe), results, path=path)
    keep_seed(tmp_path / "a", {"speech_to_text": {"r1": 0.25}}, path=path)  # kept anew
    found = others(shipped, path=path)
    assert [one["recipe"]["seed"] for one in found] == [2, 1]
    assert found[0]["figures"]["image_to_text_far"] == results["image_to_text_far"]["r1"]
    assert (found[1]["figures"], found[1]["minutes"]) == ({"speech_to_text": 0.25}, 1.5)
    assert "3 trainings" in told(found) and "seeds 2 and 1, which ran on an X" in told(found)
    assert "has not been measured" in told([])
    with pytest.raises(InputError, match="--tuning"):
        keep_seed(training(tmp_path / "e", tuning=True), results, path=path)


@pytest.mark.parametrize(
    "wrong", [["joint"], ["chat"], ["joint", "--split", "validation"], ["chat", "--quick"], ["chat", "--count", "99"]]
)
def test_what_is_kept_is_another_model_on_the_whole_test(wrong: list[str], tmp_path: Path) -> None:
    model = ["--model", str(tmp_path)] if wrong[1:] else []
    done = CliRunner().invoke(app, [*wrong, *model, "--keep"])
    assert done.exit_code == 2 and "another training" in done.output


def test_the_card_states_protocol_figures_and_looks(results: dict, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert "logged 0 times" in card_figures(results, log=log)
    log.write_text("{}\n{}\n")
    card = card_figures(results, log=log)
    assert "logged 2 times" in card and "Of 24 things, 2 share their English and 0 their Chinese name" in card
    assert set(cells(card)) == set(cells(as_table(results)))


# ---- a checkpoint folder, and the log ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    tiny.model().save_pretrained(path)
    return path


def test_results_record_what_they_were_made_from_and_are_logged_on_demand(
    folder: Path, data: EmojiData, tmp_path: Path
) -> None:
    log, shipped = tmp_path / "results" / "log.jsonl", report.LOG.read_bytes()
    first = report.evaluate_checkpoint(folder, data)
    assert not log.exists()
    assert first["made_from"]["checkpoint_sha256"] == sha256(folder / WEIGHTS)
    assert first["made_from"]["data_sha256"] == sha256(data.root / "SHA256SUMS")
    assert report.evaluate_checkpoint(folder, data, log=True, log_path=log) == first
    report.evaluate_checkpoint(folder, data, split="validation", log=True, log_path=log)
    [line] = map(json.loads, log.read_text("utf-8").splitlines())  # validation is no look at the test
    assert line["checkpoint_sha256"] == sha256(folder / WEIGHTS) and line["date"].endswith("+00:00")
    assert line["figures"]["text_to_image_near"] == first["text_to_image_near"]["r1"]
    assert set(line["figures"]) == set(report.HEADLINE)
    json.dumps(first)  # plain numbers throughout
    assert report.LOG.read_bytes() == shipped


# ---- sweeps ----


def test_the_sweeps_share_their_middle_point() -> None:
    plan = points(things=(8, None), seeds=(0, 1))
    assert len(plan) == len({point.name for point in plan}) == 2 * (1 + 1 + 2 + 1)
    middle = Point(None, "medium", ("all",), 0)
    for point in plan:
        changed = [name for name in ("things", "size", "pairs") if getattr(point, name) != getattr(middle, name)]
        assert len(changed) <= 1, point


def test_sizes_change_the_parameters_and_nothing_else() -> None:
    base = tiny.recipe()
    built = {
        size: recipe_of(Point(None, size, PAIRS[1], 3), steps=5, base=base).build(tiny.tokenizer()) for size in SIZES
    }
    counts = [sum(p.numel() for p in built[size].parameters()) for size in ("small", "medium", "large")]
    assert counts == sorted(counts) and counts[0] < 0.7 * counts[1] < 0.7 * counts[2]
    made = recipe_of(Point(8, "medium", PAIRS[1], 3), steps=5, base=base)
    assert (made.steps, made.batch, made.seed, made.pairs, made.things) == (5, BATCH, 3, PAIRS[1], 8)
    assert (made.text, made.image, made.audio, made.lr) == (base.text, base.image, base.audio, base.lr)
    assert made.ema**made.steps == pytest.approx(base.ema**base.steps), "as much is left of the first weights"


def test_fewer_things_are_among_more(data: EmojiData) -> None:
    things = data.split("train")
    few, more = ({thing.id for thing in nested(things, count)} for count in (5, 12))
    assert len(few) == 5 and few < more
    assert nested(things, None) == things


def test_a_sweep_goes_on_where_it_was_cut_off(data: EmojiData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []

    def train(recipe, corpus, tokenizer, *, run, progress):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(run.parent.name)
        return recipe.build(tokenizer).eval()

    monkeypatch.setattr(scaling, "train", train)
    monkeypatch.setattr(scaling, "estimate", lambda module, corpus: 0.01 * len(corpus))
    said: list[str] = []
    options = {"run": tmp_path, "steps": 2, "things": (8, None), "recipe": tiny.recipe(), "say": said.append}
    with pytest.raises(KeyboardInterrupt):
        sweep(data, **options)
    first = dict.fromkeys(trained)
    trained.clear()
    monkeypatch.setattr(
        scaling, "train", lambda *a, run, **k: (trained.append(run.parent.name), a[0].build(a[2]).eval())[1]
    )
    found = sweep(data, **options)
    assert len(first) == 2 and not set(first) & set(trained)
    assert list(found) == [point.name for point in points(things=(8, None))] and len(trained) == len(found) - 2
    few = found["things_8-size_medium-pairs_all-seed_0"]
    assert (few["things"], few["own"]["image_to_text_far"]["n"], few["common"]["image_to_text_far"]["n"]) == (8, 8, 8)
    every = found["things_all-size_medium-pairs_all-seed_0"]
    assert (every["own"]["image_to_text_far"]["n"], every["common"]["image_to_text_far"]["n"]) == (TRAINED, 8)
    assert every["zero_shot"]["zero_shot_image_to_text_far"]["n"] == ZERO_SHOT
    assert any("8 things, 2 steps of 0.08 s" in line for line in said)
    assert json.loads(json.dumps(found)) == sweep(data, **options)
    head, *rows = scaling.as_table(found).splitlines()
    assert head.split() == ["things", "size", "pairs", "picture", "speech", "Chinese", "unseen"]
    assert len(rows) == len(found)
    shown = [row for row in rows if row.split()[:3] == ["8", "medium", "all"]]
    assert [f"{100 * few['own']['image_to_text_near']['r1']:.1f} %" in row for row in shown] == [True]
    with pytest.raises(InputError, match="choose a new folder"):
        sweep(data, **{**options, "steps": 3})
    with pytest.raises(InputError, match="at least 1 step"):
        sweep(data, **{**options, "steps": 0})
    monkeypatch.setattr(Path, "write_text", lambda path, *text: path.touch() or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sweep(data, **{**options, "run": tmp_path / "cut"})
    assert not [*tmp_path.glob("cut/*/point.json")]


def test_a_point_is_really_trained(data: EmojiData, tmp_path: Path) -> None:
    point = Point(8, "medium", ("text-image", "image-audio"), 0)
    made = recipe_of(point, steps=2, base=tiny.recipe())
    options = {"run": tmp_path, "common": None, "split": "test", "progress": False, "say": lambda line: None}
    found = scaling.measure(point, made, data, **options)
    assert found["seconds_per_step"] > 0 and found["parameters"] > 1000 and found["pairs"] == list(point.pairs)
    figures = {**found["own"], **found["zero_shot"]}
    assert "speech_to_text_unseen_engine" in figures and not any("unseen_engine_" in name for name in figures)
    assert all("chance" in figure and "chance_r5" not in figure for figure in figures.values() if "r1" in figure)
    assert found == scaling.measure(point, made, data, **options)
    other = replace(made, vocab=made.vocab + 1)
    assert found["made_from"] == scaling.made_from(made, data) != scaling.made_from(other, data)
