"""Token operators that lay all sequences end to end. Positions are the business of the encoders in front."""

import torch
from einops import repeat
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import TokenFusion, given_tokens
from mmlab.fusion.checks import check_dims
from mmlab.nn.attention import Attention
from mmlab.nn.block import MLP, TransformerBlock
from mmlab.types import Tokens


class JoinTokens(nn.Module):
    r"""Brings all modalities to one width, marks each token with its modality, and lays the sequences end to end.

    $$h = [H_t A_t + k_t; H_i A_i + k_i; H_a A_a + k_a]$$

    Shape:   Tokens (batch, n_m, dims[m])  ->  Tokens (batch, sum of n_m, out)
    Cost:    O(batch * sum_m n_m * d_m * out)
    Source:  the segment embedding of BERT, Devlin et al. 2018, arXiv:1810.04805, as UNITER uses it (1909.11740).
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__()
        self.enter = nn.ModuleDict({name: nn.Linear(dim, out, bias=False) for name, dim in dims.items()})
        kinds = {name: nn.Parameter(torch.randn(out) * 0.02) for name in dims}
        self.kinds = nn.ParameterDict(kinds)  # serves as the bias of `enter`, too

    def forward(self, given: dict[str, Tokens]) -> Tokens:
        values = [self.enter[name](tokens.values) + self.kinds[name] for name, tokens in given.items()]
        return Tokens(torch.cat(values, dim=1), torch.cat([tokens.mask for tokens in given.values()], dim=1))


class SingleStreamFusion(TokenFusion):
    r"""One transformer over all tokens of all modalities, so that every token can read every other in every layer.

    $$\mathrm{out} = \mathrm{LN}(\mathrm{Block}_L(\dots \mathrm{Block}_1(\mathrm{Join}(H_t, H_i, H_a))))$$

    Shape:   Tokens (batch, n_m, dims[m])  ->  Tokens (batch, sum of n_m, out), in the order of MODALITIES
    Cost:    O(batch * depth * (n^2 * out + n * out^2)) with n = sum of n_m
    Source:  Chen et al. 2019, arXiv:1909.11740 (UNITER); Li et al. 2019, 1908.03557 (VisualBERT). Differs: pre-norm.
    Parity:  tests/parity/test_fusion.py (torch.nn.TransformerEncoder with norm_first)
    """

    allows_missing = True

    def __init__(self, dims: dict[str, int], *, out: int, heads: int, depth: int, mlp_ratio: int = 4) -> None:
        super().__init__(check_dims(type(self).__name__, dims, out=out))
        self.join = JoinTokens(self.dims, out=out)
        self.blocks = nn.ModuleList(TransformerBlock(out, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(out)

    def forward(
        self, *, text: Tokens | None = None, image: Tokens | None = None, audio: Tokens | None = None
    ) -> Tokens:
        joined = self.join(given_tokens(text, image, audio))
        values = joined.values
        for block in self.blocks:
            values = block(values, joined.mask)
        return Tokens(self.norm(values), joined.mask)


class ResamplerBlock(nn.Module):
    r"""The latents read the tokens and each other, then think alone.

    $$y = l + \mathrm{Attention}(\mathrm{LN}(l), [\mathrm{LN}'(h); \mathrm{LN}(l)]), \qquad
      \mathrm{out} = y + \mathrm{MLP}(\mathrm{LN}(y))$$

    Shape:   latents (batch, l, dim), tokens (batch, n, dim), mask (batch, n)  ->  (batch, l, dim)
    Cost:    O(batch * (l * (n + l) * dim + (n + l) * dim^2))
    Source:  Alayrac et al. 2022, arXiv:2204.14198 (Flamingo), whose norms these are: one for the tokens, one for the
             latents, used for query and key alike. Jaegle et al. 2021 (2103.03206) lets latents read tokens only.
    Parity:  tests/parity/test_fusion.py (torch.nn.MultiheadAttention over tokens and latents)
    """

    def __init__(self, dim: int, *, heads: int, mlp_ratio: int = 4) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(dim)
        self.latent_norm = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = MLP(dim, hidden=dim * mlp_ratio)

    def forward(
        self,
        latents: Float[Tensor, "batch l dim"],
        tokens: Float[Tensor, "batch n dim"],
        mask: Bool[Tensor, "batch n"],
    ) -> Float[Tensor, "batch l dim"]:
        asking = self.latent_norm(latents)
        context = torch.cat([self.token_norm(tokens), asking], dim=1)
        keep = torch.cat([mask, mask.new_ones(asking.shape[:2])], dim=1)
        read = latents + self.attention(asking, context, keep)
        return read + self.mlp(self.mlp_norm(read))


class PerceiverResampler(TokenFusion):
    r"""However many tokens come in, a fixed number of learned latents comes out, having read them all.

    $$l_0 \text{ learned}, \qquad l_k = \mathrm{ResamplerBlock}_k(l_{k-1}, \mathrm{Join}(H_t, H_i, H_a)), \qquad
      \mathrm{out} = \mathrm{LN}(l_L)$$

    Shape:   Tokens (batch, n_m, dims[m])  ->  Tokens (batch, latents, out), none of them padding
    Cost:    O(batch * depth * (latents * n * out + (latents + n) * out^2)) with n = sum of n_m: linear in n
    Source:  Alayrac et al. 2022, arXiv:2204.14198 (Flamingo); latents from Jaegle et al. 2021, arXiv:2103.03206. Norms
             and keys as in Flamingo; each layer has its own weights. Differs: modality embeddings, no time embeddings.
    Parity:  tests/parity/test_fusion.py (torch.nn.MultiheadAttention over tokens and latents)
    """

    allows_missing = True

    def __init__(
        self, dims: dict[str, int], *, out: int, latents: int, heads: int, depth: int, mlp_ratio: int = 4
    ) -> None:
        super().__init__(check_dims(type(self).__name__, dims, out=out))
        self.join = JoinTokens(self.dims, out=out)
        self.latents = nn.Parameter(torch.randn(latents, out) * 0.02)
        self.blocks = nn.ModuleList(ResamplerBlock(out, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(out)

    def forward(
        self, *, text: Tokens | None = None, image: Tokens | None = None, audio: Tokens | None = None
    ) -> Tokens:
        joined = self.join(given_tokens(text, image, audio))
        latents = repeat(self.latents, "l d -> b l d", b=len(joined.values))
        for block in self.blocks:
            latents = block(latents, joined.values, joined.mask)
        return Tokens(self.norm(latents), joined.mask.new_ones(latents.shape[:2]))
