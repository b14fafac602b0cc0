"""The pictures and sounds of a conversation: their bytes, what these decode to, and what a page shows of them."""

import os
from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmlab.apps.demo import wav
from mmlab.models.familiarity import STRANGE
from mmlab.preprocessing import MAX_BYTES, load_audio, load_image, read_file
from mmlab.types import InputError

THUMBNAIL = 96  # pixels
PLAYED = {b"OggS": "ogg", b"RIFF": "wav", b"fLaC": "flac", b"ID3": "mp3"}  # what every browser plays, by first bytes
WORDS = {"image": "picture", "audio": "sound"}


@dataclass(frozen=True, eq=False)
class Medium:
    """One picture or sound. `raw` is what `data`, the bytes of a file, decodes to, so that saving changes nothing.

    `familiarity` is None where the model cannot judge it; `soft` is what the chat model made of it, computed once.
    """

    modality: str
    data: bytes
    name: str
    raw: Any
    familiarity: float | None = None
    soft: Any = field(default=None, repr=False)

    @property
    def strange(self) -> bool:
        """Whether it is unlike anything that the model learned."""
        return self.familiarity is not None and self.familiarity <= STRANGE

    @property
    def suffix(self) -> str:
        """The ending of a file with these bytes."""
        if self.modality == "audio":
            return f".{next((kind for start, kind in PLAYED.items() if self.data.startswith(start)), 'bin')}"
        return f".{(Image.open(BytesIO(self.data)).format or 'bin').lower()}"

    def uri(self) -> str:
        """A small picture, or a sound that a browser plays, as a data URI."""
        if self.modality == "image":
            small, file = self.raw.copy(), BytesIO()
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            small.save(file, "WEBP", quality=90)
            return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
        known = next((kind for start, kind in PLAYED.items() if self.data.startswith(start)), None)
        data, kind = (self.data, known) if known else (wav(self.raw), "wav")
        return f"data:audio/{kind};base64,{b64encode(data).decode()}"


def open_image(source: Any, *, name: str = "") -> Medium:
    """A picture from a path, the bytes of a file, a PIL picture or an array.

    Raises:  InputError for what is none, such as a sound
    """
    if isinstance(source, Image.Image) or (isinstance(source, np.ndarray) and source.ndim > 1):
        file = BytesIO()
        load_image(source).save(file, "PNG")
        source = file.getvalue()
    data = _bytes(source, modality="image")
    name = name or _name(source, modality="image")
    return Medium("image", data, name, load_image(data if isinstance(source, bytes) else source))


def open_sound(source: Any, *, name: str = "", cut: bool = False) -> Medium:
    """A sound from a path, the bytes of a file or an array at 16 kHz; `cut` keeps the first seconds of a longer one.

    Raises:  InputError for what is none, such as a picture
    """
    if isinstance(source, np.ndarray) and source.ndim <= 2:
        source = wav(load_audio(source, cut=cut))
    elif (
        cut and isinstance(source, str | os.PathLike) and os.path.isfile(source) and os.path.getsize(source) > MAX_BYTES
    ):
        name, source = name or Path(source).name, wav(load_audio(source, cut=True))  # of a large file, what is kept
    data = _bytes(source, modality="audio")
    name = name or _name(source, modality="audio")
    return Medium("audio", data, name, load_audio(data if isinstance(source, bytes) else source, cut=cut))


def several(given: Any) -> list[Any]:
    """What was given as one input or a list of them, as a list."""
    return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]


def _bytes(source: Any, *, modality: str) -> bytes:
    """The bytes of a file; other values are refused, and so is the other modality as a value."""
    word = WORDS[modality]
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | os.PathLike):
        return read_file(source, expected=f"a {word}")
    came = {Image.Image: "a picture", np.ndarray: "an array"}
    phrase = next(
        (said for kind, said in came.items() if isinstance(source, kind)), f"a value of type {type(source).__name__}"
    )
    other = "image" if modality == "audio" else "audio"
    hint = f"; pass it as {other}=" if isinstance(source, Image.Image | np.ndarray) else "; give a file or its bytes"
    raise InputError(f"Expected a {word}, got {phrase}{hint}.")


def _name(source: Any, *, modality: str) -> str:
    return WORDS[modality] if isinstance(source, bytes) else Path(source).name
