"""What a dialogue is made of: plain frozen data, that a generator writes and a model, an app and a judge read."""

from dataclasses import dataclass

IMAGE, AUDIO = "<image>", "<audio>"  # one per picture or sound of a turn, at the front of its question
KINDS = ("what_see", "what_hear", "agree", "which_named", "colour", "is_it", "kind", "translate", "first", "decline")
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Turn:
    """One question about what was shown and heard, with the one right answer."""

    question: str  # with its placeholders: "<image><audio>Do they agree?"
    answer: str  # a short fixed sentence; right is who says exactly this
    kind: str  # one of KINDS
    language: str  # one of LANGUAGES
    images: tuple[str, ...]  # keys "thing/style" of the pictures shown in this turn
    clips: tuple[int, ...]  # rows of the speech table heard in this turn
    phrasing: int  # number of the phrasing; those from FIRST_HELD_OUT on are never trained on
    decides: tuple[str, ...]  # the modalities without which it cannot be answered; () where earlier words decide
    asks_about: str  # id of the thing that the answer is about, "" where there is none
    options: tuple[str, ...]  # every possible answer, where these are few: yes and no, colours, kinds; else ()
    form: str = ""  # what is asked about: "image", "audio", "both", "it", or a "word"
    word: str = ""  # id of the thing, or name of the kind, that the question names


@dataclass(frozen=True)
class Dialogue:
    """One to six turns about the pictures and sounds that they show; later turns may ask about earlier ones."""

    turns: tuple[Turn, ...]
