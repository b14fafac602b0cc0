"""What a person brings, as samples: tables and folders, with whatever is missing or wrong in them."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from mmlab.datasets.own import own_samples
from mmlab.models.joint import load_shipped
from mmlab.types import InputError
from tests.unit import tiny_emoji


@pytest.fixture
def home(tmp_path):
    """A folder with a picture, two sounds and a text, and beside it what is none of these."""
    folder = tmp_path / "things"
    folder.mkdir()
    (folder / "cat.png").write_bytes(tiny_emoji.picture(1, style="noto"))
    (folder / "cat.ogg").write_bytes(tiny_emoji.tone(1, voice="ked"))
    (folder / "cat.txt").write_text("\ufeffa cat 猫\n", encoding="utf-8")
    (folder / "dog.jpg").write_bytes(tiny_emoji.tone(2, voice="ked"))  # a sound, whatever it is called
    return tmp_path


def write(home, text, name="mine.csv"):
    (home / name).write_text(text, encoding="utf-8")
    return home / name


def test_a_table_gives_a_sample_a_row_with_whatever_is_missing(home):
    table = write(home, "key,text,image,audio\ncat,a cat,things/cat.png,things/cat.ogg\n,狗,,things/dog.jpg\n,7,,\n")
    samples, problems = own_samples(table)
    assert problems == [] and [one.key for one in samples] == ["cat", "row 2", "row 3"]
    assert [one.text for one in samples] == ["a cat", "狗", "7"]
    assert [one.image is None for one in samples] == [False, True, True]
    assert [one.audio is None for one in samples] == [False, False, True]
    assert samples[0].image.mode == "RGB" and samples[0].audio.dtype == np.float32
    assert own_samples(write(home, "text\n007\n"))[0][0].text == "007"  # words, not a number


def test_parquet_and_a_folder_give_the_same(home):
    rows = {
        "audio": [None, "things/dog.jpg"],
        "image": ["things/cat.png", ""],
        "text": ["a cat 猫", None],
        "more": [1, 2],
    }
    parquet.write_table(pa.table(rows), home / "mine.parquet")
    table, wrong = own_samples(home / "mine.parquet")
    assert wrong == [] and [(one.text, one.image is None, one.audio is None) for one in table] == [
        ("a cat 猫", False, True),
        (None, True, False),
    ]
    folder, wrong = own_samples(home / "things")
    assert wrong == [] and [one.key for one in folder] == ["cat", "dog"]
    assert folder[0].text == "a cat 猫" and folder[0].image == table[0].image and folder[0].audio is not None
    assert (folder[1].text, folder[1].image) == (None, None)
    np.testing.assert_array_equal(folder[1].audio, table[1].audio)


def test_what_is_wrong_gets_a_sentence_and_the_rest_stays(home):
    table = write(home, "text,image\na cat,things/none.png\n,\na dog,things/cat.ogg\n,things/cat.png\n")
    samples, problems = own_samples(table)
    assert [(one.key, one.text, one.image is None) for one in samples] == [
        ("row 1", "a cat", True),
        ("row 3", "a dog", True),
        ("row 4", None, False),
    ]
    for sentence, parts in zip(
        problems,
        (("row 1", "none.png", "nothing at this path"), ("row 2", "got none"), ("row 3", "sound")),
        strict=True,
    ):
        assert all(part in sentence for part in parts) and sentence.endswith("."), sentence


def test_a_folder_names_what_it_cannot_use(home):
    (home / "things" / "cat.bmp").write_bytes(tiny_emoji.picture(2, style="noto"))
    (home / "things" / "film.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    (home / "things" / "old.txt").write_bytes("né".encode("latin-1"))
    (home / "things" / "blank.txt").write_text(" \n")
    (home / "things" / ".hidden").write_text("x")
    samples, problems = own_samples(home / "things")
    assert [one.key for one in samples] == ["cat", "dog"]
    said = (("blank:", "only blanks"), ("cat:", "this is another"), ("film:", "unpack it"), ("old:", "not in UTF-8"))
    assert len(problems) == 4
    for sentence, parts in zip(sorted(problems), said, strict=True):
        assert all(part in sentence for part in parts) and sentence.endswith("."), sentence


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name,picture\ncat,cat.png\n", "its columns are name, picture; name one of them so"),
        ("text,image\n,\n", "none that can be used: row 1: Expected a text, a picture or a sound, got none"),
        ("text\na,b,c\n", "cannot be read"),
        ("", "the file is empty"),
        ("PAR1 and no more", "cannot be read"),
    ],
)
def test_a_table_without_anything_to_use_is_one_sentence(home, content, says):
    with pytest.raises(InputError, match=says) as error:
        own_samples(write(home, content))
    assert str(error.value).endswith(".")


def test_no_table_and_an_empty_folder_are_sentences(home):
    (home / "empty").mkdir()
    with pytest.raises(InputError, match="nothing at this path"):
        own_samples(home / "none.csv")
    with pytest.raises(InputError, match="found none that can be used"):
        own_samples(home / "empty")


def test_the_model_takes_them_with_what_is_missing(home):
    model = load_shipped()
    samples, _ = own_samples(home / "things")
    with torch.no_grad():
        out = model(model.batch(samples))
    sound = model.encode(audio=[samples[1].audio])["audio"]
    torch.testing.assert_close(out.fused[1], sound[0], rtol=0, atol=1e-4)
    assert out.fused.shape == (2, model.dim)
