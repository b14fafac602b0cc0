"""What comes into a FusionLab: things of the data, typed words, uploaded files, each under noise, as vectors."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image

from mmlab.datasets.emoji import LANGUAGES, decode_audio
from mmlab.evaluation.fusion.bank import speckled
from mmlab.evaluation.space import noisy
from mmlab.preprocessing import MAX_SECONDS, SAMPLE_RATE, load_audio, load_image
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.fusion_state import Channel
from mmlab.widgets.points import Shelf

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
REMEMBERED = 256  # readings that are kept


@dataclass(frozen=True)
class Reading:
    """One input as the model met it.

    Shape:   z (dim,) of unit length, plain (dim,) as the projection gave it
    """

    shown: Any  # the words, the PIL picture or the waveform, noise included
    z: Float[np.ndarray, " dim"]
    plain: Float[np.ndarray, " dim"]
    familiarity: float | None


class Reader:
    """Turns channels into vectors, and remembers the latest of them.

    Cost:    one pass of one encoder (some milliseconds) for an input that is not remembered
    Raises:  InputError for a thing that has no such picture or clip, and for words or files that cannot be read
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self.model, self.data = shelf, shelf.model, shelf.data
        self._uploads: dict[tuple[str, str], Any] = {}
        self._kept: dict[tuple[Any, ...], Reading] = {}

    def forms(self, modality: str) -> list[str]:
        """The languages, styles or voices in which things show themselves."""
        if modality == "text":
            return list(LANGUAGES)
        known = self.shelf.pictures if modality == "image" else self.shelf.clips
        return sorted({form for _, form in known})

    def upload(self, modality: str, name: str, data: bytes) -> bool:
        """Keep an uploaded picture or sound under its name; True where a long sound was cut."""
        raw = load_image(data) if modality == "image" else load_audio(data, cut=True)
        self._uploads[modality, name] = raw
        self._kept = {key: reading for key, reading in self._kept.items() if key[:3] != (modality, "upload", name)}
        return modality == "audio" and len(raw) == round(MAX_SECONDS * SAMPLE_RATE)

    def read(self, modality: str, channel: Channel, *, seed: int) -> Reading:
        """The input of a channel under its noise, embedded."""
        key = (modality, channel.kind, channel.value, channel.form, channel.noise, seed)
        if key not in self._kept:
            shown = NOISE[modality](self.raw(modality, channel), channel.noise, seed)
            x, z = self.model.features(**{modality: [shown]})[modality]
            judges = self.model.familiarity
            known = judges[modality].score(x, z).item() if modality in judges else None
            plain = self.model.projections[modality](x)[0].detach().numpy()
            if len(self._kept) >= REMEMBERED:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = Reading(shown, z[0].numpy(), plain, known)
        return self._kept[key]

    def raw(self, modality: str, channel: Channel) -> Any:
        """What the channel names, without noise."""
        if channel.kind == "typed":
            if not channel.value.strip():
                raise InputError("The text is empty: type a word or a name, or switch text off.")
            return channel.value
        if channel.kind == "upload":
            if (modality, channel.value) not in self._uploads:
                raise InputError(
                    f"The file {channel.value!r} is not here any more: upload it again, or choose a thing."
                )
            return self._uploads[modality, channel.value]
        thing = self.data[channel.value]
        if modality == "text":
            return thing.name(channel.form)
        if modality == "image":
            picture = self.data.image(thing.id, channel.form)
            if picture is None:
                raise InputError(f"{thing.name_en} was never drawn in the style {channel.form}: choose another style.")
            return picture
        clip = self.shelf.clip(thing.id, channel.form)
        if clip is None:
            raise InputError(f"{thing.name_en} was never spoken by the voice {channel.form}: choose another voice.")
        return decode_audio(clip)


def garbled(words: str, share: float, seed: int) -> str:
    """The words with a share of their letters replaced by others; more of them, never fewer, as the share grows."""
    luck = np.random.default_rng([seed, MODALITIES.index("text")])
    fate, other = luck.random(len(words)), luck.choice(LETTERS, len(words))
    return "".join(str(o) if f < share and not c.isspace() else c for c, f, o in zip(words, fate, other, strict=True))


def blurred(picture: Image.Image, share: float, seed: int) -> Image.Image:
    """The picture under Gaussian noise that has this share of the power."""
    return speckled(picture, seed=(seed, MODALITIES.index("image")), snr=decibels(share)) if share else picture


def hissing(sound: Float32[np.ndarray, " samples"], share: float, seed: int) -> Float32[np.ndarray, " samples"]:
    """The sound under white noise that has this share of the power."""
    return noisy(sound, seed=(seed, MODALITIES.index("audio")), snr=decibels(share)) if share else sound


NOISE: dict[str, Callable[[Any, float, int], Any]] = {"text": garbled, "image": blurred, "audio": hissing}


def decibels(share: float) -> float:
    """The signal-to-noise ratio at which noise has this share of the power: 0.5 is 0 dB."""
    return 10 * math.log10((1 - share) / share)
