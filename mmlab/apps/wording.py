"""What a question may look like, which language it is in, and what is said about an input that is a stranger."""

import unicodedata

from mmlab.preprocessing.text import halved
from mmlab.types import InputError

LONGEST = 400  # characters of a question; those that the course's model learned have fewer than a hundred
LOANS = "éñ"  # accents that English keeps in loan words: café, piñata
PLACEHOLDERS = {"<image>": "picture", "<audio>": "sound"}  # what the model itself writes in their place
STRANGERS = {
    ("image", "en"): "This picture is unlike anything I learned, so I leave it out.",
    ("image", "zh"): "这张图片和我学过的都不一样，所以我不看它。",
    ("audio", "en"): "This sound is unlike anything I learned, so I leave it out.",
    ("audio", "zh"): "这段声音和我学过的都不一样，所以我不听它。",
}
TWO = {  # of two pictures that come together
    "en": "One of these pictures is unlike anything I learned, so I leave both out.",
    "zh": "这两张图片中有一张和我学过的都不一样，所以两张我都不看。",
}
GUESSES = {
    ("image", "en"): "This picture is unlike anything I learned: what I say about it is a guess.",
    ("image", "zh"): "这张图片和我学过的都不一样，我说的只是猜测。",
    ("audio", "en"): "This sound is unlike anything I learned: what I say about it is a guess.",
    ("audio", "zh"): "这段声音和我学过的都不一样，我说的只是猜测。",
}


def check_question(text: str) -> str:
    """The question with its white space in order.

    The check of the language is a check of letters: a French sentence without accents passes for English, and gets an
    answer that means nothing.

    Raises:  InputError for what is no Unicode text, has no words, is too long, in a third language, or holds a placeholder
    """
    if halved(text):
        raise InputError("A question is Unicode text, but this one holds half a character; read it again as UTF-8.")
    text = " ".join(text.split())
    if not any(sign.isalnum() for sign in text):
        raise InputError(f"A question has words, got {text[:20]!r}; ask something in English or Chinese.")
    if len(text) > LONGEST:
        raise InputError(f"A question has at most {LONGEST} characters, got {len(text):,}; ask one thing at a time.")
    if foreign := _foreign(text):
        raise InputError(
            f"A question is in English or Chinese, but {foreign!r} belongs to neither; ask in one of the two."
        )
    if found := next((mark for mark in PLACEHOLDERS if mark in text), None):
        word = PLACEHOLDERS[found]
        raise InputError(
            f"A question has only words, but this one has {found}; leave it out and give the {word} itself."
        )
    return text


def language_of(text: str, *, otherwise: str = "en") -> str:
    """ "zh" or "en", by whether Chinese characters or English words are more; `otherwise` where there are neither."""
    characters = sum(_is_han(sign) for sign in text)
    words = sum(any(map(str.isalpha, word)) for word in "".join(" " if _is_han(s) else s for s in text).split())
    return otherwise if characters == words == 0 else ("zh" if characters >= words else "en")


def notice(strange: tuple[str, ...], *, language: str, trusted: bool, pictures: int = 1) -> str:
    """What is said first of the modalities whose input is a stranger; nothing where there is none."""
    said = dict(GUESSES if trusted else STRANGERS)
    if pictures > 1 and not trusted:
        said["image", language] = TWO[language]
    return ("" if language == "zh" else " ").join(said[modality, language] for modality in strange)


def _is_han(sign: str) -> bool:
    return "\u3400" <= sign <= "\u9fff" or "\uf900" <= sign <= "\ufaff" or "\U00020000" <= sign <= "\U0003ffff"


def _foreign(text: str) -> str | None:
    """The first letter that is neither plain Latin nor Chinese, or a mark that only Spanish has."""
    for sign in unicodedata.normalize("NFKC", text):
        known = sign.isascii() or _is_han(sign) or sign.lower() in LOANS or not sign.isalpha()
        if not known or sign in "¿¡":
            return sign
    return None
