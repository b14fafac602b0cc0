"""Nothing that ships is stale: each artifact records what it was made from, and these are the files that lie here."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from mmlab.apps.gallery import TARGETS, gallery, read_gallery
from mmlab.datasets.emoji import ROOT as EMOJI
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.card import write_card
from mmlab.models.checkpoint import CONFIG, WEIGHTS, sha256
from mmlab.models.joint import SHIPPED, JointEmbedder, load_shipped
from mmlab.paths import DATA, ROOT
from mmlab.training.recipe import AlignRecipe
from mmlab.widgets.shipped_map import MAP, read_map

RESULTS = DATA / "results" / "joint" / "test.json"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def model() -> JointEmbedder:
    return load_shipped()


@pytest.fixture(scope="module")
def data() -> EmojiData:
    return EmojiData.load()


def config() -> dict:
    return json.loads((SHIPPED / CONFIG).read_text("utf-8"))


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


def test_the_gallery_is_of_this_checkpoint_and_these_data(model: JointEmbedder, data: EmojiData) -> None:
    kept = read_gallery(model, data, SHIPPED)
    assert set(kept) == set(TARGETS)
    made = gallery(model, data, ["text"])["text"]
    torch.testing.assert_close(kept["text"], made, rtol=0, atol=2e-3)


def test_sizes_stay_in_their_budgets() -> None:
    size = lambda folder: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())  # noqa: E731
    assert size(EMOJI) <= 40 * MEGABYTE
    assert (SHIPPED / WEIGHTS).stat().st_size <= 8 * MEGABYTE
    assert size(DATA / "checkpoints") <= 18 * MEGABYTE


def test_the_readme_states_the_results() -> None:
    results = json.loads(RESULTS.read_text("utf-8"))
    rows = re.findall(r"^\| .*\(`(\w+)`\) \| (\d+) % \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == 9
    for name, stated in rows:
        assert f"{100 * results[name]['r1']:.0f}" == stated, name


def test_the_map_was_made_from_this_checkpoint_and_these_data(model: JointEmbedder, data: EmojiData) -> None:
    stored = read_map(model, data)
    assert stored is not None, "data/maps is stale; make it again with `mmlab eval map`"
    assert stored["audio"].shape == (len(stored["audio_rows"]), model.dim) and len(stored["umap"]) == 3 * len(data)
    assert MAP.stat().st_size < 300_000
