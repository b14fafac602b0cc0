"""Every string that a dialogue can hold, for the tokenizer of a language model that learns from them."""

from collections.abc import Iterator

from mmlab.datasets.dialogue.answers import CHOSEN, named, options
from mmlab.datasets.dialogue.facts import Facts
from mmlab.datasets.dialogue.kinds import KINDS as THING_KINDS
from mmlab.datasets.dialogue.phrasings import FORMS, numbers, phrase
from mmlab.datasets.dialogue.truth import OTHER
from mmlab.datasets.dialogue.types import KINDS, LANGUAGES
from mmlab.datasets.emoji import EmojiData, Thing


def all_texts(data: EmojiData) -> Iterator[str]:
    """The questions in trained phrasings, without placeholders, and all answers, about things of the training families.

    Words that stand in many questions (names, kinds) come once, not once with each phrasing.
    """
    for language in LANGUAGES:
        for kind, forms in FORMS.items():
            for form in forms:
                yield from (phrase(kind, form, language, number) for number in numbers("train"))
        for one in THING_KINDS.values():
            yield phrase("is_it", "it", language, 0, word=one.word(language))
        for kind in KINDS:
            yield from CHOSEN.get((kind, language), options(kind, language))
    for thing in Facts.of(data).things.values():
        if thing.split == "train":
            yield from about_thing(thing)


def whole_names(data: EmojiData) -> list[str]:
    """What one copies or compares as a whole: the names of all things and kinds, each once."""
    names = [thing.name(language) for thing in data.things for language in LANGUAGES]
    return sorted({*names, *(kind.name(language) for kind in THING_KINDS.values() for language in LANGUAGES)})


def about_thing(thing: Thing) -> Iterator[str]:
    """The answers that hold its name, and a question that does."""
    for language in LANGUAGES:
        for kind in ("what_see", "what_hear", "which_named", "first"):
            yield named(kind, language, thing.name(language))
        yield named("translate", language, thing.name(OTHER[language]))
        yield phrase("which_named", "word", language, 0, word=thing.name(language))
