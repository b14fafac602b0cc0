"""Hugging Face models behind the interface of our encoders: against the features that transformers itself gives."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from scipy.signal import resample_poly
from torch import Tensor

from mmlab.encoders.pretrained import PretrainedAudio, PretrainedImage, PretrainedText
from mmlab.types import Inputs
from tests.unit.tiny_models import BUILDERS, TEXTS, randomise, save, tokenizer

RNG = np.random.default_rng(0)
PICTURES = [Image.fromarray(RNG.integers(0, 256, (h, w, 3), dtype=np.uint8)) for h, w in ((40, 50), (64, 64), (33, 90))]
SOUNDS = [(0.1 * RNG.normal(size=n)).astype(np.float32) for n in (16000, 8000, 12399)]  # 12,400 would be one token more
RAW = {"text": TEXTS, "image": PICTURES, "audio": SOUNDS}


def _ids(text: str, **how) -> dict[str, Tensor]:
    return tokenizer()([text], return_tensors="pt", **how)


def _pixels(folder: Path, picture: Image.Image) -> Tensor:
    return hf.AutoImageProcessor.from_pretrained(folder, backend="pil")(
        images=[picture], return_tensors="pt"
    ).pixel_values


def _heard(folder: Path, sound: np.ndarray) -> dict[str, Tensor]:
    extractor = hf.AutoFeatureExtractor.from_pretrained(folder)
    wave = resample_poly(sound, extractor.sampling_rate, 16000) if extractor.sampling_rate != 16000 else sound
    heard = extractor(wave.astype(np.float32), sampling_rate=extractor.sampling_rate, return_tensors="pt")
    return {key: value.double() if value.is_floating_point() else value for key, value in heard.items()}


# Each takes (reference model, folder, one raw input) and gives the features that its authors mean, without any padding.
def _mean(model, folder, text):
    return model(_ids(text).input_ids).last_hidden_state.mean(dim=1)


def _clip_image(model, folder, picture):
    return model.get_image_features(_pixels(folder, picture).double()).pooler_output


def _clip_text(model, folder, text):
    return model.get_text_features(_ids(text).input_ids).pooler_output


def _siglip_text(model, folder, text):
    return model.get_text_features(_ids(text, padding="max_length").input_ids).pooler_output


def _class_token(model, folder, picture):
    return model(_pixels(folder, picture).double()).last_hidden_state[:, 0]


def _map(model, folder, picture):
    return model(_pixels(folder, picture).double()).pooler_output.flatten(1)


def _whisper(model, folder, sound):
    tokens = model.encoder(_heard(folder, sound)["input_features"]).last_hidden_state
    return tokens[:, : -(-len(sound) // 320)].mean(dim=1)  # one token per 20 ms


def _clap_audio(model, folder, sound):
    heard = _heard(folder, sound)
    heard["is_longer"] = torch.zeros(1, 1, dtype=torch.bool)
    return model.get_audio_features(**heard).pooler_output


def _waves(model, folder, sound):
    return model(_heard(folder, sound)["input_values"]).last_hidden_state.mean(dim=1)


def _ast(model, folder, sound):
    return model(_heard(folder, sound)["input_values"]).pooler_output


CASES = {
    "bert": (PretrainedText, "BertModel", _mean),
    "gpt2": (PretrainedText, "GPT2Model", _mean),  # a tokenizer without a padding token
    "t5": (PretrainedText, "T5EncoderModel", _mean),
    "clip": (PretrainedText, "CLIPModel", _clip_text),
    "clip image": (PretrainedImage, "CLIPModel", _clip_image),
    "siglip": (PretrainedText, "SiglipModel", _siglip_text),
    "siglip image": (PretrainedImage, "SiglipModel", _clip_image),
    "vit": (PretrainedImage, "ViTModel", _class_token),
    "resnet": (PretrainedImage, "ResNetModel", _map),
    "whisper": (PretrainedAudio, "WhisperModel", _whisper),
    "clap": (PretrainedText, "ClapModel", _clip_text),
    "clap audio": (PretrainedAudio, "ClapModel", _clap_audio),
    "clap_fused audio": (PretrainedAudio, "ClapModel", _clap_audio),
    "wav2vec2": (PretrainedAudio, "Wav2Vec2Model", _waves),
    "wav2vec2_layer": (PretrainedAudio, "Wav2Vec2Model", _waves),
    "ast": (PretrainedAudio, "ASTModel", _ast),
}
PADDED = (
    "bert",
    "gpt2",
    "t5",
    "clip",
    "clap",
    "whisper",
    "wav2vec2",
    "wav2vec2_layer",
)  # the others read inputs of one size


@dataclass(frozen=True)
class Case:
    name: str
    folder: Path
    wrapper: type
    reference: str
    features: object

    @property
    def raw(self) -> list:
        return RAW[self.wrapper.reads]

    @property
    def atol(self) -> float:
        return (
            1e-7 if self.name == "clap" else 1e-10
        )  # CLAP's text half takes its softmax in float32, whatever its type

    def open(self, **how):
        return self.wrapper.from_pretrained(self.folder, **how)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("zoo")
    for name, build in BUILDERS.items():
        build(root / name)
    return root


@pytest.fixture(params=CASES)
def case(request, zoo) -> Case:
    return Case(request.param, zoo / request.param.split()[0], *CASES[request.param])


@torch.no_grad()
def test_embedding_is_what_transformers_gives_for_each_input_alone(case):
    encoder = case.open().double()
    ours = encoder.embed(encoder.preprocess(case.raw))
    reference = getattr(hf, case.reference).from_pretrained(case.folder, dtype=torch.float64)
    theirs = torch.cat([case.features(reference, case.folder, item) for item in case.raw])
    assert ours.shape == (len(case.raw), encoder.dim)
    assert theirs.std(dim=0).max() > 1e-3, "the reference does not tell these inputs apart: the test proves nothing"
    torch.testing.assert_close(ours, theirs, rtol=0, atol=case.atol)


@torch.no_grad()
@pytest.mark.parametrize("case", PADDED, indirect=True)
def test_padding_has_no_part_in_the_embedding(case):
    encoder = case.open().double()
    inputs = encoder.preprocess(case.raw)
    before = encoder.embed(inputs)
    if case.name == "whisper":  # hears the silence after the sound as such: only its tokens there must not count
        tokens = encoder(inputs)
        tokens.values[~tokens.mask] = 1e3
        after = encoder.pool(tokens)
    else:
        spoilt = torch.where(inputs.mask, inputs.values, 7)
        wider = torch.nn.functional.pad(spoilt, (0, 3), value=9)
        after = encoder.embed(Inputs(wider, torch.nn.functional.pad(inputs.mask, (0, 3), value=False)))
    torch.testing.assert_close(after, before, rtol=0, atol=case.atol)


def test_tokens_and_mask_agree_with_the_inputs(case):
    encoder = case.open()
    tokens = encoder(encoder.preprocess(case.raw))
    assert tokens.values.dtype == torch.float32 and tokens.values.isfinite().all()
    assert tokens.mask.any(dim=1).all()
    assert bool(tokens.mask.all()) == (case.name not in PADDED)
    counts = tokens.mask.sum(dim=1).tolist()
    texts = [len(tokenizer()(text).input_ids) for text in TEXTS]
    expected = {
        "whisper": [50, 25, 39],
        "wav2vec2": [200, 100, 154],
        "bert": texts,
        "siglip": [24] * 4,
        "vit": [17] * 3,
    }
    assert counts == expected.get(case.name, counts)


def test_frozen_unless_asked_otherwise(case):
    encoder = case.open()
    encoder.train()
    assert not any(module.training for module in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    free = case.open(trainable=True)
    assert not free.training and free.train().training
    free.eval().embed(free.preprocess(case.raw)).pow(2).sum().backward()
    assert sum(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in free.parameters()) > 3


@torch.no_grad()
def test_state_round_trip(case):
    encoder = case.open()
    inputs = encoder.preprocess(case.raw)
    before, state = encoder.embed(inputs), {key: value.clone() for key, value in encoder.state_dict().items()}
    randomise(encoder.model, seed=1)
    assert not torch.allclose(encoder.embed(inputs), before)
    encoder.load_state_dict(state, strict=True)
    torch.testing.assert_close(encoder.embed(inputs), before, rtol=0, atol=0)


def test_a_sound_is_resampled_to_the_rate_of_the_model(zoo):
    encoder = PretrainedAudio.from_pretrained(zoo / "clap")
    tone = [np.sin(2 * np.pi * 440 * np.arange(int(2 * rate)) / rate).astype(np.float32) for rate in (16000, 48000)]
    at_48 = encoder.processor([tone[1]], sampling_rate=48000, return_tensors="pt")["input_features"]
    bands = encoder.preprocess(tone[:1]).values[0, 0, 10:-10].argmax(dim=-1)
    assert torch.equal(bands, at_48[0, 0, 10:-10].argmax(dim=-1))


@pytest.mark.parametrize("half", ["CLIPTextModelWithProjection", "SiglipTextModel", "ClapTextModelWithProjection"])
def test_a_text_half_saved_alone_opens_too(zoo, tmp_path, half):
    whole = zoo / half[:4].lower() if half != "SiglipTextModel" else zoo / "siglip"
    save(tmp_path, getattr(hf, half).from_pretrained(whole), tokenizer())
    alone, part = PretrainedText.from_pretrained(tmp_path), PretrainedText.from_pretrained(whole)
    torch.testing.assert_close(alone.embed(alone.preprocess(TEXTS)), part.embed(part.preprocess(TEXTS)))


def test_the_module_alone_does_not_load_transformers():
    code = "import sys, mmlab.encoders.pretrained; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
