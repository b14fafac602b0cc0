"""The article's f: against its parts by hand, with modalities missing, and through a folder."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from mmlab.models import checkpoint
from mmlab.models.familiarity import Familiarity
from mmlab.models.joint import JointEmbedder
from mmlab.types import Batch, InputError, Sample
from tests.unit import tiny


@pytest.fixture(scope="module")
def model() -> JointEmbedder:
    return tiny.model()


def raw(count: int = 3) -> dict[str, list]:
    return {
        "text": [t.name_en for t in tiny.things(count)],
        "image": [tiny.picture(i) for i in range(count)],
        "audio": [tiny.tone(i) for i in range(count)],
    }


def as_batch(model: JointEmbedder, present: list[list[bool]]) -> Batch:
    inputs = {name: model.encoders[name].preprocess(items) for name, items in raw(len(present)).items()}
    return Batch(**inputs, present=torch.tensor(present))


def test_is_encode_pool_project_normalise_add(model: JointEmbedder) -> None:
    out = model(as_batch(model, [[True] * 3] * 3))
    total = torch.zeros(3, model.dim)
    for name, items in raw().items():
        encoder = model.encoders[name]
        tokens = encoder(encoder.preprocess(items))
        mean = torch.stack([row[keep].mean(0) for row, keep in zip(tokens.values, tokens.mask, strict=True)])
        pooled = (mean - encoder.standardise.running_mean) / (encoder.standardise.running_var + 1e-5).sqrt()
        z = pooled @ model.projections[name].W
        z = z / z.square().sum(1, keepdim=True).sqrt()
        torch.testing.assert_close(getattr(out, name), z, rtol=0, atol=1e-5)
        total += z
    torch.testing.assert_close(out.fused, total / total.norm(dim=1, keepdim=True), rtol=0, atol=1e-5)


def test_encode_gives_what_forward_gives(model: JointEmbedder) -> None:
    z, out = model.encode(chunk=2, **raw()), model(as_batch(model, [[True] * 3] * 3))
    for name in ("text", "image", "audio"):
        torch.testing.assert_close(z[name], getattr(out, name), rtol=0, atol=1e-5)


def test_a_missing_modality_adds_nothing(model: JointEmbedder) -> None:
    out = model(as_batch(model, [[True, False, True], [True, True, True], [False, True, False]]))
    assert out.image[0].abs().sum() == 0 and out.text[2].abs().sum() == 0
    torch.testing.assert_close(out.fused[0], normalize(out.text[0] + out.audio[0], dim=0))
    torch.testing.assert_close(out.fused[2], out.image[2])


def test_samples_become_a_batch_with_whatever_they_lack(model: JointEmbedder) -> None:
    given, z = raw(), model.encode(**raw())
    lacking = [("text",), ("image", "audio"), ("text", "image", "audio")]
    samples = [Sample(**{name: given[name][i] for name in names}) for i, names in enumerate(lacking)]
    batch = model.batch(samples)
    assert batch.present.tolist() == [[True, False, False], [False, True, True], [True] * 3]
    out = model(batch)
    for i, names in enumerate(lacking):
        for name in ("text", "image", "audio"):
            wanted = z[name][i] if name in names else torch.zeros(model.dim)
            torch.testing.assert_close(getattr(out, name)[i], wanted, rtol=0, atol=1e-5)
        torch.testing.assert_close(out.fused[i], normalize(sum(z[name][i] for name in names), dim=0), rtol=0, atol=1e-5)
    assert model.batch(samples[:1]).image is None and model(model.batch(samples[:1])).image is None


def test_samples_that_make_no_batch_are_refused(model: JointEmbedder) -> None:
    with pytest.raises(InputError, match="got none"):
        model.batch([])
    with pytest.raises(InputError, match=r"without any .*key='empty'"):
        model.batch([Sample(text="a dog"), Sample(key="empty")])
    deaf = JointEmbedder({"text": model.encoders["text"]}, dim=model.dim)
    with pytest.raises(InputError, match="no image encoder, but a sample has image"):
        deaf.batch([Sample(text="a dog", image=tiny.picture(0))])


def test_weights_choose_between_modalities(model: JointEmbedder) -> None:
    z = model.encode(**raw())
    only = model.fuse(**z, weights={"text": 0.0, "audio": 0.0})
    torch.testing.assert_close(only, z["image"])
    assert not torch.allclose(model.fuse(**z, weights={"text": 3.0}), model.fuse(**z))


@pytest.mark.parametrize("call", [lambda m: m.fuse(), lambda m: m.encode(video=["x"])])
def test_nothing_and_unknown_are_refused(model: JointEmbedder, call) -> None:
    with pytest.raises(InputError, match=r"text.*image.*audio"):
        call(model)


def test_goes_through_a_folder_unchanged(model: JointEmbedder, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path, note="kept")
    again = JointEmbedder.from_pretrained(tmp_path)
    for name, z in model.encode(**raw()).items():
        assert torch.equal(z, again.encode(**raw())[name])
    assert json.loads((tmp_path / "config.json").read_text())["note"] == "kept"


def test_familiarity_travels_with_the_model(tmp_path: Path) -> None:
    model, generator = tiny.model(), torch.Generator().manual_seed(0)
    part = Familiarity(16, out=16, items=9)
    draw = lambda n: torch.randn(n, 16, generator=generator)  # noqa: E731
    part.fit(draw(200), gallery=draw(9), held_x=draw(80), held_z=draw(80))
    model.familiarity["text"] = part
    model.save_pretrained(tmp_path)
    again = JointEmbedder.from_pretrained(tmp_path)
    assert torch.equal(again.familiar(text=["thing 1"])["text"], model.familiar(text=["thing 1"])["text"])
    with pytest.raises(InputError, match="familiarity for image"):
        again.familiar(image=[tiny.picture(0)])


def flip_byte(folder: Path) -> None:
    path = folder / checkpoint.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))


def drop_weight(folder: Path) -> None:
    state = checkpoint.load_file(folder / checkpoint.WEIGHTS)
    state.pop("projections.text.W")
    checkpoint.save_file(state, folder / checkpoint.WEIGHTS)


def as_pickle(folder: Path) -> None:
    torch.save({"a": 1}, folder / checkpoint.WEIGHTS)


def other_type(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')


def another_number(folder: Path) -> None:
    """One id of the vocabulary, which a tokenizer loads without a word."""
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace('"!":3', '"!":4'))


def change(folder: Path, **entries: object) -> None:
    path = folder / checkpoint.CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (flip_byte, "sha256 differs"),
        (drop_weight, r"missing: projections\.text\.W"),
        (as_pickle, "safetensors"),
        (other_type, "expected a checkpoint of type mmlab-joint, found bert"),
        (lambda folder: (folder / checkpoint.WEIGHTS).unlink(), "pickle is not read"),
        (lambda folder: (folder / checkpoint.CONFIG).unlink(), r"found no config\.json"),
        (lambda folder: (folder / checkpoint.CONFIG).write_text("{"), "expected JSON"),
        (lambda folder: (folder / checkpoint.CONFIG).write_text("7"), "found other JSON"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
        (another_number, r"tokenizer\.json: its bytes are not those"),
        (lambda folder: change(folder, dim="wide"), "the description of a model"),
        (lambda folder: change(folder, encoders={"smell": {}}), "the description of a model.*smell"),
        (lambda folder: change(folder, familiarity={"text": {"of": 3}}), "the description of a model"),
    ],
)
def test_a_damaged_folder_is_refused(model: JointEmbedder, tmp_path: Path, harm, says: str) -> None:
    model.save_pretrained(tmp_path)
    harm(tmp_path)
    with pytest.raises(InputError, match=says):
        JointEmbedder.from_pretrained(tmp_path)
