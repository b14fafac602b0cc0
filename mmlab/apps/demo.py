"""A tour of the joint space on drawings and voices that the model never met: what it finds, and what it makes of noise."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import Float32

from mmlab.apps.search import Answer, Search
from mmlab.datasets.emoji import TEST_STYLES, EmojiData, Thing, decode_audio
from mmlab.preprocessing import SAMPLE_RATE, load_audio, load_image
from mmlab.types import InputError

THINGS = ("🐘", "🎸", "🍕", "🚲", "🌋", "🐢")  # chosen by hand, before any model was asked about them
NEAR, FAR = TEST_STYLES["near"], TEST_STYLES["far"]
ENGINES = {"en": "festival", "zh": "espeak"}  # of the voices that were held out, the least like those heard
SHOWN = 5


@dataclass(frozen=True)
class Query:
    """What is asked: a text, a picture, the bytes of a sound (which a page plays as they are); `said` is it in words."""

    said: str
    text: str | None = None
    image: Any = None
    audio: bytes | None = None
    audio_type: str = "audio/ogg"


@dataclass(frozen=True)
class Stop:
    """One question of the tour and its answer; `truth` is the thing that was meant, None where there is none."""

    query: Query
    answer: Answer
    truth: Thing | None

    @property
    def place(self) -> int | None:
        """Where the thing that was meant stands among all, from 1."""
        return None if self.truth is None else self.answer.place(self.truth.id)


@dataclass(frozen=True)
class Part:
    """Some stops under one heading."""

    title: str
    intro: str
    stops: list[Stop]


def draw_things(data: EmojiData, *, seed: int | None = None) -> list[Thing]:
    """Six things for the tour: those chosen by hand, or by chance among those that were trained on, seen and heard."""
    if seed is None:
        return [data[emoji] for emoji in THINGS]
    drawn = set(data.images(NEAR)) & set(data.images(FAR))
    rows = zip(*(data.clips(split="test")[column].to_pylist() for column in ("thing", "language")), strict=True)
    spoken = set(rows)
    able = [t for t in data.split("train") if t.id in drawn and {(t.id, "en"), (t.id, "zh")} <= spoken]
    if len(able) < len(THINGS):
        raise InputError(
            f"The tour needs {len(THINGS)} things with pictures and sounds, found {len(able)}; use other data."
        )
    return [able[i] for i in np.random.default_rng(seed).permutation(len(able))[: len(THINGS)]]


def make_tour(names: Search, pictures: Search, things: Sequence[Thing]) -> list[Part]:
    """The tour. `names` searches what things are called, `pictures` how a team that the model never saw drew them."""
    data = names.data
    one, two, three, four, five, six = things
    count = len(data)
    parts = [
        Part(
            "A word finds a picture",
            f"The words are looked for among {len(pictures):,} pictures by a team whose drawings the model never saw.",
            [_ask(pictures, word(one, "en"), one), _ask(pictures, word(two, "zh"), two)],
        ),
        Part(
            "A picture finds its name",
            f"Two styles that the model never saw, one of them far from all it knows, among {count:,} names.",
            [_ask(names, drawing(data, three, NEAR), three), _ask(names, drawing(data, four, FAR), four)],
        ),
        Part(
            "A spoken word finds its name",
            "Said by synthetic voices that the model never heard, in English and in Chinese.",
            [_ask(names, voice(data, thing, "en"), thing) for thing in (one, five)]
            + [_ask(names, voice(data, thing, "zh"), thing) for thing in (two, six)],
        ),
        Part(
            "Looking and listening at once",
            "A drawing far from all it knows, the word under noise as loud as the voice, and the two added: z = z_i + z_a.",
            [stop for thing in (one, five) for stop in _together(names, thing)],
        ),
    ]
    return [*parts, _strangers(names)] if len(names.model.familiarity) else parts


def word(thing: Thing, language: str) -> Query:
    """A thing's name, written."""
    return Query(f"the word “{thing.name(language)}”", text=thing.name(language))


def drawing(data: EmojiData, thing: Thing, style: str) -> Query:
    """A thing's picture in a style."""
    image = data.image(thing.id, style)
    if image is None:
        raise InputError(f"The data has no picture of {thing.name_en!r} in style {style!r}; choose another thing.")
    return Query(f"a picture of “{thing.name_en}” ({style})", image=image)


def voice(data: EmojiData, thing: Thing, language: str) -> Query:
    """A thing's name, spoken by a voice that was held out."""
    rows = data.clips(thing=thing.id, language=language, split="test").to_pylist()
    rows.sort(key=lambda row: row["engine"] != ENGINES[language])
    if not rows:
        raise InputError(f"The data has no test voice that says {thing.name(language)!r}; choose another thing.")
    row = rows[0]
    return Query(f"the word “{row['text']}”, spoken ({row['engine']}, {row['voice']})", audio=row["audio"]["bytes"])


def under_noise(query: Query, *, seed: int = 0) -> Query:
    """The same sound under white noise of the same power (0 dB)."""
    samples = decode_audio(query.audio)
    noise = np.random.default_rng(seed).standard_normal(len(samples)).astype(np.float32)
    noisy = samples + noise * np.sqrt(np.mean(samples**2) / np.mean(noise**2))
    return Query(f"{query.said}, under noise", audio=wav(noisy / np.abs(noisy).max()), audio_type="audio/wav")


def wav(samples: Float32[np.ndarray, " samples"]) -> bytes:
    """Samples in [-1, 1] at 16 kHz as a 16-bit WAV file, which every browser plays."""
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _ask(search: Search, query: Query, truth: Thing | None) -> Stop:
    answer = search.find(
        text=query.text,
        image=query.image,
        audio=None if query.audio is None else load_audio(query.audio),
        k=len(search),
    )
    return Stop(query, answer, truth)


def _together(names: Search, thing: Thing) -> list[Stop]:
    picture, sound = drawing(names.data, thing, FAR), under_noise(voice(names.data, thing, "en"))
    both = Query("both together", image=picture.image, audio=sound.audio, audio_type=sound.audio_type)
    return [_ask(names, query, thing) for query in (picture, sound, both)]


def _strangers(names: Search) -> Part:
    """Inputs of no known kind: a nearest name exists for them too, and means nothing."""
    stripes = np.indices((64, 64)).sum(axis=0) // 4 % 2 * 255
    hiss = np.random.default_rng(0).uniform(-0.7, 0.7, SAMPLE_RATE).astype(np.float32)
    queries = (
        Query("a text about something else", text="the stock market fell on Tuesday"),
        Query("a pattern of stripes", image=load_image(stripes.astype(np.uint8))),
        Query("a hiss", audio=wav(hiss), audio_type="audio/wav"),
    )
    intro = (
        "A nearest name exists for anything. How familiar an input is says whether to believe it; that can miss, too."
    )
    return Part("What the model does not know", intro, [_ask(names, query, None) for query in queries])
