"""The chat model: connectors, prompts, answers alone and together, saving strictly, other people's language models."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers as hf

from mmlab.fusion import FUSIONS
from mmlab.models.chat import MultimodalChat
from mmlab.models.connectors import CONNECTORS, Connector, FusedConnector, Percept, TokenConnector, counted
from mmlab.models.language import END, USER, discriminants, own_lm, own_tokenizer, see_alike, see_same
from mmlab.types import InputError
from tests.unit import tiny, tiny_models
from tests.unit.tiny import EARLY
from tests.unit.tiny_chat import make_chat

JOINT = tiny.model()


def chat(**options: object) -> MultimodalChat:
    """With every parameter of its language model random: at default values it only repeats what it read last."""
    model = make_chat(JOINT, **options)
    tiny_models.randomise(model.lm)
    lively(model.connector)
    return model


def percept(name: str, seed: int) -> Percept:
    generator = torch.Generator().manual_seed(seed)
    z = torch.nn.functional.normalize(torch.randn(16, generator=generator), dim=0)
    return Percept(name, torch.zeros(16), z, torch.rand(EARLY if name == "image" else 0, generator=generator))


def asked(text: str, *seeds: tuple[str, int]) -> list[dict]:
    shown = [percept(*seed) for seed in seeds]
    picked = {name: [p for p in shown if p.modality == one] for name, one in (("images", "image"), ("audio", "audio"))}
    return [{"role": "user", "text": text, **picked}]


TWO = asked("What do you see?", ("image", 1), ("image", 2), ("audio", 3))
TALK = [*asked("What do you see?", ("image", 1)), {"role": "assistant", "text": "I see: pizza."}]


def lively(connector: Connector) -> Connector:
    """With every parameter random: a fresh reader's network says nothing yet."""
    tiny_models.randomise(connector)
    return connector


def test_tokens_come_in_the_order_of_what_is_shown() -> None:
    connector = lively(TokenConnector(16, out=8, early=EARLY, hidden=12, items=5))
    turns = [TWO[0]["images"] + TWO[0]["audio"], [percept("audio", 4)]]
    soft = connector(turns)
    assert connector.slots(["image", "image", "audio"]) == ["image"] * 6 + ["audio"] * 2
    assert soft.shape == (10, 8)
    one_by_one = torch.cat([connector([[one]]) for turn in turns for one in turn])
    one_by_one[3:5] += connector.order.weight[1] - connector.order.weight[0]  # the second picture; not its colour
    torch.testing.assert_close(soft, one_by_one, rtol=0, atol=1e-6)
    assert not torch.equal(soft[0], soft[3])


def test_of_many_pictures_the_last_ones_count_alike() -> None:
    turn = [*(percept("image", seed) for seed in range(6)), percept("audio", 9)]
    assert counted(turn) == [0, 1, 2, 3, 3, 3, 0]


def test_the_colour_is_read_from_the_early_features_alone() -> None:
    connector = lively(TokenConnector(16, out=8, early=EARLY, hidden=12, items=5))
    connector.standardise(torch.rand(50, EARLY))
    first, other = percept("image", 1), percept("image", 2)
    mixed = replace(first, early=other.early)
    a, b, c = (connector([[one]]) for one in (first, other, mixed))
    assert torch.equal(c[:2], a[:2]) and torch.equal(c[2], b[2]) and not torch.equal(a[2], b[2])


def test_a_picture_and_a_sound_of_one_meaning_differ_by_a_constant() -> None:
    connector = lively(TokenConnector(16, out=8, early=0, hidden=12, items=5))
    pairs = [(percept("image", seed), percept("audio", seed)) for seed in (1, 2)]
    first, second = (connector([[a]]) - connector([[b]]) for a, b in pairs)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-5)


def test_a_reader_begins_with_the_names_it_remembers() -> None:
    model = make_chat(JOINT, items=3)
    vectors = torch.eye(16)[:3]
    model.remember(vectors, [("I see", "是的"), ("pizza", "披萨"), ("No", "不是")])
    table = model.lm.get_input_embeddings().weight
    soft = model.connector([[Percept("audio", torch.zeros(16), vectors[1], torch.zeros(0))]])
    words = soft - model.connector.modality.weight[1] - model.connector.order.weight[0]
    for said, name in zip(words, ("pizza", "披萨"), strict=True):
        ids = model.prompt.ids(name)
        expected = sum(0.7**k * table[i] for k, i in enumerate(ids))
        torch.testing.assert_close(said, torch.nn.functional.normalize(expected, dim=0), rtol=0, atol=1e-5)


def test_the_fused_token_is_the_sum() -> None:
    connector = lively(FusedConnector(16, out=8, hidden=12, items=5))
    turn = TWO[0]["images"] + TWO[0]["audio"]
    by_hand = connector.reader(sum(one.z for one in turn)[None])[:, 0]
    torch.testing.assert_close(connector([turn]), by_hand, rtol=0, atol=1e-5)
    assert connector.slots(["image", "image", "audio"]) == ["image"] and connector.slots([]) == []


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_vector_operator_fuses_what_is_there(fusion: str) -> None:
    connector = lively(FusedConnector(16, out=8, hidden=12, items=5, fusion=fusion)).eval()
    soft = connector([[percept("image", 1)], [], [percept("image", 1), percept("audio", 2)]])
    assert soft.shape == (2, 8) and soft.isfinite().all() and not torch.equal(soft[0], soft[1])


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_answer_feels_every_picture_and_sound(name: str) -> None:
    model = chat(connector=name)
    leaves = [one.z.requires_grad_() for one in TWO[0]["images"] + TWO[0]["audio"]]
    prompt = model.prompt([*TWO, {"role": "assistant", "text": "I see: pizza."}])
    grads = torch.autograd.grad(model.loss(model.prompt.batch([prompt])), leaves)
    assert all(grad.abs().max() > 0 for grad in grads)
    [leaf.requires_grad_(False) for leaf in leaves]


def test_the_loss_is_that_of_the_answers_alone() -> None:
    model = chat()
    prompts = [model.prompt(TALK), model.prompt([*TALK, *asked("Do they agree?", ("audio", 3)), TALK[1]])]
    batch = model.prompt.batch(prompts)
    labels = batch.ids.masked_fill(~batch.answers, -100)
    logits = model(batch)
    expected = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    torch.testing.assert_close(model.loss(batch), expected, rtol=0, atol=1e-6)
    said = [model.tokenizer.decode(row[keep]) for row, keep in zip(batch.ids, batch.answers, strict=True)]
    assert said == ["I see: pizza.<end>", "I see: pizza.<end>I see: pizza.<end>"]


def test_prompts_move_to_a_device_and_percepts_stay() -> None:
    batch = chat().prompt.batch([chat().prompt(TALK)])
    moved = batch.to("meta")
    assert {getattr(moved, name).device.type for name in ("ids", "mask", "places", "answers")} == {"meta"}
    assert moved.turns is batch.turns and batch.ids.device.type == "cpu"


def test_marks_that_a_user_types_are_letters() -> None:
    model = chat()
    ids = model.prompt(asked(f"{END}{USER} hello <image>")).ids
    marks = model.tokenizer.convert_tokens_to_ids([USER, END])
    assert [ids.count(mark) for mark in marks] == [1, 0]
    assert not model.prompt.batch([model.prompt(asked("<image>hello"))]).places.any()


def test_a_whole_name_is_one_token_and_comes_back_as_it_was_written() -> None:
    tokenizer = own_tokenizer(["I see: cat.", "a category"], vocab=300, whole=("cat", "red heart", "红心", "猫"))
    named = {"I see: red heart.": "red heart", "我看到：猫。": "猫", "Is it cat?": "cat", "cat": "cat"}
    for text, name in named.items():
        ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        assert tokenizer.convert_tokens_to_ids(name) in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    ids = tokenizer.encode("a category", add_special_tokens=False)
    assert tokenizer.convert_tokens_to_ids("cat") not in ids and tokenizer.decode(ids) == "a category"


def test_our_language_model_begins_by_passing_words_on() -> None:
    lm = make_chat(JOINT).lm
    for layer in lm.model.layers:
        for matrix in (layer.self_attn.v_proj.weight, layer.self_attn.o_proj.weight):
            assert torch.equal(matrix, torch.eye(16))


def lookalikes() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """300 things as words and, three times each, as soft tokens: alike in a quarter of the space, else unlike, and apart."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    turn = torch.linalg.qr(draw(192, 192))[0]
    shared, word, soft, noise = draw(300, 48), draw(300, 144), draw(300, 144), 0.3 * draw(3, 300, 192)
    words = torch.cat([shared, word], dim=1) @ turn
    tokens = torch.cat([torch.cat([shared, soft], dim=1) @ turn + 3 * turn[0] + one for one in noise])
    return torch.cat([words, tokens]), torch.arange(300).repeat(4), torch.tensor([0] * 300 + [1] * 900)


def test_the_like_sees_the_like_wherever_it_stands() -> None:
    """In the last third of the first layer's heads, and in no other: a word the soft tokens of its thing, and these it."""
    lm = own_lm(500, width=192, layers=2, heads=6, mlp=64, pad=0, end=3)
    lm.model.layers[0].input_layernorm.weight.data.fill_(0.4)  # trained ones are small; the scores must not shrink
    vectors, things, sources = lookalikes()
    see_alike(lm, vectors, things=things, sources=sources)
    words, soft = vectors[:300], vectors[300:600]
    for far in (3, 20):
        read = (
            torch.cat([soft[7:8], words[100 : 99 + far], words[7:8]]),
            torch.cat([words[7:8], soft[100 : 99 + far], soft[7:8]]),
        )
        for shown, share in zip(read, (0.2, 0.01), strict=True):
            first, second = (
                layer[0, :, far] for layer in lm(inputs_embeds=shown[None], output_attentions=True).attentions
            )
            alike = first[4:].mean(dim=0)
            assert alike[0] > share and alike[0] > 1.1 * alike[1:far].max()
            assert max(first[:4, 0].max(), second[:, 0].max()) < 1.3 / (far + 1)


def test_a_word_sees_the_same_word_and_what_stood_before_it() -> None:
    """In the last head of the second layer, and in no other; what it then holds tells whether the word came before."""
    lm = own_lm(500, width=192, layers=2, heads=6, mlp=64, pad=0, end=3)
    lm.model.layers[1].input_layernorm.weight.data.fill_(0.4)
    lm.get_input_embeddings().weight.data.mul_(50)  # as in a trained one, the word outweighs what stood before it
    see_same(lm)
    ids = torch.arange(100, 140)[None].repeat(2, 1)
    ids[1, 30] = ids[1, 4]
    read = lm(ids, output_attentions=True)
    other, same = (read.attentions[1][row, :, 30, 4] for row in (0, 1))
    assert same[5] > 0.1 > 0.05 > max(same[:5].max(), other.max()) and other[5] < 0.01
    assert read.attentions[1][1, 5, 30, 30] > 0.3  # itself it sees as well, which alone would say nothing
    first = read.attentions[0][1, :, 30]
    assert first.max() < 0.2


def test_directions_are_those_in_which_a_thing_is_like_itself() -> None:
    vectors, things, sources = lookalikes()
    found = discriminants(vectors, things, sources, many=40) @ vectors.T
    torch.testing.assert_close(found[:, :300].std(dim=1), torch.ones(40), rtol=0, atol=0.3)
    pairs = torch.stack([torch.corrcoef(torch.stack([row[:300], row[300:600]]))[0, 1] for row in found])
    assert pairs.min() > 0.8
    wide = torch.stack([torch.corrcoef(torch.stack([row[:300], row[300:600]]))[0, 1] for row in vectors.T])
    assert wide.max() < 0.6  # in no direction of the space as it is are they as alike
    with pytest.raises(InputError, match="192 wide"):
        discriminants(vectors, things, sources, many=193)


def test_questions_and_answers_take_turns() -> None:
    with pytest.raises(InputError, match="in turn, got user, user"):
        chat().prompt([*TALK[:1], *TALK[:1]])


def test_together_they_answer_as_alone() -> None:
    model = chat()
    many = [TWO, asked("你看到了什么？"), [*TALK, *asked("Do they agree?", ("audio", 3))]]
    alone = [model.generate(one, max_new_tokens=12) for one in many]
    assert model.answer(many, max_new_tokens=12) == alone
    assert len(set(alone)) > 1


def test_the_cache_changes_nothing() -> None:
    model = chat()
    prompts = model.prompt.batch([model.prompt(TWO)])
    embeddings, said = model.embed(prompts), []
    for _ in range(8):
        said.append(int(model.lm(inputs_embeds=embeddings).logits[0, -1].argmax()))
        embeddings = torch.cat([embeddings, model.lm.get_input_embeddings()(torch.tensor([said[-1:]]))], dim=1)
        if said[-1] == model.form.end:
            break
    assert model.generate(TWO, max_new_tokens=8) == model.tokenizer.decode(said, skip_special_tokens=True).strip()


def test_a_seed_repeats_a_draw_and_leaves_the_global_state_alone() -> None:
    model = chat()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    draws = [model.generate(TWO, temperature=1.0, top_p=0.9, seed=seed, max_new_tokens=12) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert torch.equal(state, torch.get_rng_state())
    with pytest.raises(InputError, match="top_p"):
        model.generate(TWO, top_p=0.0)


def test_stop_is_asked_after_every_token() -> None:
    model, calls = chat(), []
    model.generate(TWO, stop=lambda: calls.append(1) or len(calls) == 3, max_new_tokens=40)
    assert 1 <= len(calls) <= 3


def test_likelihood_is_the_loss_of_the_answer() -> None:
    model = chat()
    options = ["I see: pizza.", "No."]
    found = model.log_likelihood([TWO, asked("hello")], [options, options[:1]])
    assert [len(one) for one in found] == [2, 1]
    for option, value in zip(options, found[0], strict=True):
        batch = model.prompt.batch([model.prompt([*TWO, {"role": "assistant", "text": option}])])
        torch.testing.assert_close(value, -model.loss(batch) * batch.answers.sum(), rtol=0, atol=1e-4)


def test_a_conversation_beyond_the_model_is_refused() -> None:
    model = chat()
    with pytest.raises(InputError, match=r"the language model reads 1024; begin a new one"):
        model.generate(asked("word " * 1100))


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_chat_round_trips(name: str, tmp_path: Path) -> None:
    model = chat(connector=name)
    for value in model.connector.buffers():
        value.copy_(torch.rand(value.shape) + 0.5)
    model.save_pretrained(tmp_path, recipe={"steps": 1})
    again = MultimodalChat.from_pretrained(tmp_path, joint=JOINT)
    for name_, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name_]), name_
    assert again.generate(TWO, max_new_tokens=8) == model.generate(TWO, max_new_tokens=8)
    assert json.loads((tmp_path / "config.json").read_text())["recipe"] == {"steps": 1}


def test_another_joint_space_is_refused_naming_both(tmp_path: Path) -> None:
    chat().save_pretrained(tmp_path)
    other = tiny.model()
    with torch.no_grad():
        other.projections["image"].W.add_(0.1)
    made_for = json.loads((tmp_path / "config.json").read_text())["joint"]
    with pytest.raises(
        InputError, match=rf"joint space {made_for[:12]}, but it was given the joint space [0-9a-f]{{12}};"
    ):
        MultimodalChat.from_pretrained(tmp_path, joint=other)


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    chat().save_pretrained(tmp_path)
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(InputError, match=r"model\.safetensors: .*sha256 differs"):
        MultimodalChat.from_pretrained(tmp_path, joint=JOINT)
    config, words = tmp_path / "config.json", tmp_path / "tokenizer.json"
    said = words.read_text()
    words.write_text(said.replace('"id":1', '"id":2', 1))
    with pytest.raises(InputError, match=r"tokenizer\.json: .*sha256 differs"):
        MultimodalChat.from_pretrained(tmp_path, joint=JOINT)
    words.write_text(said)
    whole = json.loads(config.read_text())
    for harm in ({"connector": None}, {"lm": {"width": 3}}):
        config.write_text(json.dumps(whole | harm))
        with pytest.raises(InputError, match="expected the description of a model"):
            MultimodalChat.from_pretrained(tmp_path, joint=JOINT)
    config.write_text(json.dumps(whole))
    words.unlink()
    with pytest.raises(InputError, match="expected the tokenizer of this chat"):
        MultimodalChat.from_pretrained(tmp_path, joint=JOINT)


LMS = {
    "llama": lambda vocab, width: hf.LlamaForCausalLM(
        hf.LlamaConfig(
            vocab_size=vocab, hidden_size=width, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=256,
        )
    ),
    "qwen2": lambda vocab, width: hf.Qwen2ForCausalLM(
        hf.Qwen2Config(
            vocab_size=vocab, hidden_size=width, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=256,
        )
    ),
    "gpt2": lambda vocab, width: hf.GPT2LMHeadModel(
        hf.GPT2Config(vocab_size=vocab, n_embd=width, n_layer=2, n_head=2, n_positions=256)
    ),
}  # fmt: skip


def folder(tmp_path: Path, name: str, *, vocab: int = 320, width: int = 16) -> Path:
    return tiny_models.save(tmp_path / f"{name}{vocab}{width}", LMS[name](vocab, width), tiny_models.tokenizer())


@pytest.mark.parametrize("name", LMS)
def test_any_causal_model_speaks_frozen(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MultimodalChat(str(folder(tmp_path, name)), joint=JOINT)
    assert not any(p.requires_grad for p in model.lm.parameters()) and not model.train().lm.training
    many = [TWO, [*TALK, *asked("hello", ("audio", 2))]]
    assert model.answer(many, max_new_tokens=5) == [model.generate(one, max_new_tokens=5) for one in many]
    model.loss(model.prompt.batch([model.prompt(TALK)])).backward()
    assert all(p.grad is not None for p in model.connector.parameters())
    model.save_pretrained(tmp_path / "chat")
    again = MultimodalChat.from_pretrained(tmp_path / "chat", joint=JOINT)
    assert again.generate(TWO, max_new_tokens=5) == model.generate(TWO, max_new_tokens=5)
    size = sum(p.numel() for p in model.connector.parameters())
    assert (tmp_path / "chat" / "model.safetensors").stat().st_size < 6 * size


def test_a_chat_template_is_used() -> None:
    tokenizer = tiny_models.tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}</s>\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    model = MultimodalChat(LMS["llama"](320, 16), joint=JOINT, tokenizer=tokenizer)
    said = tokenizer.decode(
        model.prompt([*asked("a dog"), {"role": "assistant", "text": "a train"}, *asked("two")]).ids
    )
    assert said == "[user] a dog</s>\n[assistant] a train</s>\n[user] two</s>\n[assistant] "
    assert model.form.end == tokenizer.eos_token_id


def test_a_language_model_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has ids up to 299, but the model has embeddings for 200 only"):
        MultimodalChat(folder(tmp_path, "llama", vocab=200), joint=JOINT)
    MultimodalChat(folder(tmp_path, "llama"), joint=JOINT).save_pretrained(tmp_path / "chat")
    with pytest.raises(InputError, match=r"16 wide, but these are 16 and 24 wide"):
        MultimodalChat.from_pretrained(tmp_path / "chat", joint=JOINT, lm=folder(tmp_path, "llama", width=24))
    torch.manual_seed(1)
    other = tiny_models.save(tmp_path / "other", LMS["llama"](320, 16), tiny_models.tokenizer())
    with pytest.raises(
        InputError, match=r"language model [0-9a-f]{12}, but it was given the language model [0-9a-f]{12};"
    ):
        MultimodalChat.from_pretrained(tmp_path / "chat", joint=JOINT, lm=other)
    config = tmp_path / "chat" / "config.json"
    config.write_text(config.read_text().replace("lm_words", "old"))
    with pytest.raises(InputError, match=r"language model \(not noted\), but"):
        MultimodalChat.from_pretrained(tmp_path / "chat", joint=JOINT)
    with pytest.raises(InputError, match="is a vit model"):
        MultimodalChat(tiny_models.vit(tmp_path / "vit"), joint=JOINT)
    with pytest.raises(InputError, match="no model folder"):
        MultimodalChat(tmp_path / "nowhere", joint=JOINT)
    with pytest.raises(InputError, match="needs its tokenizer"):
        MultimodalChat(LMS["llama"](320, 16), joint=JOINT)


def test_a_weight_that_is_missing_is_not_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    place = folder(tmp_path, "llama")
    state = load_file(place / "model.safetensors")
    del state["model.layers.1.mlp.up_proj.weight"]
    save_file(state, place / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="up_proj"):
        MultimodalChat(place, joint=JOINT)
