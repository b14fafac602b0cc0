"""Files that cannot be used: each is refused in one sentence that names it, what was expected and what to do."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmlab import preprocessing
from mmlab.apps.media import open_sound
from mmlab.preprocessing import fit_image, image_tensor, load_audio, load_image, load_many, open_file
from mmlab.types import InputError
from tests.unit.refusals import sentence

pytestmark = pytest.mark.filterwarnings("error")  # a person sees the sentence and no warnings of the decoders


def picture(size=(32, 32), *, kind="PNG", mode="RGB", **options):
    data = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(data, kind, **options)
    return data.getvalue()


def sound(seconds=0.5, *, kind="WAV", subtype=None, rate=16_000, value=None):
    data = io.BytesIO()
    wave = 0.5 * np.sin(0.17 * np.arange(round(rate * seconds)))
    soundfile.write(data, wave if value is None else np.full_like(wave, value), rate, format=kind, subtype=subtype)
    return data.getvalue()


def bomb(width, height):
    """A PNG that states any size in its header."""
    data = bytearray(picture((1, 1)))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


PNG, WAV, NAN = picture(), sound(), float("nan")
SVG = b"<?xml version='1.0'?>\n<!-- drawn by hand -->\n<svg xmlns='http://www.w3.org/2000/svg'/>"
PICTURES = {
    "cut.png": (PNG[: len(PNG) // 2], "damaged or cut off", "again"),
    "cut.jpg": (picture(kind="JPEG")[:600], "damaged or cut off"),
    "cut.gif": (picture(kind="GIF")[:900], "damaged or cut off"),
    "cut.webp": (picture(kind="WEBP")[:200], "a picture (WebP) that is damaged or cut off"),
    "header.png": (PNG[:20], "a picture (PNG) that is damaged or cut off"),
    "bomb.png": (bomb(10_000, 5_001), "50,000,000", "10000 x 5001 = 50,010,000", "scale it down"),
    "warned.png": (bomb(10_000, 10_000), "50,000,000", "100,000,000", "scale it down"),
    "worse.png": (bomb(100_000, 100_000), "50,000,000", "10,000,000,000", "scale it down"),
    "depth.tif": (picture(kind="TIFF", mode="F"), "values from 0 to 1", "8 bits"),
    "dog.wav": (WAV, "this is a sound (WAV)", "pass it with --audio"),
    "dog.png": (sound(kind="OGG"), "this is a sound (Ogg)", "pass it with --audio"),
    "dog.svg": (SVG, "SVG", "save it as PNG"),
    "dog.eps": (picture(kind="EPS"), "plain text"),
    "page.png": (b"<!DOCTYPE html><html></html>", "a web page", "download the file itself"),
    "notes.txt": ("狗 dog\n".encode(), "plain text"),
    "lfs.png": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "save it as PNG or JPEG"),
    "film.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video"),
    "paper.pdf": (b"%PDF-1.7\n\xff", "a PDF"),
    "all.zip": (b"PK\x03\x04\x14\0\0\0", "an archive", "unpack it"),
    "random.bin": (b"\0\x01\x02\x03" * 20, "not known here"),
}
SOUNDS = {
    "cut.flac": (sound(kind="FLAC")[:2000], "a sound (FLAC) that is damaged or cut off", "again"),
    "cut.ogg": (sound(kind="OGG")[:2000], "a sound (Ogg) that is damaged or cut off"),
    "header.wav": (WAV[:30], "a sound (WAV) that is damaged or cut off"),
    "no_samples.wav": (sound(0), "at least 0.05 s", "(0 samples)"),
    "click.wav": (sound(0.04), "at least 0.05 s", "0.04 s"),
    "silence.wav": (sound(value=0.0), "-60 dB", "silent", "microphone"),
    "offset.wav": (sound(value=0.3), "-60 dB", "silent"),
    "faint.wav": (sound(value=0.0)[:-2] + b"\x10\x00", "-60 dB", "silent"),
    "nan.wav": (sound(value=NAN, subtype="FLOAT"), "finite", "8000 of 8000", "16-bit WAV"),
    "infinite.wav": (sound(value=np.inf, subtype="DOUBLE"), "finite", "NaN or infinite"),
    "long.wav": (sound(3.5), "at most 3 s", "3.5 s", "cut=True", "--cut"),
    "ten_minutes.mp3": (sound(60, kind="MP3"), "at most 3 s", "more than 30 s", "cut=True"),
    "slow.wav": (sound(rate=100), "4000 to 384000 Hz", "100 Hz"),
    "fast.wav": (sound(0.0001, rate=999_983), "4000 to 384000 Hz", "999983 Hz"),
    "dog.png": (PNG, "this is a picture (PNG)", "pass it with --image"),
    "dog.wav": (picture(kind="JPEG"), "this is a picture (JPEG)", "pass it with --image"),
    "matlab.mat": (sound(kind="MAT4"), "not known here"),
    "song.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0", "AAC", "convert it to WAV"),
    "song.mid": (b"MThd\0\0\0\x06", "notes and no sound"),
    "notes.txt": (b"MP3 is a format", "plain text"),
    "random.bin": (b"\0\x01\x02\x03" * 20, "not known here"),
}


@pytest.mark.parametrize(("loader", "name"), [(load_image, n) for n in PICTURES] + [(load_audio, n) for n in SOUNDS])
def test_a_file_that_cannot_be_used(tmp_path, loader, name):
    data, *parts = (PICTURES if loader is load_image else SOUNDS)[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        loader(path)
    sentence(error, path, *parts)
    with pytest.raises(InputError) as error:
        loader(data)
    sentence(error, f"these {len(data)} bytes", *parts)


def test_of_ten_minutes_in_stereo_the_beginning_can_be_kept(tmp_path):
    path = tmp_path / "lecture.wav"
    second = np.repeat(np.sin(0.06 * np.arange(44_100))[:, None], 2, axis=1)
    with soundfile.SoundFile(path, "w", 44_100, 2, "PCM_16") as file:
        for _ in range(600):
            file.write(second)
    assert path.stat().st_size > 100_000_000
    with pytest.raises(InputError) as error:
        load_audio(path)
    sentence(error, path, "105.8 MB", "at most 50 MB", "shorter")
    assert len(load_audio(path, cut=True)) == len(load_audio(path.read_bytes(), cut=True)) == 48_000
    kind, samples = open_file(path, cut=True)
    kept = open_sound(path, cut=True)
    assert kind == "audio" and len(samples) == len(kept.raw) == 48_000 and kept.name == "lecture.wav"
    assert len(kept.data) < 200_000  # of a conversation, only what is kept


@pytest.mark.parametrize(("loader", "word"), [(load_image, "a picture (PNG"), (load_audio, "a sound (WAV")])
def test_a_path_without_a_file(tmp_path, loader, word):
    (tmp_path / "empty").write_bytes(b"")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(50_000_001)
    os.mkfifo(tmp_path / "pipe")
    cases = {
        "missing.png": ("nothing at this path", "spelling"),
        "": ("this is a folder", "give the files in it"),
        "empty": ("empty (0 bytes)", "again"),
        "huge": ("50.0 MB", "at most 50 MB", "smaller"),
        "pipe": ("a pipe", "save it to a file"),
        "x" * 300: ("cannot be opened", "too long"),
        "empty/file.png": ("nothing at this path",),
    }
    for name, parts in cases.items():
        with pytest.raises(InputError) as error:
            loader(tmp_path / name)
        shown = str(tmp_path / name)
        sentence(error, shown if len(shown) <= 300 else f"{shown[:200]}…{shown[-90:]}", word, *parts)
    with pytest.raises(InputError) as error:
        loader(b"")
    sentence(error, "these 0 bytes", word, "give the whole file")
    with pytest.raises(InputError) as error:
        loader(f"{tmp_path}/a\0b\n.png")
    sentence(error, repr(f"{tmp_path}/a\0b\n.png"), word)


def test_a_bomb_is_refused_by_its_header(monkeypatch):
    bombs = [bomb(10_000, 5_001), bomb(100_000, 100_000), Image.new("1", (10_000, 5_001))]

    def never(*args, **keywords):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(Image.Image, "load", never)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    for source in bombs:
        with pytest.raises(InputError, match="scale it down"):
            load_image(source)


def test_a_picture_20000_pixels_wide_comes_through(monkeypatch):
    wide = load_image(picture((20_000, 40), kind="PNG"))
    assert wide.size == (20_000, 40)
    canvas, largest = Image.new, []
    monkeypatch.setattr(Image, "new", lambda mode, size, *rest: largest.append(size) or canvas(mode, size, *rest))
    assert image_tensor([fit_image(wide)]).shape == (1, 3, 64, 64)
    assert max(width * height for width, height in largest) <= 20_000 * 64


def test_in_a_list_of_files_the_good_ones_come_through(tmp_path):
    for name, data in {
        "a.png": PNG,
        "b.png": PNG[:40],
        "d.png": WAV,
        "e.jpg": picture(kind="JPEG", mode="CMYK"),
    }.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png", "d.png", "e.jpg")]
    good, failed = load_many(paths, load_image)
    assert [index for index, _ in good] == [0, 4] and all(value.size == (32, 32) for _, value in good)
    assert [path for path, _ in failed] == [str(paths[i]) for i in (1, 2, 3)]
    for (_, said), word in zip(failed, ("damaged", "nothing at this path", "--audio"), strict=True):
        assert word in said
    with pytest.raises(ZeroDivisionError):  # a bug is no bad input
        load_many(paths, lambda path: 1 // 0)


WHOLE = [PNG, picture(kind="GIF"), picture(kind="TIFF"), picture(kind="BMP"), picture(kind="WEBP"), picture(kind="ICO")]
WHOLE += [WAV, sound(kind="FLAC"), sound(kind="OGG"), sound(kind="AIFF"), sound(subtype="IMA_ADPCM")]


@given(
    data=st.sampled_from(WHOLE),
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8),
    end=st.floats(0, 1),
)
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_load_or_are_refused_and_nothing_else(data, flips, end):
    damaged = bytearray(data)
    for where, change in flips:
        damaged[int(where**3 * (len(data) - 1))] ^= change  # mostly in the header
    damaged = bytes(damaged[: round(len(data) * max(end, 0.1))])
    for loader in (load_image, load_audio):
        try:
            loaded = loader(damaged)
        except InputError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
        else:
            assert isinstance(loaded, Image.Image) or (0 < len(loaded) <= 48_000 and np.isfinite(loaded).all())


def test_a_damaged_sound_prints_no_traceback_from_within_its_decoder(capfd):
    damaged = bytearray(sound(0.06, kind="AIFF"))
    damaged[38] = 127  # the size of a chunk: libsndfile then seeks to before the beginning
    with pytest.raises(InputError, match="damaged or cut off"):
        load_audio(bytes(damaged))
    assert "Traceback" not in capfd.readouterr().err


def test_describe_never_fails_and_knows_both_sorts():
    assert {preprocessing.describe(data)[0] for data in WHOLE} == {"picture", "sound"}
    assert preprocessing.describe(b"")[0] == preprocessing.describe(b"\xff\0")[0] == "unknown"
