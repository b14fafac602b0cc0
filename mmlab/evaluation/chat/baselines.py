"""What can be had without looking or listening: the commonest answer, and the best guess from the words alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np

from mmlab.datasets.dialogue import AUDIO, IMAGE, Dialogue, Turn, turns

WORD = re.compile(r"[^\W\u4e00-\u9fff]+|[\u4e00-\u9fff]")
NAME = re.compile(r"[:：] ?(.+?)[.。]")  # in an answer
GAP = "{}"
SMOOTH = 0.1


def words(question: str) -> list[str]:
    """English words, Chinese characters and their pairs."""
    found = WORD.findall(without_marks(question).lower())
    return [*found, *(a + b for a, b in pairwise(found) if len(a) == len(b) == 1)]


def without_marks(question: str) -> str:
    """Without what stands for a picture or a sound."""
    return question.replace(IMAGE, " ").replace(AUDIO, " ")


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
    """The best guess from the words of the question, fitted on training dialogues: what is asked for, then the answer.

    A name that the question holds is copied into the answer: who says yes to every "Is it a fruit?" is right half of the
    time.
    """

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        every = turns(dialogues)
        self.kind = Words([turn.question for turn in every], [(turn.kind, turn.language) for turn in every])
        self.answers: dict[Hashable, Words] = {}
        self.copying: dict[Hashable, str] = {}
        names = {found[1] for turn in every if (found := NAME.search(turn.answer))}
        self.names = sorted(names, key=lambda name: (-len(name), name))
        for key in self.kind.labels:
            some = [turn for turn in every if (turn.kind, turn.language) == key]
            self.answers[key] = Words([turn.question for turn in some], [turn.answer for turn in some])
            if gaps := Counter(gap for turn in some if (gap := with_gap(turn))):
                self.copying[key] = gaps.most_common(1)[0][0]

    def answer(self, asked: Sequence[Turn]) -> list[str]:
        return [self._guess(turn.question) for turn in asked]

    def _guess(self, question: str) -> str:
        key = self.kind.guess(question)
        if key in self.copying and (name := next((n for n in self.names if n in without_marks(question)), "")):
            return self.copying[key].replace(GAP, name)
        return str(self.answers[key].guess(question))


def with_gap(turn: Turn) -> str:
    """The answer with a gap in the place of a name, where it repeats one of the question; else nothing."""
    found = NAME.search(turn.answer)
    return turn.answer.replace(found[1], GAP, 1) if found and found[1] in without_marks(turn.question) else ""
