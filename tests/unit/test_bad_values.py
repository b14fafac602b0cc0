"""Arrays, texts and lists that cannot be used: each is refused in one sentence."""

import numpy as np
import pytest
from PIL import Image

from mmlab.preprocessing import Tokenizer, audio_tensor, image_tensor, load_audio, load_image
from mmlab.types import InputError
from tests.unit.refusals import sentence

NAN = float("nan")
ARRAYS = [
    (load_image, np.zeros((3, 8, 9), np.uint8), "channels last"),
    (load_image, np.zeros(8, np.uint8), "(height, width)"),
    (load_image, np.zeros((0, 8), np.uint8), "1 to 50,000,000", "8 x 0"),
    (load_image, np.full((8, 8), 200.0), "[0, 1]", "200"),
    (load_image, np.full((8, 8), -0.5), "[0, 1]", "-0.5"),
    (load_image, np.full((8, 8), NAN), "[0, 1]", "nan"),
    (load_image, np.zeros((8, 8), np.int64), "uint8", "int64"),
    (load_audio, np.zeros(0), "0.05 s", "(0 samples)"),
    (load_audio, np.full(16_000, NAN), "finite"),
    (load_audio, np.zeros(16_000), "silent"),
    (load_audio, (0.0008 * 2**31 * np.sin(np.arange(16_000))).astype(np.int32), "silent"),
    (load_audio, np.zeros((2, 16_000)), "(samples, channels)", "transpose"),
    (load_audio, np.zeros((2, 2, 2)), "(samples,)"),
    (load_audio, np.zeros(16_000, complex), "signed integers", "complex128"),
    (load_audio, np.random.default_rng(0).standard_normal(31 * 16_000), "at most 3 s", "more than 30 s"),
]


@pytest.mark.parametrize(("loader", "array", "parts"), [(loader, array, parts) for loader, array, *parts in ARRAYS])
def test_an_array_that_cannot_be_used(loader, array, parts):
    with pytest.raises(InputError) as error:
        loader(array)
    sentence(error, f"array {array.shape}", *parts)


def test_a_rate_that_cannot_be():
    with pytest.raises(InputError, match="states its own rate, but rate=8000 came"):
        load_audio(b"any file", rate=8000)
    with pytest.raises(InputError) as error:
        load_audio(np.ones(99), rate=0)
    sentence(error, "array (99,)", "4000 to 384000 Hz")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["visible character"]),
        (" \n\u3000\t", ["visible character"]),
        ("\u200b\ufeff\x00", ["visible character"]),
        ("\ud83d", ["surrogate", "UTF-8"]),
        ("words " * 63, ["at most 64 tokens", "it has 65", "shorten"]),
    ],
)
def test_a_text_that_cannot_be_used(text, parts):
    tokenizer = Tokenizer.train(["words"] * 9, vocab=270)
    assert tokenizer.encode(["words " * 62]).values.shape == (1, 64)
    with pytest.raises(InputError) as error:
        tokenizer.encode(["words", text])
    shown = repr(text if len(text) <= 24 else text[:24] + "…")
    sentence(error, f"text {shown}" if shown.isprintable() else repr(f"text {shown}"), *parts)


def test_lists_that_cannot_be_batches():
    tokenizer = Tokenizer.train(["words"] * 9, vocab=270)
    for batch, what in [(tokenizer.encode, "text"), (image_tensor, "picture"), (audio_tensor, "sound")]:
        with pytest.raises(InputError, match=f"at least one {what}, got an empty list"):
            batch([])
    with pytest.raises(InputError, match="put it in a list"):
        tokenizer.encode("words")
    for wrong in (Image.new("RGB", (64, 63)), Image.new("L", (64, 64))):
        with pytest.raises(InputError) as error:
            image_tensor([Image.new("RGB", (64, 64)), wrong])
        sentence(error, "picture 1 of the list", "RGB and 64 x 64", "fit_image")
    for length in (0, 48_001):
        with pytest.raises(InputError) as error:
            audio_tensor([np.ones(48_000, np.float32), np.ones(length, np.float32)])
        sentence(error, "sound 1 of the list", "48000 samples", str(length), "cut=True")


def test_a_tokenizer_that_cannot_be_loaded(tmp_path):
    with pytest.raises(InputError) as error:
        Tokenizer.load(tmp_path)
    sentence(error, tmp_path / "tokenizer.json", "Tokenizer.save", "nothing at this path")
    path = Tokenizer.train(["words"] * 9, vocab=270).save(tmp_path)
    good = path.read_text(encoding="utf-8")
    for damaged in (good[:500], "{}", "[CLS]", good.replace("[CLS]", "[ABC]")):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(InputError, match=r"expected .*, but .*; .*\.$"):
            Tokenizer.load(tmp_path)
    with pytest.raises(InputError, match="at least 259 tokens, got 100"):
        Tokenizer.train(["words"], vocab=100)
