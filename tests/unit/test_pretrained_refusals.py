"""What the wrappers of Hugging Face models refuse: one sentence, which names what came and says what to do."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import load_file, save_file

from mmlab.encoders.pretrained import PretrainedAudio, PretrainedImage, PretrainedText
from mmlab.types import InputError
from tests.unit.tiny_models import BUILDERS, TEXTS, bert, save, tokenizer

WRAPPERS = {
    "bert": PretrainedText,
    "clap": PretrainedText,
    "vit": PretrainedImage,
    "whisper": PretrainedAudio,
    "wav2vec2": PretrainedAudio,
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("zoo")
    for name in WRAPPERS:
        BUILDERS[name](root / name)
    return root


@pytest.mark.parametrize(
    ("wrapper", "name", "said"),
    [
        (PretrainedImage, "bert", "reads image, but .*bert model, which reads text; pass it to PretrainedText"),
        (PretrainedText, "vit", "reads text, but .*vit model, which reads image; pass it to PretrainedImage"),
        (PretrainedAudio, "vit", "pass it to PretrainedImage"),
        (PretrainedImage, "whisper", "which reads audio and text; pass it to PretrainedAudio or PretrainedText"),
        (PretrainedText, "whisper", "whose parts are not known here; pass one of clap, .*"),
        (PretrainedImage, "clap", "which reads audio and text; pass it to"),
    ],
)
def test_a_model_of_another_modality_is_refused(zoo, wrapper, name, said):
    with pytest.raises(InputError, match=said):
        wrapper.from_pretrained(zoo / name)


def test_an_unknown_sound_model_is_refused(zoo, tmp_path):
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    hf.UniSpeechConfig(**sizes).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="unispeech model whose parts are not known here; pass one of audio-spectro"):
        PretrainedAudio.from_pretrained(tmp_path)


def test_places_that_are_no_model_folder(zoo, tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"has no config\.json; pass a folder"):
        PretrainedText.from_pretrained(empty)
    with pytest.raises(InputError, match=r"There is no model folder .*check the path"):
        PretrainedText.from_pretrained(tmp_path / "missing")
    with pytest.raises(InputError, match="There is no model folder"):
        PretrainedText.from_pretrained("./missing")
    with pytest.raises(InputError, match=r"got the file .*config\.json'; pass the folder"):
        PretrainedText.from_pretrained(zoo / "bert" / "config.json")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="download it once where the hub can be reached, then pass the folder"):
        PretrainedText.from_pretrained("nobody/no-such-model")
    (empty / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(InputError, match=r"config\.json .*does not describe a model that transformers knows"):
        PretrainedText.from_pretrained(empty)


def test_weights_must_be_whole(tmp_path):
    folder = bert(tmp_path)
    weights = folder / "model.safetensors"
    good = load_file(weights)
    key = "encoder.layer.1.output.dense.weight"
    save_file({k: v for k, v in good.items() if k != key}, weights, metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"but {key} .* missing"):
        PretrainedText.from_pretrained(folder)
    save_file({**good, key: good[key][:, :3].contiguous()}, weights, metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"weights in .* cannot be used"):
        PretrainedText.from_pretrained(folder)
    save_file(good, weights, metadata={"format": "pt"})
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"weights in .* cannot be used"):
        PretrainedText.from_pretrained(folder)
    weights.unlink()
    torch.save(good, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"weights in .* cannot be used; expected a whole model.safetensors"):
        PretrainedText.from_pretrained(folder)


def test_a_head_that_nobody_uses_may_be_missing(tmp_path):
    folder = bert(tmp_path)
    whole = PretrainedText.from_pretrained(folder)
    weights = folder / "model.safetensors"
    kept = {k: v for k, v in load_file(weights).items() if not k.startswith("pooler.")}
    save_file(kept, weights, metadata={"format": "pt"})
    part = PretrainedText.from_pretrained(folder)
    assert not [name for name in part.state_dict() if "pooler" in name]  # none at all, rather than a random one
    torch.testing.assert_close(part.embed(part.preprocess(TEXTS)), whole.embed(whole.preprocess(TEXTS)), rtol=0, atol=0)


def test_a_missing_tokenizer_or_processor_is_named(zoo, tmp_path):
    save(tmp_path / "b", hf.BertModel.from_pretrained(zoo / "bert"))
    save(tmp_path / "v", hf.ViTModel.from_pretrained(zoo / "vit"))
    save(tmp_path / "w", hf.WhisperModel.from_pretrained(zoo / "whisper"))
    with pytest.raises(InputError, match=r"The Tokenizer of .* cannot be opened; save it into the same folder"):
        PretrainedText.from_pretrained(tmp_path / "b")
    bare = tokenizer(padded=False)
    bare.eos_token = None
    save(tmp_path / "b", bare)
    with pytest.raises(InputError, match="has no padding token; set pad_token and save it again"):
        PretrainedText.from_pretrained(tmp_path / "b")
    with pytest.raises(InputError, match="The ImageProcessor of"):
        PretrainedImage.from_pretrained(tmp_path / "v")
    with pytest.raises(InputError, match="The FeatureExtractor of"):
        PretrainedAudio.from_pretrained(tmp_path / "w")


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("bert", "a dog", "needs a list of at least one text, got 'a dog'"),
        ("bert", [], "needs a list of at least one text"),
        ("bert", ["a dog", "  "], "at least one character, got '  '"),
        ("bert", [3], "at least one character, got 3"),
        ("bert", ["a dog", "w" * 100], "takes 24 tokens, got 10[0-9] in the text that begins 'wwww"),
        ("clap", ["w" * 18], "takes 19 tokens, got 20"),  # the first of its 20 positions belongs to the padding
        ("vit", ["a.png"], "RGB pictures of PIL, got str; open it with load_image"),
        ("vit", [Image.new("RGBA", (9, 9))], "got a picture of mode RGBA"),
        ("whisper", [np.zeros((2, 16000), np.float32)], r"mono waveforms .*got \(2, 16000\)"),
        ("whisper", [np.full(16000, np.nan, np.float32)], "without NaN"),
        ("whisper", [np.zeros(33000, np.float32)], "takes sounds of 0.05 to 2 seconds, got 2.06"),
        ("wav2vec2", [np.zeros(100, np.float32)], "takes sounds of 0.05 to inf seconds, got 0.01"),
    ],
)
def test_inputs_that_cannot_be_used(zoo, name, raw, said):
    with pytest.raises(InputError, match=said):
        WRAPPERS[name].from_pretrained(zoo / name).preprocess(raw)


def test_a_text_just_as_long_as_the_model_takes_is_read(zoo):
    for name, most in (("clap", 19), ("bert", 24)):
        encoder = PretrainedText.from_pretrained(zoo / name)
        inputs = encoder.preprocess(["w" * (most - 2)])
        assert inputs.values.shape == (1, most) and encoder.embed(inputs).isfinite().all()
