"""`mmlab eval chat`: every figure that the course states about the dialogue model.

**Protocol.** The model is asked in phrasings that it was never trained on, about things of the training families in
drawing styles and voices that were in no part of its training ("near" is Twemoji, "far" OpenMoji). Right is who says
the whole answer, letter for letter. Where earlier turns matter, the model hears its own earlier answers. Beside each
kind stand the commonest answer, a guess from the words alone, and the ceiling (see `ceiling`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import torch

from mmlab.datasets.dialogue import LANGUAGES, dialogues
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.chat.asked import FULL, PLACES, Asked, ask
from mmlab.evaluation.chat.baselines import Majority, QuestionOnly
from mmlab.evaluation.chat.ceiling import Reader, best_threshold
from mmlab.evaluation.chat.counterfactual import counterfactuals
from mmlab.evaluation.chat.play import Senses, play
from mmlab.evaluation.chat.share import share
from mmlab.evaluation.chat.verdicts import contradictions, conversations
from mmlab.evaluation.figure import Figure, rounded
from mmlab.models.chat import MultimodalChat

TRAINING = 6000  # dialogues that the baselines are fitted on
BY_ENGINE = ("what_hear", "agree")
BY_FORM = ("which_named",)  # named by a word of the question, or by a voice


@dataclass(frozen=True)
class Row:
    """One question with what came of it."""

    asked: Asked
    said: tuple[str, ...]  # to every turn of the dialogue
    reachable: bool  # by a perfect reader of the encoders' top answer
    majority: bool
    question_only: bool

    @property
    def right(self) -> bool:
        return self.said[-1] == self.asked.turn.answer

    @property
    def named_right(self) -> bool:
        """Whether the model itself had named the thing rightly when it came."""
        about = self.asked.turn.asks_about
        named = [
            (answer, turn.answer)
            for answer, turn in zip(self.said[:-1], self.asked.earlier, strict=True)
            if turn.kind in ("what_see", "what_hear") and turn.asks_about == about
        ]
        return bool(named) and all(answer == right for answer, right in named)


def evaluate_chat(
    chat: MultimodalChat,
    data: EmojiData,
    *,
    split: str = "test",
    count: int = FULL,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> dict[str, Figure]:
    """All figures of a chat model, by name, `count` questions of each kind.

    With split="validation" the validation's styles and voices take the place of the test's, all as one place: fair only
    for a model that was trained without them, on a joint space that was.

    Cost:    about 30,000 short answers at full size: some minutes on two cores
    """
    tell = (lambda line: None) if say is None else say
    asked = ask(data, split=split, count=count, seed=seed)
    senses, training = Senses(chat, data), dialogues(data, split="train", count=TRAINING, seed=seed)
    guesses = (Majority(training), QuestionOnly(training))
    reader, rows = Reader(senses), {}
    for kind, some in asked.items():
        tell(f"{kind}: {len(some)} questions")
        answers = play(senses, [one.dialogue for one in some])
        guessed = [guess.answer([one.turn for one in some]) for guess in guesses]
        rows[kind] = [
            Row(one, said, reader.right(one), *(each == one.turn.answer for each in others))
            for one, said, *others in zip(some, answers, *guessed, strict=True)
        ]
    tell("counterfactuals")
    said = {kind: [row.said[-1] for row in some] for kind, some in rows.items()}
    return figures(rows, split=split) | {
        "agree_by_cosine": by_cosine(reader, rows["agree"]),
        **later(senses, asked["is_it"]),
        **counterfactuals(senses, asked, said, split=split, seed=seed),
    }


def figures(rows: Mapping[str, Sequence[Row]], *, split: str) -> dict[str, Figure]:
    """`overall`, near and far, then each kind: whole, by place, language, both, engine and form."""
    places = tuple(PLACES[split])
    found = {"overall": overall(rows)}
    if len(places) > 1:
        for place in places:
            found[f"overall_{place}"] = overall(
                {kind: [row for row in some if row.asked.place == place] for kind, some in rows.items()}
            )
    for kind, some in rows.items():
        found |= cells(kind, some, places=places)
    kept = [row for row in rows["first"] if row.named_right]
    if kept:
        found["first_given_right"] = judged(kept)
    verdicts = rows["is_it"]
    return found | contradictions(
        "is_it_contradicted", [row.asked.turn for row in verdicts], [row.said[-1] for row in verdicts]
    )


def later(senses: Senses, asked: Sequence[Asked]) -> dict[str, Figure]:
    """`is_it_contradicted_later`: as `is_it_contradicted`, of the same questions after one for the name."""
    talks = conversations(senses.facts, [one.turn for one in asked])
    answers = [said[-1] for said in play(senses, talks)]
    return contradictions("is_it_contradicted_later", [talk.turns[-1] for talk in talks], answers)


def cells(kind: str, rows: Sequence[Row], *, places: Sequence[str]) -> dict[str, Figure]:
    """The figures of one kind, whole and in its parts: by place, language, both, engine or form."""
    found = {kind: judged(rows)}
    parts = {f"{kind}_{place}": (place, None, None) for place in places if len(places) > 1}
    parts |= {f"{kind}_{language}": (None, language, None) for language in LANGUAGES}
    if len(places) > 1:
        parts |= {
            f"{kind}_{place}_{language}": (place, language, None) for place, language in product(places, LANGUAGES)
        }
    if kind in BY_ENGINE:
        parts |= {f"{kind}_{engine}": (None, None, engine) for engine in sorted({row.asked.engine for row in rows})}
    for name, wanted in parts.items():
        some = [
            row
            for row in rows
            if all(
                want in (None, has)
                for want, has in zip(wanted, (row.asked.place, row.asked.turn.language, row.asked.engine), strict=True)
            )
        ]
        if some:
            found[name] = judged(some)
    if kind in BY_FORM:
        for form in sorted({row.asked.turn.form for row in rows}):
            found[f"{kind}_{form}"] = judged([row for row in rows if row.asked.turn.form == form])
    return found


def judged(rows: Sequence[Row]) -> Figure:
    """exact_match, n, interval; ceiling and exact_match / ceiling; the two baselines."""
    whole = share("exact_match", [row.right for row in rows], [row.asked.turn.asks_about for row in rows])
    ceiling = sum(row.reachable for row in rows) / len(rows)
    return {
        **whole,
        **rounded({
            "ceiling": ceiling,
            "of_ceiling": whole["exact_match"] / ceiling if ceiling else None,
            "majority": sum(row.majority for row in rows) / len(rows),
            "question_only": sum(row.question_only for row in rows) / len(rows),
        }),
    }  # fmt: skip


def overall(rows: Mapping[str, Sequence[Row]]) -> Figure:
    """Means over the kinds, each weighing the same; `least_of_ceiling` is the least of them, of `least`."""
    each = {kind: judged(some) for kind, some in rows.items()}
    mean = {
        name: sum(figure[name] for figure in each.values()) / len(each)
        for name in ("exact_match", "ceiling", "majority", "question_only")
    }
    parts = {kind: figure["of_ceiling"] or 0.0 for kind, figure in each.items()}
    half = sqrt(sum(((f["interval"][1] - f["interval"][0]) / 2) ** 2 for f in each.values())) / len(each)
    least = min(parts, key=lambda kind: parts[kind])
    interval = [max(0.0, mean["exact_match"] - half), min(1.0, mean["exact_match"] + half)]
    return rounded({
        **mean, "n": sum(figure["n"] for figure in each.values()), "interval": interval,
        "of_ceiling": sum(parts.values()) / len(parts), "least": least, "least_of_ceiling": parts[least],
    })  # fmt: skip


def by_cosine(reader: Reader, rows: Sequence[Row]) -> Figure:
    """What a reader of the cosine of picture and sound could reach at most, by place: its threshold has seen the answers."""
    found = {}
    for place in dict.fromkeys(row.asked.place for row in rows):
        turns = [row.asked.turn for row in rows if row.asked.place == place]
        same = [reader.facts.seen(turn.images[0]) == reader.facts.heard(turn.clips[0]) for turn in turns]
        found[place] = best_threshold(reader.cosines(turns), torch.tensor(same))
    return rounded({**found, "n": len(rows), "chance": 0.5})
