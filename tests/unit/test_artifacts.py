"""Nothing that ships is stale: each artifact records what it was made from, and these are the files that lie here."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from typer.testing import CliRunner

from mmlab.apps.gallery import TARGETS, gallery, read_gallery
from mmlab.apps.wording import STRANGERS
from mmlab.cli import app
from mmlab.datasets.dialogue import KINDS
from mmlab.datasets.emoji import ROOT as EMOJI
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.card import write_card
from mmlab.evaluation.chat import RESULTS as CHAT_RESULTS
from mmlab.evaluation.chat import evaluate_checkpoint as evaluate_the_chat
from mmlab.evaluation.chat import write_card as write_chat_card
from mmlab.evaluation.chat.report import headline
from mmlab.evaluation.fusion import Budget, load_heads, points
from mmlab.evaluation.fusion.store import KEPT
from mmlab.evaluation.fusion.store import SHIPPED as HEADS
from mmlab.evaluation.report import evaluate_checkpoint as evaluate_joint_space
from mmlab.evaluation.report import value_of
from mmlab.evaluation.scaling import made_from, recipe_of
from mmlab.evaluation.scaling import points as scaling_points
from mmlab.evaluation.seeds import FILE as SEEDS
from mmlab.evaluation.seeds import others
from mmlab.fusion import FUSIONS
from mmlab.models.chat import SHIPPED as CHAT
from mmlab.models.chat import load_shipped as load_chat
from mmlab.models.checkpoint import CONFIG, WEIGHTS, sha256
from mmlab.models.fingerprint import fingerprint
from mmlab.models.joint import SHIPPED, JointEmbedder, load_shipped
from mmlab.paths import DATA, ROOT
from mmlab.training.dialogue_recipe import ChatRecipe
from mmlab.training.dialogue_shipped import dialogues_sha256
from mmlab.training.recipe import AlignRecipe
from mmlab.widgets.shipped_map import MAP, read_map

RESULTS = DATA / "results" / "joint" / "test.json"
FUSION = DATA / "results" / "fusion" / "results.json"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def model() -> JointEmbedder:
    return load_shipped()


def config(folder: Path = SHIPPED) -> dict:
    return json.loads((folder / CONFIG).read_text("utf-8"))


def stored(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def test_the_checkpoint_was_made_from_these_data_by_the_shipped_recipe() -> None:
    assert config()["made_from"]["data_sha256"] == sha256(EMOJI / "SHA256SUMS")
    assert config()["recipe"] == json.loads(json.dumps(AlignRecipe().to_dict()))


def test_the_results_are_of_this_checkpoint_and_these_data() -> None:
    made_from = json.loads(RESULTS.read_text("utf-8"))["made_from"]
    assert made_from["checkpoint_sha256"] == sha256(SHIPPED / WEIGHTS)
    assert made_from["data_sha256"] == sha256(EMOJI / "SHA256SUMS")


def test_the_card_is_written_from_the_config_and_the_results(tmp_path: Path) -> None:
    for name in (CONFIG, WEIGHTS):
        shutil.copy(SHIPPED / name, tmp_path)
    write_card(tmp_path, json.loads(RESULTS.read_text("utf-8")))
    assert (tmp_path / "README.md").read_text("utf-8") == (SHIPPED / "README.md").read_text("utf-8")


def test_the_card_says_how_often_unseen_things_are_found() -> None:
    text = " ".join((SHIPPED / "README.md").read_text("utf-8").split())
    pooled = stored(RESULTS)["zero_shot_image_to_text"]
    lift = pooled["r5"] / (5 / 148)
    assert f"picture finds its name within the first five {lift:.1f} times as often as chance" in text


def test_a_card_without_figures_of_unseen_things_tells_no_multiples(tmp_path: Path) -> None:
    for name in (CONFIG, WEIGHTS):
        shutil.copy(SHIPPED / name, tmp_path)
    known = {name: figure for name, figure in stored(RESULTS).items() if not name.startswith("zero_shot")}
    text = write_card(tmp_path, known).read_text("utf-8")
    assert "near its kind at best.\n" in text and "as often as chance" not in text


@pytest.mark.parametrize("changes", [{"pairs": ["text-image"]}, {"hearing": 0.0}])
def test_the_card_of_a_recipe_without_the_second_part_does_not_tell_of_it(tmp_path: Path, changes: dict) -> None:
    made = config()
    assert made["recipe"]["hearing"] > 0 and "encoder alone learns" in (SHIPPED / "README.md").read_text("utf-8")
    shutil.copy(SHIPPED / WEIGHTS, tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps({**made, "recipe": {**made["recipe"], **changes}}), encoding="utf-8")
    text = write_card(tmp_path, json.loads(RESULTS.read_text("utf-8"))).read_text("utf-8")
    assert "with seed 0, in" in " ".join(text.split()) and "sound encoder alone" not in text


def test_the_card_says_how_many_zero_shot_names_were_read_as_keywords(data: EmojiData) -> None:
    known, never = data.split("train"), data.split("zero_shot")
    found = []
    for language in ("en", "zh"):
        words = {word.lower() for thing in known for word in getattr(thing, f"keywords_{language}")}
        found.append(sum(thing.name(language).lower() in words for thing in never))
    card = (SHIPPED / "README.md").read_text("utf-8")
    assert f"{found[0]} of {len(never)} in English, {found[1]} in Chinese" in card


def test_the_gallery_is_of_this_checkpoint_and_these_data(model: JointEmbedder, data: EmojiData) -> None:
    kept = read_gallery(model, data, SHIPPED)
    assert set(kept) == set(TARGETS)
    made = gallery(model, data, ["text"])["text"]
    torch.testing.assert_close(kept["text"], made, rtol=0, atol=2e-3)


def test_the_chat_was_made_for_this_joint_space_from_these_data_by_the_shipped_recipe(
    model: JointEmbedder, data: EmojiData
) -> None:
    assert config(CHAT)["joint"] == fingerprint(model)
    assert config(CHAT)["made_from"]["data_sha256"] == sha256(EMOJI / "SHA256SUMS")
    assert config(CHAT)["recipe"] == json.loads(json.dumps(ChatRecipe().to_dict()))
    assert config(CHAT)["made_from"]["dialogues_sha256"] == dialogues_sha256(data, ChatRecipe())


def test_the_results_of_the_chat_are_of_this_checkpoint_and_stand_in_its_card(tmp_path: Path, data: EmojiData) -> None:
    results = stored(CHAT_RESULTS / "results.json")
    assert results["made_from"]["checkpoint_sha256"] == sha256(CHAT / WEIGHTS)
    assert results["made_from"]["data_sha256"] == sha256(EMOJI / "SHA256SUMS")
    for name in (CONFIG, WEIGHTS):
        shutil.copy(CHAT / name, tmp_path)
    write_chat_card(tmp_path, results, data)
    assert (tmp_path / "README.md").read_text("utf-8") == (CHAT / "README.md").read_text("utf-8")


@pytest.mark.audit
def test_evaluating_the_joint_space_again_gives_the_figures_that_ship(data: EmojiData) -> None:
    made, kept = evaluate_joint_space(SHIPPED, data), stored(RESULTS)
    repeated = {name: value for name, figure in made.items() if (value := value_of(figure)) is not None}
    assert len(repeated) > 80 and repeated == pytest.approx(
        {name: value_of(kept[name]) for name in repeated}, abs=0.003
    )


@pytest.mark.audit
def test_evaluating_the_chat_again_gives_the_figures_that_ship(data: EmojiData) -> None:
    """About five minutes; on another machine a few answers of a thousand may fall the other way."""
    made, kept = evaluate_the_chat(CHAT, data), stored(CHAT_RESULTS / "results.json")
    assert headline(made) == pytest.approx(headline(kept), abs=0.01)


def test_fused_it_is_never_worse_than_the_better_alone_and_under_noise_a_third_of_the_error_is_closed() -> None:
    fused = {name: figure for name, figure in stored(RESULTS).items() if name.startswith("fused_to_text")}
    assert len(fused) == 20 and min(figure["above_better"] for figure in fused.values()) >= 0
    assert all(fused[f"fused_to_text_{place}_noisy"]["error_closed"] > 1 / 3 for place in ("near", "far"))


def test_the_chat_names_what_it_is_shown(model: JointEmbedder, data: EmojiData) -> None:
    chat = load_chat(joint=model)
    shown = [data.image(data[name].id, "noto") for name in ("dog", "pizza", "guitar")]
    asked = [[{"role": "user", "text": "What do you see?", "images": [one]}] for one in chat.see(images=shown)]
    assert chat.answer(asked) == ["I see: dog.", "I see: pizza.", "I see: guitar."]


def test_five_turns_at_a_terminal_about_drawings_a_voice_and_a_photograph(tmp_path: Path) -> None:
    photograph = tmp_path / "temple.png"
    Image.fromarray(load_sample_image("china.jpg")).save(photograph)
    lines = [
        "/show guitar", "What do you see?", "What colour is it?", f"/image {photograph}", "What do you see?",
        "/say owl", "What do you hear?", "Which thing did you see first?",
    ]  # fmt: skip
    done = CliRunner().invoke(app, ["chat"], input="\n".join(lines), catch_exceptions=False)
    said = [line for line in done.stdout.splitlines() if line.startswith("model: ")]
    assert said == [
        "model: I see: guitar.",
        "model: It is red.",
        f"model: {STRANGERS['image', 'en']} I cannot see a picture.",
        "model: I hear: owl.",
        "model: First came: guitar.",
    ]


def test_sizes_stay_in_their_budgets() -> None:
    size = lambda folder: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())  # noqa: E731
    assert size(EMOJI) <= 40 * MEGABYTE
    assert (SHIPPED / WEIGHTS).stat().st_size <= 8 * MEGABYTE
    assert (CHAT / WEIGHTS).stat().st_size <= 8 * MEGABYTE
    assert size(DATA / "checkpoints") <= 18 * MEGABYTE


def test_the_readme_states_the_results() -> None:
    results, readme = json.loads(RESULTS.read_text("utf-8")), (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(
        r"^\| .*\(`(\w+)`\) \| (\d+) % \| (\d+) % \((\w+ \w+)\)(?:, (\d+) % \(speech alone\))? \|$",
        readme,
        re.MULTILINE,
    )
    assert len(rows) == 9
    for name, stated, baseline, what, speech in rows:
        figure = results[name]
        beside = figure["image_r1"] if what == "picture alone" else results[f"{name}_{what.replace(' ', '_')}"]["r1"]
        assert [f"{100 * value:.0f}" for value in (figure["r1"], beside)] == [stated, baseline], name
        assert not speech or f"{100 * figure['audio_r1']:.0f}" == speech
    assert f"{config()['parameters'] / 1e6:.1f} million parameters" in readme


def test_the_readme_states_the_results_of_the_chat() -> None:
    results = stored(CHAT_RESULTS / "results.json")
    rows = re.findall(
        r"^\| .*\(`(\w+)`\) \| (\d+) % \| (\d+) % \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == 7
    for name, right, ceiling in rows:
        figures = tuple(f"{100 * results[name][key]:.0f}" for key in ("exact_match", "ceiling"))
        assert figures == (right, ceiling), name
    assert all(0.8 < results[f"which_named_{way}"]["exact_match"] < 0.9 for way in ("audio", "word"))
    assert results["removed"]["declines"] > 0.995 and abs(results["swapped"]["difference"]) < 0.03
    [lost] = re.findall(r"\*is it a …\?\* loses\n(\d+) points there", (ROOT / "README.md").read_text("utf-8"))
    assert f"{-100 * results['swapped_beside_is_it']['difference']:.0f}" == lost


def test_the_chat_answers_from_what_it_sees_and_hears_as_well_as_was_asked_of_it() -> None:
    results = stored(CHAT_RESULTS / "results.json")
    heard = [f"what_hear_{engine}" for engine in ("espeak", "flite", "unseen_engine", "zh")]
    assert all(results[kind]["of_ceiling"] >= 0.90 for kind in KINDS)
    assert all(results[name]["of_ceiling"] >= 0.95 for name in ("overall", *heard))
    least = {"agree_near": 0.88, "agree_far": 0.75, "first_given_right": 0.95}
    assert all(results[name]["exact_match"] >= bound for name, bound in least.items())
    assert results["removed"]["declines"] >= 0.95 and results["wrong_declines"]["declines"] <= 0.02
    assert all(abs(results[name]["difference"]) <= 0.03 for name in ("swapped", "swapped_is_it", "swapped_kind"))
    choices = {name: one for name, one in results.items() if name.startswith("forced_choice_")}
    assert len(choices) == 4
    for name, one in choices.items():
        assert one["interval"][0] <= one["chance"] <= one["interval"][1], name


def test_the_readme_states_how_far_trainings_of_the_chat_differ() -> None:
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    kept = [json.loads(line) for line in (CHAT_RESULTS / SEEDS).read_text("utf-8").splitlines()]
    trainings = [one for one in kept if one["recipe"]["connector"] == "tokens"]
    looks = [json.loads(line) for line in (CHAT_RESULTS / "test_log.jsonl").read_text("utf-8").splitlines()]
    first = next(look["figures"] for look in looks if look["checkpoint_sha256"].startswith("3b89eb6b"))  # its seed 0
    told = re.search(r"were right in (\d+) % to (\d+) % of all: .*? \(`agree`: (\d+) % to (\d+) %\)", text)
    assert told is not None and len(trainings) == 2
    overall, agree = ([first[name], *(one["figures"][name] for one in trainings)] for name in ("overall", "agree"))
    bounds = min(overall), max(overall), min(agree), max(agree)
    assert [f"{100 * value:.0f}" for value in bounds] == list(told.groups())
    assert {one["recipe"]["seed"] for one in trainings} == {1, 2} and "with the seeds 0, 1 and 2" in text


def test_the_card_states_what_earlier_chats_did() -> None:
    looks = [json.loads(line) for line in (CHAT_RESULTS / "test_log.jsonl").read_text("utf-8").splitlines()]
    results, card = stored(CHAT_RESULTS / "results.json"), " ".join((CHAT / "README.md").read_text("utf-8").split())

    def look(sha: str) -> dict[str, float]:
        return [one["figures"] for one in looks if one["checkpoint_sha256"].startswith(sha)][-1]

    def states(pattern: str, *values: float, digits: int = 1) -> None:
        told = re.search(pattern, card)
        assert told is not None and list(told.groups()) == [f"{100 * value:.{digits}f}" for value in values]

    kinds = ("swapped_beside_kind", "swapped_beside_is_it")
    states(
        r"lost ([\d.]+) \(`kind`\) and ([\d.]+) \(`is_it`\) points there, where this one loses ([\d.]+) and ([\d.]+)\.",
        *(-look("95edfd36")[kind] for kind in kinds), *(-results[kind]["difference"] for kind in kinds),
    )  # fmt: skip
    states(r"took such questions for those, and was right in ([\d.]+) %", look("fb3a8bfa")["first_given_right"])
    single = look("2b3da2b6")
    states(r"was right in (\d+) % and (\d+) % of these", single["which_named"], single["agree"], digits=0)


def test_three_trainings_of_the_joint_space_stand_in_its_card() -> None:
    trainings = others(config()["recipe"], path=RESULTS.with_name(SEEDS))
    assert sorted(one["recipe"]["seed"] for one in trainings) == [1, 2]
    figures = stored(RESULTS)
    for name in ("image_to_text_near", "text_to_image_far", "speech_to_text_flite", "zero_shot_image_to_text"):
        values = [figures[name]["r1"], *(one["figures"][name] for one in trainings)]
        said = f"{100 * min(values):.1f} to {100 * max(values):.1f}"
        row = next(line for line in (SHIPPED / "README.md").read_text("utf-8").splitlines() if f"`{name}`" in line)
        assert f"| {said} |" in row


def test_the_readme_states_the_race_of_the_graders() -> None:
    results, text = stored(DATA / "results" / "grading" / "results.json"), (ROOT / "README.md").read_text("utf-8")
    seconds = {name.removeprefix("seconds_per_submission_"): one for name, one in results.items() if "seconds" in name}
    told = re.search(r"takes ([\d.]+) s a submission, ([\d.]+) s with both.*?nbgrader ([\d.]+) took ([\d.]+) s and otter "
                     r"([\d.]+) ([\d.]+) s, on (\w+)", text, re.DOTALL)  # fmt: skip
    assert told is not None
    assert float(told[1]) == round(seconds["ours"]["value"], 2)
    assert float(told[2]) == round(seconds["ours_all_cores"]["value"], 2)
    assert (told[3], float(told[4])) == (results["version_of_nbgrader"], round(seconds["nbgrader"]["value"], 1))
    assert (told[5], float(told[6])) == (results["version_of_otter"], round(seconds["otter"]["value"], 1))
    assert told[7] == "ten" and seconds["nbgrader"]["submissions"] == seconds["otter"]["submissions"] == 10
    assert results["times_as_fast_as_nbgrader"] > 10 and results["times_as_fast_as_otter"] > 20


def test_the_readme_states_the_comparison_of_operators() -> None:
    results, text = stored(FUSION), (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| .*\(`(\w+)`\) \| (\d+) % \| (\d+) % \| (\d+) % \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for operator, *stated in rows:
        pair, odd = (fmean(results[f"{task}.linear.{operator}.clean"]["seeds"]) for task in ("pair", "odd"))
        found = fmean(results[f"retrieval.linear.{operator}.near"]["seeds"])
        assert [f"{100 * share:.0f}" for share in (pair, odd, found)] == stated, operator


@pytest.mark.parametrize(("folder", "command"), [(SHIPPED, "align"), (CHAT, "chat")])
def test_the_readme_states_how_long_the_training_took(folder: Path, command: str) -> None:
    training = config(folder)["training"]
    minutes = f"{training['seconds'] / 60:.0f} minutes"
    cores = "one core" if training["machine"].startswith("1 ") else "two cores"
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"`mmlab train {command}` in {minutes} on {cores}" in text


def test_the_readme_states_the_speeds_that_were_measured() -> None:
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    embed, chat, train = (stored(DATA / "results" / "bench" / f"{name}.json") for name in ("embed", "chat", "train"))
    for what, name in (("pictures become vectors", "image"), ("sounds", "audio"), ("names", "text")):
        assert f"thousand {what} in {embed[name]['value']:.1f} s" in text
    first, pace, ratio = (
        chat[name]["value"] for name in ("first_token_clock_ms", "tokens_per_second", "ratio_to_bare")
    )
    assert f"begins after {first:.0f} ms and goes on at {pace:.0f} tokens a second, {ratio:.2f} times as long" in text
    assert f"runs {train['ratio']:.1f} times as fast" in text and train["bf16"]
    assert f"without bf16 {train['ratio_without_bf16']:.1f} times" in text
    assert {one["processor"] for one in (embed, chat, train)} == {"AVX512"}
    assert [one["threads"] for one in (embed, chat, train)] == [2, 1, 2]
    assert embed["image"]["value"] < 2 and first < 150 and pace > 100 and ratio < 1.2


def test_the_comparison_of_operators_is_of_this_checkpoint_and_these_data(model: JointEmbedder) -> None:
    """Five seeds or more of every operator; and what it was made to show, that no sum passes its bound, it shows."""
    results = stored(FUSION)
    made_from = results.pop("made_from")
    tasks = {name: results.pop(name) for name in ("pair", "odd", "retrieval", "missing")}
    heads = {name: results.pop(name) for name in [*results] if "seeds" not in results[name]}
    assert (made_from["joint"], made_from["data_sha256"]) == (fingerprint(model), sha256(EMOJI / "SHA256SUMS"))
    assert made_from["budget"] == json.loads(json.dumps(asdict(Budget())))
    assert len(made_from["seeds"]) >= 5 and {len(figure["seeds"]) for figure in results.values()} == {
        len(made_from["seeds"])
    }
    assert {point.series for point in points(seeds=1)} == heads.keys() == {name.rpartition(".")[0] for name in results}
    assert all(head["parameters"] > 0 and head["lr"] > 0 for head in heads.values())
    for name, figure in results.items():
        if "bound" in figure:
            assert max(figure["seeds"]) < figure["bound"], name
        if "_alone" in name and "chance" in (asked := tasks[name.partition(".")[0]]):
            assert fmean(figure["seeds"]) == pytest.approx(asked["chance"], abs=0.01), name


def test_the_scaling_sweep_is_whole_and_all_its_points_had_the_same_work() -> None:
    results = stored(DATA / "results" / "scaling" / "results.json")
    assert set(results) == {point.name for point in scaling_points()}
    assert len({(figures["steps"], figures["batch"]) for figures in results.values()}) == 1


def test_the_scaling_sweep_was_made_by_the_shipped_recipe_from_these_data(data: EmojiData) -> None:
    results = stored(DATA / "results" / "scaling" / "results.json")
    for point in scaling_points():
        found = results[point.name]
        recipe = recipe_of(point, steps=found["steps"], base=AlignRecipe())
        assert found["made_from"] == made_from(recipe, data), f"{point.name} is stale: `mmlab eval scaling --ship`"


def test_the_heads_are_of_this_checkpoint_and_these_data(model: JointEmbedder) -> None:
    made_from = config(HEADS)["made_from"]
    assert (made_from["joint"], made_from["data_sha256"]) == (fingerprint(model), sha256(EMOJI / "SHA256SUMS"))
    assert set(load_heads()) == {f"{task}.{operator}" for task in KEPT for operator in FUSIONS}


def test_the_map_was_made_from_this_checkpoint_and_these_data(model: JointEmbedder, data: EmojiData) -> None:
    stored = read_map(model, data)
    assert stored is not None, "data/maps is stale; make it again with `mmlab eval map`"
    assert stored["audio"].shape == (len(stored["audio_rows"]), model.dim) and len(stored["umap"]) == 3 * len(data)
    assert MAP.stat().st_size < 300_000
