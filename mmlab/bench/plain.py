"""The plainest correct forms of the fusion operators, with the operators' own weights: what their speed is held against.

Each is the formula as one would write it first: no checks, no gaps, nothing clever. tests/unit/test_bench_fusion.py
shows that each gives what its operator gives.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmlab.nn.attention import Attention
from mmlab.types import Tokens

Form = Callable[..., Tensor | tuple[Tensor, ...]]


def _sum(op: nn.Module) -> Form:
    return lambda text, image, audio: text + image + audio


def _weighted_sum(op: nn.Module) -> Form:
    w = op.weights
    return lambda text, image, audio: w["text"] * text + w["image"] * image + w["audio"] * audio


def _mean(op: nn.Module) -> Form:
    return lambda text, image, audio: (text + image + audio) / 3


def _max(op: nn.Module) -> Form:
    return lambda text, image, audio: torch.stack([text, image, audio]).amax(0)


def _attention_sum(op: nn.Module) -> Form:
    def run(**z: Tensor) -> Tensor:
        scores = torch.stack([op.ask(torch.tanh(op.keys[name](value))) for name, value in z.items()])
        return (scores.softmax(0) * torch.stack(list(z.values()))).sum(0)

    return run


def _concat_linear(op: nn.Module) -> Form:
    return lambda **z: op.linear(torch.cat(list(z.values()), 1))


def _concat_mlp(op: nn.Module) -> Form:
    return lambda **z: op.layers(torch.cat(list(z.values()), 1))


def _gated(op: nn.Module) -> Form:
    rows = list(zip(op.gate.weight.chunk(len(op.dims)), op.gate.bias.chunk(len(op.dims)), strict=True))
    gates = [(weight.detach().requires_grad_(), bias.detach().requires_grad_()) for weight, bias in rows]

    def run(**z: Tensor) -> Tensor:
        together = torch.cat(list(z.values()), 1)
        opened = [torch.sigmoid(F.linear(together, *gate)) for gate in gates]
        return sum(g * torch.tanh(op.values[name](value)) for g, (name, value) in zip(opened, z.items(), strict=True))

    return run


def _film(op: nn.Module) -> Form:
    def run(text: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        scale, shift = op.modulate(torch.cat([text, audio], 1)).chunk(2, 1)
        return (1 + scale) * op.value(image) + shift

    return run


def _hadamard(op: nn.Module) -> Form:
    u = op.factors
    return lambda text, image, audio: op.combine(
        torch.tanh(u["text"](text)) * torch.tanh(u["image"](image)) * torch.tanh(u["audio"](audio))
    )


def _late(op: nn.Module) -> Form:
    h = op.heads
    return lambda text, image, audio: (h["text"](text) + h["image"](image) + h["audio"](audio)) / 3


def _bilinear(op: nn.Module) -> Form:
    """torch.nn.Bilinear, for the pair of text and image."""
    theirs = nn.Bilinear(op.dims["text"], op.dims["image"], op.out).to(op.bias.dtype)
    theirs.weight.data = op.weights["text_image"].detach().movedim(2, 0).contiguous()
    theirs.bias.data = op.bias.detach().clone()
    return lambda text, image: theirs(text, image)


def _tensor(op: nn.Module) -> Form:
    """The whole outer product of [1; z], then one linear map."""
    widths = [dim + 1 for dim in op.dims.values()]
    weight = op.weight.detach().flatten(0, 1).T.contiguous().requires_grad_()
    axes = "ijk"[: len(widths)]
    recipe = ",".join(f"b{axis}" for axis in axes) + f"->b{axes}"

    def run(**z: Tensor) -> Tensor:
        with_one = [torch.cat([value.new_ones(len(value), 1), value], 1) for value in z.values()]
        return F.linear(torch.einsum(recipe, *with_one).flatten(1), weight, op.bias)

    return run


def _low_rank(op: nn.Module) -> Form:
    """As in the authors' code: [1; z] times a factor (rank, d + 1, out), product, sum over the rank."""
    factors = {}
    for name, layer in op.factors.items():
        both = torch.cat([layer.bias[None], layer.weight.T]).detach()
        factors[name] = both.unflatten(1, (-1, op.out)).movedim(1, 0).contiguous().requires_grad_()

    def run(**z: Tensor) -> Tensor:
        product = 1.0
        for name, value in z.items():
            product = product * torch.matmul(torch.cat([value.new_ones(len(value), 1), value], 1), factors[name])
        return product.sum(0) + op.bias

    return run


def multihead(ours: Attention) -> nn.MultiheadAttention:
    """torch.nn.MultiheadAttention with our weights; a bias of the key, which it insists on, is zero."""
    dim, context = ours.query.weight.shape[0], ours.key.weight.shape[1]
    theirs = nn.MultiheadAttention(dim, ours.heads, kdim=context, vdim=context, batch_first=True)
    theirs = theirs.to(ours.query.weight.dtype)
    bias = torch.cat([ours.query.bias, torch.zeros_like(ours.query.bias), ours.value.bias])
    three = {"q_proj_weight": ours.query.weight, "k_proj_weight": ours.key.weight, "v_proj_weight": ours.value.weight}
    weights = three if dim != context else {"in_proj_weight": torch.cat(list(three.values()))}
    out = {"out_proj.weight": ours.out.weight, "out_proj.bias": ours.out.bias}
    theirs.load_state_dict({**weights, **out, "in_proj_bias": bias})
    return theirs


def _cross_block(block: nn.Module) -> Callable[[Tokens, Tokens], Tensor]:
    attention = multihead(block.attention)

    def run(query: Tokens, context: Tokens) -> Tensor:
        asked = block.context_norm(context.values)
        asking = block.query_norm(query.values)
        read = attention(asking, asked, asked, key_padding_mask=~context.mask, need_weights=False)[0] + query.values
        return read + block.mlp(block.mlp_norm(read))

    return run


def _cross_attention(op: nn.Module) -> Form:
    block = _cross_block(op.block)
    return lambda query, context: block(query, context)


def _co_attention(op: nn.Module) -> Form:
    """Two nn.MultiheadAttention, each with weights of its own."""
    first, second = _cross_block(op.blocks["text"]), _cross_block(op.blocks["image"])
    return lambda text, image: (first(text, image), second(image, text))


def _join(op: nn.Module, h: dict[str, Tokens]) -> tuple[Tensor, Tensor]:
    values = [op.join.enter[name](tokens.values) + op.join.kinds[name] for name, tokens in h.items()]
    return torch.cat(values, 1), torch.cat([tokens.mask for tokens in h.values()], 1)


def _single_stream(op: nn.Module) -> Form:
    attentions = [multihead(block.attention) for block in op.blocks]

    def run(**h: Tokens) -> Tensor:
        values, mask = _join(op, h)
        for block, attention in zip(op.blocks, attentions, strict=True):
            x = block.attention_norm(values)
            values = values + attention(x, x, x, key_padding_mask=~mask, need_weights=False)[0]
            values = values + block.mlp(block.mlp_norm(values))
        return op.norm(values)

    return run


def _perceiver_resampler(op: nn.Module) -> Form:
    attentions = [multihead(block.attention) for block in op.blocks]

    def run(**h: Tokens) -> Tensor:
        values, mask = _join(op, h)
        latents = op.latents.expand(len(values), -1, -1)
        drop = torch.cat([~mask, mask.new_zeros(latents.shape[:2])], 1)
        for block, attention in zip(op.blocks, attentions, strict=True):
            asking = block.latent_norm(latents)
            asked = torch.cat([block.token_norm(values), asking], 1)
            latents = latents + attention(asking, asked, asked, key_padding_mask=drop, need_weights=False)[0]
            latents = latents + block.mlp(block.mlp_norm(latents))
        return op.norm(latents)

    return run


PLAIN: dict[str, Callable[[nn.Module], Form]] = {
    "sum": _sum,
    "weighted_sum": _weighted_sum,
    "mean": _mean,
    "max": _max,
    "attention_sum": _attention_sum,
    "concat_linear": _concat_linear,
    "concat_mlp": _concat_mlp,
    "gated": _gated,
    "film": _film,
    "hadamard": _hadamard,
    "bilinear": _bilinear,
    "tensor": _tensor,
    "low_rank": _low_rank,
    "late": _late,
    "cross_attention": _cross_attention,
    "co_attention": _co_attention,
    "single_stream": _single_stream,
    "perceiver_resampler": _perceiver_resampler,
}
