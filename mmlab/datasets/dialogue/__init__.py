"""Dialogues about what the data shows and says: questions in two languages with one right answer each.

Facts (names, kinds, measured colours) give the truth, phrasings the words, and a seed what is asked of whom. The
right answer follows from what was shown in the dialogue; where the deciding picture or sound never came, it is to say
so. Nothing can be read off the question alone beyond the rates of `majority_rates`.
"""

from mmlab.datasets.dialogue.balance import majority_rates, turns
from mmlab.datasets.dialogue.facts import Facts
from mmlab.datasets.dialogue.generate import about, dialogues
from mmlab.datasets.dialogue.phrasings import FIRST_HELD_OUT, FORMS
from mmlab.datasets.dialogue.texts import all_texts, whole_names
from mmlab.datasets.dialogue.truth import question
from mmlab.datasets.dialogue.types import AUDIO, IMAGE, KINDS, LANGUAGES, Dialogue, Turn

__all__ = [
    "AUDIO",
    "FIRST_HELD_OUT",
    "FORMS",
    "IMAGE",
    "KINDS",
    "LANGUAGES",
    "Dialogue",
    "Facts",
    "Turn",
    "about",
    "all_texts",
    "dialogues",
    "majority_rates",
    "question",
    "turns",
    "whole_names",
]
