"""The language model of a chat: ours, small and fresh, or any causal model of the Hugging Face kind, frozen."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmlab.encoders.hub import locate, open_config
from mmlab.preprocessing.dialogue import train_dialogue_tokenizer
from mmlab.types import InputError

PAD, USER, ASSISTANT, END, IMAGE, AUDIO = "<pad>", "<user>", "<assistant>", "<end>", "<image>", "<audio>"
SPECIAL = (PAD, USER, ASSISTANT, END, IMAGE, AUDIO)
ROTARY, FAST = 10_000.0, 1 / 16  # base of the rotary positions; radians a token
SHARPNESS = 1.3  # of normalised vectors: of one that is like it and sixty that are not, a word sees the one
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
def see_alike(lm: Any, *, seed: int = 0) -> None:
    r"""Let what is alike attend to what is alike, in the last third of the heads of the first layer.

    $$q = P x, \quad k = P y, \qquad q^\top k = (P x)^\top (P y)$$

    With one matrix P for queries and keys a sound attends to the picture of the same thing, for one reader makes the soft
    tokens of both. A word is less like the picture that it names, and finds it less often. The rows of P are orthogonal,
    and zero where rotary positions turn by more than `FAST` a token: words that are far apart are then as alike as
    neighbours.

    Source:  Trockman and Kolter 2023, arXiv:2305.09828 (query and key matrices that begin near each other). Differs: in
             these heads alone, in slowly turning dimensions, and in a model that has learned to name what it is shown
    """
    layer, heads = lm.model.layers[0], lm.config.num_attention_heads
    attention, dim = layer.self_attn, layer.self_attn.head_dim
    width, gain = attention.q_proj.in_features, layer.input_layernorm.weight.square().mean().sqrt()
    slow = [row for row in range(dim) if ROTARY ** -((row % (dim // 2)) / (dim // 2)) <= FAST]
    generator = torch.Generator().manual_seed(seed)
    for head in range(heads - max(1, heads // 3), heads):
        alike = torch.zeros(dim, width)
        alike[slow] = SHARPNESS / gain * torch.linalg.qr(torch.randn(width, len(slow), generator=generator))[0].T
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[head * dim : (head + 1) * dim] = alike


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
