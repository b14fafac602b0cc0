"""A dialogue that grows: what was said, and what of it later turns may ask about."""

from typing import Any

from mmlab.datasets.dialogue.draws import Draws
from mmlab.datasets.dialogue.truth import OTHER, Shown, question
from mmlab.datasets.dialogue.types import Turn

FOREIGN = 0.15  # how often a voice speaks the other language than the question


class Talk:
    """One dialogue while it is made: turns so far, its language, and the phrasings that it may use."""

    def __init__(self, draws: Draws, language: str, *, stray: float, allowed: range) -> None:
        self.draws, self.facts, self.rng = draws, draws.facts, draws.rng
        self.language, self.stray, self.allowed = language, stray, allowed
        self.turns: list[Turn] = []
        self.coloured: set[str] = set()  # pictures drawn for their colours, so that each is shown equally often

    def say(self, asked: dict[str, Any]) -> None:
        """Ask what was proposed, in a phrasing drawn at random."""
        phrasing = self.rng.choice(self.allowed)
        self.turns.append(question(self.facts, **asked, phrasing=phrasing, earlier=self.turns))

    def tongue(self) -> str:
        """The language of the next question: now and then not the dialogue's."""
        return OTHER[self.language] if self.rng.random() < self.stray else self.language

    def voice(self, language: str) -> str:
        """The language that a voice speaks beside a question in `language`."""
        return OTHER[language] if self.stray and self.rng.random() < FOREIGN else language

    @property
    def shown(self) -> Shown:
        return Shown.after(self.turns)

    def single(self, form: str, *, first: bool = False) -> str | int | None:
        """The one item that a question of this form would be about, or None where there is none or several."""
        turns = self.shown.items(form)
        items = turns[0 if first else -1] if turns else ()
        return items[0] if len(items) == 1 else None

    def thing(self, item: str | int) -> str:
        """The thing on a picture or in a clip."""
        return self.facts.seen(item) if isinstance(item, str) else self.facts.heard(item)

    def asked(self, kind: str, item: str | int) -> bool:
        """Whether a question of this kind about this thing was asked before."""
        return any(turn.kind == kind and turn.asks_about == self.thing(item) for turn in self.turns)

    def clip(self, language: str, *key: str) -> int:
        """A clip of any thing that is said in the language."""
        clip = self.draws.clip(self.draws.spoken(language, *key), language)
        assert clip is not None, "a thing that is spoken has a clip"
        return clip
