"""Encoders: one modality in, a sequence of tokens out, and one pooled vector."""

from mmlab.encoders.audio import AudioEncoder
from mmlab.encoders.base import Encoder
from mmlab.encoders.image import ImageEncoder
from mmlab.encoders.text import TextEncoder

ENCODERS: dict[str, type[Encoder]] = {"text": TextEncoder, "image": ImageEncoder, "audio": AudioEncoder}

__all__ = ["ENCODERS", "AudioEncoder", "Encoder", "ImageEncoder", "TextEncoder"]
