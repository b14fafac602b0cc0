"""Token operators that keep the sequences apart: one reads the other, or each reads the other."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import TokenFusion, given_tokens
from mmlab.fusion.checks import check_dims, listed
from mmlab.nn.attention import Attention
from mmlab.nn.block import MLP
from mmlab.types import InputError, Tokens


class CrossBlock(nn.Module):
    r"""One sequence reads another: a transformer block whose attention looks at the context, norms in front.

    $$y = q + \mathrm{Attention}(\mathrm{LN}(q), \mathrm{LN}(c)), \qquad
      \mathrm{out} = y + \mathrm{MLP}(\mathrm{LN}(y))$$

    Shape:   query (batch, n, dim), context (batch, m, context_dim), mask (batch, m)  ->  (batch, n, dim)
    Cost:    O(batch * (n * m * dim + (n + m) * dim^2))
    Source:  the second sub-layer of the decoder in Vaswani et al. 2017, arXiv:1706.03762, pre-norm (arXiv:2002.04745).
    Parity:  tests/parity/test_fusion.py (torch.nn.MultiheadAttention with kdim and vdim)
    """

    def __init__(self, dim: int, *, context_dim: int, heads: int, mlp_ratio: int = 4) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(dim)
        self.context_norm = nn.LayerNorm(context_dim)
        self.attention = Attention(dim, heads=heads, context_dim=context_dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = MLP(dim, hidden=dim * mlp_ratio)

    def forward(
        self,
        query: Float[Tensor, "batch n dim"],
        context: Float[Tensor, "batch m context_dim"],
        mask: Bool[Tensor, "batch m"],
    ) -> Float[Tensor, "batch n dim"]:
        read = query + self.attention(self.query_norm(query), self.context_norm(context), mask)
        return read + self.mlp(self.mlp_norm(read))


class CrossAttentionFusion(TokenFusion):
    r"""One way: the query's tokens read the context's and stay as many as they were: `fusion(query=..., context=...)`.

    $$\mathrm{out} = \mathrm{CrossBlock}(q, c)$$

    Shape:   query Tokens (batch, n, dims["query"]), context Tokens (batch, m, dims["context"])  ->  Tokens as the query
    Cost:    O(batch * (n * m * d + (n + m) * d^2))
    Source:  Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3; pre-norm.
    Parity:  tests/parity/test_fusion.py (torch.nn.MultiheadAttention with kdim and vdim)
    Raises:  InputError when `dims` does not name query and context
    """

    def __init__(self, dims: dict[str, int], *, heads: int, mlp_ratio: int = 4) -> None:
        super().__init__(dims)
        if set(dims) != {"query", "context"}:
            raise InputError(f"CrossAttentionFusion needs widths for query and context, got {listed(dims)}; name both.")
        self.block = CrossBlock(dims["query"], context_dim=dims["context"], heads=heads, mlp_ratio=mlp_ratio)

    def forward(self, *, query: Tokens, context: Tokens) -> Tokens:
        return Tokens(self.block(query.values, context.values, context.mask), query.mask)


@dataclass(frozen=True)
class Streams:
    """One sequence per modality, for operators that keep them apart."""

    text: Tokens | None = None
    image: Tokens | None = None
    audio: Tokens | None = None


class CoAttentionFusion(TokenFusion):
    r"""Two ways at once: each of two modalities reads the other as it came in, with weights of its own.

    $$\mathrm{out}_a = \mathrm{CrossBlock}_a(a, b), \qquad \mathrm{out}_b = \mathrm{CrossBlock}_b(b, a)$$

    Shape:   Tokens (batch, n, dims[a]) and Tokens (batch, m, dims[b])  ->  Streams of the same shapes
    Cost:    O(batch * (n * m * d + (n + m) * d^2))
    Source:  Lu et al. 2019, arXiv:1908.02265 (ViLBERT), its co-attention layer. Differs: pre-norm; the block of
             self-attention that follows it there is a `TransformerBlock` per stream, not part of this operator.
    Parity:  tests/parity/test_fusion.py (two torch.nn.MultiheadAttention with weights of their own)
    Raises:  InputError when `dims` does not name two modalities
    """

    def __init__(self, dims: dict[str, int], *, heads: int, mlp_ratio: int = 4) -> None:
        super().__init__(check_dims(type(self).__name__, dims, out=1))
        if len(dims) != 2:
            raise InputError(f"CoAttentionFusion takes exactly two modalities, got {listed(dims)}; name two.")
        widths = {name: other for name, other in zip(self.dims, reversed(self.dims.values()), strict=True)}
        self.blocks = nn.ModuleDict(
            {
                name: CrossBlock(dim, context_dim=widths[name], heads=heads, mlp_ratio=mlp_ratio)
                for name, dim in self.dims.items()
            }
        )

    def forward(
        self, *, text: Tokens | None = None, image: Tokens | None = None, audio: Tokens | None = None
    ) -> Streams:
        given = given_tokens(text, image, audio)
        fused = {}
        for (name, own), other in zip(given.items(), reversed(given.values()), strict=True):
            fused[name] = Tokens(self.blocks[name](own.values, other.values, other.mask), own.mask)
        return Streams(**fused)

    def streams(self, fused: Streams) -> list[Tokens]:
        return list(given_tokens(fused.text, fused.image, fused.audio).values())
