"""Attention, the transformer block and positions against torch.nn, transformers and NumPy."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import ViTConfig
from transformers.models.vit.modeling_vit import ViTLayer

from mmlab.nn.attention import Attention
from mmlab.nn.block import TransformerBlock
from mmlab.nn.positions import sinusoidal
from mmlab.types import InputError
from tests.contract.promises import randomise
from tests.parity.oracle import copied, same_as_torch

MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 0]], dtype=torch.bool)


def as_multihead(ours: Attention) -> nn.MultiheadAttention:
    """torch's module with our weights, and with a bias of the key, which must not matter."""
    dim, context_dim = ours.query.weight.shape[0], ours.key.weight.shape[1]
    key_bias = torch.randn(dim, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    weights = {
        "in_proj_bias": torch.cat([ours.query.bias, key_bias, ours.value.bias]),
        "out_proj.weight": ours.out.weight,
        "out_proj.bias": ours.out.bias,
    }
    three = {"q_proj_weight": ours.query.weight, "k_proj_weight": ours.key.weight, "v_proj_weight": ours.value.weight}
    weights |= three if dim != context_dim else {"in_proj_weight": torch.cat(list(three.values()))}
    theirs = nn.MultiheadAttention(dim, ours.heads, kdim=context_dim, vdim=context_dim, batch_first=True)
    return copied(theirs, weights)


def multihead(theirs: nn.MultiheadAttention, query: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
    """Their mask says what to leave out, ours what to keep."""
    drop = None if mask is None else ~mask
    return theirs(query, context, context, key_padding_mask=drop, need_weights=False)[0]


def as_encoder_layer(block: TransformerBlock) -> dict[str, Tensor]:
    """Our block's weights under the names of torch.nn.TransformerEncoderLayer."""
    attention = {f"self_attn.{k}": v for k, v in as_multihead(block.attention).state_dict().items()}
    names = {"norm1": "attention_norm", "norm2": "mlp_norm", "linear1": "mlp.0", "linear2": "mlp.2"}
    ours = block.state_dict()
    return attention | {f"{a}.{kind}": ours[f"{b}.{kind}"] for a, b in names.items() for kind in ("weight", "bias")}


def attention_inputs(context_dim: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return {"query": draw(3, 4, 6), "context": draw(3, 5, context_dim)}


def check_attention(ours: Attention, *, context_dim: int, mask: Tensor | None) -> None:
    theirs = as_multihead(ours)
    same_as_torch(
        lambda query, context: ours(query, context, mask),
        lambda query, context: multihead(theirs, query, context, mask),
        attention_inputs(context_dim),
    )


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("context_dim", [6, 4])
def test_attention(context_dim, mask):
    ours = randomise(Attention(6, heads=2, context_dim=context_dim), seed=0).double()
    check_attention(ours, context_dim=context_dim, mask=mask)


@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
def test_attention_weights(mask):
    ours = randomise(Attention(6, heads=2), seed=0).double()
    inputs = attention_inputs(6)
    drop = None if mask is None else ~mask
    theirs = as_multihead(ours)(
        inputs["query"], inputs["context"], inputs["context"], key_padding_mask=drop, average_attn_weights=False
    )[1]
    torch.testing.assert_close(ours.weights(**inputs, mask=mask), theirs, rtol=0, atol=1e-10)


def test_a_context_masked_whole_is_read_as_zero():
    ours = randomise(Attention(6, heads=2), seed=0).double()
    inputs = {name: value.requires_grad_() for name, value in attention_inputs(6).items()}
    mask = MASK.clone()
    mask[1] = False
    out = ours(**inputs, mask=mask)
    torch.testing.assert_close(out[1], ours.out.bias.expand(4, 6), rtol=0, atol=0)
    assert (ours.weights(**inputs, mask=mask)[1] == 0).all()
    out.sum().backward()
    assert all(value.grad.isfinite().all() for value in inputs.values())


def test_heads_must_divide_the_width():
    with pytest.raises(InputError, match="dim=6, heads=4"):
        Attention(6, heads=4)


def check_block(ours: TransformerBlock) -> None:
    theirs = nn.TransformerEncoderLayer(6, 2, 24, 0.0, "gelu", norm_first=True, batch_first=True)
    theirs = copied(theirs, as_encoder_layer(ours))
    same_as_torch(
        lambda values: ours(values, MASK)[MASK],
        lambda values: theirs(values, src_key_padding_mask=~MASK)[MASK],
        {"values": torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)},
    )


def test_block_as_in_torch():
    check_block(randomise(TransformerBlock(6, heads=2), seed=0).double().eval())


def test_block_as_in_vit():
    ours = randomise(TransformerBlock(6, heads=2, mlp_ratio=3), seed=0).double().eval()
    # Not the eager attention of transformers: it takes its softmax in single precision, whatever comes in.
    sizes = {"hidden_size": 6, "num_attention_heads": 2, "intermediate_size": 18}
    config = ViTConfig(**sizes, layer_norm_eps=1e-5, attn_implementation="sdpa")
    theirs = ViTLayer(config).double().eval()
    places = {
        "layernorm_before": ours.attention_norm,
        "layernorm_after": ours.mlp_norm,
        "attention.q_proj": ours.attention.query,
        "attention.k_proj": ours.attention.key,
        "attention.v_proj": ours.attention.value,
        "attention.o_proj": ours.attention.out,
        "mlp.fc1": ours.mlp[0],
        "mlp.fc2": ours.mlp[2],
    }
    weights = {f"{path}.{kind}": t for path, part in places.items() for kind, t in part.state_dict().items()}
    weights["attention.k_proj.bias"] = torch.randn(6, dtype=torch.float64)
    copied(theirs, weights)
    same_as_torch(lambda values: ours(values), lambda values: theirs(values), {"values": torch.randn(3, 5, 6).double()})


def test_dropout_acts_in_training_only():
    block, values = TransformerBlock(6, heads=2, dropout=0.5), torch.randn(2, 3, 6)
    assert not torch.equal(block.train()(values), block(values))
    assert torch.equal(block.eval()(values), block(values))


def test_sinusoidal_positions():
    seq, dim = 7, 10
    expected = np.empty((seq, dim))
    for t in range(seq):
        for i in range(0, dim, 2):
            expected[t, i] = np.sin(t / 10000 ** (i / dim))
            expected[t, i + 1] = np.cos(t / 10000 ** (i / dim))
    np.testing.assert_allclose(sinusoidal(seq, dim).numpy(), expected, rtol=0, atol=1e-6)
    with pytest.raises(InputError, match="dim=7"):
        sinusoidal(3, 7)
