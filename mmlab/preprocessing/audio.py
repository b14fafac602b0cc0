"""Sounds of any kind to mono 16 kHz without silence at the ends, and to tensors."""

import math
import os
from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
import soundfile
import torch
from jaxtyping import Float, Float32
from scipy.signal import resample_poly

from mmlab.preprocessing import limits
from mmlab.preprocessing.files import check_bytes, read_file, unreadable
from mmlab.preprocessing.limits import CUT_BYTES, LOOK_SECONDS, MAX_BYTES, MAX_SECONDS, SAMPLE_RATE, SOUNDS, refusal
from mmlab.types import InputError, Inputs

BLOCK: Final = 65_536  # values decoded at a time
# Named, because libsndfile would otherwise take files without a clear signature (HTK, MAT4, ...) for sounds.
FORMATS: Final = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF")
LONGEST: Final = round(MAX_SECONDS * SAMPLE_RATE)


def load_audio(
    source: str | os.PathLike[str] | bytes | np.ndarray, *, rate: int | None = None, cut: bool = False
) -> Float32[np.ndarray, " samples"]:
    """One sound: mean of its channels, 16 kHz, offset removed, silence at both ends trimmed, peak 0.7.

    Takes a path, the bytes of a file, or an array (samples,) or (samples, channels) of integers or floats, sampled at
    `rate` Hz (16,000 unless given). With `cut=True` a longer sound gives its first MAX_SECONDS; no more than the first
    LOOK_SECONDS of a file are decoded.

    Shape:   (samples,), at most MAX_SECONDS * 16000
    Raises:  InputError, one sentence, for what is no sound, a damaged one, silence, too long or too short
    """
    if isinstance(source, np.ndarray):
        name, rate = f"array {source.shape}", SAMPLE_RATE if rate is None else rate
        _check_rate(rate, name=name)
        samples, whole = _from_array(source, rate=rate, name=name)
    elif rate is not None:
        raise InputError(f"A sound file states its own rate, but rate={rate} came with one; give it with arrays only.")
    else:
        most = CUT_BYTES if cut else MAX_BYTES
        if isinstance(source, bytes):
            name, data = f"these {len(source)} bytes", source
            check_bytes(data, name=name, expected=SOUNDS, most=most)
        else:
            name, data = str(source), read_file(source, expected=SOUNDS, most=most)
        samples, rate, whole = _decode(data, name=name)
    if not (cut or whole):
        raise _too_long(name, f"more than {LOOK_SECONDS:g} s")
    samples = _clean(samples, rate=rate, name=name)
    if len(samples) > LONGEST and not cut:
        raise _too_long(name, f"{len(samples) / SAMPLE_RATE:.1f} s without the silence at its ends")
    samples = samples[:LONGEST]
    return (samples * (limits.PEAK / np.abs(samples).max())).astype(np.float32)


def audio_tensor(sounds: Sequence[Float32[np.ndarray, " _"]]) -> Inputs:
    """Sounds that `load_audio` made, padded with zeros at the end.

    Shape:   n arrays (samples,) -> values (n, longest) float32, mask (n, longest)
    Units:   16 kHz
    Raises:  InputError for no sound, an empty one, or one longer than MAX_SECONDS
    """
    if len(sounds) == 0:
        raise InputError("Expected at least one sound, got an empty list; leave the sounds out altogether.")
    for index, sound in enumerate(sounds):
        if not 0 < len(sound) <= LONGEST:
            expected = f"1 to {LONGEST} samples ({MAX_SECONDS:g} s at 16 kHz)"
            todo = "load it with load_audio(..., cut=True)"
            raise refusal(f"sound {index} of the list", expected=expected, came=f"it has {len(sound)}", todo=todo)
    rows = [torch.from_numpy(np.ascontiguousarray(sound)) for sound in sounds]
    values = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return Inputs(values, torch.arange(values.shape[1]) < lengths[:, None])


def trim_silence(
    samples: Float[np.ndarray, " samples"], *, below_db: float = -40.0, margin: float = 0.03
) -> Float[np.ndarray, " kept"]:
    """Cut off what is silent at both ends: frames of 10 ms whose energy lies 40 dB or more below the loudest one's.

    Units:   16 kHz; `below_db` in dB; `margin` in s, kept on either side
    """
    frame = SAMPLE_RATE // 100
    energy = np.add.reduceat(np.square(samples, dtype=np.float64), np.arange(0, len(samples), frame))
    loud = np.flatnonzero(energy >= energy.max() * 10 ** (below_db / 10))
    keep = round(margin * SAMPLE_RATE)
    return samples[max(0, loud[0] * frame - keep) : (loud[-1] + 1) * frame + keep]


def _check_rate(rate: int, *, name: str) -> None:
    low, high = limits.RATES
    if not low <= rate <= high:
        expected = f"a sampling rate of {low} to {high} Hz"
        raise refusal(name, expected=expected, came=f"its rate is {rate} Hz", todo="save it again at 16000 Hz")


class _Bytes(BytesIO):
    """Bytes for libsndfile, which on a damaged file may seek to before its beginning: it then stays where it is."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:  # raised inside libsndfile's callback, it would be printed and lost
            return self.tell()


def _decode(data: bytes, *, name: str) -> tuple[np.ndarray, int, bool]:
    """The mean of the channels of the first LOOK_SECONDS, block by block; the rate; whether that was all there is."""
    try:
        with soundfile.SoundFile(_Bytes(data)) as file:
            if file.format not in FORMATS:
                raise ValueError(f"format {file.format}")
            rate, blocks, left = file.samplerate, [np.zeros(0)], round(LOOK_SECONDS * file.samplerate)
            _check_rate(rate, name=name)
            rows = max(1, BLOCK // file.channels)
            while left > 0 and len(block := file.read(min(left, rows), always_2d=True)) > 0:
                blocks.append(block.mean(axis=1))
                left -= len(block)
            return np.concatenate(blocks), rate, left > 0 or len(file.read(1)) == 0
    except InputError:
        raise
    except Exception as error:  # decoders raise anything on hostile bytes
        raise unreadable(name, data, kind="sound", expected=SOUNDS, error=error) from None


def _from_array(array: np.ndarray, *, rate: int, name: str) -> tuple[np.ndarray, bool]:
    """The same for an array: integers by their full scale, floats as they are."""
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 0 < array.shape[1] <= min(64, len(array))):
        expected = "a sound as (samples,) or (samples, channels)"
        raise refusal(name, expected=expected, came="its axes are others", todo="transpose or flatten it")
    look = round(LOOK_SECONDS * rate)
    kept = array[:look]
    if array.dtype == np.uint8:
        values = kept / 128.0 - 1.0
    elif np.issubdtype(array.dtype, np.signedinteger):
        values = kept / -float(np.iinfo(array.dtype).min)
    elif np.issubdtype(array.dtype, np.floating):
        values = kept.astype(np.float64)
    else:
        expected = "floats in [-1, 1], signed integers or uint8"
        raise refusal(name, expected=expected, came=f"its values are {array.dtype}", todo="convert them")
    return (values.mean(axis=1) if values.ndim == 2 else values), len(array) <= look


def _clean(samples: np.ndarray, *, rate: int, name: str) -> np.ndarray:
    """Offset removed, 16 kHz, trimmed; what has nothing to hear is refused here."""
    if len(samples) < limits.MIN_SECONDS * rate:
        came = f"it lasts {len(samples) / rate:.3g} s ({len(samples)} samples)"
        expected = f"a sound of at least {limits.MIN_SECONDS:g} s"
        raise refusal(name, expected=expected, came=came, todo="record or export it again")
    if (bad := int(np.count_nonzero(~np.isfinite(samples)))) > 0:
        came = f"{bad} of {len(samples)} are NaN or infinite"
        raise refusal(name, expected="finite samples", came=came, todo="export it again as 16-bit WAV")
    samples = samples / max(1.0, np.abs(samples).max())  # float files may exceed full scale, by any factor
    samples = samples - samples.mean()
    if rate != SAMPLE_RATE:
        shared = math.gcd(rate, SAMPLE_RATE)
        samples = resample_poly(samples, SAMPLE_RATE // shared, rate // shared)
    if np.abs(samples).max() < 10 ** (limits.SILENCE_DB / 20):
        expected = f"a sound that somewhere exceeds {limits.SILENCE_DB:g} dB of full scale"
        came = f"its first {len(samples) / SAMPLE_RATE:.3g} s are silent"
        raise refusal(name, expected=expected, came=came, todo="check the microphone, or cut the silence off")
    return trim_silence(samples)


def _too_long(name: str, length: str) -> InputError:
    todo = f"cut it, or keep its first {MAX_SECONDS:g} s with load_audio(..., cut=True), with --cut in a command"
    return refusal(name, expected=f"a sound of at most {MAX_SECONDS:g} s", came=f"it lasts {length}", todo=todo)
