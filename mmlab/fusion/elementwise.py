"""Operators that keep the width: each feature of the result is made from the same feature of every modality."""

from abc import ABC
from functools import reduce
from operator import add

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import Fusion
from mmlab.fusion.checks import listed
from mmlab.types import InputError


class ElementwiseFusion(Fusion, ABC):
    """Operators whose inputs and output share one width; all of them have a meaning when a modality is missing.

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Raises:  InputError when the widths differ
    """

    allows_missing = True

    def __init__(self, dims: dict[str, int], *, out: int | None = None) -> None:
        width = next(iter(dims.values()), 1)
        super().__init__(dims, out=width if out is None else out)
        if set(self.dims.values()) != {self.out}:
            came = listed(f"{name} {width}" for name, width in {**self.dims, "out": self.out}.items())
            raise InputError(f"{type(self).__name__} needs one width for all, got {came}; project to one width first.")


class SumFusion(ElementwiseFusion):
    r"""The article's fusion: add what each modality says.

    $$z = \sum_m z_m$$

    A missing modality is a missing term. With $z_m = W_m^\top x_m$ the sum is one linear map of the concatenation,
    $z = [W_t; W_i; W_a]^\top [x_t; x_i; x_a]$.

    **What a sum cannot do.** Under a linear head the score of picture j with sound k is additive,
    $s(j, k) = u^\top (a_j + b_k) + c = f(j) + g(k)$, hence

    $$s(j, k) + s(k, j) = s(j, j) + s(k, k)$$

    Let "same thing?" be answered by $s > t$. If all four of (j, j), (k, k), (j, k), (k, j) were answered rightly, the
    right side would exceed 2t and the left side would not: a contradiction. So at least one of the four is wrong, for
    any weights and any threshold. A balanced test made of such fours (each thing matched with itself, each pair of
    things swapped both ways) therefore ends at 75 % or below, however long the training. The same holds for every
    additive operator: weighted sum, mean of what is always there, concatenation + linear, averaged logits.

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Cost:    O(batch * d * modalities)
    Source:  the article, chapter 4; adding embeddings as in Mikolov et al. 2013, arXiv:1310.4546.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return reduce(add, given.values())


class WeightedSumFusion(ElementwiseFusion):
    r"""The sum, with one learned number per modality: how loudly it speaks.

    $$z = \sum_m w_m z_m$$

    The weights start at 1, the article's sum, or where `weights` puts them; `requires_grad_(False)` keeps them there.
    They are not renormalised when a modality is missing.

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Cost:    O(batch * d * modalities)
    Source:  scalar mixing as in ELMo, Peters et al. 2018, arXiv:1802.05365. Differs: no softmax over the weights.
    Parity:  tests/parity/test_fusion.py (NumPy)
    Raises:  InputError when `weights` does not name the same modalities as `dims`
    """

    def __init__(
        self, dims: dict[str, int], *, out: int | None = None, weights: dict[str, float | int] | None = None
    ) -> None:
        super().__init__(dims, out=out)
        start = dict.fromkeys(self.dims, 1.0) if weights is None else weights
        if set(start) != set(self.dims):
            raise InputError(
                f"WeightedSumFusion needs a weight for each of {listed(self.dims)}, got {listed(start)}; name these."
            )
        self.weights = nn.ParameterDict({name: nn.Parameter(torch.tensor(float(start[name]))) for name in self.dims})

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return reduce(add, (self.weights[name] * z for name, z in given.items()))


class MeanFusion(ElementwiseFusion):
    r"""The mean of the modalities that are there: the sum, with a length that does not depend on how many there are.

    $$z = \frac{1}{|P|} \sum_{m \in P} z_m$$

    where P are the modalities present (in that row).

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Cost:    O(batch * d * modalities)
    Source:  pooling by averages as in Lin et al. 2013, arXiv:1312.4400, over modalities instead of places.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        total = reduce(add, given.values())
        return total / (len(given) if keep is None else keep.sum(dim=1, keepdim=True))


class MaxFusion(ElementwiseFusion):
    r"""Each feature is what the modality with the most of it says.

    $$z_k = \max_{m \in P} z_{m, k}$$

    where P are the modalities present (in that row).

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Cost:    O(batch * d * modalities)
    Source:  view pooling, Su et al. 2015, arXiv:1505.00880, over modalities instead of views.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        values = list(given.values())
        if keep is not None:
            values = [z.masked_fill(~keep[:, i, None], -torch.inf) for i, z in enumerate(values)]
        return torch.stack(values).amax(dim=0)


class AttentionSumFusion(ElementwiseFusion):
    r"""A weighted mean whose weights the values themselves decide, row by row.

    $$e_m = v^\top \tanh(U_m^\top z_m + c_m), \qquad \alpha = \mathrm{softmax}_{m \in P}(e), \qquad
      z = \sum_{m \in P} \alpha_m z_m$$

    where P are the modalities present (in that row).

    Shape:   z_m (batch, d) for each modality m  ->  z (batch, d)
    Cost:    O(batch * modalities * d * hidden)
    Source:  additive scores of Bahdanau et al. 2014, arXiv:1409.0473, self-attentive as in Lin et al. 2017,
             arXiv:1703.03130. Differs: each modality has its own U_m, for it need not speak the others' language.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dims: dict[str, int], *, out: int | None = None, hidden: int | None = None) -> None:
        super().__init__(dims, out=out)
        hidden = self.out if hidden is None else hidden
        self.keys = nn.ModuleDict({name: nn.Linear(dim, hidden) for name, dim in self.dims.items()})
        self.ask = nn.Linear(hidden, 1, bias=False)

    def weights(
        self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None = None
    ) -> Float[Tensor, "given batch 1"]:
        """How much each modality counts in each row, in the order of MODALITIES; they add up to 1 over the first axis."""
        scores = torch.stack([self.ask(self.keys[name](z).tanh()) for name, z in given.items()])
        if keep is not None:
            scores = scores.masked_fill(~rearrange(keep, "batch given -> given batch 1"), -torch.inf)
        return scores.softmax(dim=0)

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return reduce(add, (alpha * z for alpha, z in zip(self.weights(given, keep), given.values(), strict=True)))
