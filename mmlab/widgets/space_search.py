"""What is looked for on a map: a text, a picture or a sound as a vector, and how familiar it is to the model."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mmlab.models.familiarity import STRANGE
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import describe, load_audio, load_image
from mmlab.preprocessing.files import TODO
from mmlab.preprocessing.limits import PICTURES, SOUNDS, refusal
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.labels import SPACE
from mmlab.widgets.media import spectrogram_png, thumbnail


@dataclass(frozen=True)
class Query:
    """Something that is not a point of the map: its vector, what to call it, how familiar it is (None: not judged)."""

    said: str
    modality: int
    z: Float[np.ndarray, " dim"]
    familiarity: float | None
    picture: bytes | None = None

    @property
    def verdict(self) -> str:
        """The familiarity in words."""
        if self.familiarity is None:
            return ""
        return SPACE["strange" if self.familiarity <= STRANGE else "familiar"].format(score=self.familiarity)


def text_query(model: JointEmbedder, text: str) -> Query:
    """What a reader typed. The model refuses what it cannot read."""
    return _query(model, "text", text.strip(), said=f"“{text.strip()}”")


def file_query(model: JointEmbedder, name: str, data: bytes) -> Query:
    """What a reader uploaded: a picture or a sound, told apart by its bytes.

    Raises:  InputError for anything else, and for what is damaged
    """
    if not data:
        came, todo = "the file is empty (0 bytes)", "copy or download it again"
        raise refusal(name, expected=f"{PICTURES} or {SOUNDS}", came=came, todo=todo)
    kind, phrase = describe(data)
    if kind == "picture":
        picture = load_image(data)
        return _query(model, "image", picture, said=name, picture=thumbnail(picture))
    if kind == "sound":
        samples = load_audio(data, cut=True)
        return _query(model, "audio", samples, said=name, picture=spectrogram_png(samples))
    raise refusal(name, expected=f"{PICTURES} or {SOUNDS}", came=f"this is {phrase}", todo=TODO[kind])


def _query(model: JointEmbedder, modality: str, raw: object, *, said: str, picture: bytes | None = None) -> Query:
    if modality not in model.encoders:
        raise InputError(f"This model reads {', '.join(model.encoders)}, got a {modality}; search by one of these.")
    z, known = model.judge(**{modality: [raw]})[modality]
    score = None if known is None else known.item()
    return Query(said, MODALITIES.index(modality), z[0].cpu().numpy().astype(np.float32), score, picture)
