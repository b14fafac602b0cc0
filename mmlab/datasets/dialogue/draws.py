"""Draws that stay balanced: decks that are used up before they are shuffled anew, and coins that land alike often."""

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

from mmlab.datasets.dialogue.facts import Shown
from mmlab.datasets.emoji import Thing
from mmlab.types import InputError

Item = TypeVar("Item")
RAISE = 0.5  # kinds are drawn by their size to this power: small ones more often than they would come by chance


class Draws:
    """Everything random of one set of dialogues, from one seed."""

    def __init__(self, shown: Shown, *, seed: object, engine: str | None = None, distract: bool = False) -> None:
        self.shown, self.facts, self.distract = shown, shown.facts, distract
        self.rng = random.Random(f"dialogues {shown.split} {engine} {seed}")
        self.engine = engine
        self._decks: dict[Hashable, list] = {}
        self._coins: dict[Hashable, list[bool]] = defaultdict(list)
        self._owed: dict[Hashable, list[str]] = defaultdict(list)
        self._drawn = list(shown.pictures)
        self._said: dict[str, list[str]] = defaultdict(list)
        for thing, language in shown.clips:
            if thing in shown.pictures and self.clip(thing, language) is not None:
                self._said[language].append(thing)
        self._subgroups: dict[str, list[str]] = defaultdict(list)
        for thing in self._drawn:
            self._subgroups[shown.facts.things[thing].subgroup].append(thing)

    def coin(self, *key: Hashable) -> bool:
        """True and False equally often for each key: of two throws in a row, one is each."""
        left = self._coins[key]
        if not left:
            left.extend([True, False] if self.rng.random() < 0.5 else [False, True])
        return left.pop()

    def deal(self, items: Sequence[Item], *key: Hashable) -> Item:
        """The next of the items in a random order; every one comes before any comes again."""
        deck = self._decks.setdefault(key, [])
        if not deck:
            deck.extend(items)
            self.rng.shuffle(deck)
        return deck.pop()

    def thing(self, *key: Hashable) -> str:
        return self.deal(self._drawn, "thing", *key)

    def said(self, language: str) -> list[str]:
        """The things that have a picture, and that some voice of this split and engine says in the language."""
        if not self._said.get(language):
            asked = "" if self.engine is None else f" by the engine {self.engine!r}"
            raise InputError(f"This split has no clip in {language!r}{asked}; choose another engine or language.")
        return self._said[language]

    def spoken(self, language: str, *key: Hashable) -> str:
        return self.deal(self.said(language), "spoken", language, *key)

    def of_kind(self, *key: Hashable) -> str:
        """A thing that is of some kind, kinds by the root of their size."""
        by_kind = self.shown.by_kind
        kind = self.rng.choices(list(by_kind), [len(things) ** RAISE for things in by_kind.values()])[0]
        return self.deal(by_kind[kind], "of_kind", kind, *key)

    def picture(self, thing: str) -> str:
        return self.rng.choice(self.shown.pictures[thing])

    @property
    def plain(self) -> bool:
        """Whether no picture of this split has a clear colour."""
        return not self.shown.coloured

    def coloured(self, *key: Hashable) -> str:
        """A picture with a clear colour, each colour equally often."""
        by_colour = self.shown.coloured
        colour = self.deal(list(by_colour), "colour", *key)
        return self.deal(by_colour[colour], "coloured", colour, *key)

    def clip(self, thing: str, language: str) -> int | None:
        """A clip of the thing, or None where no voice of this split and engine says it."""
        rows = self.clips(thing, language)
        return self.rng.choice(rows) if rows else None

    def clips(self, thing: str, language: str) -> list[int]:
        """All clips of the thing by the voices of this split and engine."""
        rows = self.shown.clips.get((thing, language), [])
        return rows if self.engine is None else [r for r in rows if self.facts.speech[r]["engine"] == self.engine]

    def partner(self, thing: str, *key: Hashable) -> str:
        """Another thing with another name, as often of the same subgroup (where it has others) as of any other."""
        things, own = self.facts.things, self.facts.things[thing]
        near = [i for i in self._subgroups[own.subgroup] if _differ(things[i], own)]
        if self.coin("partner", *key) and near:
            return self.rng.choice(near)
        while True:
            other = self.rng.choice(self._drawn)
            if things[other].subgroup != own.subgroup and _differ(things[other], own):
                return other

    def beside(self, thing: str) -> str:
        """What comes in the other modality while this thing is asked about: the same thing or another, as often.

        Who answers about it is right about the kind in three of four cases, as a partner is often of the same kind. To
        distract, it is the same thing in one of four and else one of another kind: who answers about it is mostly wrong.
        """
        if not self.distract:
            return thing if self.coin("beside") else self.partner(thing, "beside")
        if self.coin("beside") and self.coin("beside", "same"):
            return thing
        kinds, things = self.facts.kinds, self.facts.things
        while True:
            other = self.rng.choice(self._drawn)
            if _differ(things[other], things[thing]) and (kinds[other] is None or kinds[other] != kinds[thing]):
                return other

    def asked_kind(self, kind: str, *key: Hashable) -> str:
        """The kind to ask for of a thing of this kind, so that each is right as often as it is wrong."""
        owed = self._owed[key]
        others = [other for other in owed if other != kind]
        if self.coin("asked", *key) or not others:
            owed.append(kind)
            return kind
        other = self.rng.choice(others)
        owed.remove(other)
        return other


def _differ(a: Thing, b: Thing) -> bool:
    return a.name_en.lower() != b.name_en.lower() and a.name_zh != b.name_zh
