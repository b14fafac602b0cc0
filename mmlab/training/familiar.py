"""What a joint model should call familiar: learned and calibrated on the data, test styles and voices left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from mmlab.datasets.emoji import LANGUAGES, TRAIN_STYLES, VALIDATION_STYLES, EmojiData, decode_audio
from mmlab.encoders import Encoder
from mmlab.models.familiarity import Familiarity
from mmlab.models.joint import JointEmbedder
from mmlab.models.manner import MANNERS, Manner, PictureManner, SoundManner
from mmlab.training.outsiders import outsiders
from mmlab.types import MODALITIES

OUTSIDERS, SEED, CHUNK = 3000, 0, 128
SEEN = {"styles": TRAIN_STYLES, "voices": ("train",)}
UNSEEN = {"styles": VALIDATION_STYLES, "voices": ("validation",)}


def fit_familiarity(model: JointEmbedder, data: EmojiData) -> dict[str, Familiarity]:
    """One `Familiarity` per modality: learned on training things, calibrated on the zero-shot things.

    The zero-shot things are new to the model, in styles and voices that it knows: an input no stranger than these is
    called familiar. The manner of pictures and sounds is learned from the training styles and voices and calibrated on
    those of validation. Test styles and voices have no part in any of it.
    """
    learned, held = known_inputs(data, split="train"), known_inputs(data, split="zero_shot")
    names = model.encode(text=[thing.name(language) for language in LANGUAGES for thing in data.things])["text"]
    gallery = normalize(names.view(len(LANGUAGES), len(data), -1).mean(0), dim=-1)
    parts = {}
    for name in MODALITIES:
        x, z = model.features(**{name: learned[name]})[name]
        held_x, held_z = model.features(**{name: held[name]})[name]
        manner = name if name in MANNERS else None
        part = Familiarity(x.shape[1], out=z.shape[1], items=len(gallery), manner=manner)
        found = {} if part.manner is None else fit_manner(part.manner, model.encoders[name], data, held[name])
        parts[name] = part.fit(x, gallery=gallery, held_x=held_x, held_z=held_z, **found)
    return parts


def fit_manner(manner: Manner, encoder: Encoder, data: EmojiData, held: Sequence[Any]) -> dict[str, Tensor]:
    """Fit a manner on what was seen; the strangeness of the held-out inputs, and of unseen styles or voices."""
    name = encoder.modality
    known = statistics(manner, encoder, known_inputs(data, split="train", **SEEN)[name])
    match manner:
        case PictureManner():
            drawings = [np.asarray(picture) for picture in data.images(TRAIN_STYLES[0]).values()]
            strangers = statistics(manner, encoder, outsiders(OUTSIDERS, seed=SEED, drawings=drawings))
            manner.fit(known, strangers, generator=torch.Generator().manual_seed(SEED))
        case SoundManner():
            manner.fit(known)
    unseen = [raw for split in ("train", "zero_shot") for raw in known_inputs(data, split=split, **UNSEEN)[name]]
    return {
        f"{which}_strangeness": manner.strangeness(statistics(manner, encoder, raw))
        for which, raw in (("held", held), ("unseen", unseen))
    }


def statistics(manner: Manner, encoder: Encoder, raw: Sequence[Any]) -> Float[Tensor, "n stats"]:
    """The manner's statistics of raw inputs."""
    parts = (encoder.preprocess(raw[i : i + CHUNK]) for i in range(0, len(raw), CHUNK))
    return torch.cat([manner.statistics(part) for part in parts])


def known_inputs(
    data: EmojiData,
    *,
    split: str,
    styles: Sequence[str] = TRAIN_STYLES + VALIDATION_STYLES,
    voices: Sequence[str] = ("train", "validation"),
) -> dict[str, list]:
    """Names, pictures and clips of the things of a split, in styles and voices that may be trained on."""
    ids = {thing.id for thing in data.split(split)}
    rows = data.clips(split=voices).to_pylist()
    return {
        "text": [t.name(language) for t in data.split(split) for language in LANGUAGES],
        "image": [picture for style in styles for key, picture in data.images(style).items() if key in ids],
        "audio": [decode_audio(row["audio"]["bytes"]) for row in rows if row["thing"] in ids],
    }
