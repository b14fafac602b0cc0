"""What the figures say of models whose answers are known: all right, all the same, and wrong in stated ways."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation import Space, evaluate_joint, space_figures, tune_weights
from mmlab.evaluation.figure import Answers, ask, guess, over_things, proportion, retrieval
from mmlab.evaluation.fused import add, beside
from mmlab.evaluation.space import Items, noisy
from mmlab.metrics import wilson_interval
from mmlab.types import InputError
from tests.unit.toy_emoji import NAMESAKES, THINGS, UNDRAWN, UNSAID, ZERO_SHOT, Knows, SaysOneThing, make

TRAINED = THINGS - ZERO_SHOT
STATED = (
    "speech_to_text_espeak", "speech_to_text_flite", "speech_to_text_unseen_engine",
    "speech_to_text_unseen_engine_ked", "speech_to_text_zh", "text_to_speech_espeak", "text_to_speech_zh",
    "en_to_zh", "zh_to_en", "text_to_image_near",
    "text_to_image_far", "text_zh_to_image_near", "image_to_text_near", "image_to_text_far", "image_to_text_zh_far",
    "speech_to_image_near", "image_to_speech_far", "fused_to_text_near", "fused_to_text_far", "fused_to_text_near_noisy",
    "speech_to_text_noisy", "zero_shot_image_to_text", "zero_shot_image_to_text_near", "zero_shot_image_to_text_far",
    "zero_shot_speech_to_text",
)  # fmt: skip

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EmojiData:
    return make(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def perfect(data: EmojiData) -> Results:
    return evaluate_joint(Knows(), data)


def ranked(results: Results) -> Results:
    return {name: figure for name, figure in results.items() if "r1" in figure}


def test_who_knows_everything_is_always_right(perfect: Results) -> None:
    assert set(STATED) <= set(ranked(perfect))
    for name, figure in ranked(perfect).items():
        assert (figure["r1"], figure["r10"], figure["median_rank"]) == (1, 1, 1), name
        assert figure["interval"][0] < 1 == figure["interval"][1], name
    for place in ("near", "far"):
        agreement = perfect[f"match_auc_{place}"]
        assert (agreement["auc"], agreement["same_subgroup"], agreement["other_subgroup"]) == (1, 1, 1)
        assert perfect[f"modality_gap_image_audio_{place}_flite"]["gap"] == 0


def test_who_says_one_thing_is_always_last(data: EmojiData) -> None:
    """Ties count against the right answer; guessing would have done better."""
    results = evaluate_joint(SaysOneThing(), data)
    for name, figure in ranked(results).items():
        assert figure["r1"] == 0, name
    assert results["match_auc_near"]["auc"] == 0.5
    assert results["image_to_text_far"]["median_rank"] == THINGS


def test_the_protocol_asks_about_trained_things_in_a_gallery_of_all(perfect: Results) -> None:
    assert perfect["image_to_text_far"]["n"] == TRAINED
    assert perfect["image_to_text_near"]["n"] == TRAINED - 1  # one was never drawn
    assert perfect["speech_to_text_espeak"]["n"] == TRAINED - 1  # one was never said
    assert perfect["speech_to_image_near_espeak"]["n"] == TRAINED - 2
    assert perfect["speech_to_text"]["n"] == 3 * TRAINED - 1
    assert perfect["speech_to_text_unseen_engine_ked"]["n"] == TRAINED / 2
    assert perfect["zero_shot_image_to_text"]["n"] == 2 * ZERO_SHOT
    assert perfect["zero_shot_image_to_text"]["chance"] == 1 / ZERO_SHOT
    assert perfect["speech_to_text_zh"]["chance"] == pytest.approx(1 / THINGS, abs=1e-4)
    assert perfect["shared_names"] == {"en": 2, "zh": 0, "n": THINGS}
    assert perfect["speech_to_text_flite"]["chance"] == pytest.approx(
        (18 / THINGS + 2 * 2 / THINGS) / TRAINED, abs=1e-4
    )


def test_the_interval_counts_things_not_clips(perfect: Results) -> None:
    assert perfect["speech_to_text"]["interval"] == pytest.approx(wilson_interval(TRAINED, TRAINED), abs=1e-4)


def test_errors_show_where_they_are_and_nowhere_else(data: EmojiData, perfect: Results) -> None:
    """Every picture is taken for that of the thing three further on."""
    results = evaluate_joint(Knows(image=lambda thing: thing + 3), data)
    for name, figure in ranked(results).items():
        if "image" in name:
            assert figure["r1"] < 0.2, (
                name
            )  # not zero for the zero-shot things: 23 + 3 is none of them, nor are three more
        elif "fused" not in name:
            assert figure == perfect[name], name
    assert results["match_auc_far"]["auc"] < 0.7
    assert results["subgroup_far"]["accuracy"] < 0.2  # kinds repeat every four things
    kind_is_right = evaluate_joint(Knows(image=lambda thing: thing + 4), data)
    assert kind_is_right["subgroup_far"]["accuracy"] > 0.9
    assert kind_is_right["image_to_text_far"]["r1"] < 0.1


def test_namesakes_answer_for_each_other(data: EmojiData) -> None:
    """The sounds of two things of one English name are exchanged: right in English, wrong in Chinese."""
    swap = {NAMESAKES[0]: NAMESAKES[1], NAMESAKES[1]: NAMESAKES[0]}
    results = evaluate_joint(Knows(audio=lambda thing: swap.get(thing, thing)), data)
    assert results["speech_to_text_flite"]["r1"] == 1
    assert results["speech_to_text_zh"]["r1"] == pytest.approx((TRAINED - 2) / TRAINED)


def test_noise_is_as_strong_as_the_clip_and_the_same_each_time() -> None:
    wave = np.sin(np.arange(16000) / 9).astype(np.float32) * np.linspace(0, 1, 16000, dtype=np.float32)
    for snr in (0.0, 10.0):
        mixed = noisy(wave, seed=(0, 1), snr=snr)
        scale = (mixed @ wave) / (wave @ wave)
        noise = mixed - scale * wave
        assert 10 * np.log10(np.square(scale * wave).mean() / np.square(noise).mean()) == pytest.approx(snr, abs=0.2)
        assert np.abs(mixed).max() == pytest.approx(0.7)
    np.testing.assert_array_equal(noisy(wave, seed=(0, 1)), noisy(wave, seed=(0, 1)))
    assert np.abs(noisy(wave, seed=(0, 1)) - noisy(wave, seed=(0, 2))).max() > 0.01


def test_the_sum_takes_over_where_the_sound_is_lost(data: EmojiData) -> None:
    model = Knows(hears_noise=False)
    model.weights.copy_(torch.tensor([1.0, 1.5, 1.0]))
    results = evaluate_joint(model, data)
    assert results["speech_to_text_noisy_flite"]["r1"] == 0 < results["speech_to_text_flite"]["r1"]
    figure = results["fused_to_text_far_noisy"]
    assert (figure["r1"], figure["image_r1"], figure["audio_r1"]) == (1, 1, 0)
    assert figure["error_closed"] is None  # the picture alone made no error
    weights = {"image": 1.0, "audio": 1.5}
    lost = add(Space(model, data), "far", "flite", noise=0, weights=weights)
    assert lost.r1() == (0, 1, 0)


def test_what_the_sum_closes_of_the_errors(data: EmojiData) -> None:
    """Picture wrong for things 0 to 9, sound for 5 to 14, each less sure where it is wrong: the sum knows better."""
    names = Knows().vectors
    wrong = 0.6 * names + 0.8 * names.roll(7, 0)
    image, audio = names.clone(), names.clone()
    image[:10], audio[5:15] = wrong[:10], wrong[5:15]

    class Unsure(Space):
        def pictures(self, place: str) -> Items:
            return Items(torch.arange(THINGS), image)

        def clips(self, name: str, **_: Any) -> Items:
            return Items(torch.arange(THINGS), audio)

    answers = add(Unsure(Knows(), data), "far", "flite")
    assert answers.r1() == (0.75, 0.5, 0.5)  # wrong only where both are
    assert beside([answers])["error_closed"] == 0.5
    assert beside([answers])["above_better"] == 0.25


def test_tuning_trusts_the_modality_that_knows(data: EmojiData) -> None:
    for model, audio_more in ((Knows(image=lambda t: t + 3), True), (Knows(audio=lambda t: t + 3), False)):
        found = tune_weights(model, data)
        assert (found["weights"]["audio"] > 1) is audio_more
        assert found["weights"]["image"] == 1
        assert found["split"] == "validation"
        for side in ("audio", "text"):
            best = max(found[side].values())
            assert found[side][f"{found['weights'][side]:g}"] == best
    assert tune_weights(Knows(), data)["weights"] == {"image": 1.0, "audio": 1.0, "text": 1.0}


def test_validation_has_its_own_styles_and_voices(data: EmojiData) -> None:
    space = Space(Knows(), data, split="validation")
    assert space.styles == {"near": "emojione", "far": "emojione_line"}
    assert {name: [voice for _, voice in voices] for name, voices in space.voices.items()} == {
        "espeak": ["linda"], "flite": ["awb"], "zh": ["cmn+linda"],
    }  # fmt: skip
    results = space_figures(space)
    assert "speech_to_text_unseen_engine" not in results
    assert results["image_to_text_near"]["r1"] == 1
    with pytest.raises(InputError, match="test or validation"):
        Space(Knows(), data, split="train")


def test_nothing_is_embedded_twice(data: EmojiData) -> None:
    model, said = Knows(), []
    space_figures(Space(model, data), say=said.append)
    assert {name: model.calls.count(name) for name in ("text", "image", "audio")} == {"text": 2, "image": 2, "audio": 8}
    assert len(said) == 8


def test_sounds_come_back_in_their_order(data: EmojiData) -> None:
    model = Knows()
    space = Space(model, data)
    for name in space.voices:
        spoken = space.clips(name)
        assert torch.equal(spoken.z, model.vectors[spoken.things]) and len(spoken) == THINGS - (name == "espeak")
    assert UNSAID not in space.clips("espeak").things and UNDRAWN not in space.pictures("near").things
    both = [space.clips("unseen_engine", voice=voice).things.tolist() for voice in ("ked", "hts")]
    assert both == [list(range(0, THINGS, 2)), list(range(1, THINGS, 2))]


def test_asking_about_other_things_keeps_what_is_embedded(data: EmojiData) -> None:
    model = Knows()
    space = Space(model, data)
    space.names("en")
    few = space.about(torch.arange(THINGS) < 3)
    assert len(few.names("en").of(few.asked)) == 3 and len(space.names("en").of(space.asked)) == TRAINED
    assert model.calls == ["text"]


def test_several_items_of_a_thing_are_refused_where_one_is_meant(data: EmojiData) -> None:
    space = Space(Knows(), data)
    with pytest.raises(InputError, match="at most one item"):
        space.by_thing(Items(torch.tensor([1, 1]), torch.zeros(2, 4)))


def test_guessing_is_the_hypergeometric_distribution() -> None:
    for size, right, k in ((24, 2, 1), (24, 3, 5), (4, 1, 5), (10, 9, 5)):
        expected = 1 - hypergeom(size, right, min(k, size)).pmf(0)
        assert guess(torch.tensor([right]), size, k=k).item() == pytest.approx(expected)


def test_queries_without_an_answer_are_left_out() -> None:
    queries, gallery = Items(torch.tensor([0, 1, 2]), torch.eye(3)), Items(torch.tensor([0, 2]), torch.eye(3)[[0, 2]])
    answers = ask(queries, gallery, alike=torch.eye(3, dtype=torch.bool))
    assert answers.things.tolist() == [0, 2] and answers.ranks.tolist() == [1, 1]
    assert answers.chance[:, 0].tolist() == [0.5, 0.5]


def test_shares_over_parts_are_over_all_their_queries() -> None:
    def part(ranks: list[int]) -> Answers:
        return Answers(torch.tensor(ranks), torch.arange(len(ranks)), torch.full((len(ranks), 2), 0.1))

    figure = retrieval(part([1, 1, 1, 2]), part([1, 7]), extra=0.123456)
    assert figure["r1"] == pytest.approx(4 / 6, abs=1e-4) and figure["n"] == 6 and figure["extra"] == 0.1235
    assert figure["interval"] == pytest.approx(wilson_interval(3, 4), abs=1e-4)
    right = torch.tensor([True, False, True, True])
    assert proportion(right, torch.tensor([0, 0, 1, 2]))["interval"] == pytest.approx(wilson_interval(2, 3), abs=1e-4)


def test_the_bootstrap_draws_whole_things() -> None:
    """A thing's rows are all alike: the spread must be that of the things, not of their rows."""
    generator = torch.Generator().manual_seed(0)
    per_thing = torch.randn(100, generator=generator, dtype=torch.float64)
    things = torch.arange(100).repeat(50)
    low, high = over_things(lambda rows: per_thing[things[rows]].mean().item(), things, seed=0, resamples=1000)
    expected = 2 * 1.96 * per_thing.std().item() / 10
    assert high - low == pytest.approx(expected, rel=0.15)


def test_the_same_seed_gives_the_same_figures(data: EmojiData, perfect: Results) -> None:
    assert evaluate_joint(Knows(), data) == perfect
