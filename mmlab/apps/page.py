"""The tour as one HTML file: pictures and sounds inside it, no script, nothing fetched from anywhere."""

import os
from base64 import b64encode
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

from mmlab.apps.demo import NEAR, SHOWN, Part, Query, Stop
from mmlab.apps.search import Hit
from mmlab.datasets.emoji import EmojiData
from mmlab.types import InputError

TEMPLATE = Path(__file__).with_name("demo.html")
MARK = b"<!-- made by mmlab demo -->"  # stands near the top of every page of ours, and says that it may be replaced
READING = (
    "Each answer lists the nearest five of {count:,} things; by chance the right one comes first once in {count:,} times. "
    "The bar is the cosine between question and answer. The model learned drawings and synthetic voices: of a photograph "
    "or a person's voice it knows nothing."
)
INTRO = (
    "One small model, trained on two cores, maps a text, a picture and a sound to points of one space in which like lies "
    "near like. Here it is asked about drawings and voices that it never met."
)
CREDITS = (
    'Pictures: <a href="https://github.com/jdecked/twemoji">Twemoji</a>, © Twitter, Inc and other contributors, '
    '<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>; <a href="https://openmoji.org">OpenMoji</a>, '
    '<a href="https://creativecommons.org/licenses/by-sa/4.0/">CC BY-SA 4.0</a>; both reduced to 64 × 64 pixels. '
    "Voices: espeak-ng, flite, festival. Names: Unicode CLDR. The dataset's folder holds the whole licences."
)


def check_out(path: Path) -> None:
    """An InputError where a page must not or cannot go: a file that is not a page of ours is never overwritten."""
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; give the name of a file in it with --out.")
    if not path.parent.is_dir():
        raise InputError(f"{path}: its folder does not exist; make it first, or choose another with --out.")
    if path.exists():
        with path.open("rb") as file:
            if MARK not in file.read(200):
                raise InputError(
                    f"{path}: this file is not a page of `mmlab demo`, so it stays; choose another with --out."
                )


def write_page(path: Path, parts: list[Part], data: EmojiData) -> None:
    """Write the page; a page of ours that is already there is replaced."""
    check_out(path)
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        intro=INTRO,
        reading=READING.format(count=len(data)),
        parts="\n".join(_part(part, data) for part in parts),
        credits=CREDITS,
    )
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(page, encoding="utf-8")
    os.replace(scratch, path)


def verdict(stop: Stop) -> str:
    """One sentence on how an answer stands."""
    strange = " and ".join(stop.answer.strange)
    if stop.truth is None:
        known = ", ".join(f"{score:.2f}" for score in stop.answer.familiarity.values())
        found = (
            "unlike anything the model learned: do not believe the names" if strange else "taken for something known"
        )
        return f"Familiarity {known}: {found}."
    right = f"{stop.truth.name_en} {stop.truth.name_zh}"
    stands = {None: "is not among them", 1: "comes first"}.get(stop.place, f"comes at place {stop.place or 0:,}")
    doubt = f" The {strange} is unlike anything the model learned." if strange else ""
    return f"The right answer, {right}, {stands}.{doubt}"


def _part(part: Part, data: EmojiData) -> str:
    stops = "\n".join(_stop(stop, data) for stop in part.stops)
    return f"<section>\n<h2>{escape(part.title)}</h2>\n<p>{escape(part.intro)}</p>\n{stops}\n</section>"


def _stop(stop: Stop, data: EmojiData) -> str:
    hits = "".join(_hit(hit, data, right=hit.thing == stop.truth) for hit in stop.answer.hits[:SHOWN])
    good = stop.place == 1 if stop.truth else bool(stop.answer.strange)
    sign, kind = ("✓", "good") if good else ("✗", "bad")
    return (
        f'<div class="stop">{_query(stop.query)}<ol aria-label="Nearest things, best first">{hits}</ol>'
        f'<p class="verdict {kind}"><span aria-hidden="true">{sign}</span> {escape(verdict(stop))}</p></div>'
    )


def _query(query: Query) -> str:
    shown = ""
    if query.text is not None:
        language = "en" if query.text.isascii() else "zh"
        shown += f'<div class="word" lang="{language}">{escape(query.text)}</div>'
    if query.image is not None:
        shown += f'<img src="{_picture(query.image)}" alt="{escape(query.said)}">'
    if query.audio is not None:
        source = f"data:{query.audio_type};base64,{b64encode(query.audio).decode()}"
        shown += f'<audio controls preload="metadata" src="{source}" aria-label="{escape(query.said)}"></audio>'
    return f'<div class="query">{shown}<p class="said">{escape(query.said)}</p></div>'


def _hit(hit: Hit, data: EmojiData, *, right: bool) -> str:
    thing, image = hit.thing, data.image(hit.thing.id, NEAR)
    picture = "" if image is None else f'<img src="{_picture(image)}" alt="{escape(thing.emoji)}">'
    width = round(100 * max(0.0, hit.score))
    bar = f'<div class="bar" aria-hidden="true"><span style="width: {width}%"></span></div>{hit.score:.2f}'
    mark = ' <span class="good">✓</span>' if right else ""
    names = f'{escape(thing.name_en)}{mark} <span lang="zh">{escape(thing.name_zh)}</span>'
    score = f'<div class="score">{bar}</div>'
    return f'<li class="hit{" right" if right else ""}">{picture}<div class="names">{names}</div>{score}</li>'


def _picture(image: Any) -> str:
    file = BytesIO()
    image.save(file, "WEBP", lossless=True)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
