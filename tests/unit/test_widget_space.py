"""JointSpace without a browser: every knob acts, what is shown follows from the vectors, what travels is small."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from mmlab.datasets.emoji import EmojiData
from mmlab.figures import png
from mmlab.metrics import modality_gap
from mmlab.models.joint import JointEmbedder
from mmlab.testing import digest
from mmlab.types import InputError
from mmlab.widgets import JointSpace
from mmlab.widgets.maps import Pca
from mmlab.widgets.points import Points, Shelf
from mmlab.widgets.scene import ALONE, FEW, FIRST, LATER, error_column, gaps, grouping, nearest, pca_scene
from mmlab.widgets.space_state import SpaceState, follow
from tests.unit.tiny import tone
from tests.unit.tiny_emoji import NAMES, make_model, write_data

FORMS = (("text", "en"), ("image", "twemoji"), ("audio", "cmn+f2"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> EmojiData:
    return EmojiData.load(write_data(tmp_path_factory.mktemp("space") / "emoji"))


@pytest.fixture(scope="module")
def model(data: EmojiData) -> JointEmbedder:
    return make_model(data)


@pytest.fixture(scope="module")
def shelf(data: EmojiData, model: JointEmbedder) -> Shelf:
    return Shelf(model, data)


@pytest.fixture(scope="module")
def shipped() -> JointSpace:
    """One for all tests: it opens the shipped model and data."""
    return JointSpace()


@pytest.fixture
def space(shipped: JointSpace) -> Iterator[JointSpace]:
    yield shipped
    shipped.controls.map.value, shipped.controls.colour.value = "pca", "modality"
    for name in shipped.controls.forms:
        shipped.controls.forms[name].value = name in ("text/en", "image/near", "audio/en")
    shipped._clear()
    shipped.view.off, shipped.view.message = [], ""


def test_the_points_are_the_models_vectors_of_the_data(shelf: Shelf, model: JointEmbedder, data: EmojiData) -> None:
    points = shelf.points(FORMS)
    drawn = [thing.id for thing in data.things if data.image(thing.id, "twemoji") is not None]
    spoken = data.clips(voice="cmn+f2")["thing"].to_pylist()
    assert len(points) == len(NAMES) + len(drawn) + len(spoken)
    expected = model.encode(text=[thing.name_en for thing in data.things])["text"].numpy()
    np.testing.assert_allclose(points.vectors[: len(NAMES)], expected, atol=1e-6)
    pictures = points.of(1)
    assert [data.things[i].id for i in points.items[pictures]] == drawn
    one = int(np.flatnonzero(pictures)[3])
    again = model.encode(image=[data.image(data.things[points.items[one]].id, "twemoji")])["image"].numpy()
    np.testing.assert_allclose(points.vectors[one], again[0], atol=1e-5)


def test_pictures_and_sounds_are_the_datas_bytes(shelf: Shelf, data: EmojiData) -> None:
    points = shelf.points(FORMS)
    sound = int(np.flatnonzero(points.of(2))[0])
    thing = data.things[points.items[sound]].id
    assert points.sound(sound) == data.clips(thing=thing, voice="cmn+f2")["audio"][0].as_py()["bytes"]
    assert points.picture(0)[:4] == b"RIFF"
    assert points.columns["language"][sound] == "zh" and points.columns["style"][len(NAMES)] == "twemoji"


@pytest.mark.parametrize("form", [("text", "fr"), ("image", "cubist"), ("audio", "nobody"), ("video", "near")])
def test_a_form_that_is_not_there_is_a_sentence(shelf: Shelf, form: tuple[str, str]) -> None:
    with pytest.raises(InputError, match=r"got|No pictures of style"):
        shelf.points([form])


def points_of(vectors: np.ndarray, modalities: list[int], items: list[int]) -> Points:
    names = [(f"thing {i}", "") for i in range(max(items) + 1)]
    words = [("text", "image", "audio", "other")[m] for m in modalities]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Points(unit.astype(np.float32), np.array(items), np.array(modalities), names, {"modality": words})


def test_errors_say_where_the_counterpart_stands() -> None:
    turned = np.array([[np.cos(a), np.sin(a)] for a in np.deg2rad([0, 30, 60, 90, 120, 150, 180, 210])])
    pictures = turned.copy()
    pictures[[1, 2]] = pictures[[2, 1]]  # two swapped: each finds the other first
    pictures[7] = -turned[7]  # one at the far side
    points = points_of(
        np.concatenate([turned, pictures, turned[:1]]), [0] * 8 + [1] * 8 + [2], [*range(8), *range(8), 8 - 8]
    )
    words = error_column(points)
    assert words[0] == words[8] == FIRST and words[1] == words[9] == FEW and words[15] == LATER
    alone = error_column(points_of(turned, [0] * 8, list(range(8))))
    assert set(alone) == {ALONE}


def test_neighbours_leave_the_point_out_and_keep_its_counterpart() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(10, 6))
    points = points_of(np.concatenate([z, z]), [0] * 10 + [1] * 10, [*range(10), *range(10)])
    found = nearest(points, points.vectors[4], leave_out=4, k=3)
    assert 4 not in [index for index, _ in found[0]] and found[1][0] == (14, pytest.approx(1.0, abs=1e-6))
    assert all(a >= b for some in found.values() for (_, a), (_, b) in itertools.pairwise(some))


def test_the_gap_is_the_metrics() -> None:
    rng = np.random.default_rng(1)
    points = points_of(rng.normal(size=(20, 5)) + 1, [0] * 10 + [2] * 10, [*range(10), *range(10)])
    expected = modality_gap(torch.from_numpy(points.vectors[:10]), torch.from_numpy(points.vectors[10:]))
    assert gaps(points) == {("text", "audio"): pytest.approx(expected)}


def test_an_unknown_colour_is_a_sentence(shelf: Shelf) -> None:
    with pytest.raises(InputError, match=r"coloured by modality, kind, style, language, id, error, got 'mood'"):
        grouping(shelf.points(FORMS), "mood")


def test_selection_follows_its_thing(shelf: Shelf) -> None:
    before, after = shelf.points(FORMS), shelf.points([("audio", "cmn+f2"), ("text", "en")])
    moved = follow(before, after, 3)
    assert after.items[moved] == before.items[3] and after.modalities[moved] == 0
    assert follow(before, after, len(NAMES) + 1) == -1  # pictures are not shown any more


def test_the_shipped_map_is_ready(space: JointSpace) -> None:
    assert space.view.count == 4338 and space.view.message == ""
    assert (
        sum(len(getattr(space.view, name)) for name in ("points", "groups", "marks", "items", "sprites", "sheet")) < 4e6
    )
    xy = np.frombuffer(space.view.points, "<f4").reshape(-1, 2)
    np.testing.assert_allclose(xy, space.state.scene.xy, atol=1e-6)
    assert np.abs(xy).max() <= 1 + 1e-6
    assert space.view.legend == ["text", "picture", "sound"]


def test_stored_vectors_are_those_of_the_model(space: JointSpace) -> None:
    """The clips come from a file, in 8 bits: beside the model's own they differ in the fourth digit."""
    shelf = space.state.shelf
    row = shelf.stored["audio_rows"][5].astype(int)
    wave = shelf.data.sample(int(row), voice="rms").audio
    own = shelf.model.encode(audio=[wave])["audio"][0].numpy()
    assert float(own @ shelf.vectors("audio", "rms")[1][5]) > 0.9995


def test_a_selected_thing_tells_its_neighbours(space: JointSpace) -> None:
    space.select("guitar")
    assert space.view.neighbours and space.view.selected not in space.view.neighbours
    assert "Nearest to guitar" in space.side.value and space.view.readout.startswith("guitar")
    own = [
        i for i in space.view.neighbours if space.state.points.items[i] == space.state.points.items[space.view.selected]
    ]
    assert own  # its own name is among the nearest names
    with pytest.raises(InputError, match="No image of this map is called 'nothing'"):
        space.select("nothing")


def test_a_query_has_a_place_and_a_familiarity(space: JointSpace) -> None:
    space.controls.text.value = "guitar"
    assert len(space.view.markers) == 8 and space.view.marker_labels == ["“guitar”"]
    place = np.frombuffer(space.view.markers, "<f4")
    z = space.state.model.encode(text=["guitar"])["text"].numpy()
    pca = Pca.fit(space.state.points.vectors)
    frame = pca_scene(space.state.points)
    np.testing.assert_allclose(place, frame.place(z)[0], atol=1e-6)
    assert pca.place(z).shape == (1, 2) and "familiarity" in space.side.value
    space.controls.text.value = "the stock market fell today"
    assert "unlike anything the model learned" in space.side.value
    space.controls.text.value = " "
    assert space.view.markers == b"" and space.view.neighbours == []


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "damaged"),
        ("a.bin", b"\0\1\2\3", "not known here"),
        ("a.wav", b"", "0 bytes"),
        ("a.txt", b"guitar", "plain text"),
    ],
)
def test_a_broken_upload_is_a_sentence(space: JointSpace, name: str, data: bytes, sentence: str) -> None:
    upload = space.controls.upload
    upload._receive(upload, {"type": "file", "name": name}, [memoryview(data)])
    assert sentence in space.view.message
    space.select("guitar")
    assert space.view.message == "" and space.view.neighbours


def test_uploads_are_looked_for(space: JointSpace) -> None:
    from mmlab.widgets.own import wav

    upload, shelf = space.controls.upload, space.state.shelf
    upload._receive(
        upload, {"type": "file", "name": "p.webp"}, [memoryview(shelf.picture(shelf.data["pear"].id, "twemoji"))]
    )
    assert space.state.points.name(space.state.found[1][0][0]).startswith("pear")
    upload._receive(upload, {"type": "file", "name": "t.wav"}, [memoryview(wav(tone(0)))])
    assert space.state.query.modality == 2 and space.view.message == ""


def test_the_lasso_is_a_dataframe(space: JointSpace) -> None:
    space.view.lasso = [5, 1500, 4000]
    found = space.chosen
    assert type(found).__name__ == "DataFrame" and found["point"].tolist() == [5, 1500, 4000]
    assert found["modality"].tolist() == ["text", "image", "audio"]
    assert found["name"][0] == space.state.shelf.data.things[5].name_en
    assert "3 of 4,338 points chosen" in space.view.readout
    space.view.lasso = []
    assert len(space.chosen) == 4338


def test_every_colour_and_map_acts(space: JointSpace) -> None:
    seen = set()
    for column in space.state.columns:
        space.controls.colour.value = column
        assert len(space.view.legend) == len(space.view.colours) <= 9 and space.view.message == ""
        seen.add((space.view.groups, *space.view.legend))
    assert len(seen) == len(space.state.columns)
    pca = space.view.points
    space.controls.map.value = "umap"
    assert space.view.points != pca and "placed between its nearest" in space.view.note


def test_the_training_slider_walks_through_the_moments(space: JointSpace) -> None:
    space.controls.map.value = "training"
    steps, gap, seen = space.state.training.steps, [], set()
    for moment in (0, len(steps) // 2, len(steps) - 1):
        space.controls.step.value = moment
        assert space.view.count == 720 and f"Step {steps[moment]:,}" in space.view.note
        gap.append(space.state.gaps[("text", "image")])
        seen.add(space.view.points)
    assert len(seen) == 3 and gap[0] > gap[1] > gap[2]
    stored = space.state.training.moments.coordinates[-1][1, :, :2]
    xy = space.state.scene.xy[240:480]
    assert (
        np.corrcoef(stored[:, 0], xy[:, 0])[0, 1] == pytest.approx(1)
        and np.corrcoef(stored[:, 1], xy[:, 1])[0, 1] > 0.999
    )


def test_what_was_chosen_and_selected_survives_another_map(space: JointSpace) -> None:
    space.view.lasso = [5, 1500, 4000]
    space.view.selected = 4000
    space.controls.map.value = "umap"
    assert space.view.lasso == [5, 1500, 4000] and space.view.selected == 4000
    space.controls.map.value = "training"  # 720 points of other numbers
    assert space.view.lasso == [] and space.view.message == "" and len(space.chosen) == 720
    shown = space.view.selected
    assert shown == -1 or space.state.points.modalities[shown] == 2
    space.controls.map.value = "pca"
    assert space.view.message == ""


def test_other_points_come_and_go(space: JointSpace) -> None:
    space.select("guitar", "text")
    space.controls.forms["text/zh"].value = True
    assert space.view.count == 5784 and set(space.state.points.columns["language"]) == {"en", "zh", "none"}
    assert space.state.points.name(space.view.selected).startswith("guitar")
    space.controls.map.value = "umap"
    assert "no UMAP yet" in space.view.note
    for box in space.controls.forms.values():
        box.value = False
    assert "got none; choose one" in space.view.message


def test_a_change_is_few_and_small_messages(space: JointSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    def publish(
        kind: str, data: object = None, metadata: object = None, buffers: list | None = None, **keys: object
    ) -> None:
        sent.append(sum(len(part) for part in buffers or []))

    monkeypatch.setattr(space.view.comm, "publish_msg", publish)
    space.controls.map.value = "umap"
    assert 1 <= len(sent) <= 3 and 34_704 <= sum(sent) < 100_000  # places and colours; not the pictures again


def test_the_still_follows_the_state(space: JointSpace) -> None:
    first = digest(space.figure())
    assert "4,338 points, PCA" in first and first == digest(space.figure())
    space.select("guitar")
    assert digest(space.figure()) != first and "colour scale" in digest(space.figure())
    assert space._repr_mimebundle_()[0]["image/png"].startswith("iVBOR")
    assert len(png(space.figure())) < 400_000


def test_umap_can_be_fitted_again(shelf: Shelf) -> None:
    state = SpaceState(shelf.points(FORMS), model=shelf.model)
    said: list[int] = []
    assert not state.has_umap
    state.refit(say=said.append)
    state.use_map("umap")
    assert state.has_umap and state.scene.xy.shape == (len(state.points), 2) and said and max(said) == 100


def test_a_wrong_map_or_moment_is_a_sentence(shelf: Shelf) -> None:
    state = SpaceState(shelf.points(FORMS))
    with pytest.raises(InputError, match=r"The map is one of pca, umap, got 'globe'"):
        state.use_map("globe")
    with pytest.raises(InputError, match="1 stored moments"):
        state.use_map("pca", moment=3)


def test_what_is_stored_belongs_to_the_shipped_model(shelf: Shelf) -> None:
    """Another model and other data find no stored map and make what they need."""
    assert shelf.stored == {}
