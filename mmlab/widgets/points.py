"""What a map shows: vectors, what each stands for, and where its picture and its sound come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from mmlab.apps.gallery import read_gallery
from mmlab.datasets.emoji import LANGUAGES, TEST_STYLES, EmojiData, decode_audio
from mmlab.evaluation.space import encode_sounds
from mmlab.models.joint import SHIPPED, JointEmbedder, load_shipped
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.maps import unit
from mmlab.widgets.shipped_map import VOICE, read_map

DEFAULT = (("text", "en"), ("image", TEST_STYLES["near"]), ("audio", VOICE))
NOTHING: Callable[[int], None] = lambda index: None  # noqa: E731


@dataclass(frozen=True)
class Points:
    """Vectors and what is known of each; `items` says which of them are the same thing in several modalities.

    Shape:   vectors (n, dim) of unit length, items (n,) positions in `names`, modalities (n,) positions in MODALITIES,
             or 3 for anything else; each of `columns` n words
    """

    vectors: Float[np.ndarray, "n dim"]
    items: Int[np.ndarray, " n"]
    modalities: Int[np.ndarray, " n"]
    names: Sequence[tuple[str, str]]
    columns: dict[str, list[str]] = field(default_factory=dict)
    picture: Callable[[int], bytes | None] = NOTHING
    sound: Callable[[int], bytes | None] = NOTHING
    given: Float[np.ndarray, "n 2"] | None = None  # places that are not to be projected: vectors of two dimensions

    def __len__(self) -> int:
        return len(self.vectors)

    def of(self, modality: int) -> Bool[np.ndarray, " n"]:
        """Which points are of this modality."""
        return self.modalities == modality

    @property
    def present(self) -> list[int]:
        """The modalities that occur, in their order."""
        return sorted(set(self.modalities.tolist()))

    def name(self, index: int) -> str:
        """Both names of a point's thing, or the one it has."""
        return " · ".join(filter(None, self.names[self.items[index]]))

    @cached_property
    def labels(self) -> list[str]:
        """What each item is called."""
        return [" · ".join(filter(None, pair)) for pair in self.names]


def modality_name(modality: int) -> str:
    """The word for a modality's number."""
    return MODALITIES[modality] if modality < len(MODALITIES) else "other"


class Shelf:
    """The shipped data as points, form by form: names in a language, pictures of a style, clips of a voice.

    Nothing is embedded twice; what is costly comes from `data/maps` where that was made of this model and these data.
    """

    def __init__(self, model: JointEmbedder | None = None, data: EmojiData | None = None) -> None:
        self.model = load_shipped() if model is None else model
        self.data = EmojiData.load() if data is None else data
        self._kept: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}

    @cached_property
    def pictures(self) -> dict[tuple[str, str], int]:
        """(thing, style) -> row of the picture table."""
        table = self.data.image_table
        pairs = zip(table["thing"].to_pylist(), table["style"].to_pylist(), strict=True)
        return {pair: row for row, pair in enumerate(pairs)}

    @cached_property
    def clips(self) -> dict[tuple[str, str], int]:
        """(thing, voice) -> row of the speech table."""
        table = self.data.speech_table
        pairs = zip(table["thing"].to_pylist(), table["voice"].to_pylist(), strict=True)
        return {pair: row for row, pair in enumerate(pairs)}

    @cached_property
    def stored(self) -> dict[str, np.ndarray]:
        """What `mmlab eval map` made of this model and these data; empty where it was made of others."""
        return read_map(self.model, self.data) or {}

    def picture(self, thing: str, style: str) -> bytes | None:
        """The bytes of a picture, None where that team never drew the thing."""
        row = self.pictures.get((thing, style))
        return None if row is None else self.data.image_table["image"][row].as_py()["bytes"]

    def clip(self, thing: str, voice: str) -> bytes | None:
        """The bytes of a clip, None where this voice never said the thing's name."""
        row = self.clips.get((thing, voice))
        return None if row is None else self.data.speech_table["audio"][row].as_py()["bytes"]

    def vectors(self, modality: str, form: str) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """Positions in `data.things`, and the unit vectors, of one form of one modality."""
        key = (modality, form)
        if key not in self._kept:
            rows, z = self._embed(modality, form)
            self._kept[key] = np.asarray(rows), unit(np.asarray(z))
        return self._kept[key]

    def _embed(self, modality: str, form: str) -> tuple[Any, Any]:
        data, model = self.data, self.model
        everything = range(len(data))
        if modality == "text" and form in LANGUAGES:
            return everything, model.encode(text=[thing.name(form) for thing in data.things])["text"]
        if modality == "image":
            if form == TEST_STYLES["near"] and (kept := read_gallery(model, data, SHIPPED).get("image")) is not None:
                here = kept.norm(dim=-1) > 0
                return here.nonzero().flatten().numpy(), kept[here].numpy()
            drawn = data.images(form)
            rows = [i for i in everything if data.things[i].id in drawn]
            return rows, model.encode(image=[drawn[data.things[i].id] for i in rows])["image"]
        if modality == "audio" and (clips := data.clips(voice=form)).num_rows:
            if form == VOICE and "audio" in self.stored:
                return self.stored["audio_rows"], self.stored["audio"]
            rows = [data.index[thing] for thing in clips["thing"].to_pylist()]
            waves = [decode_audio(clip.as_py()["bytes"]) for clip in clips["audio"]]
            return rows, encode_sounds(model, waves)
        raise InputError(
            f"A map shows text in {' or '.join(LANGUAGES)}, pictures of a style and clips of a voice, got "
            f"{modality!r} in {form!r}; name one of the data's own."
        )

    def points(self, forms: Sequence[tuple[str, str]] = DEFAULT) -> Points:
        """The points of several forms, one form after the other."""
        if not forms:
            raise InputError(
                "A map shows at least one kind of points, got none; choose one, such as the English names."
            )
        parts = [self.vectors(*form) for form in forms]
        items = np.concatenate([rows for rows, _ in parts])
        which = np.repeat(np.arange(len(forms)), [len(rows) for rows, _ in parts])
        things, kinds = self.data.things, [forms[i] for i in which]
        style = next((form for modality, form in forms if modality == "image"), TEST_STYLES["near"])
        languages = self._languages(forms)
        columns = {
            "modality": [modality for modality, _ in kinds],
            "kind": [things[i].group for i in items],
            "style": [form if modality == "image" else modality for modality, form in kinds],
            "language": [languages[i] for i in which],
            "id": [things[i].id for i in items],
        }

        def picture(index: int) -> bytes | None:
            modality, form = kinds[index]
            return self.picture(things[items[index]].id, form if modality == "image" else style)

        def sound(index: int) -> bytes | None:
            modality, form = kinds[index]
            return self.clip(things[items[index]].id, form if modality == "audio" else VOICE)

        return Points(
            vectors=np.concatenate([z for _, z in parts]),
            items=items,
            modalities=np.array([MODALITIES.index(modality) for modality, _ in kinds]),
            names=[(thing.name_en, thing.name_zh) for thing in things],
            columns=columns,
            picture=picture,
            sound=sound,
        )

    def _languages(self, forms: Sequence[tuple[str, str]]) -> list[str]:
        """The language of each form; pictures have none."""
        spoken = lambda voice: self.data.clips(voice=voice)["language"][0].as_py()  # noqa: E731
        found = {"text": lambda form: form, "image": lambda form: "none", "audio": spoken}
        return [found[modality](form) for modality, form in forms]


def shipped_points(model: JointEmbedder | None = None, data: EmojiData | None = None) -> Points:
    """The English names, Twemoji pictures and one unheard voice of all things: 4,338 points, in this order."""
    return Shelf(model, data).points()
