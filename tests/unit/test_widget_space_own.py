"""A reader's own vectors: what is refused says why, what is taken becomes points, pictures and sounds."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from mmlab.types import InputError
from mmlab.widgets import JointSpace
from mmlab.widgets.own import MOST, own_points, wav
from tests.unit.tiny import picture, tone


def vectors(n: int = 8, dim: int = 6, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim))


def spoiled(value: float) -> np.ndarray:
    found = vectors()
    found[3, 2] = value
    return found


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (spoiled(np.nan), r"NaN or infinity in 1 of 8 rows, first in row 3"),
        (spoiled(np.inf), r"NaN or infinity in 1 of 8 rows"),
        (vectors(1), r"at least 2 points, got 1"),
        (vectors()[0], r"shape \(n, dim\) with dim of 2 or more, got \(6,\)"),
        (vectors(8, 1), r"dim of 2 or more, got \(8, 1\)"),
        (np.broadcast_to(np.float32(1), (1_000_000, 4)), r"at most 50,000 points, got 1,000,000"),
        (np.where(np.arange(8)[:, None] == 5, 0.0, vectors()), r"Row 5 \(other\) is all zeros"),
        ([["a", "b"], ["c", "d"]], r"have to be numbers"),
        ({"text": vectors(), "image": vectors(9)}, r"Vectors of one map have one shape"),
        ({}, r"got an empty dictionary"),
    ],
)
def test_vectors_that_cannot_be_shown(given: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        JointSpace(given)


@pytest.mark.parametrize("name", ["labels", "images", "audio"])
def test_lists_of_another_length(name: str) -> None:
    with pytest.raises(InputError, match=rf"There are 8 things, but 3 {name}; pass one for each"):
        JointSpace(vectors(), **{name: ["a", "b", "c"]})


def test_labels_without_vectors() -> None:
    with pytest.raises(InputError, match=r"belong to vectors, but none came"):
        JointSpace(labels=["a"])


def test_a_group_of_another_length() -> None:
    with pytest.raises(InputError, match=r"The group 'class' has 2 words for 8 things"):
        own_points(vectors(), groups={"class": ["a", "b"]})


def test_the_most_points_are_taken() -> None:
    points = own_points(np.ones((MOST, 2)) + vectors(MOST, 2))
    assert len(points) == MOST


def test_tensors_and_several_modalities_become_points() -> None:
    points = own_points({"image": torch.from_numpy(vectors()), "audio": vectors(seed=1), "depth": vectors(seed=2)})
    assert len(points) == 24
    assert points.modalities.tolist() == [1] * 8 + [2] * 8 + [3] * 8
    assert points.items.tolist() == list(range(8)) * 3
    np.testing.assert_allclose(np.linalg.norm(points.vectors, axis=1), 1, atol=1e-6)


def test_two_dimensions_are_shown_as_they_are() -> None:
    given = vectors(8, 2)
    space = JointSpace(given)
    xy = space.state.scene.xy
    ratio = np.ptp(xy[:, 0]) / np.ptp(given[:, 0])
    np.testing.assert_allclose(xy - xy[0], ratio * (given - given[0]), atol=1e-5)
    assert "no projection" in space.view.note


def test_pictures_and_sounds_come_from_what_was_given() -> None:
    images = [picture(i) for i in range(7)] + [None]
    sounds = [tone(i) for i in range(7)] + [None]
    points = own_points(vectors(), images=images, audio=sounds)
    assert Image.open(BytesIO(points.picture(2))).size == (64, 64)
    assert points.sound(2)[:4] == b"RIFF"
    assert points.picture(7) is None and points.sound(7) is None


def test_a_missing_thumbnail_is_said_and_the_map_is_there() -> None:
    images = [picture(0), "/nowhere/at-all.png", *[None] * 6]
    space = JointSpace(vectors(), labels=list("abcdefgh"), images=images)
    assert "1 pictures could not be read" in space.view.note and "/nowhere/at-all.png" in space.view.note
    sent = []
    space.view.send = lambda content, buffers=None: sent.append(content)
    space.view._receive(space.view, {"type": "hover", "index": 1}, [])
    assert "/nowhere/at-all.png" in space.view.message
    assert sent == [{"type": "card", "index": 1, "title": "b", "lines": ["vector"], "parts": []}]
    space.view._receive(space.view, {"type": "hover", "index": 0}, [])
    assert sent[-1]["parts"] == ["picture"]


def test_a_sound_that_is_too_large_is_a_sentence() -> None:
    space = JointSpace(vectors(), audio=[b"RIFF" + bytes(9_000_000), *[None] * 7])
    space.view._receive(space.view, {"type": "click", "index": 0}, [])
    assert "Sound 0: expected at most 8 MB, got 9.0 MB" in space.view.message
    space.view.selected = 1
    assert space.view.neighbours and space.view.message == ""


def test_a_wav_holds_the_samples() -> None:
    import io
    import wave

    with wave.open(io.BytesIO(wav(np.array([0.5, -1.0, 2.0])))) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [16383, -32767, 32767]
    with pytest.raises(InputError, match=r"finite array \(samples,\)"):
        wav(np.zeros((2, 2)))


def test_without_a_model_there_is_nothing_to_search_with() -> None:
    space = JointSpace(vectors())
    assert len(space.children) == 2  # one row of knobs, and the map
    with pytest.raises(InputError, match="the model of these vectors is needed"):
        space.search("anything")


def test_labels_are_words_and_not_a_page() -> None:
    space = JointSpace(vectors(), labels=["<img src=x onerror=alert(1)>", *"bcdefgh"])
    space.view.selected = 0
    assert "<img src=x" not in space.side.value and "&lt;img src=x" in space.side.value


def test_the_heat_map_names_own_vectors_without_a_modality_and_marks_what_it_cuts() -> None:
    space = JointSpace(vectors(), labels=["a thing with a very long name indeed", *"bcdefgh"])
    space.view.selected = 0
    said = [label.get_text() for label in space.figure().axes[1].get_yticklabels()]
    assert said[0] == "a thing with a very lon…" and set(said[1:]) <= set("bcdefgh")
    both = JointSpace({"image": vectors(), "audio": vectors(seed=1)}, labels=list("abcdefgh"))
    both.view.selected = 0
    assert all(": " in label.get_text() for label in both.figure().axes[1].get_yticklabels())


def test_many_groups_are_gathered_under_one() -> None:
    space = JointSpace(vectors(40), groups={"class": [f"c{i % 20}" for i in range(40)]})
    space.controls.colour.value = "class"
    assert len(space.view.legend) == 8 and space.view.legend[-1] == "others"
    assert len(set(space.view.colours)) == 8
