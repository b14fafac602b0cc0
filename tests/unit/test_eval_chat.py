"""What the figures say of models whose answers are known: truthful, stubborn, guessing, and blind."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from mmlab.cli import app
from mmlab.datasets.dialogue import FIRST_HELD_OUT, KINDS, Dialogue, Facts, Turn, dialogues, question, turns
from mmlab.datasets.dialogue.answers import follows
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.chat import Asked, ask, card, counterfactual, evaluate
from mmlab.evaluation.chat.baselines import Majority, QuestionOnly
from mmlab.evaluation.chat.ceiling import Reader, best_threshold
from mmlab.evaluation.chat.counterfactual import CHOICES, Swaps, beside, blinded, choices, removed
from mmlab.evaluation.chat.play import Senses, play
from mmlab.evaluation.chat.report import as_tables, keep_seed, log_evaluation
from mmlab.evaluation.chat.verdicts import conversations
from mmlab.models.chat import MultimodalChat
from mmlab.models.connectors import Percept
from mmlab.paths import DATA
from mmlab.types import InputError
from tests.unit.tiny_chat import make_chat
from tests.unit.tiny_emoji import make_model

COUNT = 16
Talk = Any  # the turns of a dialogue, and the answers so far


class Signs(Senses):
    """Every item lies at its thing's name; a conversation is the turns themselves."""

    def __init__(self, chat: "Truthful", data: EmojiData) -> None:
        super().__init__(chat, data)
        self.places = {thing: at for at, thing in enumerate(self.facts.things)}

    def take_in(self, turns: Any) -> None:
        for turn in list(turns):
            self.seen |= {key: self.sign(self.facts.seen(key), self.chat.sees) for key in turn.images}
            self.heard |= {row: self.sign(self.facts.heard(row), int) for row in turn.clips}

    def sign(self, thing: str, errs: Callable[[int], int]) -> Percept:
        z, none = torch.zeros(len(self.places)), torch.zeros(0)
        z[errs(self.places[thing]) % len(z)] = 1.0
        return Percept("image", none, z, none)

    def conversation(self, turns: Sequence[Turn], answers: Sequence[str]) -> Any:
        return turns, answers


class Names:
    """The names of the joint space, each a direction of its own."""

    def __init__(self, data: EmojiData) -> None:
        self.at = {thing.name(language): at for at, thing in enumerate(data.things) for language in ("en", "zh")}

    def encode(self, *, text: Sequence[str]) -> dict[str, Tensor]:
        return {"text": torch.eye(max(self.at.values()) + 1)[[self.at[name] for name in text]]}


class Truthful(MultimodalChat):
    """Gives the right answer; of options, one by a draw that knows the question alone. `sees` may err."""

    def __init__(self, data: EmojiData, *, sees: Callable[[int], int] = int) -> None:
        nn.Module.__init__(self)
        self.joint, self.sees = Names(data), sees

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        return [turns[-1].answer for turns, _ in talks]

    def log_likelihood(self, talks: Sequence[Talk], options: Sequence[Sequence[str]]) -> list[Tensor]:
        def draw(text: str, option: str) -> float:
            return float(sha256(f"{text} {option}".encode()).digest()[0])

        return [
            torch.tensor([draw(turns[-1].question, option) for option in own])
            for (turns, _), own in zip(talks, options, strict=True)
        ]


class Stubborn(Truthful):
    """Says again what it once said to the same words, whatever it sees and hears."""

    def __init__(self, data: EmojiData) -> None:
        super().__init__(data)
        self.said: dict[str, str] = {}

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        def key(turn: Turn) -> str:
            return turn.question.rpartition(">")[2]

        return [self.said.setdefault(key(turns[-1]), turns[-1].answer) for turns, _ in talks]


class Sideways(Stubborn):
    """Stubborn where something else is shown beside, else truthful."""

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        same = super().answer(talks)
        return [one if beside(talk[-1]) else talk[-1].answer for (talk, _), one in zip(talks, same, strict=True)]


class Hasty(Truthful):
    """Says the kind rightly, and then always yes."""

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        return [one.replace("So no.", "So yes.").replace("所以不是。", "所以是。") for one in super().answer(talks)]


class Swayed(Hasty):
    """Right in single questions; where another came before, it always says yes after the kind."""

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        yes = super().answer(talks)
        return [said if len(turns) > 1 else turns[-1].answer for (turns, _), said in zip(talks, yes, strict=True)]


class Peeking(Truthful):
    """Of options it takes the first where anything is shown, else the last."""

    def log_likelihood(self, talks: Sequence[Talk], options: Sequence[Sequence[str]]) -> list[Tensor]:
        shown = [bool(turns[-1].images or turns[-1].clips) for turns, _ in talks]
        return [torch.arange(len(own)) * (-1.0 if any_ else 1.0) for any_, own in zip(shown, options, strict=True)]


class Shy(Truthful):
    """Declines everything."""

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        said = {"en": "I cannot see a picture.", "zh": "我看不到图片。"}
        return [said[turns[-1].language] for turns, _ in talks]


class Forgetful(Truthful):
    """Right in single turns; whatever stands first in a longer talk it gets wrong."""

    def answer(self, talks: Sequence[Talk]) -> list[str]:
        return ["?" if len(turns) == 1 and turns[0].phrasing % 2 else turns[-1].answer for turns, _ in talks]


@pytest.fixture(scope="module")
def training(data: EmojiData) -> list[Dialogue]:
    return dialogues(data, split="test_near", count=300, seed=9)


@pytest.fixture(scope="module")
def judge(data: EmojiData, training: list[Dialogue]) -> Any:
    """`evaluate_chat` on signs instead of percepts, its baselines fitted on a few dialogues."""

    def run(chat: Truthful, *, count: int = COUNT) -> dict[str, dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluate, "Senses", Signs)
            patch.setattr(evaluate, "dialogues", lambda *args, **how: training)
            return evaluate.evaluate_chat(chat, data, count=count)

    return run


@pytest.fixture(scope="module")
def truthful(data: EmojiData, judge: Any) -> dict[str, dict[str, Any]]:
    return judge(Truthful(data))


def test_who_tells_the_truth_is_always_right(truthful: dict[str, dict[str, Any]]) -> None:
    for kind in (*KINDS, "overall", "overall_near", "overall_far", "first_given_right"):
        figure = truthful[kind]
        assert (figure["exact_match"], figure["ceiling"], figure["of_ceiling"]) == (1, 1, 1), kind
        assert figure["interval"][0] < 1 <= figure["interval"][1] + 1e-9
    assert truthful["removed"]["declines"] == 1 and truthful["wrong_declines"]["declines"] == 0
    assert truthful["swapped"]["follows_new"] == truthful["swapped"]["followed_old"] == 1
    assert truthful["swapped"]["stays"] == 0 and truthful["swapped"]["interval"] == [0, 0]
    assert truthful["agree_by_cosine"]["near"] == 1
    for kind in CHOICES:
        low, high = truthful[f"forced_choice_{kind}"]["interval"]
        assert low <= truthful[f"forced_choice_{kind}"]["chance"] <= high, kind


def test_every_cell_has_as_many_questions(truthful: dict[str, dict[str, Any]]) -> None:
    for kind in KINDS:
        n = 2 * COUNT if kind == "what_hear" else COUNT
        assert truthful[kind]["n"] == n
        assert truthful[f"{kind}_near"]["n"] == truthful[f"{kind}_far"]["n"] == n / 2
    assert truthful["what_see_far_zh"]["n"] == COUNT / 4
    for engine in ("espeak", "flite", "unseen_engine", "zh"):
        assert truthful[f"what_hear_{engine}"]["n"] == COUNT / 2
    forms = [truthful[f"which_named_{form}"]["n"] for form in ("word", "audio")]
    assert sum(forms) == COUNT and min(forms) > 0.4 * COUNT
    assert truthful["overall"]["n"] == 11 * COUNT


def test_who_does_not_look_is_found_out(data: EmojiData, judge: Any) -> None:
    results = judge(Stubborn(data))
    assert results["removed"]["declines"] < 0.7
    assert results["swapped"]["follows_new"] < 0.5 < results["swapped"]["stays"]
    assert results["swapped"]["difference"] < -0.3 and results["swapped"]["interval"][1] < -0.03


def test_who_looks_aside_is_found_out(data: EmojiData, judge: Any) -> None:
    results = judge(Sideways(data), count=4 * COUNT)
    for kind in ("is_it", "kind", "what_see"):
        whole, part = results[f"swapped_{kind}"], results[f"swapped_beside_{kind}"]
        assert 0 < part["n"] < whole["n"] / 2 and part["difference"] < -0.3
        assert whole["difference"] * whole["n"] == pytest.approx(part["difference"] * part["n"], abs=0.1)
    assert "swapped_beside_which_named" not in results and results["swapped_beside"]["difference"] < -0.3


def test_a_forced_choice_about_one_thing_is_made_with_nothing_shown_and_what_came_beside_is_told_apart(
    data: EmojiData, judge: Any
) -> None:
    results = judge(Peeking(data), count=4 * COUNT)
    asked = [one.turn for one in ask(data, count=4 * COUNT)["is_it"]]
    denied = [turn.answer == turn.options[1] for turn in asked]
    affirmed = [turn.answer == turn.options[0] for turn in asked if beside(turn)]
    assert results["forced_choice_is_it"]["accuracy"] == pytest.approx(sum(denied) / len(denied), abs=1e-4)
    assert results["hinted_is_it"]["n"] == len(affirmed) > 0
    assert results["hinted_is_it"]["accuracy"] == pytest.approx(sum(affirmed) / len(affirmed), abs=1e-4)
    assert f"`is_it` {100 * results['hinted_is_it']['accuracy']:.1f} % (" in as_tables(results)
    facts = Facts.of(data)
    some = ask(data, count=8)
    turn = some["agree"][0].turn  # the picture alone decides nothing
    assert blinded(facts, turn, modality="audio") == removed(facts, turn, modality="audio")
    assert blinded(facts, turn, modality="audio").images == turn.images
    turn = next(one.turn for one in some["which_named"] if one.turn.form == "audio")  # but the answers say the name
    assert len(turn.images) == 2 and not blinded(facts, turn, modality="audio").images
    assert blinded(facts, turn, modality="image").clips == turn.clips


def test_who_declines_everything_is_found_out(data: EmojiData, judge: Any) -> None:
    results = judge(Shy(data))
    assert (results["wrong_declines"]["declines"], results["removed"]["declines"]) == (1, 1)
    assert results["what_see"]["exact_match"] == 0 < results["decline"]["exact_match"] < 1
    assert results["overall"]["least_of_ceiling"] == 0
    assert "first_given_right" not in results


def test_a_verdict_that_its_own_ground_contradicts_is_found_out(data: EmojiData, judge: Any, truthful: Any) -> None:
    assert truthful["is_it_contradicted"]["contradicted"] == 0 and truthful["is_it_contradicted"]["n"] == COUNT
    hasty = judge(Hasty(data))
    assert hasty["is_it_contradicted"]["contradicted"] == 1 - hasty["is_it"]["exact_match"] > 0.2
    assert f"kind that they say: asked alone {100 * hasty['is_it_contradicted']['contradicted']:.1f} % (" in as_tables(
        hasty
    )
    shy = judge(Shy(data))
    assert not {"is_it_contradicted", "is_it_contradicted_later"} & set(shy) and "kind that they say" not in as_tables(
        shy
    )


def test_a_verdict_that_turns_in_a_conversation_is_found_out(data: EmojiData, judge: Any, truthful: Any) -> None:
    assert truthful["is_it_contradicted_later"]["contradicted"] == 0
    assert truthful["is_it_contradicted_later"]["n"] == COUNT
    swayed = judge(Swayed(data))
    assert swayed["is_it_contradicted"]["contradicted"] == 0 < 0.2 < swayed["is_it_contradicted_later"]["contradicted"]
    later = 100 * swayed["is_it_contradicted_later"]["contradicted"]
    assert "asked alone 0.0 % (0.0 to" in (said := as_tables(swayed)) and f"for the name {later:.1f} % (" in said


def test_a_conversation_asks_the_same_of_what_was_shown_before(data: EmojiData) -> None:
    facts = Facts.of(data)
    asked = [one.turn for one in ask(data, count=4 * COUNT)["is_it"]]
    assert {tuple(map(bool, (turn.images, turn.clips))) for turn in asked} == {
        (True, False),
        (False, True),
        (True, True),
    }
    for old, dialogue in zip(asked, conversations(facts, asked), strict=True):
        first, new = dialogue.turns
        assert (first.images, first.clips, first.asks_about) == (old.images, old.clips, old.asks_about)
        assert first.kind == {"image": "what_see", "audio": "what_hear"}[old.decides[0]]
        assert not new.images and not new.clips
        assert (new.answer, new.word, new.kind, new.form) == (old.answer, old.word, old.kind, old.form)
        assert new.question == old.question.rpartition(">")[2]


def test_the_choices_of_is_it_do_not_tell_the_verdict(data: EmojiData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows how common each kind is, and looks at nothing, tells the verdict from the two answers as they come."""
    every = turns(dialogues(data, split="train", count=3000, seed=0))
    common: Counter[tuple[str, str]] = Counter()
    for turn in every:
        if turn.kind == "is_it" and turn.answer == turn.options[0]:
            common[turn.language, ground(turn.answer)] += 1
    monkeypatch.setattr("mmlab.evaluation.chat.asked.KINDS", ("is_it",))  # the other kinds take long to make
    asked = [one.turn for one in ask(data, count=256)["is_it"] if one.alone]
    fair = choices(Facts.of(data), asked)

    def rate(options: Sequence[tuple[str, ...]]) -> float:
        pairs = zip(asked, options, strict=True)
        yes = [common[t.language, ground(a)] >= common[t.language, ground(b)] for t, (a, b) in pairs]
        return sum(said == (t.answer == t.options[0]) for said, t in zip(yes, asked, strict=True)) / len(asked)

    assert rate([turn.options for turn in asked]) > 0.58 and rate(fair) < 0.54
    for turn, (yes, no) in zip(asked, fair, strict=True):
        assert turn.answer in (yes, no) and yes == turn.options[0] and ground(yes) != ground(no)
    denied = [own for turn, own in zip(asked, fair, strict=True) if turn.answer == turn.options[1]]
    assert denied == [turn.options for turn in asked if turn.answer == turn.options[1]]
    lent = Counter(no for turn, (_, no) in zip(asked, fair, strict=True) if turn.answer == turn.options[0])
    twice = lent - Counter(no for _, no in denied)  # each ground is lent once; a few are left without
    assert twice.total() < 0.05 * len(asked)


def ground(answer: str) -> str:
    """The kind that an answer to "is it?" says before its verdict."""
    return answer.rpartition(" So ")[0] or answer.rpartition("所以")[0]


@pytest.mark.parametrize(
    ("answer", "language", "word", "expected"),
    [
        ("Kind: fruit. So yes.", "en", "fruit", True),
        ("Kind: fruit. So yes.", "en", "animal", False),
        ("Kind: fruit. So no.", "en", "fruit", False),
        ("类别：水果。所以不是。", "zh", "animal", True),
        ("类别：水果。所以不是。", "en", "animal", None),
        ("So no.", "en", "fruit", None),
        ("Kind: pudding. So no.", "en", "fruit", None),
    ],
)
def test_a_verdict_follows_from_the_kind_that_was_said(
    answer: str, language: str, word: str, expected: bool | None
) -> None:
    assert follows(answer, language, word) is expected


def test_memory_is_judged_where_the_first_answer_was_right(data: EmojiData, judge: Any) -> None:
    results = judge(Forgetful(data))
    assert results["first"]["exact_match"] == 1
    assert 0 < results["first_given_right"]["n"] < results["first"]["n"]


def test_the_ceiling_is_what_the_encoders_reach(data: EmojiData, judge: Any) -> None:
    """Eyes that take each thing for the next leave alone what is heard, measured, or declined."""
    results = judge(Truthful(data, sees=lambda at: at + 1))
    assert results["what_see"]["ceiling"] == 0 and results["what_see"]["of_ceiling"] is None
    assert [results[kind]["ceiling"] for kind in ("what_hear", "colour", "decline")] == [1, 1, 1]
    assert 0.3 < results["agree"]["ceiling"] < 0.7 and 0 < results["kind"]["ceiling"] < 1
    assert results["overall"]["exact_match"] == 1


def test_a_reader_needs_the_ground_of_an_answer_and_not_its_verdict_alone(data: EmojiData) -> None:
    """A sound taken for a third thing still points to the right picture; a banana is no vehicle, whatever it is taken for."""
    facts = Facts.of(data)
    known = [thing.id for thing in facts.things.values() if thing.split == "train"]
    axes = torch.eye(len(known))
    axis = {thing: axes[at] for at, thing in enumerate(known)}
    dog, cat, banana, guitar = (data[name].id for name in ("dog", "cat", "banana", "guitar"))
    clip = next(at for at, row in enumerate(facts.speech) if row["thing"] == dog and row["language"] == "en")
    pictures = {f"{thing}/noto": axis[thing] for thing in (dog, cat, banana)}

    def reachable(turn: Turn, seen: dict[str, Tensor], heard: Tensor) -> bool:
        none, senses = torch.empty(0), Senses.__new__(Senses)
        senses.facts = facts
        senses.seen = {key: Percept("image", none, z, none) for key, z in seen.items()}
        senses.heard = {clip: Percept("audio", none, heard, none)}
        senses.chat = SimpleNamespace(joint=SimpleNamespace(encode=lambda text: {"text": axes}))
        return Reader(senses).right(Asked(Dialogue((turn,)), "near", ""))

    both = {"images": [f"{dog}/noto", f"{cat}/noto"], "language": "en"}
    heard = question(data, kind="which_named", form="audio", clips=[clip], **both)
    assert reachable(heard, pictures, axis[dog])
    assert not reachable(heard, pictures, 0.5 * axis[dog] + 0.6 * axis[guitar])
    word = question(data, kind="which_named", form="word", word=dog, **both)
    assert reachable(word, pictures, axis[guitar])
    asked = question(data, kind="is_it", form="image", word="vehicle", language="en", images=[f"{banana}/noto"])
    for taken, fine in (("banana", True), ("red apple", True), ("guitar", False)):  # another fruit has its kind
        assert reachable(asked, {f"{banana}/noto": axis[data[taken].id]}, axis[dog]) == fine, taken


def test_questions_are_held_out_and_of_their_place(data: EmojiData) -> None:
    asked = ask(data, count=COUNT)
    assert set(asked) == set(KINDS)
    styles = {"near": "twemoji", "far": "openmoji"}
    for some in asked.values():
        for one in some:
            assert all(turn.phrasing >= FIRST_HELD_OUT for turn in one.dialogue.turns)
            assert {key.partition("/")[2] for turn in one.dialogue.turns for key in turn.images} <= {styles[one.place]}
    with pytest.raises(InputError, match="at least 8"):
        ask(data, count=4)
    with pytest.raises(InputError, match="test or validation"):
        ask(data, split="train")


def test_counterfactuals_keep_the_words_and_change_the_answer(data: EmojiData) -> None:
    facts = Facts.of(data)
    swaps = {place: Swaps(facts, split=f"test_{place}", seed=0) for place in ("near", "far")}
    seen = 0
    for kind, some in ask(data, count=COUNT).items():
        for one in some:
            if not one.alone or kind == "first":
                continue
            seen += 1
            new, old = swaps[one.place].turn(one.turn), one.turn
            assert (new.question, new.kind) == (old.question, kind) and new.answer != old.answer
            assert (new.images, new.clips) != (old.images, old.clips)
            assert [key.partition("/")[2] for key in new.images] == [key.partition("/")[2] for key in old.images]
            assert [facts.speech[r]["engine"] for r in new.clips] == [facts.speech[r]["engine"] for r in old.clips]
            for modality in old.decides:
                cut = removed(facts, old, modality=modality)
                assert cut.kind == "decline" and modality in cut.decides
                assert cut.question.rpartition(">")[2] == old.question.rpartition(">")[2]
                assert not (cut.images if modality == "image" else cut.clips)
    assert seen > 8 * COUNT * 0.6


def test_where_nobody_says_what_is_shown_the_picture_is_swapped(data: EmojiData) -> None:
    facts = Facts.of(data)
    shown = facts.shown("validation")
    by: dict[str, dict[str, int]] = {}  # for each engine, a clip of each thing that it says
    for (thing, language), rows in shown.clips.items():
        for row in rows if language == "en" else ():
            by.setdefault(facts.speech[row]["engine"], {})[thing] = row
    spoken = min(by.values(), key=len)
    silent = next(thing for thing in shown.pictures if thing not in spoken)
    said, clip = next((thing, row) for thing, row in spoken.items() if thing in shown.pictures)
    asked = question(data, kind="agree", language="en", images=shown.pictures[silent][:1], clips=[clip])
    swapped = Swaps(facts, split="validation", seed=0).turn(asked)
    assert swapped.clips == (clip,) and facts.seen(swapped.images[0]) == said
    assert asked.answer.startswith("No") and swapped.answer.startswith("Yes")


def test_where_nobody_says_a_thing_of_the_kind_that_was_asked_for_a_third_kind_is_heard(data: EmojiData) -> None:
    """On validation some voices say no heart, say: the swap goes on all the same, and does not draw for ever."""
    facts = Facts.of(data)
    shown = facts.shown("validation")
    engines = {facts.speech[row]["engine"] for rows in shown.clips.values() for row in rows}
    said = {
        (engine, language, facts.kinds[thing]): row
        for (thing, language), rows in shown.clips.items()
        if thing in shown.pictures
        for row in rows
        for engine in engines
        if facts.speech[row]["engine"] == engine and facts.kinds[thing]
    }
    silent = [(e, x, kind) for e, x in {key[:2] for key in said} for kind in shown.by_kind if (e, x, kind) not in said]
    assert silent
    engine, language, word = min(silent)
    own, clip = next((kind, row) for (e, x, kind), row in said.items() if (e, x) == (engine, language) and kind != word)
    asked = question(data, kind="is_it", form="audio", word=word, language=language, clips=[clip])
    swapped = Swaps(facts, split="validation", seed=0).turn(asked)
    assert facts.kinds[swapped.asks_about] not in (own, word) and swapped.answer != asked.answer


def test_a_removal_that_removes_nothing_is_found_out(
    data: EmojiData, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counterfactual, "removed", lambda facts, turn, *, modality: turn)
    assert judge(Truthful(data))["removed"]["declines"] == 0


def test_baselines_see_the_words_alone(data: EmojiData) -> None:
    training = dialogues(data, split="test_near", count=1600, seed=9)
    asked = turns(dialogues(data, split="test_near", count=250, seed=10))

    def rate(answers: list[str], kind: str) -> float:
        rows = [answer == turn.answer for answer, turn in zip(answers, asked, strict=True) if turn.kind == kind]
        return sum(rows) / len(rows)

    majority, words = Majority(training).answer(asked), QuestionOnly(training).answer(asked)
    assert 0.3 < rate(majority, "agree") < 0.7 and 0.3 < rate(words, "agree") < 0.7
    for kind in ("which_named", "is_it"):  # whose answers say more than the verdict
        assert rate(majority, kind) < 0.2 and rate(words, kind) < 0.6
    assert rate(words, "is_it") > 0.4  # which says yes to everything
    shown = [turn for turn in asked if turn.kind == "which_named" and turn.form == "word"]
    named = QuestionOnly(training).answer(shown)
    names = [Facts.of(data).name(turn.word, turn.language) for turn in shown]
    assert sum(name in said for said, name in zip(named, names, strict=True)) > 0.4 * len(
        shown
    )  # and one or two by luck
    assert rate(words, "what_see") < 0.1 and rate(words, "colour") < 0.4

    def telling(turn: Turn) -> Turn:
        return Turn(**{**vars(turn), "question": f"{turn.question} {''.join(filter(str.isalpha, turn.answer))}"})

    told = [Dialogue(tuple(map(telling, dialogue.turns))) for dialogue in training]
    few = [telling(turn) for turn in asked if turn.kind in ("agree", "colour") and turn.language == "en"]
    right = [answer == turn.answer for answer, turn in zip(QuestionOnly(told).answer(few), few, strict=True)]
    assert sum(right) / len(right) > 0.8


GUESSES = """
import random
from mmlab.datasets.dialogue import Dialogue, Turn
from mmlab.evaluation.chat.baselines import QuestionOnly, Words

rng = random.Random(0)
texts = [" ".join(rng.choices([f"word{i}" for i in range(60)], k=12)) for _ in range(2400)]
guess = Words(texts[:1200], [f"answer {i % 600}" for i in range(1200)])
print([guess.guess(text) for text in texts[1200:]])
parts = dict(language="en", images=("a/noto",), clips=(), phrasing=0, decides=("image",), asks_about="a", options=())
things = [f"name{i % 60}" for i in range(600)]
told = [Turn(f"Is it {one}?", f"Kind: {one}. So yes.", "is_it", **parts) for one in things]
print(QuestionOnly([Dialogue((turn,)) for turn in told]).answer([Turn("Is it name1 or name2?", "", "is_it", **parts)]))
"""


def test_a_guess_from_the_words_is_the_same_in_every_process() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", GUESSES], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True)
        for seed in ("1", "2")
    ]
    assert runs[0].returncode == 0 and runs[0].stdout == runs[1].stdout


def test_the_best_threshold_is_the_best() -> None:
    generator = torch.Generator().manual_seed(0)
    cosines = torch.randn(40, generator=generator)
    same = (cosines + torch.randn(40, generator=generator)) > 0
    every = [((cosines > at) == same).double().mean().item() for at in [-9.0, *cosines.tolist()]]
    assert best_threshold(cosines, same) == pytest.approx(max(every))


def test_a_real_chat_is_asked_in_batches_with_its_own_answers(data: EmojiData) -> None:
    """The batch says what each dialogue says alone, turn by turn, from raw pictures and sounds."""
    chat, facts = make_chat(make_model(data)), Facts.of(data)
    asked = dialogues(data, split="test_far", count=12, seed=3)
    said = play(Senses(chat, data), asked)
    assert [len(answers) for answers in said] == [len(dialogue.turns) for dialogue in asked]
    longest = max(range(12), key=lambda at: len(asked[at].turns))
    talk: list[dict[str, Any]] = []
    for turn, answer in zip(asked[longest].turns, said[longest], strict=True):
        pictures = [facts.picture(key) for key in turn.images]
        sounds = [facts.sound(row) for row in turn.clips]
        words = turn.question.rpartition(">")[2]
        talk.append({"role": "user", "text": words, "images": pictures, "audio": sounds})
        assert chat.generate(talk).strip() == answer
        talk.append({"role": "assistant", "text": answer})


def test_tables_and_log(truthful: dict[str, dict[str, Any]], tmp_path: Any) -> None:
    tables = as_tables(truthful)
    assert "the best in hindsight, is right in 100.0 % (near) and 100.0 % (far)." in tables
    assert "hold chance" not in tables
    told = {**truthful, "forced_choice_agree": {**truthful["forced_choice_agree"], "interval": [0.51, 0.9]}}
    assert "The forced choice does not hold chance for `agree`:" in as_tables(told)
    assert "| `overall` | 100.0 |" in tables and "| `what_see` |" in tables and "unseen_engine" in tables
    assert "| `which_named_word` | 100.0 |" in tables
    assert "declined: 0.0 % of" in tables
    log_evaluation(truthful, path=tmp_path / "log.jsonl")
    log_evaluation(truthful, path=tmp_path / "log.jsonl")
    looks = [json.loads(line)["figures"] for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert len(looks) == 2 and looks[0]["agree"] == 1 and looks[0]["is_it_contradicted_later"] == 0


def test_the_card_states_config_results_and_balance(
    truthful: dict[str, dict[str, Any]], data: EmojiData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "balance", lambda data: "| `agree` | 50.0 | 50.0 |")
    config = {
        "connector": {"name": "tokens"}, "lm": {"layers": 4, "width": 192}, "parameters": 2_340_000,
        "training": {"seconds": 1800, "machine": "a machine"},
        "recipe": {"steps": 3000, "batch": 64, "seed": 0, "comparing": 900, "connector": "tokens"},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(bytes(1_500_000))
    kept = tmp_path / "seeds.jsonl"
    text = card.write_card(tmp_path, truthful, data, log=tmp_path / "none.jsonl", seeds=kept).read_text("utf-8")
    assert "one vector" not in text and "has not been measured" in text
    for said in (
        "decoder of 4 layers, 192 wide",
        "2.34 million",
        "1.5 MB",
        "3,000 steps of 64",
        "in 30 minutes on a machine",
        "| `overall` | 100.0 |",
        "logged 0 times",
        "| `agree` | 50.0 | 50.0 |",
        "1,298 things",
    ):
        assert said in text, said
    for at, (change, value) in enumerate([({"seed": 1}, 0.25), ({"seed": 2}, 0.75), ({"connector": "fused"}, 0.456)]):
        other = tmp_path / str(at)
        other.mkdir()
        (other / "config.json").write_text(json.dumps({**config, "recipe": {**config["recipe"], **change}}))
        keep_seed(other, {"agree": {"exact_match": value}}, path=kept)
    text = card.write_card(tmp_path, truthful, data, log=tmp_path / "none.jsonl", seeds=kept).read_text("utf-8")
    assert "| `agree` | 100.0 | 45.6 |" in text and "| `is_it` | 100.0 | " not in text.split("one vector |")[1]
    assert "to 100.0 | 25.0 to 100.0 | 100.0 |" in text and "3 trainings" in text


def test_the_balance_is_that_of_the_dialogues(
    data: EmojiData, training: list[Dialogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "dialogues", lambda *args, **how: training)
    lines = card.balance(data).splitlines()
    assert len(lines) == 2 + len(KINDS)
    agree = next(line for line in lines if "`agree`" in line)
    assert all(45 < float(cell) < 60 for cell in agree.split("|")[2:4])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("chat --ship --quick", "full size"),
        ("chat --ship --count 100", "full size"),
        ("chat --ship --split validation", "full size"),
        ("chat --card --quick", "full size"),
        ("chat --card --split validation", "full size"),
        ("joint --card --split validation", "the test"),
        ("chat --card --model .", "--lm"),
        ("joint --out .", "directory"),
        ("picture .", "directory"),
    ],
)
def test_what_cannot_be_stated(wrong: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mmlab.cli.eval.open_data", None)
    Path("config.json").write_text('{"model_type": "mmlab-chat", "lm": null}')
    done = CliRunner().invoke(app, ["eval", *wrong.split()])
    assert done.exit_code == 2 and said in done.output


def test_what_ships_is_written_beside_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = DATA / "results" / "scaling" / "results.json"
    monkeypatch.setattr("mmlab.evaluation.scaling.scaling", lambda *_, **__: json.loads(shipped.read_text("utf-8")))
    monkeypatch.setattr("mmlab.cli.eval.open_data", lambda folder: folder)
    monkeypatch.setattr("mmlab.paths.DATA", tmp_path)
    done = CliRunner().invoke(app, ["eval", "scaling", "--ship", "--out", str(tmp_path / "mine.json")])
    assert done.exit_code == 0, done.output
    kept = tmp_path / "results" / "scaling" / "results.json"
    assert kept.read_bytes() == (tmp_path / "mine.json").read_bytes() == shipped.read_bytes()
