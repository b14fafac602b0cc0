"""Sounds: what goes in, and what comes out. What is refused: test_bad_input.py."""

import io

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmlab import preprocessing
from mmlab.preprocessing import audio_tensor, load_audio


def sound_of(samples, rate, kind, subtype=None):
    data = io.BytesIO()
    soundfile.write(data, samples, rate, format=kind, subtype=subtype)
    return data.getvalue()


def tone(hertz=440.0, *, rate=16_000, seconds=1.0, height=0.5):
    return height * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def pitches(samples, *, count=1):
    """The strongest frequencies of a 16 kHz sound, in Hz, rounded to 10."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 16_000))
    peaks = [k for k in range(1, 8000) if power[k] > 0.1 * power.max() and power[k] == power[k - 5 : k + 6].max()]
    return sorted(round(k, -1) for k in sorted(peaks, key=lambda k: -power[k])[:count])


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_any_sampling_rate_becomes_16_khz_at_the_same_pitch(rate):
    sound = load_audio(sound_of(tone(rate=rate), rate, "WAV"))
    assert sound.dtype == np.float32 and abs(len(sound) - 16_000) <= 1
    assert pitches(sound) == [440]
    np.testing.assert_allclose(load_audio(tone(rate=rate), rate=rate), sound, atol=1e-3)


def test_what_lies_above_8_khz_is_gone_and_not_folded_back():
    sound = load_audio(tone(rate=44_100) + tone(12_000, rate=44_100), rate=44_100)
    assert pitches(sound, count=3) == [440]


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", s) for s in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM")]
    + [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("AIFF", "PCM_16"), ("AU", "PCM_16")],
)
def test_every_format_gives_the_same_sound(tmp_path, kind, subtype):
    path = tmp_path / "sound.png"  # the content decides
    path.write_bytes(sound_of(tone(rate=48_000), 48_000, kind, subtype))
    sound = load_audio(path)
    assert pitches(sound) == [440] and abs(len(sound) - 16_000) < 800
    assert np.abs(sound).max() == pytest.approx(0.7, abs=1e-6)
    assert preprocessing.describe(path.read_bytes())[0] == "sound"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.float16, np.float32, np.float64])
def test_arrays_of_any_type_mean_the_same_sound(dtype):
    full = 1.0 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max / (2 if dtype == np.uint8 else 1)
    array = (tone() * full + (128 if dtype == np.uint8 else 0)).astype(dtype)
    np.testing.assert_allclose(load_audio(array), load_audio(tone()), atol=0.02)


def test_channels_are_averaged():
    both = np.stack([tone(440), tone(880)], axis=1)
    for source in (both, sound_of(both, 16_000, "WAV")):
        assert pitches(load_audio(source), count=3) == [440, 880]
    one_sided = np.stack([tone(440), 0 * tone(440)], axis=1)
    np.testing.assert_allclose(load_audio(one_sided), load_audio(tone(440)), atol=1e-6)


@example(gain=1e308, offset=0.4)
@given(gain=st.floats(0.01, 1e300), offset=st.floats(-0.4, 0.4))
@settings(max_examples=30, deadline=None)
def test_neither_loudness_nor_an_offset_matters(gain, offset):
    np.testing.assert_allclose(load_audio(gain * (tone() + offset)), load_audio(tone()), atol=1e-4)


def test_silence_is_trimmed_at_both_ends_and_only_there():
    hush = 1e-4 * np.random.default_rng(0).standard_normal(16_000)
    sound = load_audio(np.concatenate([hush, tone(seconds=0.5), hush[:8000], tone(seconds=0.2), hush]))
    assert len(sound) == pytest.approx(16_000 * (0.5 + 0.5 + 0.2 + 2 * 0.03), abs=2 * 160)
    assert np.abs(sound[:320]).max() < 0.01 < np.abs(sound[480 : 480 + 160 * 2]).max()


@pytest.mark.parametrize(("below", "kept"), [(30, 1.0), (50, 0.53)])
def test_an_end_30_db_lower_is_sound_and_one_50_db_lower_is_silence(below, kept):
    end = tone(seconds=0.5, height=0.5 * 10 ** (-below / 20))
    for sound in (np.concatenate([tone(seconds=0.5), end]), np.concatenate([end, tone(seconds=0.5)])):
        assert len(load_audio(sound)) == pytest.approx(16_000 * kept, abs=160)


def test_a_long_sound_is_cut_after_its_silence_and_decoded_no_further_than_needed(monkeypatch):
    decoded = []

    class Counting(soundfile.SoundFile):
        def read(self, *args, **keywords):
            block = super().read(*args, **keywords)
            decoded.append(len(block))
            return block

    monkeypatch.setattr(preprocessing.audio.soundfile, "SoundFile", Counting)
    minutes = sound_of(np.concatenate([np.zeros(8 * 8000), tone(rate=8000, seconds=600)]), 8000, "FLAC")
    sound = load_audio(minutes, cut=True)
    assert len(sound) == 3 * 16_000 and np.abs(sound[:400]).max() < 0.01 and pitches(sound[480:]) == [440]
    assert sum(decoded) <= 30 * 8000 + 1 and max(decoded) <= 65_536
    assert len(load_audio(np.tile(tone(), 40), cut=True)) == 3 * 16_000
    bang_after = np.concatenate([tone(seconds=30, height=0.003), tone(seconds=1)])
    assert len(load_audio(bang_after, cut=True)) == 3 * 16_000  # what is not looked at sets no threshold
    quiet_first = np.concatenate([tone(seconds=3.5, height=0.05), tone(seconds=1)])
    assert np.abs(load_audio(quiet_first, cut=True)).max() == pytest.approx(0.7)  # of what is kept


def test_sounds_are_padded_with_zeros_and_the_mask_says_where():
    short, long = load_audio(tone(seconds=0.3)), load_audio(tone(seconds=0.5))
    inputs = audio_tensor([short, long])
    assert inputs.values.dtype == torch.float32 and inputs.mask.sum(dim=1).tolist() == [len(short), len(long)]
    assert torch.equal(inputs.values[0, : len(short)], torch.from_numpy(short))
    assert (inputs.values[0, len(short) :] == 0).all() and torch.equal(inputs.values[1], torch.from_numpy(long))
