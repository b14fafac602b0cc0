"""The transformer block, with the norms in front."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.nn.attention import Attention


class MLP(nn.Sequential):
    r"""Two linear maps with a GELU between them, applied at every position.

    $$\mathrm{MLP}(x) = \mathrm{GELU}(x W_1 + b_1)\, W_2 + b_2$$

    Shape:   (..., dim)  ->  (..., out)
    Cost:    O(positions * hidden * (dim + out))
    Source:  Vaswani et al. 2017, arXiv:1706.03762, section 3.3; GELU (the exact one, by erf) as in BERT.
    Parity:  tests/parity/test_attention.py (torch.nn.TransformerEncoderLayer)
    """

    def __init__(self, dim: int, *, hidden: int, out: int | None = None) -> None:
        super().__init__(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim if out is None else out))


class TransformerBlock(nn.Module):
    r"""Positions talk (attention), then each thinks alone (MLP); a norm before each leaves the residual path clean.

    $$y = x + \mathrm{Attention}(\mathrm{LN}(x)), \qquad \mathrm{out} = y + \mathrm{MLP}(\mathrm{LN}(y))$$

    The last block of a pre-norm stack gives un-normalised values: whoever stacks blocks ends with one LayerNorm.

    Shape:   values (batch, seq, dim), mask (batch, seq), True = keep  ->  (batch, seq, dim); padding stays meaningless
    Cost:    O(batch * (seq^2 * dim + (4 + 2 * mlp_ratio) * seq * dim^2))
    Source:  Xiong et al. 2020, arXiv:2002.04745 (pre-norm), as in ViT and GPT-2; the 2017 paper has the norm behind.
    Parity:  tests/parity/test_attention.py (torch.nn.TransformerEncoderLayer, transformers ViTLayer)
    """

    def __init__(self, dim: int, *, heads: int, mlp_ratio: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = MLP(dim, hidden=dim * mlp_ratio)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, values: Float[Tensor, "batch seq dim"], mask: Bool[Tensor, "batch seq"] | None = None
    ) -> Float[Tensor, "batch seq dim"]:
        normed = self.attention_norm(values)
        values = values + self.dropout(self.attention(normed, normed, mask))
        return values + self.dropout(self.mlp(self.mlp_norm(values)))
