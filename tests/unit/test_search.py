"""Search against a scan by hand, the kept gallery against a fresh one, and files of every kind through `embed`."""

import json
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from mmlab.apps import gallery as galleries
from mmlab.apps.embed import Embedding, Failure, embed, line, write
from mmlab.apps.search import Answer, Search
from mmlab.datasets.emoji import EmojiData
from mmlab.models.familiarity import STRANGE
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import open_file
from mmlab.types import InputError
from tests.unit import tiny_emoji


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture(scope="module")
def model(data) -> JointEmbedder:
    return tiny_emoji.make_model(data)


@pytest.fixture
def sample(data):
    return data.sample("🐢", style="openmoji", voice="ked")


def by_hand(model: JointEmbedder, data: EmojiData, z: torch.Tensor, target: str) -> list[tuple[str, float]]:
    """Ids and cosines, best first, by one encode per name or picture and no index."""
    scores = {}
    for thing in data.things:
        if target == "text":
            names = [model.encode(text=[name])["text"][0] for name in (thing.name_en, thing.name_zh)]
            vector = normalize(names[0] + names[1], dim=0)
        else:
            picture = data.image(thing.id, "twemoji")
            if picture is None:
                continue
            vector = model.encode(image=[picture])["image"][0]
        scores[thing.id] = float(vector @ z)
    return sorted(scores.items(), key=lambda pair: -pair[1])


@pytest.mark.parametrize("target", ["text", "image"])
@pytest.mark.parametrize("given", [("text",), ("image",), ("audio",), ("text", "image", "audio")])
def test_search_is_a_scan_by_cosine(model, data, sample, target, given):
    query = {name: getattr(sample, name) for name in given}
    answer = Search(model, data, targets=(target,)).find(**query, k=5)
    z = model.fuse(**model.encode(**{name: [raw] for name, raw in query.items()}))[0]
    expected = by_hand(model, data, z, target)[:5]
    assert [hit.thing.id for hit in answer.hits] == [key for key, _ in expected]
    np.testing.assert_allclose([hit.score for hit in answer.hits], [score for _, score in expected], atol=1e-5)
    assert answer.modalities == given


def test_a_name_finds_its_thing_in_both_languages(model, data):
    # Random weights place a name anywhere, but a gallery of one language holds exactly the query's own vector.
    z = model.encode(text=[data["🐢"].name_en])["text"][0]
    names = galleries.name_vectors(model, data)
    other = model.encode(text=[data["🐢"].name_zh])["text"][0]
    expected = normalize(z + other, dim=0)
    torch.testing.assert_close(names[data.index[data["🐢"].id]], expected)


def test_a_thing_without_a_picture_is_not_found_by_pictures(model, data, sample):
    by_picture = Search(model, data, targets=("image",))
    assert len(by_picture) == len(data) - 1
    found = by_picture.find(text="carrot", k=99)
    assert len(found.hits) == len(data) - 1 and found.place(data["🥕"].id) is None
    both = Search(model, data, targets=("text", "image"))
    assert len(both) == len(data)
    assert both.find(image=sample.image, k=99).place(data["🥕"].id) is not None


def test_two_targets_are_fused(model, data):
    both = Search(model, data, targets=("image", "text"))
    row = data.index[data["🍎"].id]
    vectors = galleries.gallery(model, data, ("text", "image"))
    fused = model.fuse(text=vectors["text"][row : row + 1], image=vectors["image"][row : row + 1])[0]
    hit = both.nearest(fused, k=1)[0]
    assert hit.thing.emoji == "🍎" and hit.score == pytest.approx(1, abs=1e-5)


def test_answers_know_their_order_and_what_is_strange(data):
    hits = Search(tiny_emoji.make_model(data), data).find(text="pizza", k=3).hits
    answer = Answer(hits, ("text", "image"), {"text": 0.5, "image": STRANGE / 2})
    assert answer.place(hits[2].thing.id) == 3
    assert answer.strange == ("image",)


def test_a_search_leaves_torch_its_threads(model, data):
    code = "import torch; torch.set_num_threads(2); import mmlab.apps.search; print(torch.get_num_threads())"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "2\n"
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Search(model, data).find(text="pizza")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_familiarity_is_the_models(model, data, sample):
    answer = Search(model, data).find(text="pizza", image=sample.image)
    expected = model.familiar(text=["pizza"], image=[sample.image])
    assert answer.familiarity == {name: pytest.approx(score.item()) for name, score in expected.items()}
    silent = tiny_emoji.make_model(data, judged=False)
    assert Search(silent, data).find(text="pizza").familiarity == {}


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model, data: Search(model, data).find(), "needs a text, a picture or a sound"),
        (lambda model, data: Search(model, data).find(text=""), "at least one visible character"),
        (lambda model, data: Search(model, data).find(text="pizza", k=0), "k=0"),
        (lambda model, data: Search(model, data, targets=("smell",)), "text or image, got smell"),
        (lambda model, data: Search(model, data, targets=()), "got neither"),
    ],
)
def test_refusals(model, data, ask, said):
    with pytest.raises(InputError, match=said):
        ask(model, data)


def test_kept_gallery_is_used_while_it_is_fresh(model, data, tmp_path, monkeypatch):
    model.save_pretrained(tmp_path)
    path = galleries.write_gallery(model, data, tmp_path)
    assert path.name == "gallery.safetensors"
    fresh = galleries.gallery(model, data, ("text", "image"))
    monkeypatch.setattr(JointEmbedder, "encode", None)  # nothing is encoded again
    kept = galleries.gallery(model, data, ("text", "image"), folder=tmp_path)
    for name in fresh:
        torch.testing.assert_close(kept[name], fresh[name], rtol=0, atol=4e-3)
        there = fresh[name].norm(dim=1) > 0
        assert (kept[name] * fresh[name]).sum(dim=1)[there].min() > 0.9995


def test_a_gallery_of_other_weights_or_data_is_not_used(model, data, tmp_path):
    model.save_pretrained(tmp_path)
    galleries.write_gallery(model, data, tmp_path)
    assert galleries.read_gallery(model, data, tmp_path).keys() == {"text", "image"}
    other = tiny_emoji.make_model(data)
    with torch.no_grad():
        other.projections["text"].W[0, 0] += 1e-3
    assert galleries.read_gallery(other, data, tmp_path) == {}
    for table in ("things", "images"):
        root = tiny_emoji.write_data(tmp_path / f"other-{table}")
        changed = EmojiData(root)
        if table == "things":
            thing = changed.things[3]
            changed.things[3] = type(thing)(**{**vars(thing), "name_zh": "比萨"})
        else:
            with (root / "images.parquet").open("ab") as file:
                file.write(b"\0")
        assert galleries.read_gallery(model, changed, tmp_path) == {}
    torch.testing.assert_close(
        galleries.gallery(other, data, ("text",), folder=tmp_path)["text"], galleries.name_vectors(other, data)
    )


def test_a_damaged_gallery_is_named(model, data, tmp_path):
    model.save_pretrained(tmp_path)
    path = galleries.write_gallery(model, data, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match=r"gallery\.safetensors: its bytes are not those"):
        JointEmbedder.from_pretrained(tmp_path)
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match=r"gallery\.safetensors: expected the vectors"):
        galleries.read_gallery(model, data, tmp_path)


# ---- embed ----


@pytest.fixture
def files(tmp_path):
    """Good and bad files, two of them with the wrong extension."""
    (tmp_path / "shape.png").write_bytes(tiny_emoji.picture(3, style="noto"))  # WebP inside
    (tmp_path / "tone.jpg").write_bytes(tiny_emoji.tone(3, voice="ked"))  # a sound inside
    (tmp_path / "words.txt").write_text("a red apple")
    (tmp_path / "cut.png").write_bytes(_png()[:60])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    return tmp_path


def _png() -> bytes:
    file = BytesIO()
    Image.effect_noise((40, 30), 80).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_files_are_told_apart_by_content(files):
    modality, picture = open_file(files / "shape.png")
    assert modality == "image" and picture.mode == "RGB"
    modality, sound = open_file(files / "tone.jpg")
    assert modality == "audio" and sound.dtype == np.float32


def test_good_files_come_through_and_bad_ones_say_why(model, files):
    names = ["cut.png", "shape.png", "words.txt", "folder", "tone.jpg", "empty.wav", "none.png"]
    results = list(embed(model, files=[files / name for name in names], texts=["a turtle", " "]))
    kinds = [type(result) for result in results]
    assert kinds == [Failure, Embedding, Failure, Failure, Embedding, Failure, Failure, Embedding, Failure]
    assert [result.name for result in results] == [str(files / name) for name in names] + ["'a turtle'", "' '"]
    for result in results:
        if isinstance(result, Failure):
            assert result.reason.endswith(".") and "\n" not in result.reason
            assert result.name in result.reason  # the sentence names the file
    assert "--text" in results[2].reason
    image, audio, text = (result for result in results if isinstance(result, Embedding))
    expected = model.encode(image=[open_file(files / "shape.png")[1]])["image"][0].numpy()
    np.testing.assert_allclose(image.vector, expected, atol=1e-5)
    assert (image.modality, audio.modality, text.modality) == ("image", "audio", "text")
    score = model.familiar(text=["a turtle"])["text"].item()
    assert text.familiarity == pytest.approx(score, abs=1e-5)


def test_more_inputs_than_fit_one_chunk(model):
    texts = [f"{i} turtles" for i in range(70)]
    results = list(embed(model, texts=texts))
    expected = model.encode(text=texts)["text"].numpy()
    np.testing.assert_allclose(np.stack([result.vector for result in results]), expected, atol=1e-5)


def test_vectors_are_written_whole(model, data, tmp_path):
    results = list(embed(model, texts=["a turtle", "一个苹果"]))
    write(tmp_path / "v.npz", results)
    with np.load(tmp_path / "v.npz") as kept:
        assert kept["names"].tolist() == ["'a turtle'", "'一个苹果'"]
        assert kept["modalities"].tolist() == ["text", "text"]
        np.testing.assert_array_equal(kept["vectors"], np.stack([result.vector for result in results]))
    write(tmp_path / "v.jsonl", results)
    rows = [json.loads(row) for row in (tmp_path / "v.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["name"] for row in rows] == ["'a turtle'", "'一个苹果'"]
    np.testing.assert_allclose([row["vector"] for row in rows], np.stack([r.vector for r in results]), atol=1e-6)
    assert rows[0] == json.loads(line(results[0]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.jsonl", "v.npz"]


@pytest.mark.parametrize("name", ["v.csv", "no/such/v.npz", "folder.npz"])
def test_where_vectors_cannot_go(tmp_path, name):
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match=name):
        write(tmp_path / name, [])
