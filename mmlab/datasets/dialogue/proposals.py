"""What may be asked next: for each kind of question its inputs, drawn so that the question gives its answer away never."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from mmlab.datasets.dialogue.draws import Draws
from mmlab.datasets.dialogue.kinds import KINDS as THING_KINDS
from mmlab.datasets.dialogue.phrasings import FORMS
from mmlab.datasets.dialogue.talk import Talk
from mmlab.datasets.dialogue.truth import Shown

Asked = dict[str, Any]
AGAIN = 0.5  # how often a question is about what is there already, where something is
BESIDE, DISTRACTING = 0.2, 0.3  # how often the other modality shows something as well, which the question is not about
COLOURFUL = 0.3  # how often a picture that is shown for its name has a clear colour to ask for later
TRIES = 50


def propose(talk: Talk, kind: str, *, new: bool | None = None, form: str | None = None) -> Asked | None:
    """A question of this kind for `talk.say`, or None where none can be asked now.

    With `new`, it is about inputs of its own; with new=False, about earlier ones, where there are any.
    """
    return PROPOSALS[kind](talk, kind, form, new)


def named(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """what_see, what_hear, kind, is_it, translate: one picture or one sound, and what it is."""
    language = talk.tongue()
    form = talk.rng.choice(FORMS[kind]) if form is None else form
    asked: Asked = {"kind": kind, "form": form, "language": language}
    item = talk.single(form)
    fits = item is not None and not talk.asked(kind, item) and _has_kind(talk, kind, item)
    if fits and (new is False or (new is None and talk.rng.random() < AGAIN)):
        return {**asked, **_word(talk, kind, language, item)}
    modality = form if form != "it" else talk.rng.choice(("image", "audio"))
    inputs = _fresh(talk, kind, language, modality)
    word = _word(talk, kind, language, (*inputs["images"], *inputs["clips"])[0])
    return {**asked, **(inputs if form == "it" else _beside(talk, inputs, language)), **word}


def _has_kind(talk: Talk, kind: str, item: str | int) -> bool:
    return kind not in ("kind", "is_it") or talk.facts.kinds[talk.thing(item)] is not None


def _word(talk: Talk, kind: str, language: str, item: str | int) -> Asked:
    if kind != "is_it":
        return {}
    found = talk.facts.kinds[talk.thing(item)]
    assert found is not None, "only things of a kind are asked about it"
    return {"word": talk.draws.asked_kind(found, language)}


def _fresh(talk: Talk, kind: str, language: str, modality: str) -> Asked:
    """A new picture or clip: of any thing, or of a thing that has a kind."""
    draws = talk.draws
    if modality == "image":
        if not _sorted(kind) and talk.rng.random() < COLOURFUL and not draws.plain:
            picture = draws.coloured("named")
            talk.coloured.add(picture)
        else:
            picture = draws.picture(draws.of_kind(kind) if _sorted(kind) else draws.thing(kind))
        return {"images": [picture], "clips": []}
    voice = talk.voice(language)
    clip = _clip_of_kind(draws, kind, voice) if _sorted(kind) else talk.clip(voice, kind)
    return {"images": [], "clips": [clip]}


def _sorted(kind: str) -> bool:
    return kind in ("kind", "is_it")


def _clip_of_kind(draws: Draws, kind: str, voice: str) -> int:
    draws.said(voice)  # else the search would never end
    while (clip := draws.clip(draws.of_kind(kind, "heard"), voice)) is None:
        pass  # this thing is not said by any voice: the next
    return clip


def _beside(talk: Talk, inputs: Asked, language: str) -> Asked:
    """Now and then something in the other modality: the same thing, or another."""
    draws = talk.draws
    if talk.rng.random() >= (DISTRACTING if draws.distract else BESIDE):
        return inputs
    voice = talk.voice(language)
    thing = talk.thing((*inputs["images"], *inputs["clips"])[0])
    other = draws.beside(thing)
    if inputs["clips"]:
        return {**inputs, "images": [draws.picture(other)]}
    clip = draws.clip(other, voice)
    return inputs if clip is None else {**inputs, "clips": [clip]}


def colour(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """A picture drawn for its colour: new, or shown before for another question."""
    language = talk.tongue()
    asked = {"kind": kind, "form": "image", "language": language}
    item = talk.single("image")
    if not new and item in talk.coloured and not talk.asked(kind, item):
        return asked
    inputs = {"images": [talk.draws.coloured("colour", language)], "clips": []}
    return {**asked, **_beside(talk, inputs, language)}


def agree(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """A picture and a sound, together or one after the other: of one thing, or of two as often."""
    language, draws = talk.tongue(), talk.draws
    voice = talk.voice(language)
    same = draws.coin("agree", language)
    asked = {"kind": kind, "form": "both", "language": language}
    earlier = None if new else talk.single("it")
    if isinstance(earlier, int):  # a sound came last: now a picture
        thing = talk.thing(earlier)
        return {**asked, "images": [draws.picture(thing if same else draws.partner(thing, "agree"))]}
    while True:
        thing = talk.thing(earlier) if earlier is not None else draws.spoken(voice, "agree")
        heard = thing if same else _said_partner(draws, thing, voice)
        clip = draws.clip(heard, voice)
        if clip is not None:
            return {**asked, "images": [] if earlier is not None else [draws.picture(thing)], "clips": [clip]}
        earlier = None  # no voice says what was shown: another picture


def _said_partner(draws: Draws, thing: str, voice: str) -> str:
    for _ in range(TRIES):
        other = draws.partner(thing, "agree")
        if (other, voice) in draws.shown.clips:
            break
    return other


def which_named(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """Two pictures, one of which is named, by words or by a voice."""
    language, draws = talk.tongue(), talk.draws
    form = draws.deal(FORMS[kind], "named by") if form is None else form
    voice = talk.voice(language)
    wanted = draws.spoken(voice, kind) if form == "audio" else draws.thing(kind)
    pair = [draws.picture(wanted), draws.picture(draws.partner(wanted, kind))]
    images = pair if draws.coin(kind, language, form) else pair[::-1]
    asked = {"kind": kind, "form": form, "language": language, "images": images}
    if form == "word":
        return {**asked, "word": wanted}
    return {**asked, "clips": [draws.clip(wanted, voice)]}


def first(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """What came first, when something else came since."""
    forms = FORMS[kind] if form is None else (form,)
    newest = (talk.single("it"), talk.single("image"), talk.single("audio"))
    latest = {talk.thing(item) for item in newest if item is not None}
    fits = []
    for one in forms:
        item = talk.single(one, first=True)
        if item is not None and len(talk.shown.turns) > 1 and latest and talk.thing(item) not in latest:
            fits.append(one)
    if not fits or any(turn.kind == "first" for turn in talk.turns):
        return None
    return {"kind": kind, "form": talk.rng.choice(fits), "language": talk.tongue()}


@cache
def declinable(seen: bool, heard: bool) -> dict[tuple[str, ...], list[tuple[str, str, str]]]:
    """By what they miss, the questions (kind, form) that nothing shown so far decides, and what may come beside them."""
    found: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
    for asked, forms in FORMS.items():
        for form in forms:
            for extra in ("", "image", "audio"):
                there = ([""] * (seen or extra == "image"), [0] * (heard or extra == "audio"))
                if missing := Shown.after((), *there).missing(asked, form):
                    found.setdefault(missing, []).append((asked, form, extra))
    return found


def decline(talk: Talk, kind: str, form: str | None, new: bool | None) -> Asked | None:
    """Any question whose deciding modality never came; the other one may be there, or come with the question."""
    found = declinable(bool(talk.shown.pictures), bool(talk.shown.sounds))
    if not found:
        return None
    language, draws = talk.tongue(), talk.draws
    missing = draws.deal(sorted(found), "missing", *sorted(found))
    asked, one, extra = talk.rng.choice(found[missing])
    inputs: Asked = {"images": [], "clips": []}
    if extra == "image":
        thing = draws.thing("beside")
        pair = [thing, draws.partner(thing, "beside")] if asked == "which_named" else [thing]
        inputs["images"] = [draws.picture(each) for each in pair]
    elif extra == "audio":
        inputs["clips"] = [talk.clip(talk.voice(language), "beside")]
    words = {"is_it": list(THING_KINDS), "which_named": [draws.thing("word")] if one == "word" else [""]}
    word = talk.rng.choice(words.get(asked, [""]))
    return {"kind": asked, "form": one, "language": language, "word": word, **inputs}


PROPOSALS: Mapping[str, Callable[[Talk, str, str | None, bool | None], Asked | None]] = {
    **dict.fromkeys(("what_see", "what_hear", "is_it", "kind", "translate"), named),
    "agree": agree, "which_named": which_named, "colour": colour, "first": first, "decline": decline,
}  # fmt: skip
