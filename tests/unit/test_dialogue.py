"""The dialogues: the same from the same seed, right by what was shown, balanced, and silent about their answers."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from mmlab.datasets.dialogue import (
    AUDIO,
    FIRST_HELD_OUT,
    IMAGE,
    KINDS,
    LANGUAGES,
    Dialogue,
    Facts,
    Turn,
    about,
    dialogues,
    majority_rates,
    turns,
)
from mmlab.datasets.dialogue.colours import COLOURS
from mmlab.datasets.dialogue.draws import Draws
from mmlab.datasets.dialogue.kinds import KINDS as THING_KINDS
from mmlab.datasets.emoji import EmojiData
from mmlab.types import InputError

SPLITS = {"tuning": "train", "validation": "validation", "test_near": "test", "test_far": "test"}
YES = ("Yes, they agree.", "是的，它们一致。", "So yes.", "所以是。", "Picture one.", "第一张图。")  # ends of answers
CHOICES = ("agree", "is_it", "which_named")
NAMES = ("what_see", "what_hear", "translate", "first", "which_named")  # kinds whose answers hold a name
MOST = {"agree": 0.5, "colour": 0.1, "kind": 0.09, "is_it": 0.09, **dict.fromkeys(NAMES, 0.02)}
COUNT = 400


@pytest.fixture(scope="module")
def facts(data: EmojiData) -> Facts:
    return Facts.of(data)


@pytest.fixture(scope="module")
def made(data: EmojiData) -> list[Dialogue]:
    return dialogues(data, split="test_near", count=COUNT, seed=1)


def test_the_same_seed_gives_the_same_dialogues(data: EmojiData, made: list[Dialogue]) -> None:
    assert dialogues(data, split="test_near", count=COUNT, seed=1) == made
    assert dialogues(data, split="test_near", count=COUNT, seed=2) != made
    asked = dict(kind="agree", split="test_far", language="zh", count=20)
    assert about(data, **asked, seed=1) == about(data, **asked, seed=1) != about(data, **asked, seed=2)


def test_they_have_one_to_six_turns_and_every_kind(made: list[Dialogue]) -> None:
    lengths = Counter(len(dialogue.turns) for dialogue in made)
    assert set(lengths) == {1, 2, 3, 4, 5, 6}
    share = Counter((turn.kind, turn.language) for turn in turns(made))
    assert set(share) == {(kind, language) for kind in KINDS for language in LANGUAGES}
    assert min(share.values()) > 0.03 * len(turns(made))


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_shows_its_own_styles_and_voices(data: EmojiData, split: str) -> None:
    styles = {
        "tuning": {"noto", "fluent_3d", "fluent_flat"}, "validation": {"emojione", "emojione_line"},
        "test_near": {"twemoji"}, "test_far": {"openmoji"},
    }  # fmt: skip
    asked = turns(dialogues(data, split=split, count=120, seed=0))
    assert {key.partition("/")[2] for turn in asked for key in turn.images} == styles[split]
    voices = data.speech_table["split"].to_pylist()
    assert {voices[clip] for turn in asked for clip in turn.clips} == {SPLITS[split]}
    known = {thing.id for thing in data.split("train")}
    things = data.speech_table["thing"].to_pylist()
    assert {key.partition("/")[0] for turn in asked for key in turn.images} <= known
    assert {things[clip] for turn in asked for clip in turn.clips} <= known


def said(facts: Facts, turn: Turn, thing: str) -> str:
    """What the answer must hold, worked out without the code under test."""
    en, zh = facts.things[thing].name_en, facts.things[thing].name_zh
    return {"translate": {"en": zh, "zh": en}}.get(turn.kind, {"en": en, "zh": zh})[turn.language]


def check_truth(facts: Facts, made: Sequence[Dialogue]) -> None:
    """Every answer, worked out anew from the pictures and clips of the dialogue so far."""
    for dialogue in made:
        seen: list[tuple[str, ...]] = []
        heard: list[str] = []
        for at, turn in enumerate(dialogue.turns):
            seen += [tuple(key.partition("/")[0] for key in turn.images)] if turn.images else []
            heard += [facts.speech[clip]["thing"] for clip in turn.clips]
            if turn.kind == "decline":
                assert not seen or not heard
                blind, deaf = (
                    any(w in turn.answer for w in ("see", "看不到")),
                    any(w in turn.answer for w in ("hear", "听")),
                )
                assert (blind and not seen) or (deaf and not heard) or (not seen and not heard)
                assert not (blind and seen) and not (deaf and heard)
            elif turn.kind == "agree":
                assert turn.answer.endswith(YES) == (seen[-1] == (heard[-1],))
            elif turn.kind == "which_named":
                named = heard[-1] if AUDIO in turn.question else turn.asks_about
                assert turn.answer.endswith(YES) == (seen[-1][0] == named) and named in seen[-1]
                assert said(facts, turn, named) in turn.answer
                if AUDIO not in turn.question:
                    assert facts.things[named].name(turn.language).lower() in turn.question.lower()
            elif turn.kind in ("what_see", "what_hear", "translate"):
                assert turn.asks_about in {*(seen[-1] if seen else ()), *heard[-1:]}
                if turn.kind.startswith("what"):
                    assert turn.asks_about == (seen[-1][0] if turn.kind == "what_see" else heard[-1])
                assert said(facts, turn, turn.asks_about) in turn.answer
            elif turn.kind == "first":
                assert turn.asks_about in {*(seen[0] if seen else ()), *heard[:1]}
                assert said(facts, turn, turn.asks_about) in turn.answer
            else:
                assert turn.asks_about in {*(seen[-1] if seen else ()), *heard[-1:]}
                check_fact(facts, turn, next((t.images for t in reversed(dialogue.turns[: at + 1]) if t.images), ()))


def check_fact(facts: Facts, turn: Turn, latest: tuple[str, ...]) -> None:
    """Kinds and colours, from the tables of facts; what these hold has tests of its own."""
    if turn.kind == "colour":
        assert turn.answer in (f"It is {facts.colour(latest[0])}.", f"它是{COLOURS.get(facts.colour(latest[0]))}的。")
    elif turn.kind == "is_it":
        assert turn.answer.endswith(YES) == (facts.kinds[turn.asks_about] == turn.word)
        assert THING_KINDS[turn.word].word(turn.language) in turn.question
        found = THING_KINDS[facts.kinds[turn.asks_about]]
        assert turn.answer.startswith((f"Kind: {found.en}.", f"类别：{found.zh}。"))
    else:
        found = THING_KINDS[facts.kinds[turn.asks_about]]
        assert turn.answer in (f"Kind: {found.en}.", f"类别：{found.zh}。")


def test_every_answer_follows_from_what_was_shown(facts: Facts, made: list[Dialogue]) -> None:
    check_truth(facts, made)


def verdict(turn: Turn) -> object:
    """What is to be guessed: of a question of two, the verdict at the end of the answer."""
    return turn.answer.endswith(YES) if turn.kind in CHOICES else turn.answer


def check_balance(made: Sequence[Dialogue]) -> None:
    """The rates are within four answers of what they should be at most."""
    asked = Counter((turn.kind, turn.language) for turn in turns(made))
    rates = majority_rates(made)
    assert rates.keys() == asked.keys()
    for (kind, language), rate in rates.items():
        if kind != "decline":
            assert rate * asked[kind, language] <= MOST[kind] * asked[kind, language] + 4, (kind, language, rate)
    for kind in CHOICES:
        yes = [verdict(turn) for turn in turns(made) if turn.kind == kind]
        assert abs(sum(yes) - len(yes) / 2) <= 4, kind


def test_no_answer_is_frequent(made: list[Dialogue]) -> None:
    check_balance(made)


def words(turn: Turn) -> str:
    return turn.question.replace(IMAGE, "").replace(AUDIO, "").rstrip("?.？。").lower()


def guessed(made: Sequence[Dialogue], features: Callable[[Turn], object]) -> dict[str, float]:
    """How often the commonest answer to a question with these features is right, tables made on the first half."""
    half = len(made) // 2
    table: dict[object, Counter[object]] = defaultdict(Counter)
    for turn in turns(made[:half]):
        table[turn.kind, turn.language, features(turn)][verdict(turn)] += 1
    right: dict[str, list[bool]] = defaultdict(list)
    for turn in turns(made[half:]):
        found = table[turn.kind, turn.language, features(turn)]
        right[turn.kind].append(bool(found) and found.most_common(1)[0][0] == verdict(turn))
    return {kind: sum(rows) / len(rows) for kind, rows in right.items()}


@pytest.fixture(scope="module")
def many(data: EmojiData) -> list[Dialogue]:
    return dialogues(data, split="test_near", count=1500, seed=5)


def check_silence(many: Sequence[Dialogue]) -> None:
    """Neither the words nor the number of pictures and sounds tell, beyond chance on about 230 a kind."""
    inside = {"is_it": lambda t: t.question.split()[-2:], "which_named": words}
    shapes = words, lambda t: (len(t.images), len(t.clips)), lambda t: t.question[-6:]
    for features in (*shapes, lambda t: str(inside.get(t.kind, words)(t))):
        for kind, rate in guessed(many, features).items():
            limit = 0.6 if kind in CHOICES else MOST.get(kind, 1) + 0.03
            assert rate <= limit, (kind, rate)


def test_the_question_does_not_give_its_answer_away(many: list[Dialogue]) -> None:
    check_silence(many)


def test_each_kind_word_is_right_as_often_as_wrong(many: list[Dialogue]) -> None:
    yes: dict[str, Counter[bool]] = defaultdict(Counter)
    for turn in turns(many):
        if turn.kind == "is_it" and turn.language == "en":
            yes[turn.word][turn.answer.endswith(YES)] += 1
    assert len(yes) > 20
    assert sum(abs(counts[True] - counts[False]) for counts in yes.values()) < 40


def alike(facts: Facts, made: Sequence[Dialogue]) -> tuple[int, float]:
    """How many questions that one modality decides show another thing, or the same, in the other; and the share of a kind."""
    pairs = []
    for turn in turns(made):
        if turn.kind in ("what_see", "what_hear", "kind", "is_it", "colour") and turn.images and turn.clips:
            shown = turn.images[0].partition("/")[0], facts.speech[turn.clips[0]]["thing"]
            pairs.append([facts.kinds[thing] for thing in shown])
    return len(pairs), sum(a == b for a, b in pairs if a and b) / sum(bool(a and b) for a, b in pairs)


def test_a_distractor_tells_nothing_of_the_kind(data: EmojiData, facts: Facts) -> None:
    how = dict(split="test_near", count=600, seed=5)
    plain, distracting = (dialogues(data, **how, distract=on) for on in (False, True))
    (few, often), (more, seldom) = alike(facts, plain), alike(facts, distracting)
    assert 1.2 * few < more < 2 * few and seldom < 0.4 < 0.65 < often
    check_truth(facts, distracting)
    check_balance(distracting[:COUNT])
    asked = dict(kind="kind", split="test_near", language="en", count=300, seed=0)
    assert alike(facts, about(data, **asked, distract=True))[1] < 0.4 < 0.65 < alike(facts, about(data, **asked))[1]


def test_held_out_phrasings_are_never_trained(data: EmojiData, made: list[Dialogue]) -> None:
    held = dialogues(data, split="test_near", count=200, seed=1, phrasings="held_out")
    assert all(turn.phrasing < FIRST_HELD_OUT for turn in turns(made))
    assert all(turn.phrasing >= FIRST_HELD_OUT for turn in turns(held))
    assert not {words(turn) for turn in turns(made)} & {words(turn) for turn in turns(held)}


@pytest.mark.parametrize("kind", KINDS)
def test_about_ends_in_what_was_asked_for(data: EmojiData, facts: Facts, kind: str) -> None:
    for language in LANGUAGES:
        found = about(data, kind=kind, split="test_far", language=language, count=60, seed=0)
        check_truth(facts, found)
        assert {(d.turns[-1].kind, turn.language) for d in found for turn in d.turns} == {(kind, language)}
        assert {facts.speech[clip]["language"] for turn in turns(found) for clip in turn.clips} <= {language}


def test_about_asks_one_engine_and_one_form(data: EmojiData, facts: Facts) -> None:
    asked = dict(kind="what_hear", split="test_near", language="en", count=100, seed=0, engine="festival")
    heard = {facts.speech[clip]["engine"] for turn in turns(about(data, **asked)) for clip in turn.clips}
    assert heard == {"festival"}
    asked = dict(kind="which_named", split="test_near", language="en", count=20, seed=0, form="audio")
    assert all(turn.clips for turn in turns(about(data, **asked)))


def test_a_coin_that_always_lands_alike_is_found_out(data: EmojiData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draws, "coin", lambda self, *key: True)
    with pytest.raises(AssertionError):
        check_balance(dialogues(data, split="test_near", count=300, seed=1))


def test_an_answer_about_another_thing_is_found_out(facts: Facts, made: list[Dialogue]) -> None:
    for kind in ("what_see", "kind", "colour"):
        alone = [d.turns[0] for d in made if d.turns[0].kind == kind and d.turns[0].language == "en"]
        other = next(turn for turn in alone if turn.answer != alone[0].answer)
        check_truth(facts, [Dialogue((alone[0],))])
        with pytest.raises(AssertionError):
            check_truth(facts, [Dialogue((Turn(**{**vars(alone[0]), "answer": other.answer}),))])


def test_a_question_that_tells_is_found_out(many: list[Dialogue]) -> None:
    told = [
        Dialogue(tuple(replace(t, question=t.question + " indeed" * t.answer.endswith(YES)) for t in d.turns))
        for d in many
    ]
    with pytest.raises(AssertionError):
        check_silence(told)


def test_refusals(data: EmojiData, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="splits train"):
        dialogues(data, split="test", count=1, seed=0)
    with pytest.raises(InputError, match="counted from one"):
        dialogues(data, split="train", count=0, seed=0)
    with pytest.raises(InputError, match='"train" or "held_out"'):
        dialogues(data, split="test_near", count=1, seed=0, phrasings="all")
    with pytest.raises(InputError, match="choose among these"):
        about(data, kind="why", split="test_near", language="en", count=1, seed=0)
    for kind, form, said in (("colour", "audio", "asked in the forms image"), ("decline", "image", "of another kind")):
        with pytest.raises(InputError, match=f"'{kind}' is {said}"):
            about(data, kind=kind, form=form, split="test_near", language="en", count=1, seed=0)
    monkeypatch.setattr(Draws, "of_kind", None)
    for kind, form in (("what_hear", "audio"), ("agree", "both"), ("kind", "audio"), ("is_it", "audio")):
        with pytest.raises(InputError, match="by the engine 'festival'"):
            about(data, kind=kind, form=form, split="test_near", language="zh", count=1, seed=0, engine="festival")


def test_a_memory_question_is_not_about_the_latest(made: list[Dialogue]) -> None:
    for dialogue in made:
        for before, turn in pairwise(dialogue.turns):
            if turn.kind == "first" and (before.images or before.clips):
                assert turn.asks_about not in {key.partition("/")[0] for key in before.images[:1] if not before.clips}
