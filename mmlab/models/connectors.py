"""From what the encoders give to what a language model reads: soft tokens, vectors as wide as its word embeddings."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.fusion import FUSIONS, MissingEmbedding
from mmlab.projection import MLPProjection
from mmlab.types import MODALITIES, InputError

SEEN = ("image", "audio")  # what can stand in a turn beside its words
SHARPNESS = 30.0  # kappa at first: names whose cosines differ by 0.1 then weigh 20 to 1
ITEMS = 64  # keys of a reader that was not told what to remember
ORDERED = 4  # inputs of one modality in a turn that are told apart by their place


@dataclass(frozen=True)
class Percept:
    """One picture or sound as the frozen encoders give it, made once by `MultimodalChat.see`.

    Shape:   x (d_m,) pooled; z (d_z,) of unit length; early (channels,) the means of a picture's first two feature maps,
             where its colours are not yet looked past; (0,) for a sound
    """

    modality: str
    x: Float[Tensor, " d_m"]
    z: Float[Tensor, " d_z"]
    early: Float[Tensor, " channels"]


Turn = Sequence[Percept]  # what one turn shows and lets hear, pictures first


class Connector(nn.Module, ABC):
    """Percepts to soft tokens, turn by turn. `config` holds the sizes that build it again: CONNECTORS[name](**config).

    Shape:   turns of percepts -> (soft, out), in the order of the turns; turn t gives len(slots(t)) of them
    Raises:  InputError for percepts of another joint space (another width)
    """

    def __init__(self, dim: int, *, out: int, **config: Any) -> None:
        super().__init__()
        self.dim, self.out = dim, out
        self.config = {"dim": dim, "out": out, **config}

    reader: "NameReader"

    @abstractmethod
    def slots(self, modalities: Sequence[str]) -> list[str]:
        """The modality that each soft token of a turn goes by, given those of its percepts."""

    @abstractmethod
    def soft(self, turns: Sequence[Turn]) -> Float[Tensor, "soft out"]:
        """The soft tokens of all turns; `forward` has checked that there is something in them."""

    def forward(self, turns: Sequence[Turn]) -> Float[Tensor, "soft out"]:
        turns = [turn for turn in turns if len(turn)]
        if not turns:
            return next(self.parameters()).new_zeros(0, self.out)
        wrong = next((p for turn in turns for p in turn if p.z.shape != (self.dim,)), None)
        if wrong is not None:
            raise InputError(
                f"This connector reads vectors of a joint space {self.dim} wide, got {tuple(wrong.z.shape)}; "
                "encode pictures and sounds with the chat model's own `see`."
            )
        return self.soft(turns)


class NameReader(nn.Module):
    r"""From a vector of the joint space to soft tokens: what it is near to, in words, plus what a small network adds.

    $$a = \mathrm{softmax}(\kappa K z), \qquad s_j = \sum_t a_t\, v_{tj} + \mathrm{MLP}_j(\sqrt{d}\, z)$$

    `remember` sets the keys K to vectors of names and the values v to their words in the embedding space of the
    language model, token j for language j (all in one, where there is one token): at first a soft token is what one
    would say, a blend where several names are near. All of it is learned from there.

    Shape:   z (n, d_z) -> (n, tokens, out)
    Cost:    O(n * (items * (d_z + tokens * out) + hidden * (d_z + tokens * out)))
    Source:  attention over learned keys and values, Sukhbaatar et al. 2019, arXiv:1907.01470; the MLP is that of LLaVA-1.5
    """

    def __init__(self, dim: int, *, out: int, hidden: int, items: int, tokens: int) -> None:
        super().__init__()
        self.dim, self.out, self.tokens = dim, out, tokens
        self.keys = nn.Parameter(normalize(torch.randn(items, dim), dim=-1))
        self.values = nn.Parameter(0.1 * torch.randn(items, tokens, out))
        self.log_scale = nn.Parameter(torch.tensor(SHARPNESS).log())
        self.mlp = MLPProjection(dim, out=tokens * out, hidden=hidden)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)  # else noise drowns the names at first

    @torch.no_grad()
    def remember(self, keys: Float[Tensor, "items dim"], words: Float[Tensor, "items languages out"]) -> None:
        """Begin with these names: their vectors, and the sums of their word embeddings in each language."""
        words = words if self.tokens == words.shape[1] else words.sum(dim=1, keepdim=True)
        self.keys.copy_(keys)
        self.values.copy_(normalize(words, dim=-1))

    def forward(self, z: Float[Tensor, "n dim"]) -> Float[Tensor, "n tokens out"]:
        near = (self.log_scale.exp() * (z @ self.keys.T)).softmax(dim=-1)
        said = einsum(near, self.values, "n items, items tokens out -> n tokens out")
        more = self.mlp(self.dim**0.5 * z)
        return said + rearrange(more, "n (tokens out) -> n tokens out", tokens=self.tokens)


def counted(turn: Turn) -> list[int]:
    """Which of its modality each percept of a turn is, from 0; those beyond ORDERED count as the last."""
    seen: Counter[str] = Counter()
    places = []
    for percept in turn:
        places.append(min(seen[percept.modality], ORDERED - 1))
        seen[percept.modality] += 1
    return places


class TokenConnector(Connector):
    r"""LLaVA's way: each picture and each sound gives tokens of its own.

    $$s_p = \mathrm{reader}(z_p) + e_{m(p)} + o_{k(p)}, \qquad
      c_p = \mathrm{MLP}\Big(\frac{\mathrm{early}_p - \mu}{\sigma}\Big) \text{ for a picture}$$

    One reader serves every modality, for they share one space: what is said of a picture is said of a sound. k(p) counts
    the inputs of a modality within a turn: "picture one", "picture two". A picture
    gives three tokens, what it is in two languages (s) and how it is coloured (c); a sound gives two (s). With
    `early=0` the token c is left out. mu and sigma are those of the training pictures (`standardise`).

    Shape:   turns of percepts -> (soft, out)
    Cost:    that of the reader for each percept
    Source:  Liu et al. 2023, arXiv:2310.03744. Differs: pooled vectors of two depths in the place of a grid of patches,
             so that a prompt stays short, and a reader that begins with names.
    Parity:  tests/parity/test_llava.py (the merge; transformers' LLaVA)
    """

    def __init__(self, dim: int, *, out: int, early: int, hidden: int, items: int) -> None:
        super().__init__(dim, out=out, early=early, hidden=hidden, items=items)
        self.reader = NameReader(dim, out=out, hidden=hidden, items=items, tokens=2)
        self.modality = nn.Embedding(len(SEEN), out)
        self.order = nn.Embedding(ORDERED, out)
        for embedding in (self.modality, self.order):
            nn.init.normal_(embedding.weight, std=0.3 * out**-0.5)
        self.colour = MLPProjection(early, out=out, hidden=max(1, hidden // 4)) if early else None
        self.register_buffer("mean", torch.zeros(early))
        self.register_buffer("scale", torch.ones(early))

    def standardise(self, early: Float[Tensor, "n channels"]) -> None:
        """Take mean and spread from the early features of the training pictures."""
        self.mean.copy_(early.mean(dim=0))
        self.scale.copy_(early.std(dim=0).clamp(min=1e-4))

    def slots(self, modalities: Sequence[str]) -> list[str]:
        coloured = self.reader.tokens + (self.colour is not None)
        return [name for name in modalities for _ in range(coloured if name == "image" else self.reader.tokens)]

    def soft(self, turns: Sequence[Turn]) -> Float[Tensor, "soft out"]:
        percepts = [percept for turn in turns for percept in turn]
        z = torch.stack([percept.z for percept in percepts]).to(self.mean.device)
        kinds = torch.tensor([SEEN.index(percept.modality) for percept in percepts], device=z.device)
        places = torch.tensor([place for turn in turns for place in counted(turn)], device=z.device)
        tokens = self.reader(z) + (self.modality(kinds) + self.order(places))[:, None]
        pictures = [percept.early for percept in percepts if percept.modality == "image"]
        if self.colour is None or not pictures:
            return tokens.flatten(0, 1)
        seen = kinds == SEEN.index("image")
        coloured = self.colour((torch.stack(pictures).to(self.mean) - self.mean) / self.scale)
        last = torch.zeros_like(tokens[:, :1]).index_copy(
            0, seen.nonzero().flatten(), coloured[:, None].to(tokens.dtype)
        )
        kept = torch.ones(len(z), tokens.shape[1] + 1, dtype=torch.bool, device=z.device)
        kept[:, -1] = seen
        return torch.cat([tokens, last], dim=1)[kept]


class FusedConnector(Connector):
    r"""The article's way: what a turn shows is fused into one vector, and that is one soft token.

    $$s = \mathrm{reader}\big(\mathrm{fusion}(\bar z_i, \bar z_a)\big)$$

    with $\bar z_m$ the sum over the turn's inputs of modality m, and any vector operator of `mmlab.fusion` (the
    article's is the sum). An operator that needs every modality gets a learned vector for one that is missing.

    Shape:   turns of percepts -> (turns, out)
    Cost:    that of the operator and of the reader
    Source:  the article, chapter 4: z = z_i + z_a goes into the language model. Differs: words go in as words.
    Parity:  tests/unit/test_chat_model.py (the sum by hand)
    """

    def __init__(self, dim: int, *, out: int, hidden: int, items: int, fusion: str = "sum") -> None:
        super().__init__(dim, out=out, hidden=hidden, items=items, fusion=fusion)
        if fusion not in FUSIONS:
            raise InputError(f"A vector operator is one of {', '.join(FUSIONS)}, got {fusion!r}; choose one of these.")
        operator = FUSIONS[fusion]({name: dim for name in SEEN}, out=dim)
        self.fusion = operator if operator.allows_missing else MissingEmbedding(operator)
        self.reader = NameReader(dim, out=out, hidden=hidden, items=items, tokens=1)

    def slots(self, modalities: Sequence[str]) -> list[str]:
        return list(modalities[:1])

    def soft(self, turns: Sequence[Turn]) -> Float[Tensor, "soft out"]:
        present, device = self._present(turns), self.reader.keys.device
        given = {}
        for name in SEEN:
            rows = [[percept.z for percept in turn if percept.modality == name] for turn in turns]
            empty = turns[0][0].z.new_zeros(self.dim)
            given[name] = torch.stack([torch.stack(row).sum(0) if row else empty for row in rows]).to(device)
        return self.reader(self.fusion(**given, present=present.to(device))).flatten(0, 1)

    @staticmethod
    def _present(turns: Sequence[Turn]) -> Bool[Tensor, "turns modality"]:
        rows = [[any(percept.modality == name for percept in turn) for name in MODALITIES] for turn in turns]
        return torch.tensor(rows)


CONNECTORS = {
    "tokens": TokenConnector,
    "fused": FusedConnector,
}
