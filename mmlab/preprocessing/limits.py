"""What the models and this package take, in one place, and the one form in which the rest is refused."""

import re
from typing import Final

from mmlab.types import InputError

SAMPLE_RATE: Final = 16_000  # Hz, of every sound after loading
MAX_SECONDS: Final = 3.0  # of a sound without the silence at its ends
MIN_SECONDS: Final = 0.05  # shorter than any syllable: nothing to hear
LOOK_SECONDS: Final = 30.0  # a sound is decoded no further than this, however long the file is
RATES: Final = (4_000, 384_000)  # Hz; slower holds no speech, faster is a broken header
PEAK: Final = 0.7  # of every sound after loading; full scale is 1
SILENCE_DB: Final = -60.0  # below full scale; a sound whose peak lies lower is silence
MAX_TEXT: Final = 64  # tokens, [CLS] and [SEP] included
MAX_PIXELS: Final = 50_000_000
MAX_BYTES: Final = 50_000_000  # of a file, picture or sound
CUT_BYTES: Final = 1_000_000_000  # of a sound of which only the beginning is kept
PICTURES: Final = "a picture (PNG, JPEG, WebP, GIF, BMP or TIFF)"
SOUNDS: Final = "a sound (WAV, FLAC, Ogg, Opus, MP3 or AIFF)"


def refusal(name: str, *, expected: str, came: str, todo: str) -> InputError:
    """The sentence for an input that cannot be used: which one, what was expected, what came, what to do."""
    shown = name if name.isprintable() else repr(name)  # a path may hold line ends, which would break the sentence
    shown = shown if len(shown) <= 300 else f"{shown[:200]}…{shown[-90:]}"
    return InputError(f"{shown}: expected {expected}, but {came}; {todo}.")


def reason(error: Exception) -> str:
    """What another library said, fit to stand inside a sentence."""
    said = re.sub(r"Error : |(Error opening )?<[^>]* object at 0x[0-9a-f]+>:? ?", "", " ".join(str(error).split()))
    return said.strip().rstrip(".").replace(". ", ": ") or type(error).__name__
