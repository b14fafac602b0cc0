"""Training the chat: what is shown, the stages, resuming exactly, learning what can be learned, and the command."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from typer.testing import CliRunner

from mmlab.cli import app
from mmlab.datasets.dialogue import Dialogue, Turn
from mmlab.datasets.emoji import EmojiData
from mmlab.models import chat_store
from mmlab.models.chat import MultimodalChat
from mmlab.models.connectors import SEEN, Percept
from mmlab.training import dialogue_shipped
from mmlab.training.dialogue import ChatModule, Comparing, Talks, name_of_one, train
from mmlab.training.dialogue_alike import SHOWS, SOFT, WORD, look_alikes
from mmlab.training.dialogue_bank import Bank, neighbours, open_bank
from mmlab.training.dialogue_recipe import ChatRecipe
from mmlab.training.dialogue_shipped import train_chat
from mmlab.types import InputError
from tests.unit import tiny, tiny_emoji, tiny_models
from tests.unit.tiny import EARLY
from tests.unit.tiny_chat import make_chat

JOINT = tiny.model()
WORDS = ("elephant", "pizza", "大象", "披萨")


def recipe(**changes: object) -> ChatRecipe:
    sizes = {"vocab": 360, "width": 16, "layers": 2, "heads": 2, "mlp": 24, "hidden": 16}
    return ChatRecipe(**{"steps": 8, "batch": 4, "text": 0.25, "connect": 0.25, **sizes, **changes})


def bank(views: int = 2) -> Bank:
    """Four things with a picture and a clip each; pictures 0 and 2 are of one colour, 1 and 3 of none."""
    generator = torch.Generator().manual_seed(0)
    names = torch.linalg.qr(torch.randn(16, 4, generator=generator)).Q.T.contiguous()
    shown = names[:, None] + 0.05 * torch.randn(4, views, 16, generator=generator)
    shown = torch.nn.functional.normalize(shown, dim=-1)
    return Bank(
        pictures={f"{i}/noto": i for i in range(4)},
        clips={10 + i: i for i in range(4)},
        spoken={10 + i: str(i) for i in range(4)},
        things={str(i): i for i in range(4)},
        image=shown,
        audio=shown.flip(1),
        early=torch.rand(4, 2, EARLY, generator=generator),
        names=names,
        alike=[torch.tensor([0, 2]), torch.tensor([1, 3])],
        colour=torch.tensor([0, 1, 0, 1]),
        near=neighbours(names),
    )


def turn(thing: int, *, kind: str = "what_see", language: str = "en") -> Turn:
    images, clips = ((f"{thing}/noto",), ()) if kind == "what_see" else ((), (10 + thing,))
    said = {"what_see": "I see", "what_hear": "I hear", "agree": "Yes", "is_it": "Kind"}[kind]
    return Turn("<image>What?", f"{said}: {WORDS[thing]}.", kind, language, images, clips, 0, (), str(thing), ())


def dialogues(count: int = 32) -> list[Dialogue]:
    return [Dialogue((turn(i % 4), turn((i + 1) % 4, kind="what_hear"))[: 1 + i % 2]) for i in range(count)]


def talks(one: ChatRecipe, chat: MultimodalChat | None = None) -> Talks:
    questions = [Dialogue((turn(i % 4, kind=("what_see", "what_hear")[i // 4 % 2]),)) for i in range(16)]
    return Talks(questions, dialogues(), bank(), small() if chat is None else chat, one)


def small(**options: object) -> MultimodalChat:
    return make_chat(JOINT, items=4, whole=WORDS, **options)


def names() -> tuple[torch.Tensor, list[tuple[str, str]]]:
    return bank().names, [(word, word) for word in WORDS]


def test_a_strict_percept_lies_nearest_to_its_name() -> None:
    wanted = [("image", i % 4, str(i % 4)) for i in range(400)]
    wild = recipe(pull=3.0, blur=3.0)
    for strict in (True, False):
        drawn = bank().draw(
            wanted, strict=torch.full((400,), strict), recipe=wild, generator=torch.Generator().manual_seed(0)
        )
        z = torch.stack([one.z for one in drawn])
        right = ((z @ bank().names.T).argmax(dim=-1) == torch.arange(400) % 4).float().mean()
        assert right == 1.0 if strict else 0.3 < right < 0.9
        torch.testing.assert_close(z.norm(dim=-1), torch.ones(400), rtol=0, atol=1e-5)


def test_the_colour_of_a_percept_is_that_of_another_picture_of_its_colour() -> None:
    drawn = bank().draw(
        [("image", 0, "0")] * 40 + [("audio", 0, "0")],
        strict=torch.ones(41, dtype=torch.bool),
        recipe=recipe(early_blur=0.0),
        generator=torch.Generator().manual_seed(0),
    )
    early, found = bank().early, {tuple(one.early.tolist()) for one in drawn[:40]}
    assert found == {tuple(early[row, way].tolist()) for row in (0, 2) for way in (0, 1)}
    assert drawn[40].early.shape == (0,)


def test_a_bank_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = EmojiData.load(tiny_emoji.write_data(tmp_path / "emoji"))
    monkeypatch.setattr("mmlab.training.dialogue_bank.save_file", lambda tensors, path, notes: path.touch() or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_bank(data, JOINT, split="tuning", seed=0, folder=tmp_path, say=print)
    assert not (tmp_path / "percepts.safetensors").exists()


def test_percepts_that_cannot_be_read_are_made_again(tmp_path: Path) -> None:
    data = EmojiData.load(tiny_emoji.write_data(tmp_path / "emoji"))
    made = [open_bank(data, JOINT, split="tuning", seed=0, folder=tmp_path, say=print)]
    path = tmp_path / "percepts.safetensors"
    cut = path.read_bytes()[:100]
    path.unlink()  # what was read before lies in the old file still
    path.write_bytes(cut)
    said: list[str] = []
    made.append(open_bank(data, JOINT, split="tuning", seed=0, folder=tmp_path, say=said.append))
    assert len(said) == 1 and torch.equal(made[0].image, made[1].image)


def test_a_step_draws_the_same_whatever_came_before() -> None:
    one, two = talks(recipe(steps=64)), talks(recipe(steps=64))
    for step in range(5):
        one.batch(step)
    a, b = one.batch(7), two.batch(7)
    assert torch.equal(a.ids, b.ids)
    assert all(torch.equal(x.z, y.z) for t, u in zip(a.turns, b.turns, strict=True) for x, y in zip(t, u, strict=True))
    other = talks(recipe(steps=64, seed=1)).batch(7)
    assert not torch.equal(a.turns[0][0].z, other.turns[0][0].z)


def test_every_dialogue_comes_once_in_a_pass() -> None:
    pool = talks(recipe()).dialogues
    seen = [row for step in range(16) for row in pool.rows(0, step, 2)]
    assert sorted(seen) == list(range(32))


def test_names_come_first_then_single_questions_then_dialogues() -> None:
    one = talks(recipe(naming=0.25, single=0.5, crowd=6))
    turns = [len(one.batch(step).turns) for step in range(8)]
    assert turns[:2] == [6] * 2 and turns[2:4] == [4] * 2 and max(turns[4:]) > 4
    pools = [one.pick(step)[0] for step in range(8)]
    assert [pools.count(pool) for pool in (one.names, one.questions, one.dialogues)] == [2, 2, 4]


def test_the_second_part_compares_things_and_words_and_goes_on_from_what_was_learned(tmp_path: Path) -> None:
    one = recipe(steps=2, comparing=5, crowd=6)
    assert (one.second.steps, one.second.lr, one.second.stage(0)) == (5, one.comparing_lr, "all")
    chat = small()
    kinds = ["agree"] * 8 + ["is_it"] * 6 + ["what_see"]
    asked = [Dialogue((turn(i % 4, kind=kind),)) for i, kind in enumerate(kinds)]
    longer = [Dialogue((turn(0), turn(1, kind=kind), turn(2))) for kind in ["is_it"] * 5 + ["agree"] * 6]
    second = Comparing(asked, longer, bank(), chat, one.second)
    pools = (second.compared, second.verdicts, second.questions, second.dialogues)
    assert [len(pool.prompts) for pool in pools[:2]] == [8, 5]  # who asks for a name alone is not asked
    assert all(len(shown) == 3 for shown in second.verdicts.shown)  # whole dialogues: a verdict among other turns
    assert [pools.index(second.pick(step)[0]) for step in range(8)] == [0, 1, 2, 3] * 2
    assert [second.pick(step)[1] for step in range(8)] == [0] * 4 + [1] * 4  # no batch of a pool twice, none left out
    assert [len(second.batch(step).ids) for step in range(4)] == [3, one.batch, 3, one.batch]
    before = chat.connector.reader.keys.detach().clone()
    train(chat, second, replace(one.second, lr=0.0), None, run=tmp_path, progress=False)
    torch.testing.assert_close(chat.connector.reader.keys, before)  # names are not put in over what was learned


def test_what_is_alike_is_looked_for_among_names_and_first_soft_tokens() -> None:
    chat = make_chat(JOINT, whole=("cat", "dog", "pear"))
    tiny_models.randomise(chat.connector)
    called = {"0": ("cat", "pear"), "1": ("dog", "elephant pizza"), "9": ("pear", "cat")}
    vectors, things, sources = look_alikes(chat, bank(), called, recipe())
    tokens = chat.connector.reader.tokens
    soft, words = vectors[sources == SOFT], vectors[sources == WORD]
    assert len(soft) == 2 * SHOWS * len(SEEN) * tokens and set(things.tolist()) == {0, 1}  # nobody ever saw the third
    table = chat.lm.get_input_embeddings().weight
    at = {name: table[chat.prompt.ids(name)[0]] for name in ("cat", "dog", "pear")}
    for row, thing in zip(words, things[sources == WORD].tolist(), strict=True):
        assert any(torch.equal(row, at[name]) for name in (("cat", "pear"), ("dog",))[thing])  # of two words: left out
    assert torch.bincount(things[sources == WORD]).tolist() == [2 * SHOWS * len(SEEN), SHOWS * len(SEEN)]
    wild = replace(recipe(), pseudo=0.0, pull=0.0, blur=0.0)
    plain, owners, kinds = look_alikes(chat, bank(views=1), called, wild)
    expected = chat.connector([[Percept("image", torch.empty(0), bank(views=1).image[1, 0], torch.rand(EARLY))]])[
        :tokens
    ]
    shown = plain[(kinds == SOFT) & (owners == 1)]
    for token in expected:  # the tokens that say what it is, never the one that says its colour
        assert ((shown - token).abs().amax(dim=1) < 1e-5).sum() == SHOWS


def test_only_a_question_for_the_name_of_one_thing_is_a_first_question() -> None:
    asked = turn(1)
    assert name_of_one(Dialogue((turn(0, kind="agree"), asked))) == Dialogue((asked,))
    assert name_of_one(Dialogue((replace(asked, images=()),))) is None
    assert name_of_one(Dialogue((replace(asked, clips=(11,)),))) is None
    assert name_of_one(Dialogue((turn(1, kind="agree"),))) is None


def test_the_stages_train_what_they_say() -> None:
    one = recipe()
    assert [one.stage(step) for step in range(8)] == ["text"] * 2 + ["connector"] * 2 + ["all"] * 4
    assert {recipe(lm="folder").stage(step) for step in range(8)} == {"connector"}
    chat = small().train()
    chat.lm.requires_grad_(True)
    module = ChatModule(chat, one, names())
    for stage, learns in (("text", {"lm"}), ("connector", {"connector"}), ("all", {"lm", "connector"})):
        module.enter(stage)
        assert {name.split(".")[1] for name, p in module.named_parameters() if p.requires_grad} == learns
    assert not any(p.requires_grad for p in chat.joint.parameters())


def test_the_text_stage_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = small()
    module, batch, given = ChatModule(chat, recipe(), names()), talks(recipe(), chat).batch(0), []
    monkeypatch.setattr(chat, "loss", lambda prompts: given.append(prompts) or torch.zeros(()))
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module.training_step(batch, 0)
    assert not given[0].places.any() and given[0].turns == () and torch.equal(given[0].ids, batch.ids)


def test_a_small_chat_learns_to_name_what_it_sees_and_hears(tmp_path: Path) -> None:
    one = recipe(steps=420, batch=16, crowd=16, lr=1e-2, pull=0.3, blur=0.3, text=0.0, connect=0.05, ema=0.9)
    chat = small()
    train(chat, talks(one, chat), one, names(), run=tmp_path, progress=False, every=10_000)
    generator = torch.Generator().manual_seed(9)
    wanted = [(name, i, str(i)) for i in range(4) for name in ("image", "audio")]
    shown = bank().draw(wanted, strict=torch.ones(8, dtype=torch.bool), recipe=one, generator=generator)
    said = chat.answer([[{"role": "user", "text": "What?", "images": [percept]}] for percept in shown])
    expected = [f"I {verb}: {WORDS[i]}." for i in range(4) for verb in ("see", "hear")]
    assert sum(a == b for a, b in zip(said, expected, strict=True)) >= 7, said


RUN = """
import os, signal, sys
from pathlib import Path
from lightning.pytorch.callbacks import Callback
from mmlab.training.dialogue import train
from tests.unit import test_train_chat as here

class Kill(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

one, chat = here.recipe(), here.small()
train(chat, here.talks(one, chat), one, here.names(), run=Path(sys.argv[1]), every=2, progress=False, callbacks=(Kill(),))
"""


def test_a_killed_run_ends_where_the_unkilled_one_ends(tmp_path: Path) -> None:
    def run(name: str) -> torch.Tensor:
        chat = small()
        return flat(train(chat, talks(recipe(), chat), recipe(), names(), run=tmp_path / name, every=2, progress=False))

    whole = run("whole")
    killed = subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "cut"), "7"], env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "cut" / "last.ckpt").is_file()
    way = (whole - flat(small())).norm()
    assert way > 0.1
    # Not to the last bit: where a gradient is nearly nothing, an orthogonal step makes much of how it was rounded.
    assert (run("cut") - whole).norm() < 0.01 * way


def test_a_part_that_another_follows_ends_with_its_last_weights(tmp_path: Path) -> None:
    assert recipe().compares and not recipe(comparing=0).compares and not recipe(lm="folder").compares
    ends = []
    for average in (True, False, False):  # the last one finds its run finished
        chat, run = small(), tmp_path / str(average)
        train(chat, talks(recipe(), chat), recipe(), names(), run=run, every=2, progress=False, average=average)
        ends.append({name: value.clone() for name, value in chat_store.parts(chat).state_dict().items()})
    last = torch.load(tmp_path / "True" / "last.ckpt", weights_only=True)["current_model_state"]
    last = {name.removeprefix("held."): value for name, value in last.items()}
    for end in ends[1:]:
        torch.testing.assert_close(end, last, rtol=0, atol=1e-6)
    assert any(not torch.equal(ends[0][name], last[name]) for name in last)


def flat(chat: MultimodalChat) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in chat_store.parts(chat).parameters()])


def test_another_language_model_is_spoken_to_and_stays_as_it_is(tmp_path: Path) -> None:
    config = LlamaConfig(
        vocab_size=320, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2
    )
    place = tiny_models.save(tmp_path / "lm", LlamaForCausalLM(config), tiny_models.tokenizer())
    one = recipe(lm=str(place), steps=4)
    chat = MultimodalChat(one.lm, joint=JOINT, items=4, **one.options)
    before = {name: value.clone() for name, value in chat.state_dict().items()}
    train(chat, talks(one, chat), one, names(), run=tmp_path / "run", progress=False)
    moved = {name.split(".")[0] for name, value in chat.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"connector"}
    chat.save_pretrained(tmp_path / "chat")
    again = MultimodalChat.from_pretrained(tmp_path / "chat", joint=JOINT)
    assert again.answer([[{"role": "user", "text": "What?"}]]) == chat.answer([[{"role": "user", "text": "What?"}]])


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(recipe(steps=3).to_dict()))
    chat = small()
    with pytest.raises(InputError, match="another recipe"):
        train(chat, talks(recipe(), chat), recipe(), names(), run=tmp_path, progress=False)


def test_a_recipe_that_means_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="Only the connector 'fused'"):
        ChatRecipe(fusion="gated")
    for wrong in ({"steps": 0}, {"seed": -1}):
        with pytest.raises(InputError, match="at least 1 step"):
            ChatRecipe(**wrong)
    with pytest.raises(InputError, match="0 steps"):
        ChatRecipe(comparing=-1)


def test_the_command_says_what_is_wrong_in_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "chat", "--run", str(tmp_path), "--joint", str(tmp_path / "none")])
    assert done.exit_code == 2 and "expected a checkpoint folder" in done.output


def test_a_run_of_another_recipe_keeps_its_percepts(tmp_path: Path) -> None:
    data = EmojiData.load(tiny_emoji.write_data(tmp_path / "emoji"))
    JOINT.save_pretrained(tmp_path / "joint")
    run = tmp_path / "run"
    open_bank(data, JOINT, split="train", seed=0, folder=run, say=print)
    (run / "recipe.json").write_text(json.dumps(recipe().to_dict()))
    before = (run / "percepts.safetensors").read_bytes()
    with pytest.raises(InputError, match="another recipe"):
        train_chat(recipe(seed=1), run=run, joint=tmp_path / "joint", data=data, progress=False)
    assert (run / "percepts.safetensors").read_bytes() == before


@pytest.mark.audit
def test_the_whole_recipe_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    JOINT.save_pretrained(tmp_path / "joint")
    averaged: list[bool] = []

    def watched(*what: object, average: bool = True, **how: object) -> MultimodalChat:
        averaged.append(average)
        return train(*what, average=average, **how)

    monkeypatch.setattr(dialogue_shipped, "train", watched)
    monkeypatch.setattr(dialogue_shipped, "QUESTIONS", {})
    monkeypatch.setattr(dialogue_shipped, "OTHERS", 20)
    how = {"run": tmp_path / "run", "joint": tmp_path / "joint", "progress": False}
    both = recipe(steps=3, comparing=3, dialogues=60)
    made = train_chat(both, **how)
    assert averaged == [False, True]
    assert torch.equal(flat(train_chat(both, **how)), flat(made))
    train_chat(replace(both, comparing=0), **how | {"run": tmp_path})
    assert averaged[4:] == [True]
