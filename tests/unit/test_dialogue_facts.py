"""Colours as measured, kinds as named, phrasings as written, and questions on chosen inputs."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mmlab.datasets.dialogue import (
    FORMS,
    KINDS,
    LANGUAGES,
    Facts,
    all_texts,
    dialogues,
    phrasings,
    question,
    turns,
    whole_names,
)
from mmlab.datasets.dialogue.answers import CHOSEN, named
from mmlab.datasets.dialogue.colours import COLOURS, colour_of
from mmlab.datasets.dialogue.kinds import KINDS as THING_KINDS
from mmlab.datasets.dialogue.kinds import NEITHER, kind_of
from mmlab.datasets.dialogue.phrasings import BOOKS, COUNT, HELD_OUT, TRAINED, numbers, phrase
from mmlab.datasets.emoji import EmojiData
from mmlab.models.language import own_tokenizer
from mmlab.types import InputError

PURE = {
    "red": (221, 46, 68), "orange": (244, 144, 12), "yellow": (255, 204, 77), "green": (119, 178, 85),
    "blue": (85, 172, 238), "purple": (146, 102, 204), "pink": (255, 170, 200), "brown": (120, 72, 40), "black": (20, 20, 22),
    "grey": (150, 150, 150),
}  # fmt: skip


def disc(fill: object, *, outline: object = None, width: int = 1) -> Image.Image:
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).ellipse((6, 6, 57, 57), fill=fill, outline=outline, width=width)
    return picture


@pytest.mark.parametrize("name", COLOURS)
def test_a_disc_has_its_colour_with_an_outline_too(name: str) -> None:
    assert colour_of(disc(PURE[name])) == name
    assert colour_of(disc(PURE[name], outline="black", width=2)) == name


def test_what_has_no_clear_colour_has_none() -> None:
    two = disc(PURE["red"])
    ImageDraw.Draw(two).rectangle((32, 0, 64, 64), fill=PURE["blue"])
    for picture in (two, disc("white", outline="black", width=2), disc("white", outline=PURE["red"], width=8)):
        assert colour_of(picture) is None
    assert colour_of(Image.new("RGB", (64, 64), "white")) is None
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert colour_of(Image.fromarray(noise)) is None


def test_white_inside_is_drawn_and_white_around_is_not() -> None:
    """A thin red patch on a large white body is not red, and on white ground it is."""
    body = disc("white", outline="black", width=3)
    ImageDraw.Draw(body).rectangle((18, 18, 45, 45), fill=PURE["red"])
    alone = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(alone).rectangle((18, 18, 45, 45), fill=PURE["red"])
    assert (colour_of(body), colour_of(alone)) == (None, "red")
    ImageDraw.Draw(alone).rectangle((0, 0, 63, 63), outline="black")  # a frame makes the ground part of the drawing
    assert colour_of(alone) is None


def test_pictures_whose_names_say_a_colour_have_it(data: EmojiData) -> None:
    """Noto's squares, circles and hearts: names and pixels were made by different people."""
    facts, found = Facts.of(data), {}
    for thing in data.things:
        first, _, rest = thing.name_en.partition(" ")
        if first in COLOURS and rest in ("square", "circle", "heart"):
            found[thing.name_en] = (facts.colour(f"{thing.id}/noto"), first)
    assert len(found) >= 20
    wrong = {name: pair[0] for name, pair in found.items() if pair[0] not in (pair[1], None)}
    assert len(wrong) <= 1, wrong


def test_kinds_hold_what_they_say(data: EmojiData) -> None:
    assert set(NEITHER) <= {thing.name_en for thing in data.things}
    subgroups = {thing.subgroup for thing in data.things}
    assert {sub for kind in THING_KINDS.values() for sub in kind.subgroups} <= subgroups | {
        "face-costume",
        "face-glasses",
    }
    for name, kind in {"dog": "animal", "banana": "fruit", "violin": "musical instrument", "hammer": "tool"}.items():
        assert kind_of(data[name]) == kind
    assert kind_of(data["horizontal traffic light"]) is None
    named = [kind_of(thing) for thing in data.split("train")]
    assert len(set(named) - {None}) == len(THING_KINDS) and named.count(None) < 0.2 * len(named)
    assert len({kind.zh for kind in THING_KINDS.values()}) == len(THING_KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_has_as_many_phrasings_all_different(language: str) -> None:
    for kind, forms in FORMS.items():
        for form in forms:
            cores = BOOKS[language].CORES
            assert len(cores.get(f"{kind}.{form}", cores.get(kind, ()))) == TRAINED + HELD_OUT
            said = [phrase(kind, form, language, number, word="X") for number in range(COUNT)]
            assert len(set(said)) == COUNT
            assert not {text.lower() for text in said[: phrasings.FIRST_HELD_OUT]} & {
                text.lower() for text in said[phrasings.FIRST_HELD_OUT :]
            }


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_kinds_never_share_a_question(language: str) -> None:
    owner: dict[str, tuple[str, str]] = {}
    for kind, forms in FORMS.items():
        for form in forms:
            for number in range(COUNT):
                text = phrase(kind, form, language, number, word="X")
                assert owner.setdefault(text, (kind, form)) == (kind, form), text


def test_texts_cover_what_is_said(data: EmojiData) -> None:
    every = list(all_texts(data))
    signs = set("".join(every))
    asked = turns(dialogues(data, split="test_near", count=300, seed=0))
    verdicts = tuple(verdict for both in CHOSEN.values() for verdict in both)
    for answer in {turn.answer for turn in asked} - set(every):  # a ground and a verdict, each of which is there
        verdict = next(one for one in verdicts if answer.endswith(one))
        assert {verdict, answer.removesuffix(verdict).strip()} <= set(every), answer
    assert set("".join(turn.question for turn in asked)) - signs <= set("<>")
    held = [phrase("what_see", "image", "en", number) for number in numbers("held_out")]
    assert not set(held) & set(every)


def test_names_of_things_and_kinds_are_never_cut(data: EmojiData) -> None:
    """Two names are then alike where one token is: of scraps, a small decoder compared some only."""
    names = whole_names(data)
    assert len(names) == len(set(names)) and {"dog", "狗", "musical instrument", "交通工具"} <= set(names)
    tokenizer = own_tokenizer(["Kind: animal. So no."], vocab=300, whole=names)
    for language in LANGUAGES:
        for kind in THING_KINDS.values():
            words = (
                phrase("is_it", "it", language, 0, word=kind.word(language)),
                named("kind", language, kind.name(language)),
            )
            assert all(kind.name(language) in tokenizer.tokenize(said) for said in words), words


def test_a_question_on_chosen_inputs(data: EmojiData) -> None:
    facts = Facts.of(data)
    dog, cat = data["dog"].id, data["cat"].id
    bark = next(at for at, row in enumerate(facts.speech) if row["thing"] == dog and row["language"] == "en")
    both = {"images": [f"{dog}/noto", f"{cat}/noto"], "language": "en"}
    asked = {"kind": "which_named", "word": cat}
    assert question(data, **asked, **both).answer == "You name: cat. Picture two."
    heard = question(data, kind="which_named", form="audio", clips=[bark], **both)
    assert (heard.answer, heard.options[1]) == ("I hear: dog. Picture one.", "I hear: dog. Picture two.")
    seen = question(data, kind="what_see", language="zh", images=[f"{dog}/noto"])
    assert (seen.answer, seen.decides) == (f"我看到：{data['dog'].name_zh}。", ("image",))
    after = question(data, kind="translate", form="it", language="zh", earlier=[seen])
    assert (after.answer, after.decides, after.images) == ("英语是：dog。", (), ())
    agree = question(data, kind="agree", language="en", clips=[bark], earlier=[seen])
    assert agree.answer == "Yes, they agree."
    no = question(data, kind="is_it", form="image", word="fruit", language="en", images=[f"{dog}/noto"])
    assert (no.answer, no.options) == ("Kind: animal. So no.", ("Kind: fruit. So yes.", "Kind: animal. So no."))
    yes = question(data, kind="is_it", form="image", word="animal", language="zh", images=[f"{dog}/noto"])
    assert (yes.answer, yes.options[1]) == ("类别：动物。所以是。", "类别：植物。所以不是。")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_what_decides_it_declines(data: EmojiData, language: str) -> None:
    dog, clip = data["dog"].id, 0
    cannot = {
        ("image",): ("I cannot see a picture.", "我看不到图片。"),
        ("audio",): ("I cannot hear a sound.", "我听不到声音。"),
        ("image", "audio"): ("I cannot see or hear anything.", "我看不到也听不到任何东西。"),
    }
    for kind, forms in FORMS.items():
        for form in forms:
            word = {"is_it": "fruit", "which_named": dog}.get(kind, "")
            for images, clips in (((), ()), (("1f415/noto",), ()), ((), (clip,))):
                asked = dict(kind=kind, form=form, word=word, language=language, images=images, clips=clips)
                needs = {"image": {"image"}, "audio": {"audio"}, "word": {"image"}, "both": {"image", "audio"}}
                need = {"image", "audio"} if (kind, form) == ("which_named", "audio") else needs.get(form, set())
                lacks = need - ({"image"} if images else set())
                lacks -= {"audio"} if clips else set()
                if form == "it" and not images and not clips:
                    lacks = {"image", "audio"}
                if lacks:
                    turn = question(data, **asked)
                    key = tuple(name for name in ("image", "audio") if name in lacks)
                    assert (turn.kind, turn.decides) == ("decline", key)
                    assert turn.answer == cannot[key][language == "zh"]
                elif kind not in ("which_named", "kind", "is_it", "colour"):
                    assert question(data, **asked).kind == kind


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "colour", "images": ["1f393/emojione_line"]}, "none is clear"),
        ({"kind": "kind", "images": ["1f480/noto"]}, "has none here"),
        ({"kind": "what_see", "images": ["1f415/noto", "1f408/noto"]}, "came together"),
        ({"kind": "which_named", "word": "1f415", "images": ["1f415/noto"]}, "one is named"),
        ({"kind": "what_see", "images": ["1f415/crayon"]}, "No picture"),
        ({"kind": "what_hear", "clips": [10**6]}, "No clip"),
        ({"kind": "what_see", "form": "audio"}, "kinds and forms are"),
        ({"kind": "what_see", "phrasing": 1000}, "number from 0"),
    ],
)
def test_refusals(data: EmojiData, wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        question(data, language="en", **wrong)


def test_kinds_are_those_of_the_plan() -> None:
    assert (*FORMS, "decline") == KINDS
