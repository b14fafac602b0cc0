"""Fusion operators and projections against references: NumPy, tensorly, torch.nn, transformers."""

from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig
from transformers.models.llava.modeling_llava import LlavaMultiModalProjector

from mmlab.fusion import (
    FUSIONS,
    CoAttentionFusion,
    CrossAttentionFusion,
    PerceiverResampler,
    SingleStreamFusion,
    Streams,
)
from mmlab.fusion.cross import CrossBlock
from mmlab.projection import LinearProjection, MLPProjection
from mmlab.types import Tokens
from tests.contract.promises import randomise
from tests.contract.zoo import VECTOR_CASES, WIDTHS, sequences, vector_case
from tests.parity.closed_forms import CLOSED_FORMS
from tests.parity.oracle import copied, numpy_weights, same_as_numpy, same_as_torch
from tests.parity.test_attention import as_encoder_layer, as_multihead, multihead


def check_vector(case, module) -> None:
    """Shared with the tests of planted bugs: the operator in `module` against the formula of the case's name."""
    closed_form = CLOSED_FORMS[case.name.split()[0]]
    weights = numpy_weights(module)
    same_as_numpy(module, lambda **x: closed_form(weights, x), case.inputs())


@pytest.mark.parametrize("case", VECTOR_CASES, ids=lambda case: case.name)
def test_vector_operator(case):
    if case.name.startswith("bilinear"):
        check_bilinear(case, case.module())
    else:
        check_vector(case, case.module())


def check_bilinear(case, module) -> None:
    pairs = list(combinations(module.dims, 2))
    theirs = {}
    for one, two in pairs:
        weight = module.weights[f"{one}_{two}"].detach().movedim(2, 0)
        bias = module.bias.detach() / len(pairs)
        layer = nn.Bilinear(module.dims[one], module.dims[two], module.out)
        theirs[one, two] = copied(layer, {"weight": weight, "bias": bias})
    same_as_torch(module, lambda **x: sum(layer(x[one], x[two]) for (one, two), layer in theirs.items()), case.inputs())


def test_every_vector_operator_has_a_reference():
    assert set(FUSIONS) == {*CLOSED_FORMS, "bilinear"}


def test_gates_at_their_limits_select_one_modality():
    case = vector_case("gated")
    module, inputs = case.module(), case.inputs()
    module.gate.weight.data.zero_()
    module.gate.bias.data.fill_(-1e4)
    module.gate.bias.data[4:8] = 1e4  # the second of three: image
    expected = torch.tanh(inputs["image"] @ module.values["image"].weight.T + module.values["image"].bias)
    torch.testing.assert_close(module(**inputs), expected, rtol=0, atol=1e-12)


def test_film_without_modulation_is_the_identity():
    module = FUSIONS["film"]({"text": 3, "image": 4}, out=4).double()
    module.value.weight.data = torch.eye(4).double()
    module.modulate.weight.data.zero_()
    module.modulate.bias.data.zero_()
    text, image = torch.randn(5, 3).double(), torch.randn(5, 4).double()
    torch.testing.assert_close(module(text=text, image=image), image, rtol=0, atol=0)


def test_film_modulates_the_modality_it_is_told():
    case = vector_case("film")
    module = randomise(FUSIONS["film"](case.dims, out=4, feature="audio"), seed=0).double()
    weights = numpy_weights(module)
    same_as_numpy(module, lambda **x: CLOSED_FORMS["film"](weights, x, feature="audio"), case.inputs())


def check_missing(case, module) -> None:
    """Each modality left out in turn: the formula over the others, or, for tensors, with a zero behind its 1."""
    name, weights = case.name.split()[0], numpy_weights(module)
    for gone in case.dims:
        inputs = case.inputs()
        absent = np.zeros_like(inputs.pop(gone).numpy())
        filled = {gone: absent} if name in ("tensor", "low_rank") else {}
        same_as_numpy(module, lambda filled=filled, **x: CLOSED_FORMS[name](weights, {**x, **filled}), inputs)


@pytest.mark.parametrize("name", [name for name in FUSIONS if FUSIONS[name].allows_missing])
def test_vector_operator_without_a_modality(name):
    check_missing(vector_case(name), vector_case(name).module())


def test_sum_of_projections_is_one_linear_map_of_the_concatenation():
    """What the docstrings of SumFusion and ConcatLinearFusion say, with the article's W."""
    dims = {"text": 5, "image": 7, "audio": 6}
    W = {name: randomise(LinearProjection(dim, out=4), seed=dim).double() for name, dim in dims.items()}
    concat = FUSIONS["concat_linear"](dims, out=4).double()
    concat.linear.weight.data = torch.cat([W[name].W.data for name in dims]).T
    concat.linear.bias.data.zero_()
    x = {name: torch.randn(3, dim).double() for name, dim in dims.items()}
    total = FUSIONS["sum"](dict.fromkeys(dims, 4))(**{name: W[name](x[name]) for name in dims})
    torch.testing.assert_close(concat(**x), total, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["sum", "weighted_sum", "mean", "concat_linear", "late"])
def test_additive_operators_obey_the_bound(name):
    """s(j, k) + s(k, j) = s(j, j) + s(k, k) for any linear head: the identity from which the 75 % bound follows."""
    dims = {"image": 6, "audio": 6}
    module = randomise(FUSIONS[name](dims, out=6), seed=1).double()
    head = randomise(nn.Linear(6, 1), seed=2).double()
    a, b = torch.randn(2, 6).double(), torch.randn(2, 6).double()
    j, k = [0, 1, 0, 1], [0, 1, 1, 0]
    s = head(module(image=a[j], audio=b[k]))[:, 0]
    torch.testing.assert_close(s[0] + s[1], s[2] + s[3], rtol=0, atol=1e-12)
    answers = (s[None] > s[:, None]).float()  # every threshold that tells scores apart
    right = (answers == torch.tensor([1.0, 1.0, 0.0, 0.0])).sum(1)
    assert right.max() <= 3


def norm(layer: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    return nn.functional.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def mlp(layers: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    hidden = nn.functional.gelu(x @ layers[0].weight.T + layers[0].bias)
    return hidden @ layers[2].weight.T + layers[2].bias


def their_cross_block(block: CrossBlock):
    attention = as_multihead(block.attention)

    def run(query: Tokens, context: Tokens) -> Tokens:
        asking, asked = norm(block.query_norm, query.values), norm(block.context_norm, context.values)
        read = query.values + multihead(attention, asking, asked, context.mask)
        return Tokens(read + mlp(block.mlp, norm(block.mlp_norm, read)), query.mask)

    return run


def check_cross_attention(module) -> None:
    same_as_torch(module, their_cross_block(module.block), sequences({"query": 6, "context": 4}, 1))


def check_co_attention(module) -> None:
    text, image = their_cross_block(module.blocks["text"]), their_cross_block(module.blocks["image"])

    def theirs(**tokens: Tokens) -> Streams:
        return Streams(text=text(tokens["text"], tokens["image"]), image=image(tokens["image"], tokens["text"]))

    same_as_torch(module, theirs, sequences({"text": 6, "image": 8}, 1))


def test_cross_attention():
    check_cross_attention(randomise(CrossAttentionFusion({"query": 6, "context": 4}, heads=2), seed=0).double())


def test_co_attention():
    check_co_attention(randomise(CoAttentionFusion({"text": 6, "image": 8}, heads=2), seed=0).double())


def joined(module, tokens: dict[str, Tokens]) -> Tokens:
    """NumPy's way: each sequence through its matrix, its modality's vector added, end to end."""
    values = [t.values @ module.join.enter[m].weight.T + module.join.kinds[m] for m, t in tokens.items()]
    return Tokens(torch.cat(values, 1), torch.cat([t.mask for t in tokens.values()], 1))


def check_single_stream(module) -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 32, 0.0, "gelu", norm_first=True, batch_first=True)
    theirs = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False).double()
    weights = {"norm.weight": module.norm.weight, "norm.bias": module.norm.bias}
    for i, block in enumerate(module.blocks):
        weights |= {f"layers.{i}.{name}": tensor for name, tensor in as_encoder_layer(block).items()}
    copied(theirs, weights)

    def run(**tokens: Tokens) -> Tokens:
        h = joined(module, tokens)
        return Tokens(theirs(h.values, src_key_padding_mask=~h.mask), h.mask)

    same_as_torch(module, run, ordered_sequences())


def ordered_sequences() -> dict[str, Tokens]:
    drawn = sequences(WIDTHS, 1)
    return {name: drawn[name] for name in WIDTHS}


def check_resampler(module) -> None:
    attentions = [as_multihead(block.attention) for block in module.blocks]

    def run(**tokens: Tokens) -> Tokens:
        h = joined(module, tokens)
        latents = module.latents.expand(len(h.values), -1, -1)
        for block, attention in zip(module.blocks, attentions, strict=True):
            asking = norm(block.latent_norm, latents)
            asked = torch.cat([norm(block.token_norm, h.values), asking], 1)
            keep = torch.cat([h.mask, torch.ones(asking.shape[:2], dtype=torch.bool)], 1)
            latents = latents + multihead(attention, asking, asked, keep)
            latents = latents + mlp(block.mlp, norm(block.mlp_norm, latents))
        return Tokens(norm(module.norm, latents), torch.ones(latents.shape[:2], dtype=torch.bool))

    same_as_torch(module, run, ordered_sequences())


def test_single_stream():
    check_single_stream(randomise(SingleStreamFusion(WIDTHS, out=8, heads=2, depth=2), seed=0).double())


def test_perceiver_resampler():
    module = PerceiverResampler(WIDTHS, out=8, heads=2, depth=2, latents=3)
    check_resampler(randomise(module, seed=0).double())


def check_linear_projection(module) -> None:
    W = module.W.detach().numpy()
    same_as_numpy(module, lambda x: np.einsum("dz,bd->bz", W, x), {"x": torch.randn(3, 5).double()})


def test_linear_projection():
    check_linear_projection(randomise(LinearProjection(5, out=4), seed=0).double())


def test_mlp_projection():
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(hidden_size=5, num_attention_heads=1),
        text_config=LlamaConfig(hidden_size=4, num_attention_heads=1),
        projector_hidden_act="gelu",
    )
    module = randomise(MLPProjection(5, out=4), seed=0).double()
    names = {"layers.0": "linear_1", "layers.2": "linear_2"}
    weights = {key.replace(key[:8], names[key[:8]]): tensor for key, tensor in module.state_dict().items()}
    theirs = copied(LlavaMultiModalProjector(config), weights)
    same_as_torch(lambda x: module(x), lambda x: theirs(x), {"x": torch.randn(2, 3, 5).double()})
