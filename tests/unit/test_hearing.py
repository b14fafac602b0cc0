"""The second part of the joint training: what it asks for, what it leaves alone, and that it goes on where it stopped."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from mmlab.datasets.emoji import EmojiData
from mmlab.models.checkpoint import WEIGHTS
from mmlab.models.joint import JointEmbedder
from mmlab.training import shipped
from mmlab.training.corpus import Corpus
from mmlab.training.hearing import HearingModule, hear, places_of
from mmlab.training.loop import SECONDS
from tests.unit import tiny, tiny_emoji


def test_a_sound_is_told_from_every_thing_in_every_view() -> None:
    torch.manual_seed(0)
    places = normalize(torch.randn(3, 16, 16), dim=-1)
    module, draw = HearingModule(tiny.model(), tiny.recipe(), places), tiny.corpus().draw(seed=0, step=0, batch=4)
    mel, mask = module.sounds(draw.sound, draw.sound_mask, generator=torch.Generator().manual_seed(3))
    z = normalize(module.projection(module.encoder.pool(module.encoder.from_mel(mel, mask))), dim=-1)
    terms = []
    for view in places:
        for row, thing in zip(z, draw.things.tolist(), strict=True):
            scores = torch.stack([module.scale() * row @ place for place in view])
            terms.append(scores.logsumexp(0) - scores[thing])
    found = module.loss(draw, torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, torch.stack(terms).mean())


def test_things_lie_at_their_names_and_amid_their_drawings() -> None:
    model, corpus = tiny.model(), tiny.corpus()
    english, chinese, drawn = places_of(model, corpus, tiny.recipe())
    z = model.encode(text=[corpus.things[5].name_en, corpus.things[5].name_zh])["text"]
    torch.testing.assert_close(torch.stack([english[5], chinese[5]]), z, atol=1e-5, rtol=1e-4)
    own = model.encode(image=[tiny.picture(7 * 5 + k) for k in range(len(tiny.STYLES))])["image"]
    torch.testing.assert_close(drawn[5], normalize(own.mean(0), dim=0), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("pairs", "views"), [(("text-audio",), 2), (("image-audio", "text-image"), 1)])
def test_only_what_the_pairs_tie_to_sounds_has_places(pairs: tuple[str, ...], views: int) -> None:
    assert len(places_of(tiny.model(), tiny.corpus(), tiny.recipe(pairs=pairs))) == views


def test_it_learns_where_sounds_belong() -> None:
    torch.manual_seed(0)
    places = normalize(
        torch.randn(3, 16, 16), dim=-1
    )  # the names and drawings of an untrained model lie all in one spot
    module, corpus = HearingModule(tiny.model(), tiny.recipe(), places).train(), tiny.corpus()
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    losses = []
    for step in range(60):
        loss = module.loss(corpus.draw(seed=0, step=step, batch=16), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) / 5 < 0.7 * losses[0]


def test_a_stopped_run_ends_where_the_whole_one_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, model, ends = tiny.recipe(steps=6, hearing=1.0).second, tiny.model(), {}
    ends["whole"] = hear(deepcopy(model), recipe, tiny.corpus(), run=tmp_path / "whole", every=2, progress=False)
    whole_draw = Corpus.draw

    def stops(self: Corpus, *, seed: int, step: int, batch: int) -> object:
        if step == 5:
            raise RuntimeError("the power is gone")
        return whole_draw(self, seed=seed, step=step, batch=batch)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power"):
        patch.setattr(Corpus, "draw", stops)
        hear(deepcopy(model), recipe, tiny.corpus(), run=tmp_path / "cut", every=2, progress=False)
    assert not (tmp_path / "cut" / SECONDS).exists()
    ends["cut"] = hear(deepcopy(model), recipe, tiny.corpus(), run=tmp_path / "cut", every=2, progress=False)
    torch.testing.assert_close(*(end.state_dict() for end in ends.values()), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


def test_the_second_part_changes_the_sound_alone_and_begins_with_what_was_saved(
    data: EmojiData, tmp_path: Path
) -> None:
    said: list[str] = []
    made = {"data": data, "progress": False, "say": said.append}
    model = shipped.train_align(tiny.recipe(hearing=0.5), run=tmp_path, **made)
    saved = JointEmbedder.from_pretrained(tmp_path / shipped.ALIGNED)
    changed = {name for name, value in saved.state_dict().items() if not torch.equal(value, model.state_dict()[name])}
    assert {name.split(".")[1] for name in changed} == {"audio"}
    assert {name.partition(".")[0] for name in changed} == {"encoders", "projections"}
    assert any("running_mean" in name for name in changed)  # its layers kept measuring what they hear
    assert "6 steps" in said[0] and "then 3" in said[0]
    again = shipped.train_align(tiny.recipe(hearing=0.5), run=tmp_path, **made)
    torch.testing.assert_close(again.state_dict(), model.state_dict())


def test_a_run_is_timed_by_its_parts_and_names_each_machine(data: EmojiData, tmp_path: Path) -> None:
    shipped.train_align(tiny.recipe(hearing=0.5), run=tmp_path, data=data, progress=False, say=lambda _: None)
    first, second = (json.loads((folder / SECONDS).read_text()) for folder in (tmp_path, tmp_path / shipped.HEARING))
    assert shipped.training_of(tmp_path) == {"seconds": round(first + second, 1), "machine": shipped.machine()}
    config = tmp_path / shipped.ALIGNED / "config.json"
    config.write_text(config.read_text().replace(shipped.machine(), "an X"))
    assert shipped.training_of(tmp_path)["machine"] == f"an X, then {shipped.machine()}"


def test_without_a_pair_of_sounds_there_is_no_second_part(data: EmojiData, tmp_path: Path) -> None:
    said: list[str] = []
    recipe = tiny.recipe(pairs=("text-image",), hearing=0.5)
    model = shipped.train_align(recipe, run=tmp_path, data=data, progress=False, say=said.append)
    assert recipe.second.steps == 0 and not (tmp_path / shipped.HEARING).exists()
    saved = load_file(tmp_path / shipped.ALIGNED / WEIGHTS)
    assert all(torch.equal(value, saved[name].to(value)) for name, value in model.state_dict().items() if name in saved)
    assert shipped.training_of(tmp_path)["seconds"] == json.loads((tmp_path / SECONDS).read_text())
