"""A conversation remembers, streams, stops, tries again, saves and comes back; what cannot be used leaves it as it was."""

import threading
import time
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mmlab.apps.dialogue import Conversation
from mmlab.apps.streaming import Pieces
from mmlab.apps.wording import GUESSES, LONGEST, STRANGERS, check_question, language_of
from mmlab.datasets.emoji import EmojiData
from mmlab.models.chat import MultimodalChat
from mmlab.models.joint import JointEmbedder
from mmlab.types import InputError
from tests.unit import tiny_chat, tiny_emoji


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture(scope="module")
def model(data) -> MultimodalChat:
    return tiny_chat.make_chat(tiny_emoji.make_model(data))


@pytest.fixture
def script(model, monkeypatch) -> dict[str, Any]:
    """The model says `reply`, token by token as `generate` does, and what it was given is kept in `calls`."""
    script: dict[str, Any] = {"reply": "I see: elephant.", "calls": []}

    def generate(messages, *, streamer, stop, seed, **how):
        script["calls"].append({"messages": messages, "seed": seed, **how})
        streamer.put(torch.zeros(1, 0, dtype=torch.long))
        ids = model.tokenizer.encode(script["reply"], add_special_tokens=False)
        for count, token in enumerate(ids, start=1):
            streamer.put(torch.tensor([token]))
            if script.get("after") is not None:
                script["after"](count)
            if stop():
                return model.tokenizer.decode(ids[:count]).strip()
        return script["reply"]

    monkeypatch.setattr(model, "generate", generate)
    return script


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.open(BytesIO(tiny_emoji.picture(1, style="openmoji"))).convert("RGB")


@pytest.fixture(scope="module")
def sound() -> bytes:
    return tiny_emoji.tone(1, voice="ked")


def given(call: dict[str, Any]) -> list[tuple[int, int]]:
    """How many pictures and sounds each question of a call brought."""
    return [(len(m["images"]), len(m["audio"])) for m in call["messages"] if m["role"] == "user"]


# ---- memory ----


def test_earlier_turns_come_with_what_was_shown_and_are_encoded_once(model, script, picture, sound, monkeypatch):
    seen = []
    see = model.see
    monkeypatch.setattr(model, "see", lambda **raw: seen.append(sorted(raw)) or see(**raw))
    talk = Conversation(model, trust=True)
    talk.say("What do you see?", image=picture)
    talk.say("And what do you hear?", audio=sound)
    script["reply"] = "Yes."
    talk.say("Do they agree?")
    assert seen == [["images"], ["audio"]]
    assert given(script["calls"][2]) == [(1, 0), (0, 1), (0, 0)]
    words = [(m["role"], m["text"]) for m in script["calls"][2]["messages"]]
    assert words[:2] == [("user", "What do you see?"), ("assistant", "I see: elephant.")] and words[-1][0] == "user"
    first = script["calls"][0]["messages"][0]["images"][0]
    assert first is script["calls"][2]["messages"][0]["images"][0]
    torch.testing.assert_close(first.z, see(images=[picture])[0].z)


def test_what_lies_too_far_back_is_forgotten_and_the_page_says_so(model, script):
    talk = Conversation(model, memory=2)
    for number in range(4):
        talk.say(f"Question {number}?")
    assert [m["text"] for m in script["calls"][-1]["messages"]] == ["Question 2?", "I see: elephant.", "Question 3?"]
    page = talk._repr_html_()
    assert page.index("Question 1?") < page.index("What stands above is forgotten") < page.index("Question 2?")
    assert "forgotten" not in Conversation(model)._repr_html_()


def test_a_real_reply_is_the_models_answer(model, picture, sound):
    talk = Conversation(model, temperature=1.5, top_p=0.9, seed=3, trust=True)
    reply = talk.say("What do you see?", image=picture, audio=sound)
    [exchange] = talk.exchanges
    messages = [{"role": "user", "text": "What do you see?", "images": [exchange.of("image")[0].raw]}]
    messages[0]["audio"] = [exchange.of("audio")[0].raw]
    expected = model.generate(messages, temperature=1.5, top_p=0.9, seed=3)
    assert exchange.answer == expected and reply.endswith(expected) and len(expected) > 5


# ---- streaming, stop, retry ----


@pytest.mark.parametrize("reply", ["I see: elephant.", "我看到：大象。", "🪐 ñ"])
def test_pieces_are_the_reply_and_never_half_a_character(model, script, reply):
    script["reply"] = reply
    pieces = list(Conversation(model).stream("What do you see?"))
    assert "".join(pieces) == reply and len(pieces) > 1
    assert not any("\ufffd" in piece for piece in pieces)


def test_pieces_take_a_prompt_of_embeddings_and_end(model):
    heard: list[str] = []
    pieces = Pieces(model.tokenizer, heard.append)
    pieces.put(torch.zeros(1, 0, dtype=torch.long))
    for token in model.tokenizer.encode("Yes.", add_special_tokens=False):
        pieces.put(torch.tensor([token]))
    pieces.put(torch.tensor([model.tokenizer.eos_token_id]))
    pieces.end()
    assert "".join(heard) == "Yes."


def test_pieces_come_while_the_reply_is_made(model, script):
    made: list[int] = []
    script["after"] = made.append
    stream = Conversation(model).stream("What do you see?")
    go_on = threading.Event()
    script["after"] = lambda count: (made.append(count), go_on.wait(5) if count == 2 else None)
    assert next(stream) and made[:1] in ([], [1]) and len(made) <= 2
    go_on.set()
    list(stream)
    assert len(made) > 2


def test_stop_from_another_thread_keeps_what_was_said_and_the_next_turn_works(model, script):
    talk, began = Conversation(model), threading.Event()
    script["reply"] = "elephant " * 20

    def after(count: int) -> None:
        if count == 5:
            began.set()
            stopper.join(5)

    script["after"] = after
    stopper = threading.Thread(target=lambda: began.wait(5) and talk.stop())
    stopper.start()
    reply = talk.say("What do you see?")
    [exchange] = talk.exchanges
    assert exchange.stopped and reply == f"{exchange.answer} …" and 0 < len(exchange.answer) < 60
    script.update(reply="Yes.", after=None)
    assert talk.say("Do they agree?") == "Yes." and not talk.exchanges[1].stopped
    assert script["calls"][1]["messages"][1]["text"] == exchange.answer


def test_a_stop_that_comes_too_late_stops_nothing(model, script):
    talk = Conversation(model)
    assert talk.stop() is False
    assert talk.say("What do you see?") == "I see: elephant." and not talk.exchanges[0].stopped


def test_leaving_the_stream_stops_the_reply(model, script):
    talk = Conversation(model)
    script.update(reply="elephant " * 20, after=lambda count: time.sleep(0.01))
    for _ in talk.stream("What do you see?"):
        break
    assert talk.exchanges[0].stopped and len(talk.exchanges[0].answer) < 100
    script.update(reply="Yes.", after=None)
    assert talk.say("Do they agree?") == "Yes."


def test_only_one_question_at_a_time(model, script):
    talk, refused = Conversation(model), []

    def after(count: int) -> None:
        with pytest.raises(InputError, match="still being answered"):
            talk.say("What do you hear?")
        refused.append(count)

    script["after"] = after
    assert talk.say("What do you see?") == "I see: elephant."
    assert refused and len(talk.exchanges) == 1


def test_an_error_while_answering_leaves_the_conversation_as_it_was(model, script):
    talk = Conversation(model)
    talk.say("What do you see?")

    def after(count: int) -> None:
        raise InputError("This conversation is too long.")

    script["after"] = after
    with pytest.raises(InputError, match="too long"):
        list(talk.stream("And now?"))
    script["after"] = None
    assert len(talk.exchanges) == 1 and talk.say("And now?") == "I see: elephant."


def test_retry_puts_another_reply_in_place_of_the_last(model, script, picture):
    talk = Conversation(model, seed=5, trust=True)
    talk.say("What do you see?", image=picture)
    talk.say("What colour is it?")
    script["reply"] = "Red."
    assert talk.retry(temperature=0.8, top_p=0.5) == "Red."
    assert [one.answer for one in talk.exchanges] == ["I see: elephant.", "Red."]
    again, once_more = script["calls"][1:3]
    assert again["messages"] == once_more["messages"] and again["seed"] != once_more["seed"]
    assert (again["temperature"], once_more["temperature"], once_more["top_p"]) == (0.0, 0.8, 0.5)
    talk.retry()
    assert len({call["seed"] for call in script["calls"]}) == 4 and script["calls"][3]["temperature"] == 0


def test_seeds_make_a_sampled_conversation_repeatable(model):
    def talk(seed: int) -> list[str]:
        made = Conversation(model, temperature=1.5, seed=seed)
        return [made.say("What do you see?"), made.say("What do you see?"), made.retry(), made.retry()]

    once, other = talk(1), talk(2)
    assert once == talk(1) and once != other and len(set(once)) == 4


def test_greedy_retries_give_the_same(model):
    talk = Conversation(model)
    assert talk.say("What do you see?") == talk.retry()


# ---- familiarity ----


@pytest.fixture
def stranger(monkeypatch):
    """Everything is a stranger."""
    monkeypatch.setattr(JointEmbedder, "familiar", tiny_chat.nobody_knows)


@pytest.mark.parametrize(("question", "language"), [("What do you see?", "en"), ("你看到了什么？", "zh")])
def test_a_stranger_is_called_one_in_the_language_of_the_question_and_left_out(
    model, script, picture, sound, stranger, question, language
):
    talk, pieces = Conversation(model), []
    reply = talk.say(question, image=picture, audio=sound, on_text=pieces.append)
    expected = [STRANGERS["image", language], STRANGERS["audio", language]]
    assert reply == (" " if language == "en" else "").join([*expected, "I see: elephant."]) == "".join(pieces)
    assert given(script["calls"][0]) == [(0, 0)]
    talk.say("What was it?")
    assert script["calls"][1]["messages"][1]["text"] == "I see: elephant."  # what the model said, and not the notice


def test_only_what_is_strange_is_left_out(model, script, picture, sound, monkeypatch):
    talk = Conversation(model)
    images, clip = [talk.open(image=picture), talk.open(image=picture)], talk.open(audio=sound)
    known, heard = [replace(one, familiarity=0.5) for one in images], replace(clip, familiarity=0.5)
    strange = replace(images[0], familiarity=0.01)
    assert talk.say("Which picture shows a cat?", image=[known[0], strange], audio=heard).startswith(
        "One of these pictures"
    )
    assert given(script["calls"][0]) == [(0, 1)]  # the second alone would be called the first
    assert talk.say("Which picture shows a cat?", image=known, audio=heard) == "I see: elephant."
    assert given(script["calls"][1]) == [(0, 1), (2, 1)]


def test_a_question_about_a_stranger_is_not_answered_about_an_older_picture(model, script, picture, sound):
    talk = Conversation(model)
    image, clip = (replace(talk.open(**one), familiarity=0.5) for one in ({"image": picture}, {"audio": sound}))
    strange = replace(image, familiarity=0.01)
    talk.say("What do you see?", image=image)
    talk.say("And now?", image=strange, audio=clip)
    assert given(script["calls"][1]) == [(0, 1)] and len(script["calls"][1]["messages"]) == 1
    with pytest.raises(InputError, match="temperature"):
        talk.retry(temperature=9, on_text=lambda text: pytest.fail("refused, but began to speak"))
    talk.retry()
    assert script["calls"][2]["messages"] == script["calls"][1]["messages"]
    talk.say("What did I show you first?")
    assert given(script["calls"][3]) == [(1, 0), (0, 1), (0, 0)]  # what came before is not forgotten
    talk = Conversation(model, trust=True)
    talk.say("What do you see?", image=image)
    talk.say("And now?", image=strange)
    assert given(script["calls"][5]) == [(1, 0), (1, 0)]


def test_who_trusts_gets_an_answer_and_a_warning(model, script, picture, stranger):
    talk = Conversation(model, trust=True)
    assert talk.say("What do you see?", image=picture) == f"{GUESSES['image', 'en']} I see: elephant."
    assert given(script["calls"][0]) == [(1, 0)]


def test_a_model_that_cannot_judge_makes_no_claim(data, picture):
    talk = Conversation(tiny_chat.make_chat(tiny_emoji.make_model(data, judged=False)))
    assert talk.open(image=picture).familiarity is None and not talk.open(image=picture).strange


# ---- bad input ----

RUSSIAN, JAPANESE, KOREAN, ARABIC = "Что это такое?", "これは何ですか", "이게 뭐예요?", "ما هذا؟"


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("", "has words"),
        (" \n\t ", "has words"),
        ("?!…", "has words"),
        ("x" * 10_000, "10,000"),
        (RUSSIAN, "'Ч' belongs to neither"),
        (JAPANESE, "belongs to neither"),
        (KOREAN, "belongs to neither"),
        (ARABIC, "belongs to neither"),
        ("Où est le chat ?", "'ù' belongs to neither"),
        ("¿Que es?", "'¿' belongs to neither"),
        ("What\udcff is this?", "half a character; read it again as UTF-8"),
        ("<image> What is this?", "<image>; leave it out and give the picture itself"),
    ],
)
def test_a_question_that_cannot_be_used_is_a_sentence_and_the_conversation_goes_on(model, script, question, says):
    talk = Conversation(model)
    talk.say("What do you see?")
    kept = talk.exchanges
    for ask in (talk.say, lambda text: list(talk.stream(text))):
        with pytest.raises(InputError) as error:
            ask(question)
        assert says in str(error.value) and str(error.value).endswith(".")
    assert talk.exchanges is kept and len(script["calls"]) == 1
    assert talk.say("And now?") == "I see: elephant."


@pytest.mark.parametrize(
    "question", ["Is this a piñata?", "café", "它是 OK 吗？", "What is 🐘?", "2 + 2?", "x" * LONGEST]
)
def test_questions_that_can_be_used(question):
    assert check_question(f"  {question}\n") == question


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What do you see?", "en"),
        ("你看到了什么？", "zh"),
        ("How do you say 大象 in English?", "en"),
        ("guitar 用中文怎么说？", "zh"),
        ("42?", "zh"),
    ],
)
def test_the_language_is_that_of_most_words(text, language):
    assert language_of(text, otherwise="zh") == language


def test_wrong_inputs_are_sentences_and_change_nothing(model, script, picture, sound, tmp_path):
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "x.png").write_bytes(tiny_emoji.picture(1, style="noto"))
    talk = Conversation(model)
    talk.say("What do you see?")
    kept = talk.exchanges
    wrong = [
        ({"audio": tmp_path / "x.png"}, "this is a picture .*--image"),
        ({"audio": picture}, "Expected a sound, got a picture; pass it as image="),
        ({"image": sound}, "this is a sound .*--audio"),
        ({"image": np.zeros(16_000)}, "Expected a picture, got an array; pass it as audio="),
        ({"audio": np.zeros((8, 8, 3))}, "Expected a sound, got an array; pass it as image="),
        ({"image": 7}, "got a value of type int"),
        ({"image": [picture] * 3}, "at most 2 pictures, got 3"),
        ({"audio": [sound] * 2}, "at most 1 sound, got 2"),
        ({"image": tmp_path / "none.png"}, "nothing at this path"),
        ({"image": str(tmp_path / "notes.txt")}, "plain text"),
        ({"audio": np.zeros(16_000, dtype=np.float32)}, "silent"),
        ({"audio": np.sin(np.arange(16_000 * 4)).astype(np.float32)}, "at most 3 s"),
    ]
    for inputs, says in wrong:
        with pytest.raises(InputError, match=says):
            talk.say("What is this?", **inputs)
    assert talk.exchanges is kept and len(script["calls"]) == 1


def test_a_long_sound_is_cut_where_that_was_asked_for(model, script, tmp_path):
    long = np.sin(np.arange(16_000 * 4)).astype(np.float32)
    talk = Conversation(model, cut=True, trust=True)
    talk.say("What do you hear?", audio=long)
    talk.save(tmp_path / "kept")
    again = Conversation.load(tmp_path / "kept", model)
    np.testing.assert_array_equal(again.exchanges[0].media[0].raw, talk.exchanges[0].media[0].raw)


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"temperature": 99}, {"top_p": 0}, {"top_p": 1.2}, {"memory": 0}]
)
def test_settings_out_of_range_are_sentences(model, wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        Conversation(model, **wrong)


def test_there_is_nothing_to_retry_at_the_beginning(model):
    with pytest.raises(InputError, match="Nothing has been asked yet"):
        Conversation(model).retry()
