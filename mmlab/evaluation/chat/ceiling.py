"""The ceiling: what somebody would answer who reads the encoders' top answer, and makes no mistake after that.

The top answer for a picture or a sound is the nearest name in the joint space, in the language of the answer, among
the things of the training families (no other name is ever an answer). From there on:

- what_see, what_hear, translate, first: right where that name is the right one;
- kind, is_it: right where the kind of that thing is the right one (the answer to "is it ...?" says it, too);
- agree: "yes" where the top answers to picture and sound are one;
- which_named: the picture that lies nearer to the name, or to the sound, whose name has to be right as well;
- colour: always right, for colours are measured, not embedded; decline: always right.

A model may pass it: it may weigh what the encoders give more finely than by their top answer.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmlab.datasets.dialogue import Facts, Turn
from mmlab.datasets.dialogue.truth import OTHER
from mmlab.evaluation.chat.asked import Asked
from mmlab.evaluation.chat.play import Senses


class Reader:
    """Reads the top answers of the encoders that a chat model stands on."""

    def __init__(self, senses: Senses) -> None:
        self.senses, self.facts = senses, senses.facts
        self.things = [thing.id for thing in senses.facts.things.values() if thing.split == "train"]
        self._names: dict[str, Tensor] = {}

    def names(self, language: str) -> Tensor:
        """The vectors of the names that may be answers."""
        if language not in self._names:
            texts = [self.facts.name(thing, language) for thing in self.things]
            self._names[language] = self.senses.chat.joint.encode(text=texts)["text"].cpu()
        return self._names[language]

    def z(self, item: str | int) -> Tensor:
        return (self.senses.seen[item] if isinstance(item, str) else self.senses.heard[item]).z.cpu()

    def top(self, item: str | int, language: str) -> str:
        """The thing whose name lies nearest to a picture or a clip."""
        return self.things[int((self.names(language) @ self.z(item)).argmax())]

    def right(self, asked: Asked) -> bool:
        """Whether such a reader answers this question rightly."""
        turn = asked.turn
        if turn.kind in ("colour", "decline"):
            return True
        if turn.kind == "agree":
            seen, heard = (self.top(item, turn.language) for item in (turn.images[0], turn.clips[0]))
            return (seen == heard) == (self.facts.seen(turn.images[0]) == self.facts.heard(turn.clips[0]))
        if turn.kind == "which_named":
            return self._which(turn)
        thing = self.top(
            subject(self.facts, asked), OTHER[turn.language] if turn.kind == "translate" else turn.language
        )
        if turn.kind in ("kind", "is_it"):
            return self.facts.kinds[thing] == self.facts.kinds[turn.asks_about]
        return thing == turn.asks_about

    def _which(self, turn: Turn) -> bool:
        if turn.form == "audio":
            wanted = self.z(turn.clips[0])
        else:
            wanted = self.names(turn.language)[self.things.index(turn.word)]
        one, two = (float(self.z(key) @ wanted) for key in turn.images)
        named = turn.form == "word" or self.top(turn.clips[0], turn.language) == turn.asks_about
        return named and (one > two) == (self.facts.seen(turn.images[0]) == turn.asks_about)

    def cosines(self, turns: Sequence[Turn]) -> Tensor:
        """How near picture and sound lie, for the questions whether they agree."""
        return torch.stack([self.z(turn.images[0]) @ self.z(turn.clips[0]) for turn in turns])


def subject(facts: Facts, asked: Asked) -> str | int:
    """The picture or clip that the question is about: the latest of its thing, for "first" the first."""
    found = [item for turn in asked.dialogue.turns for item in (*turn.images, *turn.clips)]
    found = [i for i in found if (facts.seen(i) if isinstance(i, str) else facts.heard(i)) == asked.turn.asks_about]
    wanted = {"image": str, "audio": int}.get(asked.turn.form)
    if wanted is not None:
        found = [item for item in found if isinstance(item, wanted)]
    return found[0 if asked.turn.kind == "first" else -1]


def best_threshold(cosines: Tensor, same: Tensor) -> float:
    """The accuracy of "they agree" above the best of all thresholds: it has seen the answers, so none does better."""
    order = cosines.argsort()
    below = (~same[order]).long().cumsum(0)
    above = same.sum() - same[order].long().cumsum(0)
    right = torch.cat([same.sum()[None], below + above])
    return right.max().item() / len(same)
