"""The same questions with the deciding picture or sound taken away, or put in place of by another.

- *removed*: a model that looks and listens says that it cannot; one that guesses from the words answers.
- *forced choice*: of the removed questions those with few possible answers; the likeliest of them by the model must be
  right no oftener than chance. What was shown in the other modality is taken away, too: it is mostly of the same kind as
  what is asked about, and who answers by it is right oftener than by chance (*hinted* says how often). So are the two
  pictures of which a voice named one: the answers say the name, and with the pictures there it would be found again.
- *swapped*: another picture or sound with another right answer, under the very same words: the answer has to follow
  the new input as often as it followed the old one. *Beside* are those with which something was shown in the other
  modality that they are not about: who answers about that does not follow the swap.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mmlab.datasets.dialogue import KINDS, Dialogue, Facts, Turn, question
from mmlab.datasets.dialogue.answers import MISSING
from mmlab.datasets.dialogue.draws import Draws
from mmlab.evaluation.chat.asked import PLACES, Asked
from mmlab.evaluation.chat.play import Senses, choose, play
from mmlab.evaluation.chat.share import share
from mmlab.evaluation.figure import Figure, rounded

CHOICES = ("agree", "which_named", "is_it", "colour")  # kinds with few answers, each right as often


def declines(turn: Turn, answer: str) -> bool:
    """Whether an answer says, in the language of the question, that something cannot be seen or heard."""
    return answer in MISSING[turn.language].values()


def choices(facts: Facts, turns: Sequence[Turn]) -> list[tuple[str, ...]]:
    """The answers among which a choice is forced, so that they themselves do not tell which is right.

    To deny "Is it a fruit?", an answer names the thing's own kind; to affirm it, none. Left to itself, the other answer of
    a question to be affirmed names a kind that is seldom asked about, and who knows how common each kind is beside a "no"
    needs no picture (right in 60 % of the test). So affirmed questions borrow the grounds of denied ones, each once.
    """
    every = [turn.options for turn in turns]
    rows: dict[str, tuple[list[int], list[int]]] = {}
    for at, turn in enumerate(turns):
        if turn.kind == "is_it":
            rows.setdefault(turn.language, ([], []))[turn.answer == turn.options[1]].append(at)
    for affirmed, denied in rows.values():
        lent = [(turns[at].options[1], facts.kinds[turns[at].asks_about]) for at in denied]
        for at in affirmed:
            fits = next((i for i, (_, kind) in enumerate(lent) if kind != turns[at].word), None)
            if fits is not None:
                every[at] = (turns[at].options[0], lent.pop(fits)[0])
    return every


def again(facts: Facts, turn: Turn, *, images: Sequence[str], clips: Sequence[int]) -> Turn:
    """The same words over other inputs, with what is right then."""
    return question(
        facts, kind=turn.kind, form=turn.form, language=turn.language, phrasing=turn.phrasing, word=turn.word,
        images=images, clips=clips,
    )  # fmt: skip


def removed(facts: Facts, turn: Turn, *, modality: str) -> Turn:
    """The question without its pictures, or without its sound."""
    return again(
        facts, turn, images=() if modality == "image" else turn.images, clips=() if modality == "audio" else turn.clips
    )


def blinded(facts: Facts, turn: Turn, *, modality: str) -> Turn:
    """The question without its pictures, or without its sound, and without what would help to choose among its answers.

    That is what it is not about; and of two pictures both, as the answers say the name that a voice would have said.
    """
    kept = set(turn.decides) - {modality, "image" if turn.kind == "which_named" else modality}
    return again(
        facts, turn, images=turn.images if "image" in kept else (), clips=turn.clips if "audio" in kept else ()
    )


class Swaps:
    """Other inputs for questions: drawn from the same split, sounds by the same engine, with another right answer."""

    def __init__(self, facts: Facts, *, split: str, seed: int) -> None:
        self.facts, self.split, self.seed = facts, split, seed
        self._draws: dict[str | None, Draws] = {}

    def draws(self, clips: Sequence[int]) -> Draws:
        engine = self.facts.speech[clips[-1]]["engine"] if clips else None
        if engine not in self._draws:
            self._draws[engine] = Draws(self.facts.shown(self.split), seed=("swaps", self.seed), engine=engine)
        return self._draws[engine]

    def turn(self, turn: Turn) -> Turn:
        """The same question over another picture or sound; "which of two" over the two in the other order."""
        heard = "audio" in turn.decides
        draws = self.draws(turn.clips if heard else ())
        if turn.kind == "which_named":
            return again(self.facts, turn, images=turn.images[::-1], clips=turn.clips)
        if turn.kind == "colour":
            return again(self.facts, turn, images=[self._other_colour(draws, turn)], clips=turn.clips)
        language = self.facts.speech[turn.clips[-1]]["language"] if heard else ""
        while True:
            thing = self._other_thing(draws, turn, language)
            clip = draws.clip(thing, language) if heard else None
            if clip is not None:
                return again(self.facts, turn, images=turn.images, clips=[clip])
            if not heard:
                return again(self.facts, turn, images=[draws.picture(thing)], clips=turn.clips)
            if turn.kind == "agree" and thing == turn.asks_about:  # nobody here says what is shown: show what is said
                said = self.facts.heard(turn.clips[0])
                return again(self.facts, turn, images=[draws.picture(said)], clips=turn.clips)

    def _other_colour(self, draws: Draws, turn: Turn) -> str:
        while self.facts.colour(picture := draws.coloured("swap")) == self.facts.colour(turn.images[0]):
            pass  # the same colour: draw on
        return picture

    def _other_thing(self, draws: Draws, turn: Turn, language: str) -> str:
        kinds, old = self.facts.kinds, turn.asks_about
        if turn.kind == "agree":
            return draws.partner(old, "swap") if self.facts.heard(turn.clips[0]) == old else old
        if turn.kind == "is_it" and kinds[old] != turn.word:
            fits = [one for one in draws.shown.by_kind[turn.word] if not language or draws.clips(one, language)]
            if fits:  # else nobody here says a thing of the kind that was asked for: a third kind, and still "no"
                return draws.deal(fits, "swap", turn.word)
        if turn.kind in ("is_it", "kind"):
            while kinds[thing := draws.of_kind("swap")] == kinds[old]:
                pass  # of the same kind: draw on
            return thing
        return draws.partner(old, "swap")


def counterfactuals(
    senses: Senses, asked: Mapping[str, Sequence[Asked]], said: Mapping[str, Sequence[str]], *, split: str, seed: int
) -> dict[str, Figure]:
    """The three tables, over the questions that came alone with what decides them, and how often it declines wrongly."""
    alone = {
        kind: [(one, answer) for one, answer in zip(asked[kind], said[kind], strict=True) if one.alone]
        for kind in KINDS
        if kind not in ("decline", "first")
    }
    normal = [
        (one, answer)
        for kind in asked
        if kind != "decline"
        for one, answer in zip(asked[kind], said[kind], strict=True)
    ]
    wrong = share(
        "declines", [declines(one.turn, answer) for one, answer in normal], [one.turn.asks_about for one, _ in normal]
    )
    found = {"wrong_declines": wrong}
    found |= _removed(senses, {kind: [one for one, _ in rows] for kind, rows in alone.items()})
    return found | _swapped(senses, alone, split=split, seed=seed)


def _removed(senses: Senses, alone: Mapping[str, Sequence[Asked]]) -> dict[str, Figure]:
    found, every, things = {}, [], []
    for kind, rows in alone.items():
        lost = [(one.turn, one.turn.decides[at % len(one.turn.decides)]) for at, one in enumerate(rows)]
        cut = [removed(senses.facts, turn, modality=modality) for turn, modality in lost]
        answers = play(senses, [Dialogue((turn,)) for turn in cut])
        right = [declines(turn, answer) for turn, (answer,) in zip(cut, answers, strict=True)]
        about = [one.turn.asks_about for one in rows]
        found[f"removed_{kind}"] = share("declines", right, about)
        every, things = every + right, things + about
        if kind in CHOICES:
            options = choices(senses.facts, [one.turn for one in rows])
            blind = [blinded(senses.facts, turn, modality=modality) for turn, modality in lost]
            found[f"forced_choice_{kind}"] = _chosen(senses, rows, blind, options)
            if hinted := [
                at for at, turn in enumerate(cut) if turn.images != blind[at].images or turn.clips != blind[at].clips
            ]:
                found[f"hinted_{kind}"] = _chosen(
                    senses, *([some[at] for at in hinted] for some in (rows, cut, options))
                )
    return {"removed": share("declines", every, things), **found}


def _chosen(senses: Senses, rows: Sequence[Asked], cut: Sequence[Turn], options: Sequence[tuple[str, ...]]) -> Figure:
    """How often the likeliest of the options is what was right before the cut, and how often a guess among them."""
    chosen = choose(senses, cut, options)
    right = [choice == one.turn.answer for choice, one in zip(chosen, rows, strict=True)]
    chance = float(np.mean([1 / len(own) for own in options]))
    return {**share("accuracy", right, [one.turn.asks_about for one in rows]), "chance": round(chance, 4)}


def _swapped(
    senses: Senses, alone: Mapping[str, Sequence[tuple[Asked, str]]], *, split: str, seed: int
) -> dict[str, Figure]:
    places = {place: Swaps(senses.facts, split=where, seed=seed) for place, where in PLACES[split].items()}
    results: dict[str, list[tuple[bool, bool, bool]]] = {"swapped": [], "swapped_beside": []}
    for kind, rows in alone.items():
        turns = [places[one.place].turn(one.turn) for one, _ in rows]
        answers = play(senses, [Dialogue((turn,)) for turn in turns])
        for new, (answer,), (one, old) in zip(turns, answers, rows, strict=True):
            result = answer == new.answer, old == one.turn.answer, answer == one.turn.answer
            for name in ("swapped", "swapped_beside") if beside(one.turn) else ("swapped",):
                results[name].append(result)
                results.setdefault(f"{name}_{kind}", []).append(result)
    return {name: followed(some) for name, some in results.items() if some}


def beside(turn: Turn) -> bool:
    """Whether something is shown in a modality that does not decide."""
    return bool((turn.images and "image" not in turn.decides) or (turn.clips and "audio" not in turn.decides))


def followed(results: Sequence[tuple[bool, bool, bool]]) -> Figure:
    """Of (follows the new input, followed the old one, still says what was right of the old): shares and difference."""
    new, old, stays = np.array(results, dtype=float).T
    step = new - old
    half = 1.96 * float(step.std()) / len(step) ** 0.5
    return rounded({
        "follows_new": float(new.mean()), "followed_old": float(old.mean()), "stays": float(stays.mean()), "n": len(new),
        "difference": float(step.mean()), "interval": [float(step.mean()) - half, float(step.mean()) + half],
    })  # fmt: skip
