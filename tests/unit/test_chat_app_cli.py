"""`mmlab chat` as a person uses it: one question, a loop, JSON lines; and `mmlab bench chat`."""

import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from typer.testing import CliRunner, Result

from mmlab.apps.dialogue import Conversation
from mmlab.apps.wording import STRANGERS
from mmlab.bench.chat import bench_chat
from mmlab.cli import app
from mmlab.datasets.emoji import EmojiData
from mmlab.models.chat import MultimodalChat
from mmlab.models.joint import JointEmbedder, load_shipped
from tests.unit import tiny_chat, tiny_emoji, tiny_models

DRAWN = ("--temperature", 1.5, "--seed", 2, "--trust")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a random chat over the shipped joint space, one over another space, and some files of a person."""
    home = tmp_path_factory.mktemp("home")
    data = EmojiData.load(tiny_emoji.write_data(home / "data"))
    tiny_chat.make_chat(load_shipped()).save_pretrained(home / "chat")
    space = tiny_emoji.make_model(data)
    space.save_pretrained(home / "space")
    tiny_chat.make_chat(space).save_pretrained(home / "other")
    (home / "turtle.png").write_bytes(tiny_emoji.picture(1, style="openmoji"))
    (home / "my turtle.ogg").write_bytes(tiny_emoji.tone(1, voice="ked"))
    return home


@pytest.fixture
def run(home, monkeypatch, tmp_path):
    """Runs `mmlab chat` in an empty folder with lines on its standard input."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, lines: tuple[str, ...] = (), model: str = "chat") -> Result:
        arguments = ["chat", *map(str, words), *(("--model", str(home / model)) if model else ())]
        return CliRunner().invoke(app, arguments, input="".join(f"{line}\n" for line in lines), catch_exceptions=False)

    return run


def test_one_question_prints_its_reply(run, home):
    given = ("--image", home / "turtle.png", "--audio", home / "my turtle.ogg", *DRAWN)
    result = run("What do you see?", *given)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("The picture turtle.png comes with the next question, familiarity ")
    assert lines[1].startswith("The sound my turtle.ogg comes with the next question, familiarity ")
    said = json.loads(run("What do you see?", *given, "--json").stdout)
    assert lines[2].startswith("model: ") and said["reply"][:20].split()[0] in lines[2]
    assert (said["question"], said["language"], said["stopped"]) == ("What do you see?", "en", False)
    assert [one["file"] for one in (*said["image"], *said["audio"])] == ["turtle.png", "my turtle.ogg"]
    assert 0 <= said["image"][0]["familiarity"] <= 1
    other = json.loads(run("What do you see?", *given, "--json", "--seed", 3).stdout)
    assert other["answer"] != said["answer"]


def test_the_loop_takes_questions_and_commands(run, home, tmp_path):
    lines = (
        f"/image {home / 'turtle.png'}", "What do you see?", "", f'/audio "{home / "my turtle.ogg"}"', "你听到了什么？",
        "/retry", "/retry 2", "/save kept", "/help", "/nonsense", "/new", "/retry", "/audio", "Now?", "/quit", "never asked",
    )  # fmt: skip
    result = run("--temperature", 1, "--trust", lines=lines)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("model: ") >= 4 and "never asked" not in result.stdout
    assert "/save FILE" in result.stdout and "Everything is forgotten." in result.stdout
    errors = result.stderr.splitlines()
    assert [error.split(";")[0] for error in errors] == [
        "/nonsense is no command here",
        "Nothing has been asked yet, so there is nothing to try again",
        "This command needs the name of a file after it",
    ]
    kept = json.loads((tmp_path / "kept" / "chat.json").read_text(encoding="utf-8"))
    assert [(one["question"], one["attempt"]) for one in kept["exchanges"]] == [
        ("What do you see?", 0),
        ("你听到了什么？", 2),
    ]
    assert [len(one["media"]) for one in kept["exchanges"]] == [1, 1]


def test_things_of_the_course_can_be_shown_and_said_by_name(run):
    lines = ("/show guitar", "/say 老虎", "/show gitarre", "/say gui", "What do you see?")
    result = run("--json", *DRAWN, lines=lines)
    assert result.exit_code == 0, result.output
    [row] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (len(row["image"]), len(row["audio"])) == (1, 1)
    assert "picture of 'guitar' comes with the next question" in result.stderr and "sound of '老虎'" in result.stderr
    assert result.stderr.count("No thing has the id, emoji or name") == 2


def test_bad_input_in_the_loop_is_a_sentence_and_what_was_ready_stays(run, home):
    lines = (
        f"/image {home / 'turtle.png'}",
        "Что это?",
        f"/audio {home / 'turtle.png'}",
        "x" * 10_000,
        "What do you see?",
    )
    result = run("--json", *DRAWN, lines=lines)
    assert result.exit_code == 0, result.output
    [row] = [json.loads(line) for line in result.stdout.splitlines()]
    assert row["question"] == "What do you see?" and len(row["image"]) == 1 and row["audio"] == []
    assert "belongs to neither" in result.stderr and "this is a picture" in result.stderr and "10,000" in result.stderr


def test_ctrl_c_stops_what_is_being_done_and_the_loop_goes_on(run, home, tmp_path, monkeypatch):
    whole, interrupted = Conversation.say, []

    def say(self, text: str, **given):
        if text == "What do you hear?" and not interrupted:
            interrupted.append(text)
            raise KeyboardInterrupt
        return whole(self, text, **given)

    monkeypatch.setattr(Conversation, "say", say)
    lines = (f"/image {home / 'turtle.png'}", "What do you hear?", "What do you see?")
    result = run("--json", "--trust", "--save", tmp_path / "kept.json", lines=lines)
    [said] = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 0 and "Stopped." in result.stderr.splitlines() and interrupted
    assert (said["question"], said["image"][0]["file"]) == ("What do you see?", "turtle.png")  # it was still ready
    assert len(json.loads((tmp_path / "kept.json").read_text())["exchanges"]) == 1


def test_a_conversation_goes_on_from_a_file(run, home, tmp_path):
    first = run("What do you see?", "--image", home / "turtle.png", *DRAWN, "--save", "kept.json")
    assert "The conversation is in kept.json." in first.stderr
    second = json.loads(run("And now?", "--load", "kept.json", "--save", "kept.json", "--json").stdout)
    assert second["question"] == "And now?"
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert len(kept["exchanges"]) == 2 and kept["settings"]["temperature"] == 1.5  # the settings came with it


def test_a_stranger_is_called_one(run, home, monkeypatch):
    monkeypatch.setattr(JointEmbedder, "familiar", tiny_chat.nobody_knows)
    said = json.loads(run("What do you see?", "--image", home / "turtle.png", "--json").stdout)
    assert said["notice"] == STRANGERS["image", "en"] and said["image"][0]["strange"]
    result = run("你看到了什么？", "--image", home / "turtle.png")
    assert f"model: {STRANGERS['image', 'zh']}" in result.stdout


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("",), ("has words",)),
        (("Hi?", "--image", "none.png"), ("none.png", "nothing at this path")),
        (("Hi?", "--temperature", "-1"), ("temperature", "-1")),
        (("Hi?", "--load", "none.json"), ("none.json", "nothing at this path")),
        (("Hi?", "--save", "no/where/x.json"), ("no/where/x.json", "choose another")),
        (("Hi?", "--image", "~$a.png"), ("~$a.png", "home folder")),
    ],
)
def test_an_error_is_one_sentence(run, words, parts):
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1 and all(part in result.stderr for part in parts)
    assert result.stdout in ("", "model: (nothing)\n")


def test_more_than_a_question_takes_is_refused_at_once(run):
    result = run("--json", *DRAWN, lines=("/say guitar", "/say 老虎", "What do you hear?"))
    assert len(json.loads(result.stdout)["audio"]) == 1 and "at most 1 sound, got 2" in result.stderr


@pytest.mark.parametrize("rest", ["²", "0,7", "-1"])
def test_retry_takes_a_temperature(run, rest):
    result = run("--json", *DRAWN, lines=("Hi?", f"/retry {rest}", "And now?"))
    assert result.stdout.count("\n") == 2 and "temperature" in result.stderr and rest in result.stderr


def test_a_chat_for_another_joint_space_is_refused_naming_both(run):
    result = run("Hi?", model="other")
    assert result.exit_code == 2 and result.stderr.count("joint space") == 2 and result.stderr.count("\n") == 1


def test_a_chat_for_another_joint_space_talks_where_that_space_is_given(run, home):
    result = run("Hi?", "--joint", home / "space", *DRAWN, "--json", model="other")
    assert result.exit_code == 0 and json.loads(result.stdout)["question"] == "Hi?"


def test_another_language_model_answers_after_a_warning(run, tmp_path):
    sizes = {"n_positions": 256, "n_embd": 16, "n_layer": 2, "n_head": 2}
    lm = tiny_models.randomise(hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=300, **sizes, **tiny_models.IDS)))
    folder = tiny_models.save(tmp_path / "lm", lm, tiny_models.tokenizer(256))
    result = run("What do you see?", "--lm", folder, "--temperature", 1, model="")
    assert result.exit_code == 0, result.output
    assert "is untrained: it neither sees nor hears" in result.stderr and "model: " in result.stdout
    missing = run("Hi?", "--lm", tmp_path / "nothing", model="")
    assert missing.exit_code == 2 and "nothing" in missing.stderr


def test_bench_gives_every_figure(home):
    chat = MultimodalChat.from_pretrained(home / "chat")
    threads, lines = torch.get_num_threads(), []
    figures = bench_chat(chat, EmojiData.load(home / "data"), rounds=2, tokens=4, seconds=0.1, say=lines.append)
    timed = ("first_token_ms", "first_token_clock_ms", "tokens_per_second", "ratio_to_bare")
    assert all(0 < figures[name]["low"] <= figures[name]["value"] <= figures[name]["high"] for name in timed)
    assert figures["first_token_ms"]["n"] == 2 and len(lines) == 4 and torch.get_num_threads() == threads
    assert 0.5 < figures["ratio_to_bare"]["value"] < 3
    assert chat.lm.generation_config.min_new_tokens is None


def test_both_racers_say_as_many_tokens_after_as_long_a_prompt(home, monkeypatch):
    from mmlab.bench import chat as bench

    chat = MultimodalChat.from_pretrained(home / "chat")
    data, lengths, generate = EmojiData.load(home / "data"), [], chat.lm.generate

    def watched(**given):
        out = generate(**given)
        given_ids = given.get("input_ids")
        prompt = given["inputs_embeds"] if given_ids is None else given_ids
        new = out.shape[1] - (0 if given_ids is None else given_ids.shape[1])
        lengths.append((prompt.shape[1], new))
        return out

    monkeypatch.setattr(chat.lm, "generate", watched)
    messages = chat.encoded(bench._conversation(list(bench._samples(data, count=3))))
    for step in bench._pair(chat, messages, tokens=6):
        step()
    assert lengths[0] == lengths[1] and lengths[0][1] == 6 and lengths[0][0] > 30
