"""How a question may be put: several ways per kind and language, some of which are never trained on.

A phrasing has a number. It names a core ("What do you see?"), an opening ("Hello. ") or a hasty hand ("what do you see"),
and how the thing asked about is spoken of ("the thing in the picture"). Those below FIRST_HELD_OUT combine the first
TRAINED cores with the trained manners; the others hold a core or a manner that training never uses.
"""

from collections.abc import Callable, Mapping

from mmlab.datasets.dialogue import phrasings_en, phrasings_zh
from mmlab.datasets.dialogue.types import LANGUAGES
from mmlab.types import InputError

TRAINED, HELD_OUT = 20, 4  # cores of each form and language
ALIKE = 14  # held-out phrasings in a row that speak of the thing alike; their questions are those of every chat so far
FORMS: Mapping[str, tuple[str, ...]] = {  # what each kind may ask about: the picture, the sound, both, or just "it"
    "what_see": ("image",),
    "what_hear": ("audio",),
    "agree": ("both",),
    "which_named": ("word", "audio"),  # named in the question, or by the sound
    "colour": ("image",),
    "is_it": ("image", "audio", "it"),
    "kind": ("image", "audio", "it"),
    "translate": ("image", "audio", "it"),
    "first": ("it", "image", "audio"),
}
BOOKS = {"en": phrasings_en, "zh": phrasings_zh}


def hasty(text: str) -> str:
    """As somebody types who is in a hurry: small letters, no mark at the end."""
    return text.rstrip("?.？。").lower()


def opened(opening: str) -> Callable[[str], str]:
    """The question after an opening; after a comma or a colon it goes on in small letters."""

    def put(text: str) -> str:
        goes_on = opening.endswith((", ", ": ")) and not text.startswith("I ")
        return opening + (text[0].lower() + text[1:] if goes_on else text)

    return put


def _manners(language: str) -> tuple[list[Callable[[str], str]], list[Callable[[str], str]]]:
    """The trained ways to put a core, and those held out."""
    book = BOOKS[language]
    return [str, hasty, *map(opened, book.OPENINGS)], [*map(opened, book.HELD_OUT_OPENINGS)]


MANNERS = {language: _manners(language) for language in LANGUAGES}
FIRST_HELD_OUT = TRAINED * len(MANNERS["en"][0])
COUNT = FIRST_HELD_OUT + HELD_OUT * sum(map(len, MANNERS["en"]))


def numbers(phrasings: str) -> range:
    """The numbers of the phrasings that are trained on ("train") or never ("held_out")."""
    if phrasings not in ("train", "held_out"):
        raise InputError(f'Phrasings are "train" or "held_out", got {phrasings!r}; ask for one of these.')
    return range(FIRST_HELD_OUT) if phrasings == "train" else range(FIRST_HELD_OUT, COUNT)


def phrase(kind: str, form: str, language: str, number: int, *, word: str = "") -> str:
    """The words of a question; `word` is the thing or kind that it names.

    Raises:  InputError for a form that this kind does not have, or a number that is no phrasing's
    """
    if kind not in FORMS or form not in FORMS[kind] or language not in BOOKS:
        known = "; ".join(f"{name}: {', '.join(forms)}" for name, forms in FORMS.items())
        raise InputError(f"No question {kind!r} about {form!r} in {language!r}; kinds and forms are {known}.")
    if not 0 <= number < COUNT:
        raise InputError(f"A phrasing has a number from 0 to {COUNT - 1}, got {number}; choose one of these.")
    book = BOOKS[language]
    known, new = MANNERS[language]
    if number < FIRST_HELD_OUT:
        core, manner, about = number % TRAINED, known[number // TRAINED], number // TRAINED
    else:
        at = number - FIRST_HELD_OUT
        core, manner, about = TRAINED + at % HELD_OUT, (known + new)[at // HELD_OUT], at // ALIKE
    subjects = book.SUBJECTS.get(form, ("",))
    subject = subjects[about % len(subjects)]
    cores = book.CORES[f"{kind}.{form}"] if f"{kind}.{form}" in book.CORES else book.CORES[kind]
    text = cores[core].format(it=subject, word=word)
    return manner(text[0].upper() + text[1:])
