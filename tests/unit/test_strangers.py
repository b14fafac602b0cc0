"""What the shipped model calls unlike anything learned, and the figures that say how often it errs."""

import json

import numpy as np
import pytest
import torch

from mmlab.evaluation.strangers import CROPS, MADE, flagged, photographs, share_of, strangers
from mmlab.models.familiarity import STRANGE
from mmlab.models.joint import JointEmbedder, load_shipped
from mmlab.paths import DATA
from mmlab.training.familiar import known_inputs
from mmlab.training.outsiders import outsiders
from tests.unit import toy_emoji

MOST, LEAST = 0.05, 0.9  # shares: of false alarms, and of strangers that are noticed
SEED = 77  # of made-up pictures that are not those of the fit


@pytest.fixture(scope="module")
def shipped() -> JointEmbedder:
    return load_shipped()


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((DATA / "results" / "joint" / "test.json").read_text("utf-8"))


def test_photographs_are_strangers_to_the_shipped_model(shipped):
    found = photographs(SEED)
    assert len(found["whole"]) == 2 and len(found["crops"]) == 2 * CROPS
    assert flagged(shipped, image=found["whole"])["share"] == 1
    assert flagged(shipped, image=found["crops"])["share"] >= LEAST


@pytest.mark.parametrize("kind", ["noise", "flat", "gradient", "texture", "leaves"])
def test_made_up_pictures_are_strangers_to_the_shipped_model(shipped, kind):
    assert flagged(shipped, image=outsiders(40, seed=SEED, drawings=[], kinds=[kind]))["share"] >= LEAST


def test_unseen_styles_and_voices_are_seldom_called_strange(results):
    alarms = {name: figure["share"] for name, figure in results.items() if name.startswith("false_alarm_")}
    assert {"false_alarm_near", "false_alarm_far"} < set(alarms) and len(alarms) == 7
    assert not {name: share for name, share in alarms.items() if share > MOST}


def test_strangers_are_noticed(results):
    noticed = {name: figure["share"] for name, figure in results.items() if name.startswith("flagged_")}
    names = {"pictures_noise", "pictures_flat", "photographs_whole", "photographs_crops", "sounds_noise"}
    assert set(noticed) == {f"flagged_{name}" for name in names}
    assert not {name: share for name, share in noticed.items() if share < LEAST}


class Judge(torch.nn.Module):
    """Knows what is large."""


class Listens(toy_emoji.Knows):
    """Calls short sounds and pictures with much red in them strange, and knows every other."""

    def __init__(self) -> None:
        super().__init__()
        self.familiarity = torch.nn.ModuleDict({"image": Judge(), "audio": Judge()})

    def familiar(self, **raw) -> dict[str, torch.Tensor]:
        [(name, items)] = raw.items()
        odd = [len(one) < 4000 if name == "audio" else np.asarray(one)[..., 0].mean() > 200 for one in items]
        return {name: torch.tensor([STRANGE if strange else 0.5 for strange in odd])}


def test_the_part_counts_by_style_voice_and_kind(tmp_path):
    from mmlab.evaluation import Space

    data = toy_emoji.make(tmp_path / "data")
    space = Space(Listens(), data)
    found = strangers(space, 0)
    voices = {f"false_alarm_{name}_{voice}" for name, pairs in space.voices.items() for _, voice in pairs}
    kinds = {"pictures_noise", "pictures_flat", "photographs_whole", "photographs_crops", "sounds_noise"}
    wanted = voices | {"false_alarm_near", "false_alarm_far"} | {f"flagged_{kind}" for kind in kinds}
    assert set(found) == wanted
    pictures = list(data.images("twemoji").values())
    red = np.mean([np.asarray(one)[..., 0].mean() > 200 for one in pictures])
    assert found["false_alarm_near"]["share"] == pytest.approx(red, abs=1e-4)
    assert found["false_alarm_near"]["n"] == len(pictures) and found["flagged_sounds_noise"]["n"] == MADE
    assert strangers(Space(toy_emoji.Knows(), data), 0) == {}


def test_a_share_and_its_interval():
    figure = share_of(torch.tensor([True] * 3 + [False] * 7))
    assert figure["share"] == 0.3 and figure["n"] == 10
    low, high = figure["interval"]
    assert low < 0.3 < high


def test_known_inputs_leaves_test_styles_and_voices_out(tmp_path):
    data = toy_emoji.make(tmp_path / "data")
    known = known_inputs(data, split="train")
    things = len(data.split("train"))
    assert len(known["text"]) == 2 * things and len(known["image"]) == 5 * things
    assert len(known["audio"]) == len([voice for voice in toy_emoji.VOICES if voice[3] != "test"]) * things
    fewer = known_inputs(data, split="train", styles=("emojione",), voices=("validation",))
    assert len(fewer["image"]) == things and len(fewer["audio"]) == 3 * things
