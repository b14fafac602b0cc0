"""What `mmlab eval chat` asks: questions of every kind in both languages, near and far, never in a trained phrasing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmlab.datasets.dialogue import KINDS, LANGUAGES, Dialogue, Facts, Turn, about
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.questions import ENGINES
from mmlab.types import InputError

PLACES: Mapping[str, Mapping[str, str]] = {  # split of the evaluation -> place -> split of the dialogues
    "test": {"near": "test_near", "far": "test_far"},
    "validation": {"validation": "validation"},
}
FULL, QUICK = 1024, 64  # questions of each kind


@dataclass(frozen=True)
class Asked:
    """A dialogue whose last turn is judged, and where it stands in the tables."""

    dialogue: Dialogue
    place: str
    engine: str  # "espeak", "flite", "unseen_engine" or "zh": of the clip that decides; "" where none does

    @property
    def turn(self) -> Turn:
        return self.dialogue.turns[-1]

    @property
    def earlier(self) -> tuple[Turn, ...]:
        return self.dialogue.turns[:-1]

    @property
    def alone(self) -> bool:
        """Whether nothing came before: what decides, if anything, is shown with the question."""
        return not self.earlier and bool(self.turn.decides) and self.turn.kind != "decline"


def ask(data: EmojiData, *, split: str = "test", count: int = FULL, seed: int = 0) -> dict[str, list[Asked]]:
    """At least `count` questions of each kind, as many in either language and place; what is heard, as many by engine.

    Raises:  InputError for an unknown split or a count below 8
    """
    if split not in PLACES:
        raise InputError(f"A chat is evaluated on {' or '.join(PLACES)}, got the split {split!r}; name one of these.")
    if count < 8:
        raise InputError(f"Each kind needs at least 8 questions, got {count}; ask for more.")
    places, found = PLACES[split], {}
    each = -(-count // (len(places) * len(LANGUAGES)))
    for kind in KINDS:
        found[kind] = []
        for place, where in places.items():
            for language in LANGUAGES:
                common = {"kind": kind, "split": where, "language": language, "seed": seed}
                for engine in engines(data, where, language) if kind == "what_hear" else (None,):
                    some = about(data, **common, count=each, engine=engine)
                    found[kind] += [Asked(one, place, engine_of(data, one.turns[-1])) for one in some]
    return found


def engines(data: EmojiData, split: str, language: str) -> Sequence[str]:
    """The engines of a split that speak the language."""
    facts = Facts.of(data)
    clips = [rows for (_, spoken), rows in facts.shown(split).clips.items() if spoken == language]
    return sorted({facts.speech[row]["engine"] for rows in clips for row in rows})


def engine_of(data: EmojiData, turn: Turn) -> str:
    """The name of the engine that a turn rests on, as the figures of the joint space call it."""
    if "audio" not in turn.decides or not turn.clips:
        return ""
    row = Facts.of(data).speech[turn.clips[-1]]
    return ENGINES[row["language"], row["engine"]]
