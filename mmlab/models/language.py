"""The language model of a chat: ours, small and fresh, or any causal model of the Hugging Face kind, frozen."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from scipy.linalg import eigh
from torch import Tensor, nn

from mmlab.encoders.hub import locate, open_config
from mmlab.preprocessing.dialogue import train_dialogue_tokenizer
from mmlab.types import InputError

PAD, USER, ASSISTANT, END, IMAGE, AUDIO = "<pad>", "<user>", "<assistant>", "<end>", "<image>", "<audio>"
SPECIAL = (PAD, USER, ASSISTANT, END, IMAGE, AUDIO)
ROTARY, FAST = 10_000.0, 1 / 16  # base of the rotary positions; radians a token
SHARPNESS = 1.5  # of coordinates of variance 1: of one that is like it and sixty that are not, a word sees the one
SAME = 1.3  # of normalised vectors: of one that equals it and sixty that are not like it, a word sees the one
SHRINK = 0.05  # of the mean variance within a thing, added to each: keeps directions that hardly vary from winning
LONGEST = 1024  # tokens of a conversation; ours learns on a few hundred, rotary positions carry it further


def own_tokenizer(texts: Iterable[str], *, vocab: int, whole: Sequence[str] = ()) -> Any:
    """A `PreTrainedTokenizerFast` learned from the texts of the dialogues, with the marks of SPECIAL and `whole` names."""
    from transformers import PreTrainedTokenizerFast

    core = train_dialogue_tokenizer(texts, vocab=vocab, special=SPECIAL, whole=whole)
    names = {"pad_token": PAD, "eos_token": END}
    rest = [name for name in SPECIAL if name not in names.values()]
    return PreTrainedTokenizerFast(tokenizer_object=core, additional_special_tokens=rest, **names)


def own_lm(vocab: int, *, width: int, layers: int, heads: int, mlp: int, pad: int, end: int, seed: int = 0) -> Any:
    """A causal language model of the Llama architecture with random weights; input and output embeddings are one.

    Values and outputs of attention begin as the identity: a layer then passes words on as they are, and since the output
    embeddings are the input's, what is attended to is likely to be said. To name what a soft token says is such a copy;
    from random matrices it was not learned in 500 steps of 64 dialogues, from these in 200.

    Source:  Touvron et al. 2023, arXiv:2302.13971 (pre-norm, SwiGLU, rotary positions)
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=True,
        pad_token_id=pad,
        bos_token_id=None,
        eos_token_id=end,
        rope_parameters={"rope_type": "default", "rope_theta": ROTARY},
        attn_implementation="eager",  # over a few hundred tokens of a small model the plain product is the fastest
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        lm = LlamaForCausalLM(config)
    for layer in lm.model.layers:
        nn.init.eye_(layer.self_attn.v_proj.weight)
        nn.init.eye_(layer.self_attn.o_proj.weight)
    return lm


@torch.no_grad()
def see_alike(
    lm: Any, vectors: Float[Tensor, "n width"], *, things: Int[Tensor, " n"], sources: Int[Tensor, " n"]
) -> None:
    r"""Let what is alike attend to what is alike, in the last third of the heads of the first layer.

    $$q = P x, \quad k = P y, \qquad \text{rows of } P:\; S_b\, p = \lambda\, S_w\, p \text{ with the largest } \lambda$$

    `vectors` stand where words stand in the input: names and soft tokens of `things`, from several `sources` (words, or
    pictures and sounds). S_w is how those of one thing differ, S_b how things do, after every source has its mean taken
    away. In the directions p a name and a picture of one thing are alike and those of two are not, which in the space as a
    whole they need not be. With one matrix for queries and keys a word then attends to the picture that it names, and a
    sound to the picture of the same thing. Rows are zero where rotary positions turn by more than `FAST` a token: words
    that are far apart are as alike as neighbours.

    Source:  linear discriminants, Fisher 1936 and Rao 1948; query and key matrices that begin near each other, Trockman
             and Kolter 2023, arXiv:2305.09828. Differs: in these heads alone, and in a model that has learned to name
             what it is shown
    """
    layer, heads = lm.model.layers[0], lm.config.num_attention_heads
    chosen = range(heads - max(1, heads // 3), heads)
    many = len(_slow(layer.self_attn.head_dim)) * len(chosen)
    directions = SHARPNESS * discriminants(layer.input_layernorm(vectors), things, sources, many=many)
    for at, head in enumerate(chosen):
        _attend_alike(layer.self_attn, head, directions[at :: len(chosen)])


@torch.no_grad()
def see_same(lm: Any, *, seed: int = 0) -> None:
    r"""Let a word attend to the same word, in the last head of the second layer.

    $$q = R x, \quad k = R y, \qquad R R^\top = \sigma^2 I$$

    R has random orthogonal rows, so that x and y get a high score where they are nearly equal. A word always equals itself,
    too, and in the first layer it gets the same vector from both; after it each holds something of what stood before it. So
    a kind that the answer says gets something of the question where the question names the same kind, and nothing of it
    where it names another. With this alone verdicts on two kinds were learned; beside `see_alike`, whose heads see equal
    words as well, the shipped chat can do without it, or without those, but not without both (lesson 6.1 tries it).
    Rows are zero where rotary positions turn by more than `FAST` a token.
    """
    layer = lm.model.layers[:2][-1]
    gain = layer.input_layernorm.weight.square().mean().sqrt()
    slow = _slow(layer.self_attn.head_dim)
    random = torch.randn(lm.config.hidden_size, len(slow), generator=torch.Generator().manual_seed(seed))
    _attend_alike(layer.self_attn, lm.config.num_attention_heads - 1, SAME / gain * torch.linalg.qr(random)[0].T)


def _slow(dim: int) -> list[int]:
    """The rows of a head that rotary positions turn by `FAST` a token at most."""
    return [row for row in range(dim) if ROTARY ** -((row % (dim // 2)) / (dim // 2)) <= FAST]


def _attend_alike(attention: Any, head: int, rows: Float[Tensor, "slow width"]) -> None:
    """Set queries and keys of a head to one matrix: these rows where positions turn slowly, zero elsewhere."""
    dim = attention.head_dim
    alike = rows.new_zeros(dim, rows.shape[1])
    alike[_slow(dim)] = rows
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight[head * dim : (head + 1) * dim] = alike


@torch.no_grad()
def discriminants(
    vectors: Float[Tensor, "n width"], things: Int[Tensor, " n"], sources: Int[Tensor, " n"], *, many: int
) -> Float[Tensor, "many width"]:
    """Directions in which vectors of one thing lie together and things apart, best first, each of variance 1.

    Raises:  InputError for more directions than the vectors have
    """
    if many > vectors.shape[1]:
        raise InputError(f"Vectors {vectors.shape[1]} wide have as many directions, got {many}; ask for fewer.")
    centred = vectors - _means(vectors, sources)[sources]
    middle = _means(centred, things)[things]
    within, between = (torch.cov(part.T, correction=0) for part in (centred - middle, middle))
    steady = within + SHRINK * within.diagonal().mean() * torch.eye(len(within))
    _, found = eigh(between.double().numpy(), steady.double().numpy())  # eigenvalues rise
    best = torch.from_numpy(found[:, ::-1][:, :many].T.copy()).to(vectors)
    return best / (best @ (within + between) @ best.T).diagonal().sqrt()[:, None]


def _means(vectors: Float[Tensor, "n width"], groups: Int[Tensor, " n"]) -> Float[Tensor, "groups width"]:
    """The mean of each group."""
    sums = vectors.new_zeros(int(groups.max()) + 1, vectors.shape[1]).index_add(0, groups, vectors)
    return sums / torch.bincount(groups).clamp(min=1)[:, None]


def open_lm(source: str | Path) -> tuple[Any, Any]:
    """A causal language model and its tokenizer, from a folder or by a hub name, in float32.

    Raises:  InputError where there is no such model, it is not a causal one, a weight is missing or misshapen, or the
             tokenizer has ids beyond its embeddings
    """
    import transformers
    from transformers.utils import logging

    place = locate(source)
    config = open_config(place)
    if type(config) not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        raise InputError(
            f"A chat needs a causal language model (Llama, Qwen2, GPT-2, ...), but {place!r} is a {config.model_type} "
            "model; pass another folder."
        )
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        lm, info = transformers.AutoModelForCausalLM.from_pretrained(
            place, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    except Exception as error:  # transformers, tokenizers and safetensors each raise kinds of their own
        cause = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(
            f"The language model {place!r} cannot be opened; expected a whole model.safetensors that fits config.json, "
            f"and its tokenizer (the cause: {cause})."
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
    if info["missing_keys"] or info["mismatched_keys"]:
        names = ", ".join([*sorted(info["missing_keys"]), *(str(key) for key in info["mismatched_keys"])][:3])
        raise InputError(
            f"The weights of {place!r} do not fit its config.json: {names} missing or misshapen; save it again."
        )
    return lm, tokenizer


def check_vocabulary(lm: Any, tokenizer: Any, *, name: str) -> None:
    """An InputError where the tokenizer has ids that the model has no embedding for."""
    rows, own = (
        lm.get_input_embeddings().num_embeddings,
        [i for t, i in tokenizer.get_vocab().items() if t not in SPECIAL],
    )
    if own and max(own) >= rows:
        raise InputError(
            f"The tokenizer of {name} has ids up to {max(own)}, but the model has embeddings for {rows} only; pass the "
            "tokenizer that belongs to the model."
        )
