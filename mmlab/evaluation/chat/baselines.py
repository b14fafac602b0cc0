"""What can be had without looking or listening: the commonest answer, and the best guess from the words alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np

from mmlab.datasets.dialogue import AUDIO, IMAGE, Dialogue, Turn, turns

WORD = re.compile(r"[^\W\u4e00-\u9fff]+|[\u4e00-\u9fff]")
SMOOTH = 0.1


def words(question: str) -> list[str]:
    """English words, Chinese characters and their pairs; not what stands for a picture or a sound."""
    found = WORD.findall(question.replace(IMAGE, " ").replace(AUDIO, " ").lower())
    return [*found, *(a + b for a, b in pairwise(found) if len(a) == len(b) == 1)]


class Majority:
    """Gives the commonest answer of training to questions of the same kind and language."""

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for turn in turns(dialogues):
            counts[turn.kind, turn.language][turn.answer] += 1
        self.commonest = {key: found.most_common(1)[0][0] for key, found in counts.items()}

    def answer(self, asked: Sequence[Turn]) -> list[str]:
        return [self.commonest.get((turn.kind, turn.language), "") for turn in asked]


class Words:
    r"""Naive Bayes: what a text is, from the words that it holds.

    $$\hat y = \arg\max_y\; \log N_y + \sum_{w \in q} \log \frac{N_{yw} + s}{N_y + 2 s}$$

    with N_y the texts that are y, and N_yw those of them that hold the word w.
    """

    def __init__(self, texts: Sequence[str], labels: Sequence[Hashable]) -> None:
        self.labels = list(dict.fromkeys(labels))
        held = [set(words(text)) for text in texts]
        self.vocabulary = {word: at for at, word in enumerate(sorted(set().union(*held)))}
        place = {label: at for at, label in enumerate(self.labels)}
        counts = np.zeros((len(self.labels), len(self.vocabulary)), dtype=np.float32)
        for own, label in zip(held, labels, strict=True):
            counts[place[label], [self.vocabulary[word] for word in own]] += 1
        total = np.bincount([place[label] for label in labels], minlength=len(self.labels))
        self.prior = np.log(total)
        self.likely = np.log((counts + SMOOTH) / (total[:, None] + 2 * SMOOTH))

    def guess(self, text: str) -> Hashable:
        known = sorted({self.vocabulary[word] for word in words(text) if word in self.vocabulary})  # a sum in one order
        return self.labels[int((self.prior + self.likely[:, known].sum(axis=1)).argmax())]


class QuestionOnly:
    """The best guess from the words of the question, fitted on training dialogues: what is asked for, then the answer."""

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        every = turns(dialogues)
        self.kind = Words([turn.question for turn in every], [(turn.kind, turn.language) for turn in every])
        self.answers: dict[Hashable, Words] = {}
        for key in self.kind.labels:
            some = [turn for turn in every if (turn.kind, turn.language) == key]
            self.answers[key] = Words([turn.question for turn in some], [turn.answer for turn in some])

    def answer(self, asked: Sequence[Turn]) -> list[str]:
        return [str(self.answers[self.kind.guess(turn.question)].guess(turn.question)) for turn in asked]
