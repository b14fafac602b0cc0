"""Dialogues about what the data shows: drawn from a seed, balanced, and right by construction."""

from typing import Any

from mmlab.datasets.dialogue.draws import Draws
from mmlab.datasets.dialogue.facts import Facts
from mmlab.datasets.dialogue.phrasings import FORMS, numbers
from mmlab.datasets.dialogue.proposals import Talk, propose
from mmlab.datasets.dialogue.types import KINDS, LANGUAGES, Dialogue
from mmlab.datasets.emoji import EmojiData
from mmlab.types import InputError

LENGTHS = {1: 4, 2: 3, 3: 4, 4: 3, 5: 2, 6: 2}  # turns of a dialogue, and how often
WEIGHTS = {"first": 9.0, "decline": 1.5}  # kinds that can be asked only now and then, when they can be
STRAY = 0.05  # how often a turn is in the other language than its dialogue
BEFORE: dict[str, tuple[tuple[str, ...], ...]] = {  # what comes before a question of this kind, in `about`
    "translate": ((), ("what_see",), ("what_hear",)),
    "first": (("what_see", "what_hear"), ("what_hear", "what_see"), ("what_see", "what_see"), ("what_see", "colour")),
}


def dialogues(
    data: EmojiData, *, split: str, count: int, seed: int, phrasings: str = "train", distract: bool = False
) -> list[Dialogue]:
    """Dialogues of one to six turns; the same seed gives the same ones.

    `split` says whose pictures and voices: "train" (all but the test's), "tuning" (without the validation's),
    "validation", "test_near", "test_far". Things are always those of the training families. With `distract`, what comes in
    the other modality beside a question comes oftener, and is mostly of another kind than what is asked about.

    Raises:  InputError for an unknown split or set of phrasings, or a count below one
    """
    draws = _draws(data, split, count, seed, distract=distract)
    return [_dialogue(draws, numbers(phrasings)) for _ in range(count)]


def about(
    data: EmojiData,
    *,
    kind: str,
    split: str,
    language: str,
    count: int,
    seed: int,
    form: str | None = None,
    engine: str | None = None,
    phrasings: str = "held_out",
    distract: bool = False,
) -> list[Dialogue]:
    """Short dialogues that end in a question of one kind, in one language, voices speaking it too.

    With `form`, all ask in that way; with `engine`, every voice is that engine's; `distract` as in `dialogues`.

    Raises:  InputError for an unknown kind, form, split, language or set of phrasings, or an engine that the split lacks
    """
    if kind not in KINDS or language not in LANGUAGES:
        known = f"{', '.join(KINDS)} in {' and '.join(LANGUAGES)}"
        raise InputError(f"Questions are {known}, got {kind!r} in {language!r}; choose among these.")
    if form is not None and form not in (forms := FORMS.get(kind, ())):
        known = f"asked in the forms {', '.join(forms)}" if forms else "of another kind, and of its forms"
        raise InputError(f"A question {kind!r} is {known}, got form={form!r}; choose one that it has, or leave it out.")
    draws = _draws(data, split, count, (seed, kind, language, form), engine=engine, distract=distract)
    allowed, found = numbers(phrasings), []
    while len(found) < count:
        talk = Talk(draws, language, stray=0.0, allowed=allowed)
        for before in draws.deal(BEFORE.get(kind, ((),)), "before", kind):
            talk.say(propose(talk, before, new=True))
        asked = propose(talk, kind, new=not talk.turns, form=form)
        if asked is not None:
            talk.say(asked)
            found.append(Dialogue(tuple(talk.turns)))
    return found


def _draws(data: EmojiData, split: str, count: int, seed: object, **how: Any) -> Draws:
    if count < 1:
        raise InputError(f"Dialogues are counted from one, got {count}; ask for one or more.")
    return Draws(Facts.of(data).shown(split), seed=seed, **how)


def _dialogue(draws: Draws, allowed: range) -> Dialogue:
    rng = draws.rng
    talk = Talk(draws, draws.deal(LANGUAGES, "language"), stray=STRAY, allowed=allowed)
    length = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
    while len(talk.turns) < length:
        kind = rng.choices(KINDS, [WEIGHTS.get(kind, 1.0) for kind in KINDS])[0]
        asked = propose(talk, kind)
        if asked is not None:
            talk.say(asked)
    return Dialogue(tuple(talk.turns))
