"""Text, pictures and sounds to tensors: what is taken, within which limits, and one sentence for what is not."""

from mmlab.preprocessing.audio import audio_tensor, load_audio, trim_silence
from mmlab.preprocessing.files import describe, load_many, read_file
from mmlab.preprocessing.fit import IMAGE_SIZE, fit_image
from mmlab.preprocessing.image import image_tensor, load_image
from mmlab.preprocessing.limits import MAX_BYTES, MAX_PIXELS, MAX_SECONDS, MAX_TEXT, MIN_SECONDS, PEAK, SAMPLE_RATE
from mmlab.preprocessing.opened import open_file
from mmlab.preprocessing.text import CLS, PAD, SEP, Tokenizer

__all__ = [
    "CLS",
    "IMAGE_SIZE",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SECONDS",
    "MAX_TEXT",
    "MIN_SECONDS",
    "PAD",
    "PEAK",
    "SAMPLE_RATE",
    "SEP",
    "Tokenizer",
    "audio_tensor",
    "describe",
    "fit_image",
    "image_tensor",
    "load_audio",
    "load_image",
    "load_many",
    "open_file",
    "read_file",
    "trim_silence",
]
