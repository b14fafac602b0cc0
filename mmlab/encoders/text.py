"""The text encoder: byte-level sub-words and a few transformer blocks."""

from collections.abc import Sequence

from torch import nn

from mmlab.encoders.scratch import ScratchEncoder
from mmlab.nn.block import TransformerBlock
from mmlab.nn.positions import sinusoidal
from mmlab.preprocessing import MAX_TEXT, Tokenizer
from mmlab.types import Inputs, Tokens


class TextEncoder(ScratchEncoder):
    """Token and position embeddings, pre-norm transformer blocks, a last LayerNorm.

    Shape:   values (batch, seq) token ids -> Tokens (batch, seq, dim); pooled (batch, dim)
    Cost:    O(batch * layers * (seq^2 * dim + 12 * seq * dim^2))
    Source:  Vaswani et al. 2017, arXiv:1706.03762; pre-norm as in Xiong et al. 2020, arXiv:2002.04745
    Parity:  tests/contract/test_encoders.py; the block in tests/parity/test_attention.py
    """

    def __init__(self, dim: int, *, tokenizer: Tokenizer, layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__(modality="text", dim=dim)
        self.config = {"dim": dim, "layers": layers, "heads": heads, "dropout": dropout}
        self.tokenizer = tokenizer
        self.embed_tokens = nn.Embedding(tokenizer.vocab, dim)
        nn.init.normal_(self.embed_tokens.weight, std=dim**-0.5)
        self.register_buffer("positions", sinusoidal(MAX_TEXT, dim) * dim**-0.5, persistent=False)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def forward(self, inputs: Inputs) -> Tokens:
        values = self.embed_tokens(inputs.values) + self.positions[: inputs.values.shape[1]]
        for block in self.blocks:
            values = block(values, inputs.mask)
        return Tokens(self.norm(values), inputs.mask)

    def preprocess(self, raw: Sequence[str]) -> Inputs:
        return self.tokenizer.encode(list(raw))
