"""Multi-head attention with the roles named: the query asks, the context is asked."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmlab.types import InputError


class Attention(nn.Module):
    r"""Every query position reads a weighted mean of the context positions, once per head.

    $$A_h = \mathrm{softmax}\left(\frac{Q_h K_h^\top}{\sqrt{d / H}}\right), \qquad
      \mathrm{out} = [A_1 V_1; \dots; A_H V_H]\, W_o + b_o$$

    with $Q = q W_q + b_q$, $K = c W_k$, $V = c W_v + b_v$ cut into H heads. Self-attention: `attention(x, x, mask)`.
    The key has no bias: it would add the same to every score of a query, which the softmax takes out again.
    A row whose context is masked whole reads the empty sum, zero; operators that find this an error say so themselves.

    Shape:   query (batch, n, dim), context (batch, m, context_dim), mask (batch, m), True = keep  ->  (batch, n, dim)
    Cost:    O(batch * (n * m * dim + (n + m) * dim^2))
    Source:  Vaswani et al. 2017, arXiv:1706.03762, section 3.2; with biases as in Whisper, which the paper lacks.
    Parity:  tests/parity/test_attention.py (torch.nn.MultiheadAttention, whose mask means the opposite)
    Raises:  InputError when `heads` does not divide `dim`
    """

    def __init__(self, dim: int, *, heads: int, context_dim: int | None = None) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise InputError(f"Attention needs a width that its heads divide, got {dim=}, {heads=}; change one.")
        context_dim = dim if context_dim is None else context_dim
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(context_dim, dim, bias=False)
        self.value = nn.Linear(context_dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        query: Float[Tensor, "batch n dim"],
        context: Float[Tensor, "batch m context_dim"],
        mask: Bool[Tensor, "batch m"] | None = None,
    ) -> Float[Tensor, "batch n dim"]:
        q, k, v = self._split(self.query(query)), self._split(self.key(context)), self._split(self.value(context))
        keep = None if mask is None else rearrange(mask, "b m -> b 1 1 m")
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=keep)
        return self.out(rearrange(read, "b h n d -> b n (h d)"))

    def weights(
        self,
        query: Float[Tensor, "batch n dim"],
        context: Float[Tensor, "batch m context_dim"],
        mask: Bool[Tensor, "batch m"] | None = None,
    ) -> Float[Tensor, "batch heads n m"]:
        """Who looks at what: the same softmax that `forward` applies, written out, for pictures and lessons."""
        q, k = self._split(self.query(query)), self._split(self.key(context))
        scores = torch.einsum("bhnd,bhmd->bhnm", q, k) / q.shape[-1] ** 0.5
        if mask is None:
            return scores.softmax(-1)
        drop = ~rearrange(mask, "b m -> b 1 1 m")
        return scores.masked_fill(drop, torch.finfo(scores.dtype).min).softmax(-1).masked_fill(drop, 0.0)

    def _split(self, values: Float[Tensor, "batch seq dim"]) -> Float[Tensor, "batch heads seq head_dim"]:
        return rearrange(values, "b n (h d) -> b h n d", h=self.heads)
