"""Bugs planted in attention, in the transformer block and in token operators, and the checks that catch them.

That members without a bug pass the same checks is what tests/parity and tests/contract show.
"""

import pytest
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from mmlab import fusion as zoo
from mmlab.nn.attention import Attention
from mmlab.nn.block import TransformerBlock
from mmlab.types import Tokens
from tests.contract import promises
from tests.contract.promises import Case, randomise
from tests.contract.zoo import WIDTHS, sequences
from tests.parity import test_attention as attention_parity
from tests.parity import test_fusion as parity


class SwappedMask(Attention):
    """torch.nn.MultiheadAttention's meaning of the mask: True = leave out."""

    def forward(self, query, context, mask=None):
        return super().forward(query, context, None if mask is None else ~mask)


class ForgottenMask(Attention):
    def forward(self, query, context, mask=None):
        return super().forward(query, context, None)


class ScaledByModelWidth(Attention):
    def forward(self, query, context, mask=None):
        return super().forward(query / self.heads**0.5, context, mask)


class WrongAxisOfHeads(Attention):
    """Heads cut as `(d h)` on the way in, put together as `(h d)` on the way out."""

    def _split(self, values):
        return rearrange(values, "b n (d h) -> b h n d", h=self.heads)


class OutBiasDropped(Attention):
    def forward(self, query, context, mask=None):
        return super().forward(query, context, mask) - self.out.bias


ATTENTION_BUGS = [SwappedMask, ForgottenMask, ScaledByModelWidth, WrongAxisOfHeads, OutBiasDropped]


@pytest.mark.parametrize("kind", ATTENTION_BUGS, ids=lambda kind: kind.__name__)
def test_bug_in_attention_is_caught(kind):
    ours = randomise(kind(6, heads=2), seed=0).double()
    with pytest.raises(AssertionError):
        attention_parity.check_attention(ours, context_dim=6, mask=attention_parity.MASK)


def swap_attention(module: nn.Module, kind: type[Attention]) -> nn.Module:
    """The same module with every attention in it replaced by a planted one, weights kept."""
    for part in module.modules():
        for name, child in part.named_children():
            if isinstance(child, Attention):
                twin = kind(child.out.weight.shape[0], heads=child.heads, context_dim=child.key.weight.shape[1])
                twin.load_state_dict(child.state_dict())
                setattr(part, name, twin.double())
    return module


def gainless(module: nn.Module) -> nn.Module:
    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            part.forward = lambda x, part=part: F.layer_norm(x, part.normalized_shape, None, part.bias)
    return module


def post_norm(block: TransformerBlock) -> TransformerBlock:
    def forward(values: Tensor, mask: Tensor | None = None) -> Tensor:
        values = block.attention_norm(values + block.attention(values, values, mask))
        return block.mlp_norm(values + block.mlp(values))

    block.forward = forward
    return block


def tanh_gelu(block: TransformerBlock) -> TransformerBlock:
    block.mlp[1] = nn.GELU(approximate="tanh")
    return block


@pytest.mark.parametrize("plant", [gainless, post_norm, tanh_gelu], ids=lambda plant: plant.__name__)
def test_bug_in_the_block_is_caught(plant):
    block = plant(randomise(TransformerBlock(6, heads=2), seed=0).double())
    with pytest.raises(AssertionError):
        attention_parity.check_block(block)


TOKEN_MEMBERS = {
    "cross_attention": ({"query": 6, "context": 4}, {"heads": 2}, parity.check_cross_attention),
    "co_attention": ({"text": 6, "image": 8}, {"heads": 2}, parity.check_co_attention),
    "single_stream": (WIDTHS, {"out": 8, "heads": 2, "depth": 2}, parity.check_single_stream),
    "perceiver_resampler": (WIDTHS, {"out": 8, "heads": 2, "depth": 2, "latents": 3}, parity.check_resampler),
}
PLANTS = {
    "swapped mask": lambda module: swap_attention(module, SwappedMask),
    "forgotten mask": lambda module: swap_attention(module, ForgottenMask),
    "dropped gain": gainless,
}


def token_case(name: str, plant) -> Case:
    dims, sizes, _ = TOKEN_MEMBERS[name]
    return Case(name, lambda d: plant(zoo.TOKEN_FUSIONS[name](d, **sizes)), dims, sequences)


@pytest.mark.parametrize("bug", PLANTS)
@pytest.mark.parametrize("name", TOKEN_MEMBERS)
def test_bug_in_a_token_operator_is_caught(name, bug):
    case = token_case(name, PLANTS[bug])
    with pytest.raises(AssertionError):
        TOKEN_MEMBERS[name][2](case.module())
    if "mask" in bug:
        with pytest.raises(AssertionError):
            promises.ignores_padding(case)


def test_one_cross_attention_for_both_ways_is_caught():
    """LXMERT's: both streams use the same weights. Every shape fits where the widths are equal."""
    shared = zoo.CoAttentionFusion({"text": 6, "image": 6}, heads=2)
    shared.blocks["image"].forward = lambda *inputs: shared.blocks["text"](*inputs)
    case = Case("shared", lambda d: shared, {"text": 6, "image": 6}, sequences)
    with pytest.raises(AssertionError, match="takes no part"):
        promises.trains_every_parameter(case)


def test_sequential_ways_are_caught():
    """The second stream reads what the first has become, not what came in."""
    module = randomise(zoo.CoAttentionFusion({"text": 6, "image": 8}, heads=2), seed=0).double()

    def forward(*, text: Tokens, image: Tokens) -> zoo.Streams:
        text = Tokens(module.blocks["text"](text.values, image.values, image.mask), text.mask)
        image = Tokens(module.blocks["image"](image.values, text.values, text.mask), image.mask)
        return zoo.Streams(text=text, image=image)

    module.forward = forward
    with pytest.raises(AssertionError):
        parity.check_co_attention(module)
