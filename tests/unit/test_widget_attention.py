"""What an AttentionView shows is what the model computes: weights block by block, parts that add up to the cosine."""

import numpy as np
import pytest
import torch
from torch import nn

from mmlab.encoders import Encoder
from mmlab.fusion import CrossAttentionFusion
from mmlab.models.joint import JointEmbedder, load_shipped
from mmlab.preprocessing import fit_image
from mmlab.testing import digest
from mmlab.types import InputError, Tokens
from mmlab.widgets.attention import AttentionView
from mmlab.widgets.attention_state import MEAN, Ask, Look, answer, look
from tests.unit import tiny

TEXT = "thing 3 东西"


@pytest.fixture(scope="module")
def model() -> JointEmbedder:
    made = tiny.model()
    for encoder in made.encoders.values():
        for block in getattr(encoder, "blocks", []):  # at the start the sound's blocks are the identity
            nn.init.normal_(block.attention.out.weight)
    return made


@pytest.fixture(scope="module")
def given() -> dict:
    return {"text": TEXT, "image": fit_image(tiny.picture(1)), "audio": tiny.tone(1, seconds=0.8)}


@pytest.fixture(scope="module")
def crossing() -> tuple[CrossAttentionFusion, str, str]:
    torch.manual_seed(0)
    return CrossAttentionFusion({"query": 16, "context": 16}, heads=4).eval(), "text", "image"


@pytest.fixture(scope="module")
def seen(model: JointEmbedder, given: dict, crossing: tuple) -> Look:
    return look(model, **given, crossing=crossing)


@torch.no_grad()
def test_the_weights_are_those_of_the_blocks(model: JointEmbedder, seen: Look) -> None:
    encoder = model.encoders["text"]
    inputs = encoder.preprocess([TEXT])
    values = encoder.embed_tokens(inputs.values) + encoder.positions[: inputs.values.shape[1]]
    for block, shown in zip(encoder.blocks, seen.maps["text"], strict=True):
        normed = block.attention_norm(values)
        expected = block.attention.weights(normed, normed, inputs.mask)[0]
        np.testing.assert_allclose(shown, expected.numpy(), rtol=0, atol=1e-6)
        values = block(values, inputs.mask)


def test_weights_add_up_to_one_and_pictures_have_none(seen: Look) -> None:
    assert set(seen.maps) == {"text", "audio"}
    for layers in (*seen.maps.values(), [seen.crossing]):
        for weights in layers:
            np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=0, atol=1e-5)


@pytest.mark.parametrize("asker", ["text", "image", "audio"])
def test_the_parts_add_up_to_the_cosine(model: JointEmbedder, given: dict, seen: Look, asker: str) -> None:
    z = model.encode(**{m: [value] for m, value in given.items()})
    parts = answer(seen, Ask("agrees", asker))
    assert set(parts) == {"text", "image", "audio"} - {asker}
    for m, values in parts.items():
        assert values.shape == (seen.places(m),)
        assert values.sum() == pytest.approx((z[m][0] @ z[asker][0]).item(), abs=1e-4)


def test_a_part_is_what_is_missing_when_its_token_says_the_average(
    model: JointEmbedder, given: dict, seen: Look
) -> None:
    """Each patch alone: replaced by the encoder's mean, it takes just its part out of the projected vector."""
    encoder, project = model.encoders["image"], model.projections["image"]
    with torch.no_grad():
        tokens = encoder(encoder.preprocess([given["image"]]))
        changed = tokens.values.clone()
        changed[0, 2] = encoder.standardise.running_mean
        whole, without = (project(encoder.pool(Tokens(v, tokens.mask)))[0] for v in (tokens.values, changed))
    np.testing.assert_allclose((whole - without).numpy(), seen.pieces["image"][2], rtol=0, atol=1e-4)


def test_an_encoder_that_pools_unlike_the_mean_is_refused(
    model: JointEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model.encoders["text"]), "pool", lambda self, tokens: tokens.values.amax(dim=1))
    with pytest.raises(InputError, match="pools its tokens in a way that has no exact parts"):
        look(model, text=TEXT)


def test_a_crossing_shows_the_operators_weights(model: JointEmbedder, given: dict, seen: Look, crossing: tuple) -> None:
    block = crossing[0].block
    tokens = {m: model.encoders[m](model.encoders[m].preprocess([given[m]])) for m in ("text", "image")}
    asked = block.context_norm(tokens["image"].values)
    with torch.no_grad():
        expected = block.attention.weights(block.query_norm(tokens["text"].values), asked, tokens["image"].mask)[0]
    for head in (0, 3):
        found = answer(seen, Ask("crosses", "text", index=1, head=head))
        np.testing.assert_allclose(found["image"], expected[head, 1].detach().numpy(), rtol=0, atol=1e-6)
    mean = answer(seen, Ask("crosses", "text", index=1, head=MEAN))["image"]
    np.testing.assert_allclose(mean, expected[:, 1].mean(dim=0).detach().numpy(), rtol=0, atol=1e-6)


def test_looking_leaves_no_hook_behind(model: JointEmbedder, seen: Look) -> None:
    assert all(not part._forward_pre_hooks for part in model.modules())
    with pytest.raises(InputError):
        look(model, text="")
    assert all(not part._forward_pre_hooks for part in model.modules())


def test_words_are_cut_as_the_tokenizer_cuts_them(seen: Look) -> None:
    assert seen.words[0] == "[CLS]" and seen.words[-1] == "[SEP]"
    assert "".join(word for word in seen.words[1:-1] if word not in "·␣") == TEXT.replace(" ", "")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (Ask("reads", "image"), "image encoder has no attention to show"),
        (Ask("reads", "text", layer=7), "text encoder has 1 layers, counted from 0, got 7"),
        (Ask("reads", "text", head=9), "There are 2 heads, counted from 0"),
        (Ask("reads", "text", index=99), "tokens, counted from 0, got 99"),
        (Ask("agrees", "video"), "There is no video to look at"),
        (Ask("likes", "text"), "One asks what reads, agrees, crosses, got 'likes'"),
    ],
)
def test_questions_without_an_answer(seen: Look, ask: Ask, said: str) -> None:
    with pytest.raises(InputError, match=said):
        answer(seen, ask)


def test_inputs_without_a_question(model: JointEmbedder, given: dict, crossing: tuple) -> None:
    with pytest.raises(InputError, match="got none"):
        look(model)
    with pytest.raises(InputError, match="there is no image to look at"):
        look(model, text=TEXT, crossing=crossing)
    with pytest.raises(InputError, match="There is no token operator here"):
        answer(look(model, text=TEXT), Ask("crosses", "text"))
    with pytest.raises(InputError, match="Agreement needs two modalities"):
        answer(look(model, text=TEXT), Ask("agrees", "text"))
    with pytest.raises(InputError, match="A picture alone shows no attention"):
        AttentionView(model, image=given["image"])


@pytest.fixture
def view(model: JointEmbedder, given: dict, crossing: tuple) -> AttentionView:
    return AttentionView(model, **given, crossing=crossing)


def shown(view: AttentionView, modality: str) -> np.ndarray:
    return np.frombuffer(getattr(view.strips, f"{modality}_values"), "<f4")


def test_the_strips_carry_the_answer(view: AttentionView, seen: Look) -> None:
    assert view.ask.kind == "agrees" and view.ask.asker == "text"
    np.testing.assert_allclose(shown(view, "image"), answer(seen, Ask())["image"], rtol=0, atol=1e-6)
    assert len(shown(view, "text")) == 0 and view.strips.asked == ["", -1]
    assert view.strips.image_grid == [4, 4] and view.strips.audio_grid == [1, seen.places("audio")]


def test_values_lie_over_the_patches_that_the_cells_have_seen(view: AttentionView) -> None:
    pixels = torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    cell = torch.tensor([2.0, 2.0])  # row and column of the grid
    load_shipped().encoders["image"].features(pixels)[:, :, 2, 2].square().sum().backward()
    seen = pixels.grad.abs().sum(dim=(0, 1))
    places = torch.stack(torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij"), dim=-1)
    centre = (places * seen[..., None]).sum(dim=(0, 1)) / seen.sum()
    laid = 16 * (cell + 0.5 - view.strips.image_shift)  # where its cell is drawn, in pixels
    assert (centre - laid).abs().max() < 3, centre
    axes = view.figure().axes[view.look.known.index("image")]
    assert axes.images[1].get_extent() == [-0.5, 3.5, 3.5, -0.5] and axes.get_xlim() == (0, 4)


def test_after_one_head_another_kind_of_question_can_be_asked(view: AttentionView) -> None:
    view.put(kind="reads", asker="text", index=1, layer=0, head=1)
    view.put(kind="agrees")
    assert (view.ask.layer, view.ask.head) == (0, -1) and view.head.disabled and view.strips.message == ""


def test_choosing_a_place_asks_about_it(view: AttentionView, seen: Look) -> None:
    view.strips._handle_custom_msg({"type": "ask", "modality": "audio", "index": 4}, [])
    assert view.strips.message == "" and view.ask == Ask("reads", "audio", index=4)
    np.testing.assert_allclose(shown(view, "audio"), seen.maps["audio"][0][:, 4].mean(axis=0), rtol=0, atol=1e-6)
    assert view.strips.asked == ["audio", 4] and len(shown(view, "image")) == 0
    view.strips._handle_custom_msg({"type": "ask", "modality": "image", "index": 4}, [])
    assert "has no attention to show" in view.strips.message
    view.strips._handle_custom_msg({"type": "ask", "modality": "text", "index": 2}, [])
    assert view.strips.message == "" and view.ask.asker == "text"


def test_the_knobs_choose_layer_and_head(view: AttentionView, seen: Look) -> None:
    view.put(kind="reads", asker="text", index=1)
    view.head.value = 1
    np.testing.assert_allclose(shown(view, "text"), seen.maps["text"][0][1, 1], rtol=0, atol=1e-6)
    crosses = next(ask for ask in view.question.options.values() if ask.kind == "crosses")
    view.question.value = crosses
    assert view.ask.kind == "crosses" and len(shown(view, "image")) == 16 and len(view.head.options) == 5
    view.question.value = next(ask for ask in view.question.options.values() if ask.kind == "agrees")
    assert view.head.disabled and view.layer.disabled


def test_the_still_changes_with_the_question(view: AttentionView) -> None:
    bundle, _ = view._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    before = digest(view.figure())
    view.put(kind="reads", asker="text", index=2)
    assert digest(view.figure()) != before


def test_an_encoder_of_any_depth_is_watched(model: JointEmbedder) -> None:
    assert all(isinstance(encoder, Encoder) for encoder in model.encoders.values())
    assert len(look(model, audio=tiny.tone(2)).maps["audio"]) == len(model.encoders["audio"].blocks)
