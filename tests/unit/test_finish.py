"""`mmlab train finish`: fusion weights and familiarity made anew, everything learned left as it was, bit by bit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mmlab.datasets.emoji import EmojiData
from mmlab.models.checkpoint import CONFIG, WEIGHTS, sha256
from mmlab.models.familiarity import FEWEST, Familiarity
from mmlab.models.joint import JointEmbedder
from mmlab.training import shipped, snapshots
from mmlab.types import MODALITIES
from tests.unit import tiny_emoji


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture
def source(data: EmojiData, tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    model = tiny_emoji.make_model(data)
    model.save_pretrained(folder, dtype=torch.float16, recipe={"steps": 3}, training={"seconds": 1.5}, made_from={})
    (folder / snapshots.FILE).write_bytes(b"where things lay")
    return folder


@pytest.fixture(autouse=True)
def other_familiarity(monkeypatch: pytest.MonkeyPatch) -> dict[str, Familiarity]:
    draw = torch.Generator().manual_seed(5)
    parts = {}
    for name, width in zip(MODALITIES, (24, 20, 24), strict=True):
        x, z = torch.randn(FEWEST, width, generator=draw), torch.randn(FEWEST, 16, generator=draw)
        judge = Familiarity(width, out=16, items=len(tiny_emoji.NAMES))
        parts[name] = judge.fit(x, gallery=z[: len(tiny_emoji.NAMES)], held_x=x, held_z=z)
    monkeypatch.setattr(shipped, "fit_familiarity", lambda model, data: parts)
    return parts


@pytest.mark.parametrize("in_place", [False, True])
def test_what_was_learned_keeps_its_bits(source, data, tmp_path, other_familiarity, in_place):
    before, folder = load_file(source / WEIGHTS), source if in_place else tmp_path / "out"
    before = {name: value.clone() for name, value in before.items()}
    model = shipped.finish_again(source, data, folder=folder)
    after = load_file(folder / WEIGHTS)
    learned = [name for name in before if name.startswith(("encoders.", "projections."))]
    assert learned and all(torch.equal(before[name], after[name]) for name in learned)
    assert model.weights.tolist() == pytest.approx([shipped.FUSION_WEIGHTS[name] for name in MODALITIES], rel=1e-3)
    for name, judge in other_familiarity.items():
        torch.testing.assert_close(model.familiarity[name].mean, judge.mean, rtol=1e-3, atol=1e-3)
    assert (folder / snapshots.FILE).read_bytes() == b"where things lay"
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    assert config["recipe"] == {"steps": 3} and config["training"] == {"seconds": 1.5}
    assert config["made_from"]["data_sha256"] == sha256(data.root / "SHA256SUMS")


def test_one_pass_gives_vectors_and_scores(source, data):
    model = JointEmbedder.from_pretrained(source)
    texts = [thing.name_en for thing in data.things]
    z, known = model.judge(text=texts)["text"]
    assert torch.equal(z, model.encode(text=texts)["text"]) and torch.equal(known, model.familiar(text=texts)["text"])
    silent = tiny_emoji.make_model(data, judged=False)
    assert silent.judge(text=texts)["text"][1] is None
