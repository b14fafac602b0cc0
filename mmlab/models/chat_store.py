"""A chat on disk: connector and own language model in safetensors, config, tokenizer; strict about what it was made for."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmlab.models import checkpoint
from mmlab.models.fingerprint import fingerprint, words_fingerprint
from mmlab.models.joint import JointEmbedder
from mmlab.models.language import own_lm
from mmlab.types import InputError

MODEL_TYPE, TOKENIZER = "mmlab-chat", "tokenizer.json"
SIZES = {
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "mlp": "intermediate_size",
}


def parts(chat: Any) -> nn.ModuleDict:
    """What a folder holds: the connector, and the language model where it is ours (its output embeddings are its input's)."""
    return nn.ModuleDict({"connector": chat.connector, **({"lm": chat.lm.model} if chat.own else {})})


def save(chat: Any, folder: str | Path, *, dtype: torch.dtype, notes: dict[str, Any]) -> None:
    """Write the folder that `load` reads."""
    held = parts(chat)
    own = {name: getattr(chat.lm.config, key) for name, key in SIZES.items()} if chat.own else None
    config = {
        "model_type": MODEL_TYPE,
        "joint": fingerprint(chat.joint),
        "connector": {"name": chat.kind, **chat.connector.config},
        "lm": own,
        "lm_source": chat.source,
        "lm_words": None if chat.own else words_fingerprint(chat.lm),
        "parameters": sum(p.numel() for p in held.parameters()),
        **notes,
    }
    checkpoint.write(folder, held, config=config, dtype=dtype)
    if chat.own:
        written = {Path(path).name for path in chat.tokenizer.save_pretrained(folder)}
        checkpoint.compact(Path(folder) / TOKENIZER)
        checkpoint.seal(folder, *sorted(name for name in written if (Path(folder) / name).is_file()))


def load(cls: type, folder: str | Path, *, joint: JointEmbedder, lm: Any, tokenizer: Any) -> Any:
    """Build the chat that a folder describes, and fill it."""
    config = checkpoint.read_config(folder, model_type=MODEL_TYPE)
    with checkpoint.described(folder):
        _same(folder, "joint space", config["joint"], fingerprint(joint))
        sizes = dict(config["connector"])
        name, width, dim, source = sizes.pop("name"), sizes.pop("out"), sizes.pop("dim"), config["lm_source"]
        own = None if config["lm"] is None else dict(config["lm"])
    if own is not None and lm is not None:
        raise InputError(f"{folder}: this chat holds a language model of its own; leave lm out.")
    if own is None:
        lm = source if lm is None else lm
        if lm is None:
            raise InputError(
                f"{folder}: this chat holds a connector only; pass the language model it was trained for, lm=."
            )
    else:
        tokenizer = _own_tokenizer(folder)
        marks = {"pad": tokenizer.pad_token_id, "end": tokenizer.eos_token_id}
        with checkpoint.described(folder):
            lm = own_lm(len(tokenizer), **own, **marks)
    chat = cls(lm, joint=joint, tokenizer=tokenizer, connector=name, own=own is not None, **sizes)
    if (chat.connector.dim, chat.connector.out) != (dim, width):
        raise InputError(
            f"{folder}: its connector joins a space {dim} wide to a language model {width} wide, but these are "
            f"{chat.connector.dim} and {chat.connector.out} wide; pass the language model that it was trained for."
        )
    if not chat.own:
        _same(folder, "language model", config.get("lm_words", "(not noted)"), words_fingerprint(chat.lm))
    checkpoint.load_weights(folder, parts(chat), config=config)
    return chat.eval()


def _same(folder: str | Path, what: str, made_for: str, given: str) -> None:
    if made_for != given:
        raise InputError(
            f"{folder}: this chat was trained on the {what} {made_for[:12]}, but it was given the {what} "
            f"{given[:12]}; pass the one it belongs to, or train it again with `mmlab train chat`."
        )


def _own_tokenizer(folder: str | Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    path = Path(folder) / TOKENIZER
    if not path.is_file():
        raise InputError(f"{path}: expected the tokenizer of this chat, found no such file; copy the checkpoint again.")
    try:
        return PreTrainedTokenizerFast.from_pretrained(folder)
    except Exception as error:  # the library raises bare Exception on what it cannot read
        raise InputError(
            f"{path}: expected a tokenizer, could not read it ({error}); copy the checkpoint again."
        ) from error
