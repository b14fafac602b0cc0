"""A FusionLab without a browser: its knobs are turned by setting values, its messages to the browser are caught."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.fusion import FusionHead
from mmlab.fusion import FUSIONS
from mmlab.models.joint import JointEmbedder
from mmlab.testing import digest
from mmlab.types import MODALITIES, InputError
from mmlab.widgets import FusionLab
from mmlab.widgets.fusion_inputs import blurred, decibels, garbled, hissing
from tests.unit import tiny_emoji
from tests.unit.tiny import picture, tone

DIM = 16


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture(scope="module")
def model(data: EmojiData) -> JointEmbedder:
    return tiny_emoji.make_model(data, dim=DIM)


@pytest.fixture(scope="module")
def heads() -> dict[str, nn.Module]:
    torch.manual_seed(1)
    answers, two = {"retrieval": DIM, "pair": 1}, ("image", "audio")
    return {
        f"{task}.{name}": FusionHead(name, modalities=two, dim=DIM, answers=answers[task]).eval()
        for task in answers
        for name in FUSIONS
    }


@pytest.fixture
def lab(data: EmojiData, model: JointEmbedder, heads: dict[str, nn.Module]) -> FusionLab:
    return FusionLab(model, data, voice="ked", heads=heads, k=4)


def fused(lab: FusionLab) -> np.ndarray:
    return np.frombuffer(lab.view.fused, "<f4")


def test_it_starts_whole(lab: FusionLab) -> None:
    assert lab.view.message == "" and lab.state.text.value == "guitar"
    assert [row.source.value for row in lab.desk.rows.values()] == ["guitar"] * 3
    assert len(lab.panel.shown["answers"]) == 4 and not lab.panel.shown["stale"]
    assert lab.view.count == 12 + 11 + 12  # one thing was never drawn in this style


def test_the_default_is_the_models_own_fusion(lab: FusionLab, model: JointEmbedder, data: EmojiData) -> None:
    sample = data.sample("guitar", style="twemoji", voice="ked")
    z = model.encode(text=[sample.text], image=[sample.image], audio=[sample.audio])
    np.testing.assert_allclose(lab.outcome.z, model.fuse(**z)[0].numpy(), rtol=0, atol=1e-5)


def test_it_starts_at_the_models_own_weights(model: JointEmbedder, data: EmojiData) -> None:
    own = model.weights.clone()
    try:
        model.weights.copy_(torch.tensor([2.4, 1.0, 1.45]))
        lab = FusionLab(model, data, voice="ked", heads={})
        sample = data.sample("guitar", style="twemoji", voice="ked")
        z = model.encode(text=[sample.text], image=[sample.image], audio=[sample.audio])
        np.testing.assert_allclose(lab.outcome.z, model.fuse(**z)[0].numpy(), rtol=0, atol=1e-5)
        assert lab.latex() == r"z = 2.40\,z_t + 1.00\,z_i + 1.45\,z_a"
        model.weights.copy_(torch.tensor([9.0, 1.0, 1.41]))
        state = FusionLab(model, data, voice="ked", heads={}).state
        assert (state.text.weight, state.audio.weight) == (3.0, 1.4)
    finally:
        model.weights.copy_(own)


def test_a_slider_moves_the_fused_point_and_the_formula(lab: FusionLab) -> None:
    before, places = fused(lab).copy(), lab.outcome.places()
    lab.desk.rows["image"].weight.value = 0.25
    assert lab.state.image.weight == 0.25
    assert np.abs(fused(lab) - before).max() > 1e-4
    placed = lab.space.place(lab.outcome.z[None])[0]
    np.testing.assert_allclose(fused(lab), placed, rtol=0, atol=1e-6)
    assert '<b data-weight="image">0.25</b>' in lab.panel.shown["formula"]
    moved = [answer["move"] for answer in lab.panel.shown["answers"]]
    assert moved == [int(places[i] - lab.outcome.places()[i]) for i in lab.outcome.best]


def test_every_knob_changes_the_outcome(lab: FusionLab) -> None:
    turns = {
        "text.on": False, "audio.weight": 0.3, "image.noise": 0.6, "text.noise": 0.8, "audio.noise": 0.6,
        "operator": "max", "normalise": False,
    }  # fmt: skip
    for knob, value in turns.items():
        lab.reset()
        before = lab.outcome.z
        lab.turn(knob, value)
        assert np.abs(lab.outcome.z - before).max() > 1e-5, knob
    lab.reset()
    before = lab.outcome.chances
    lab.turn("temperature", 0.5)
    assert np.abs(lab.outcome.chances - before).max() > 1e-3


def test_the_knobs_follow_the_state_without_answering_back(lab: FusionLab) -> None:
    lab.turn("audio.weight", 0.4)
    lab.choose("image", "pizza")
    rows = lab.desk.rows
    assert rows["audio"].weight.value == 0.4 and rows["image"].source.value == "pizza"
    assert len(lab.history.past) == 2
    lab.buttons["undo"].click()
    assert rows["image"].source.value == "guitar" and rows["audio"].weight.value == 0.4
    lab.buttons["redo"].click()
    assert rows["image"].source.value == "pizza"
    lab.buttons["reset"].click()
    assert rows["audio"].weight.value == 1.0 and len(lab.history.past) == 3
    assert lab.buttons["redo"].disabled and not lab.buttons["undo"].disabled


def test_one_drag_is_undone_at_once(lab: FusionLab) -> None:
    for value in (0.9, 0.8, 0.7):
        lab.desk.rows["text"].weight.value = value
    lab.buttons["undo"].click()
    assert lab.state.text.weight == 1.0 and lab.desk.rows["text"].weight.value == 1.0


def test_none_left_keeps_what_was_shown_pale_and_says_so(lab: FusionLab) -> None:
    for m in MODALITIES[:2]:
        lab.desk.rows[m].on.value = False
    before, answers = lab.view.fused, lab.panel.shown["answers"]
    lab.desk.rows["audio"].on.value = False
    assert "No modality is left" in lab.view.message
    assert lab.view.fused == before and lab.panel.shown["answers"] == answers and lab.panel.shown["stale"]
    lab.desk.rows["audio"].on.value = True
    assert lab.view.message == "" and not lab.panel.shown["stale"]


def test_from_python_the_same_sentence_is_raised(lab: FusionLab) -> None:
    lab.turn("text.on", False)
    lab.turn("image.on", False)
    with pytest.raises(InputError, match="No modality is left"):
        lab.turn("audio.on", False)


@pytest.mark.parametrize("operator", FUSIONS)
def test_every_operator_can_be_chosen(lab: FusionLab, operator: str) -> None:
    lab.desk.operator.value = operator
    assert lab.view.message == "" and operator in (lab.state.operator, "sum")
    assert lab.desk.rows["text"].weight.disabled == (operator == "sum")
    assert "same thing?" in lab.panel.shown["numbers"]
    assert digest(lab.figure())


def test_without_heads_the_sentence_says_how_to_get_them(data: EmojiData, model: JointEmbedder) -> None:
    lab = FusionLab(model, data, voice="ked", heads={})
    lab.desk.operator.value = "tensor"
    assert "mmlab eval fusion" in lab.view.message
    lab.desk.operator.value = "max"
    assert lab.view.message == ""


def test_a_thing_that_is_not_there_is_said_and_the_lab_lives_on(lab: FusionLab) -> None:
    lab.desk.rows["image"].source.value = "unicorn"
    assert "No thing has the id, emoji or name 'unicorn'" in lab.view.message
    lab.desk.rows["image"].source.value = "carrot"  # which this team never drew
    assert "carrot was never drawn in the style twemoji" in lab.view.message
    lab.desk.rows["image"].form.value = "noto"
    assert lab.view.message == "" and lab.state.image.form == "noto"
    lab.desk.rows["text"].source.value = "  "
    assert "The text is empty" in lab.view.message
    lab.desk.rows["text"].source.value = "红苹果"
    assert lab.view.message == ""


def test_uploads_come_in_and_bad_ones_are_named(lab: FusionLab, tmp_path: Path) -> None:
    row = lab.desk.rows["image"]
    picture(3).save(tmp_path / "mine.png")
    good = (tmp_path / "mine.png").read_bytes()
    row.upload._receive(row.upload, {"type": "file", "name": "mine.png"}, [good])
    assert lab.view.message == "" and lab.state.image.kind == "upload" and row.source.value == "↑ mine.png"
    before = lab.state
    row.upload._receive(row.upload, {"type": "file", "name": "bad.png"}, [b"GIF89a nothing"])
    assert "damaged or cut off" in lab.view.message and lab.state == before
    row.upload._receive(row.upload, {"type": "refused", "name": "huge.wav", "size": 50_000_000}, [])
    assert "huge.wav" in lab.view.message and "50.0 MB" in lab.view.message


def test_a_long_sound_is_cut_and_that_is_said(lab: FusionLab) -> None:
    from mmlab.apps.demo import wav

    row = lab.desk.rows["audio"]
    row.upload._receive(row.upload, {"type": "file", "name": "long.wav"}, [wav(tone(1, seconds=5.0))])
    assert lab.view.message == "" and "longer than the model takes" in lab.panel.reply


def test_a_second_upload_of_the_same_name_is_read_anew(lab: FusionLab, tmp_path: Path) -> None:
    row = lab.desk.rows["image"]
    seen = []
    for seed in (3, 4):
        picture(seed).save(tmp_path / "mine.png")
        row.upload._receive(row.upload, {"type": "file", "name": "mine.png"}, [(tmp_path / "mine.png").read_bytes()])
        seen.append(lab.outcome.z)
    assert np.abs(seen[0] - seen[1]).max() > 1e-4


def test_a_clicked_point_comes_into_the_mix(lab: FusionLab, data: EmojiData) -> None:
    thing = data.index[data["pizza"].id]
    for m, kind in zip(MODALITIES, ("typed", "thing", "thing"), strict=True):
        lab.view._receive(None, {"type": "click", "index": lab.space.at(m, thing)}, None)
        channel = lab.state.channel(m)
        assert channel.kind == kind and channel.value == ("pizza" if m == "text" else data["pizza"].id)
    assert lab.state.audio.form == "ked"


def test_buttons_of_an_answer_mark_it_and_play_it(lab: FusionLab) -> None:
    sent: list[Any] = []
    lab.view.send = lambda content, buffers=None: sent.append((content, buffers))
    index = lab.panel.shown["answers"][0]["index"]
    lab.panel._receive(None, {"type": "hear", "index": index}, None)
    assert sent[-1][0]["type"] == "sound" and sent[-1][1][0][:4] == b"OggS"
    lab.panel._receive(None, {"type": "pick", "index": index}, None)
    assert lab.space.points.items[lab.view.selected] == index
    lab.desk.rows["audio"].hear.click()
    assert sent[-1][1][0][:4] == b"RIFF"


def test_one_turn_is_one_small_message_to_the_map(lab: FusionLab) -> None:
    sent: list[tuple[str, int]] = []
    for name, widget in (("view", lab.view), ("panel", lab.panel)):
        widget.comm.publish_msg = lambda _, data=None, buffers=None, name=name, **__: sent.append(
            (name, len(json.dumps(data)) + sum(len(buffer) for buffer in buffers or []))
        )
    lab.desk.rows["text"].weight.value = 0.35
    assert [name for name, _ in sent].count("view") == 1 and [name for name, _ in sent].count("panel") <= 1
    assert sum(size for _, size in sent) < 40_000


def test_the_trail_grows_and_stays_short(lab: FusionLab) -> None:
    for i in range(70):
        lab.desk.rows["text"].weight.value = 0.5 + i / 100
    assert len(lab.view.trail) // 8 == 59


@pytest.mark.parametrize(
    "turns",
    [
        {},
        {"text.on": False, "image.weight": 0.3, "operator": "max"},
        {"image.noise": 0.5, "audio.noise": 0.4, "text.noise": 0.5, "seed": 3},
        {"normalise": False, "operator": "mean"},
        {"operator": "gated", "audio.weight": 0.6},
    ],
)
def test_the_code_computes_the_same_vector(
    lab: FusionLab, turns: dict[str, object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for knob, value in turns.items():
        lab.turn(knob, value)
    monkeypatch.setattr("mmlab.models.joint.load_shipped", lambda: lab.engine.model)
    monkeypatch.setattr("mmlab.datasets.emoji.EmojiData.load", classmethod(lambda cls: lab.engine.data))
    monkeypatch.setattr("mmlab.evaluation.fusion.load_heads", lambda: lab.engine.heads)
    ran: dict[str, Any] = {}
    exec(lab.code(), ran)
    np.testing.assert_allclose(ran["fused"].numpy(), lab.outcome.z, rtol=0, atol=1e-5)
    best = lab.engine.data.things[lab.outcome.best[0]].name_en
    assert best in capsys.readouterr().out.splitlines()[0]


def test_the_formula_in_latex(lab: FusionLab) -> None:
    assert lab.latex() == r"z = 1.00\,z_t + 1.00\,z_i + 1.00\,z_a"
    lab.turn("operator", "sum")
    assert lab.latex() == "z = z_t + z_i + z_a"
    lab.turn("operator", "low_rank")
    lab.turn("image.noise", 0.2)
    assert lab.latex() == r"z = F_{\mathrm{low\_rank}} \left( 1.00\,\tilde{z}_i, 1.00\,z_a \right)"


def test_the_still_is_in_the_mime_bundle_and_shows_the_state(lab: FusionLab) -> None:
    bundle, _ = lab._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR") and "application/vnd.jupyter.widget-view+json" in bundle
    before = digest(lab.figure())
    lab.turn("text.weight", 0.2)
    assert digest(lab.figure()) != before


def test_a_bug_in_an_observer_is_not_lost(lab: FusionLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.engine, "answers", lambda history: 1 / 0)
    lab.desk.rows["text"].weight.value = 0.5
    assert "ZeroDivisionError" in lab.view.message


def test_familiarity_is_shown_for_what_comes_in(lab: FusionLab) -> None:
    for m in MODALITIES:
        score = lab.engine.reading(m, lab.state).familiarity
        assert f"{score:.2f}" in lab.desk.rows[m].familiar.value


def test_without_a_dialogue_model_the_button_says_so(
    lab: FusionLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("mmlab.widgets.fusion_ask.SHIPPED", tmp_path)
    lab.buttons["ask"].click()
    assert "The dialogue model is not here" in lab.view.message
    lab.turn("image.on", False)
    lab.turn("audio.on", False)
    lab.buttons["ask"].click()
    assert "talks about a picture or a sound" in lab.view.message


def test_noise_is_seeded_grows_with_its_share_and_is_nothing_at_zero() -> None:
    words = "the quick brown fox"
    assert garbled(words, 0.0, 1) == words and garbled(words, 0.5, 1) == garbled(words, 0.5, 1) != garbled(
        words, 0.5, 2
    )
    changed = [sum(a != b for a, b in zip(words, garbled(words, share, 1), strict=True)) for share in (0.1, 0.4, 0.9)]
    assert changed == sorted(changed) and changed[-1] > 8
    sound = tone(1)
    assert hissing(sound, 0.0, 1) is sound and decibels(0.5) == 0 and decibels(0.9) < -9
    kept = [float(np.corrcoef(sound, hissing(sound, share, 1))[0, 1]) for share in (0.1, 0.5, 0.9)]
    assert kept == sorted(kept, reverse=True) and kept[1] == pytest.approx(0.5**0.5, abs=0.05)
    assert blurred(picture(1), 0.0, 1).tobytes() == picture(1).tobytes() != blurred(picture(1), 0.3, 1).tobytes()
