"""Texts and pictures: what goes in, and what comes out. What is refused: test_bad_input.py."""

import io
import re
import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmlab import preprocessing
from mmlab.preprocessing import CLS, PAD, SEP, Tokenizer, image_tensor, load_image

TEXTS = [
    "dog face",
    "cat face with tears of joy",
    "red heart",
    "狗脸",
    "笑哭了的猫",
    "红心",
    "hot dog",
    "Dog",
    "cat",
] * 3

VOCAB = 300  # 256 bytes, 3 special tokens, 41 merges


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, vocab=VOCAB)


def file_of(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def as_learned(text):
    """NFKC and lower case, written without the tokenizers library."""
    lower = "".join(c.lower() for c in unicodedata.normalize("NFKC", text))
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", lower)).strip()


old = st.characters(exclude_categories=("Cs", "Cc", "Cn")).filter(lambda c: unicodedata.ucd_3_2_0.category(c) != "Cn")


@given(st.text(old, min_size=1, max_size=15))
@example("  Dog\tFACE \n")
@example("ｆｕｌｌ ﬁ ΑΣ İ J̌ ①")
@example("👩🏽‍🚀 🫠 ❤️")
@example("[CLS] [PAD] </s>")
@settings(max_examples=200, deadline=None)
def test_every_unicode_text_comes_back_in_its_normal_form(tokenizer, text):
    assume(as_learned(text) and any(unicodedata.category(c)[0] not in "ZC" for c in text))
    inputs = tokenizer.encode([text])
    assert tokenizer.decode(inputs.values) == [as_learned(text)]
    ids = inputs.values[0].tolist()
    assert ids[0] == CLS and ids[-1] == SEP and not {PAD, CLS, SEP} & set(ids[1:-1])


def test_rows_are_padded_at_the_end_and_the_mask_says_where(tokenizer):
    inputs = tokenizer.encode(["cat", "cat face with tears of joy"])
    assert inputs.values.shape == inputs.mask.shape and inputs.values.dtype == torch.int64
    alone = tokenizer.encode(["cat"]).values[0]
    assert inputs.mask.sum(dim=1).tolist() == [len(alone), inputs.values.shape[1]]
    assert torch.equal(inputs.values[0, : len(alone)], alone)
    assert (inputs.values[0, len(alone) :] == PAD).all()


def test_frequent_words_are_one_token_and_bytes_are_the_last_resort(tokenizer):
    assert tokenizer.encode(["dog"]).values.shape[1] == 3
    assert tokenizer.encode(["猫"]).values.shape[1] < 2 + 3 + 1
    assert tokenizer.encode(["ꙮ"]).values.shape[1] == 2 + 3 + 1  # three bytes of UTF-8 and the space before a word
    assert tokenizer.vocab == VOCAB


def test_training_is_repeatable_and_files_hold_all_of_it(tokenizer, tmp_path):
    again = Tokenizer.train(iter(TEXTS), vocab=VOCAB)
    tokenizer.save(tmp_path / "new" / "one"), again.save(tmp_path / "two")
    one, two = (tmp_path / name / "tokenizer.json" for name in ("new/one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert Tokenizer.train(reversed(TEXTS), vocab=VOCAB).core.to_str() == again.core.to_str()
    assert Tokenizer.train(["joy"] * 9, vocab=VOCAB).core.to_str() != again.core.to_str()
    text = ["A [PAD] typed by hand", "狗"]
    assert torch.equal(Tokenizer.load(tmp_path / "two").encode(text).values, tokenizer.encode(text).values)


HALF = Image.new("RGBA", (3, 2), (255, 0, 0, 128))
CLEAR = Image.new("RGBA", (3, 2), (0, 0, 0, 0))
DEEP = Image.fromarray(np.full((2, 3), 0x8080, np.uint16))


@pytest.mark.parametrize(
    ("source", "colour"),
    [
        (Image.new("RGB", (3, 2), (10, 20, 30)), (10, 20, 30)),
        (Image.new("L", (3, 2), 77), (77, 77, 77)),
        (Image.new("1", (3, 2), 1), (255, 255, 255)),
        (Image.new("CMYK", (3, 2), (0, 255, 255, 0)), (255, 0, 0)),
        (file_of(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=100), (254, 0, 0)),
        (HALF, (255, 127, 127)),
        (HALF.convert("RGBa"), (255, 127, 127)),
        (Image.new("LA", (3, 2), (0, 0)), (255, 255, 255)),
        (Image.new("LA", (3, 2), (0, 255)).convert("La"), (0, 0, 0)),
        (file_of(CLEAR, "PNG"), (255, 255, 255)),
        (file_of(CLEAR.convert("P"), "PNG", transparency=0), (255, 255, 255)),
        (file_of(Image.new("P", (3, 2), 5), "GIF", transparency=5), (255, 255, 255)),
        (file_of(Image.new("RGB", (3, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3)), (255, 255, 255)),
        (DEEP, (128, 128, 128)),
        (file_of(DEEP, "PNG"), (128, 128, 128)),
        (file_of(DEEP, "TIFF"), (128, 128, 128)),
        (Image.new("I", (3, 2), 65535), (255, 255, 255)),
        (Image.new("F", (3, 2), 0.2), (51, 51, 51)),
        (np.full((2, 3, 3), (9, 8, 7), np.uint8), (9, 8, 7)),
        (np.full((2, 3, 1), 9, np.uint8), (9, 9, 9)),
        (np.full((2, 3, 4), (0, 0, 0, 0), np.uint8), (255, 255, 255)),
        (np.full((2, 3), 0.2), (51, 51, 51)),
        (np.full((2, 3), 0.2, np.float32), (51, 51, 51)),
        (np.full((2, 3), 0x8080, np.uint16), (128, 128, 128)),
        (np.full((2, 3), 0xFFFF, np.uint16), (255, 255, 255)),
        (np.ones((2, 3), bool), (255, 255, 255)),
    ],
)
def test_every_kind_of_picture_becomes_rgb_on_white(source, colour):
    picture = load_image(source)
    assert picture.mode == "RGB"
    assert picture.size in [(3, 2), (32, 32)]
    assert np.abs(np.asarray(picture).astype(int) - colour).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "JPEG", "ICO"])
@pytest.mark.parametrize("name", ["picture.jpg", "picture.wav", "picture"])
def test_the_content_decides_and_not_the_extension(tmp_path, kind, name):
    picture = Image.new("RGB", (32, 32), (255, 0, 0))
    path = tmp_path / name
    path.write_bytes(file_of(picture, kind))
    for source in (path, str(path), path.read_bytes()):
        assert np.abs(np.asarray(load_image(source)).astype(int) - (255, 0, 0)).max() <= 2
    assert preprocessing.describe(path.read_bytes())[0] == "picture"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    data = file_of(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert load_image(data).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_as_its_exif_says(kind):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2)}
    turned |= {6: np.rot90(pixels, -1), 7: np.rot90(pixels, 2).transpose(1, 0, 2), 8: np.rot90(pixels)}
    for orientation, expected in turned.items():
        exif = Image.Exif()
        exif[0x112] = orientation
        data = file_of(Image.fromarray(pixels), kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
        np.testing.assert_array_equal(np.asarray(load_image(data)), expected)


def test_an_exif_block_that_cannot_be_read_states_no_rotation(recwarn):
    for garbage in (b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"):
        assert load_image(file_of(Image.new("RGB", (3, 2), "red"), "PNG", exif=garbage)).size == (3, 2)
    assert not recwarn.list


def test_pictures_become_tensors_channels_first_in_zero_to_one():
    size = preprocessing.IMAGE_SIZE
    left = np.zeros((size, size, 3), np.uint8)
    left[:, : size // 2, 0] = 255
    tensor = image_tensor([Image.fromarray(left), Image.new("RGB", (size, size), "white")])
    assert tensor.dtype == torch.float32 and tensor.shape == (2, 3, size, size)
    assert (tensor[0, 0, :, : size // 2] == 1).all() and (tensor[0, 0, :, size // 2 :] == 0).all()
    assert (tensor[0, 1:] == 0).all() and (tensor[1] == 1).all()
