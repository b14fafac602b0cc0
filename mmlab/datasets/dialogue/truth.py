"""One question and its right answer, found from what was shown and heard so far, and from nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmlab.datasets.dialogue.answers import PLACES, decline, named, options, verdicts
from mmlab.datasets.dialogue.colours import COLOURS
from mmlab.datasets.dialogue.facts import Facts
from mmlab.datasets.dialogue.kinds import KINDS
from mmlab.datasets.dialogue.phrasings import FORMS, phrase
from mmlab.datasets.dialogue.types import Turn
from mmlab.datasets.emoji import EmojiData
from mmlab.types import InputError

NEEDS = {"image": ("image",), "audio": ("audio",), "both": ("image", "audio"), "word": ("image",)}
OTHER = {"en": "zh", "zh": "en"}


@dataclass(frozen=True)
class Shown:
    """What was shown and heard so far, turn by turn: keys of pictures and rows of clips."""

    turns: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]

    @classmethod
    def after(cls, earlier: Sequence[Turn], images: Sequence[str] = (), clips: Sequence[int] = ()) -> "Shown":
        """All that the earlier turns and the present one give."""
        every = [*((turn.images, turn.clips) for turn in earlier), (tuple(images), tuple(clips))]
        return cls(tuple((seen, heard) for seen, heard in every if seen or heard))

    @property
    def pictures(self) -> list[tuple[str, ...]]:
        """The pictures of the turns that show some."""
        return [seen for seen, _ in self.turns if seen]

    @property
    def sounds(self) -> list[tuple[int, ...]]:
        """The clips of the turns that give some."""
        return [heard for _, heard in self.turns if heard]

    def items(self, form: str) -> list[tuple[str | int, ...]]:
        """What each turn brought of the modality that a form asks about, or of both."""
        together = [(*seen, *heard) for seen, heard in self.turns]
        return {"image": self.pictures, "audio": self.sounds}.get(form, together)

    def missing(self, kind: str, form: str) -> tuple[str, ...]:
        """The modalities that a question needs and that never came; both, where any would do and none came."""
        there = {"image": bool(self.pictures), "audio": bool(self.sounds)}
        if form == "it":
            return () if self.turns else ("image", "audio")
        needs = NEEDS["both"] if kind == "which_named" and form == "audio" else NEEDS[form]
        return tuple(name for name in needs if not there[name])

    def subject(self, form: str, *, first: bool = False) -> str | int:
        """The one picture or clip that is asked about: the latest, or the first of all.

        Raises:  InputError where the turn that brought it brought several
        """
        at = 0 if first else -1
        items = self.items(form)[at]
        if len(items) != 1:
            raise InputError(f"One thing is asked about, but {len(items)} came together; ask of one that came alone.")
        return items[0]


def question(
    data: EmojiData | Facts,
    *,
    kind: str,
    language: str,
    phrasing: int = 0,
    form: str | None = None,
    images: Sequence[str] = (),
    clips: Sequence[int] = (),
    word: str = "",
    earlier: Sequence[Turn] = (),
) -> Turn:
    """Ask about what is shown in this turn or was shown in earlier ones; the answer is worked out here.

    `form` says what is asked about, one of FORMS[kind] (its first, if not given). `word` is the id of the thing that
    "which_named" names in words, or the English name of the kind that "is_it" asks for. Where what decides never came,
    the turn is a "decline". A question about "it" or "the picture" means the latest.

    Raises:  InputError where nothing could be answered: several pictures where one is asked about, no clear colour
    """
    facts = data if isinstance(data, Facts) else Facts.of(data)
    form = FORMS[kind][0] if form is None else form
    said = phrase(kind, form, language, phrasing, word=_word(facts, kind, form, language, word))
    text = PLACES["image"] * len(images) + PLACES["audio"] * len(clips) + said
    shown = Shown.after(earlier, images, clips)
    missing = shown.missing(kind, form)
    if missing:
        kind, answer, about, decides = "decline", decline(language, missing), "", missing
        choice = options(kind, language)
    else:
        answer, about, choice = _answer(facts, shown, kind, form, language, word)
        decides = _decides(facts, shown, kind, form, about, () if images or clips else earlier)
    return Turn(
        question=text, answer=answer, kind=kind, language=language, images=tuple(images), clips=tuple(clips),
        phrasing=phrasing, decides=decides, asks_about=about, options=choice, form=form, word=word,
    )  # fmt: skip


def _word(facts: Facts, kind: str, form: str, language: str, word: str) -> str:
    if kind == "is_it":
        return KINDS[word].word(language)
    return facts.name(word, language) if kind == "which_named" and form == "word" else ""


def _answer(
    facts: Facts, shown: Shown, kind: str, form: str, language: str, word: str
) -> tuple[str, str, tuple[str, ...]]:
    """The answer, the thing it is about, and the answers among which a choice may be forced."""
    if kind == "agree":
        seen, heard = facts.seen(shown.subject("image")), facts.heard(shown.subject("audio"))
        choice = options(kind, language)
        return choice[seen != heard], seen, choice
    if kind == "which_named":
        return _which(facts, shown, form, language, word)
    item = shown.subject(form, first=kind == "first")
    thing = facts.seen(item) if isinstance(item, str) else facts.heard(item)
    if kind == "colour":
        colour = facts.colour(item) if isinstance(item, str) else None
        if colour is None:
            raise InputError(f"Asked for a colour, but none is clear in {item!r}; show a picture of one colour.")
        said = named(kind, language, colour if language == "en" else COLOURS[colour])
    elif kind in ("is_it", "kind"):
        found = facts.kinds[thing]
        if found is None:
            raise InputError(f"Asked for a kind, but {facts.name(thing, 'en')!r} has none here; ask of another thing.")
        if kind == "is_it":
            choice = _yes_or_no(language, word, found)
            return choice[found != word], thing, choice
        said = named(kind, language, KINDS[found].name(language))
    else:
        said = named(kind, language, facts.name(thing, OTHER[language] if kind == "translate" else language))
    return said, thing, options(kind, language)


def _yes_or_no(language: str, word: str, found: str) -> tuple[str, str]:
    """It is of the kind that was asked for; it is of another: the one that it is, or where it is that one, the next."""
    every = list(KINDS)
    other = found if found != word else every[(every.index(word) + 1) % len(every)]
    grounds = [named("kind", language, KINDS[one].name(language)) for one in (word, other)]
    return verdicts("is_it", language, grounds[0])[0], verdicts("is_it", language, grounds[1])[1]


def _which(facts: Facts, shown: Shown, form: str, language: str, word: str) -> tuple[str, str, tuple[str, ...]]:
    thing = word if form == "word" else facts.heard(shown.subject("audio"))
    pair = [facts.seen(key) for key in shown.pictures[-1]]
    if len(pair) != 2 or pair.count(thing) != 1:
        raise InputError(f"Of two pictures one is named, got {pair} for {thing!r}; show two, one of them of it.")
    ground = named("which_named" if form == "word" else "what_hear", language, facts.name(thing, language))
    choice = verdicts("which_named", language, ground)
    return choice[pair.index(thing)], thing, choice


def _decides(facts: Facts, shown: Shown, kind: str, form: str, about: str, earlier: Sequence[Turn]) -> tuple[str, ...]:
    """What the answer rests on; () where earlier answers have said it already."""
    if kind == "first" or any(turn.kind in ("what_see", "what_hear") and turn.asks_about == about for turn in earlier):
        return () if kind != "colour" and kind != "agree" else ("image",)
    if kind in ("agree", "which_named"):
        return ("image",) if form == "word" else ("image", "audio")
    return ("image",) if isinstance(shown.subject(form), str) else ("audio",)
