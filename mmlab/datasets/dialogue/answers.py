"""The one right answer to each question: short fixed sentences.

Where two things have to be compared, the answer says first what is compared, and then the verdict: "Kind: fruit. So no."
A small decoder that had to say the verdict at once stayed at chance; one that may say the ground aloud compares words that
stand before it.
"""

from collections.abc import Collection, Mapping

from mmlab.datasets.dialogue.colours import COLOURS
from mmlab.datasets.dialogue.kinds import KINDS
from mmlab.datasets.dialogue.types import AUDIO, IMAGE

NAMED: Mapping[tuple[str, str], str] = {  # answers that hold a name
    ("what_see", "en"): "I see: {}.",
    ("what_see", "zh"): "我看到：{}。",
    ("what_hear", "en"): "I hear: {}.",
    ("what_hear", "zh"): "我听到：{}。",
    ("translate", "en"): "In Chinese: {}.",
    ("translate", "zh"): "英语是：{}。",
    ("first", "en"): "First came: {}.",
    ("first", "zh"): "第一个是：{}。",
    ("kind", "en"): "Kind: {}.",
    ("kind", "zh"): "类别：{}。",
    ("colour", "en"): "It is {}.",
    ("colour", "zh"): "它是{}的。",
    ("which_named", "en"): "You name: {}.",
    ("which_named", "zh"): "你说的是：{}。",
}
CHOSEN: Mapping[tuple[str, str], tuple[str, str]] = {  # yes or no; the first or the second: after the ground, if any
    ("agree", "en"): ("Yes, they agree.", "No, they do not agree."),
    ("agree", "zh"): ("是的，它们一致。", "不，它们不一致。"),
    ("is_it", "en"): ("So yes.", "So no."),
    ("is_it", "zh"): ("所以是。", "所以不是。"),
    ("which_named", "en"): ("Picture one.", "Picture two."),
    ("which_named", "zh"): ("第一张图。", "第二张图。"),
}
MISSING: Mapping[str, Mapping[frozenset[str], str]] = {
    "en": {
        frozenset({"image"}): "I cannot see a picture.",
        frozenset({"audio"}): "I cannot hear a sound.",
        frozenset({"image", "audio"}): "I cannot see or hear anything.",
    },
    "zh": {
        frozenset({"image"}): "我看不到图片。",
        frozenset({"audio"}): "我听不到声音。",
        frozenset({"image", "audio"}): "我看不到也听不到任何东西。",
    },
}
PLACES = {"image": IMAGE, "audio": AUDIO}


def named(kind: str, language: str, name: str) -> str:
    """The answer that holds a name: of a thing, a kind or a colour, in the language it is said in."""
    return NAMED[kind, language].format(name)


def verdicts(kind: str, language: str, ground: str = "") -> tuple[str, str]:
    """The two answers to a question of two: what they rest on, if it is said, and the verdict."""
    space = " " if ground and language == "en" else ""
    first, second = (f"{ground}{space}{verdict}" for verdict in CHOSEN[kind, language])
    return first, second


def follows(answer: str, language: str, word: str) -> bool | None:
    """Whether the verdict of an answer to "Is it a `word`?" follows from the kind that it says; None where it says none."""
    for kind in KINDS.values():
        yes, no = verdicts("is_it", language, named("kind", language, kind.name(language)))
        if answer in (yes, no):
            return (answer == yes) == (kind.en == word)
    return None


def decline(language: str, missing: Collection[str]) -> str:
    """What is said where the picture, the sound, or any of them is missing."""
    return MISSING[language][frozenset(missing)]


def options(kind: str, language: str) -> tuple[str, ...]:
    """Every answer to questions of this kind, where they are few whatever is asked about."""
    if kind == "agree":
        return verdicts(kind, language)
    if kind == "colour":
        return tuple(named(kind, language, en if language == "en" else zh) for en, zh in COLOURS.items())
    if kind == "kind":
        return tuple(named(kind, language, one.name(language)) for one in KINDS.values())
    return tuple(MISSING[language].values()) if kind == "decline" else ()
