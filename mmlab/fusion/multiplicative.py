"""Operators that multiply modalities with each other, from the cheapest product to the full tensor."""

from functools import reduce
from itertools import combinations
from math import prod
from operator import add, mul

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mmlab.fusion.base import Fusion
from mmlab.fusion.checks import listed
from mmlab.types import InputError

LARGEST = 2**29  # numbers in one weight tensor: 2 GiB in single precision


class HadamardFusion(Fusion):
    r"""Map every modality to the same width, multiply feature by feature, map back: bilinear fusion of rank R.

    $$z = P^\top \bigodot_m \tanh(U_m^\top z_m + c_m) + b, \qquad U_m \in \mathbb{R}^{d_m \times R}$$

    The biases c_m matter beyond two modalities: with them a factor can be constant, and pairs stay within reach.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * rank * (out + sum_m d_m))
    Source:  Kim et al. 2016, arXiv:1610.04325 (MLB), with the biases of its full model and the tanh before the product.
             Differs: any number of modalities.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    def __init__(self, dims: dict[str, int], *, out: int, rank: int | None = None) -> None:
        super().__init__(dims, out=out)
        rank = out if rank is None else rank
        self.factors = nn.ModuleDict({name: nn.Linear(dim, rank) for name, dim in self.dims.items()})
        self.combine = nn.Linear(rank, out)

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        return self.combine(reduce(mul, (self.factors[name](z).tanh() for name, z in given.items())))


class BilinearFusion(Fusion):
    r"""Every feature of one modality meets every feature of another, each meeting with its own weight.

    $$z_o = b_o + \sum_{m < m'} z_m^\top W^{(m m')}_o z_{m'}$$

    For two modalities this is the full bilinear map. For three it is the sum of the three pairwise maps: what all three
    say at once, the product of three, is for `TensorFusion`.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * out * sum_{m < m'} d_m d_m')
    Source:  Tenenbaum and Freeman 2000, "Separating style and content with bilinear models".
    Parity:  tests/parity/test_fusion.py (torch.nn.Bilinear, one per pair)
    Raises:  InputError for a single modality, or when a weight would pass 2 GiB
    """

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__(dims, out=out)
        if len(self.dims) < 2:
            raise InputError(f"BilinearFusion needs at least two modalities, got {listed(self.dims)}; add another.")
        self.weights = nn.ParameterDict()
        for one, two in combinations(self.dims, 2):
            _refuse_huge(self, self.dims[one], self.dims[two], out)
            bound = self.dims[one] ** -0.5
            weight = torch.empty(self.dims[one], self.dims[two], out).uniform_(-bound, bound)
            self.weights[f"{one}_{two}"] = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(out))

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        pairs = combinations(given.items(), 2)
        terms = (_contract(z, self.weights[f"{one}_{two}"], other) for (one, z), (two, other) in pairs)
        return self.bias + reduce(add, terms)


class TensorFusion(Fusion):
    r"""The outer product of all modalities, each with a 1 in front, under one linear map: products of every order.

    $$z_o = b_o + \left\langle W_o,\ \bigotimes_m [1; z_m] \right\rangle$$

    The 1 keeps the single modalities and the pairs beside the product of all; a missing modality is its 1 alone. The
    outer product is not built whole: all but the last modality are multiplied out, the map applied, then the last.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * out * prod_m (d_m + 1)); project to a small width first (the authors: 128, 32 and 32)
    Source:  Zadeh et al. 2017, arXiv:1707.07250. Differs: one linear map where the authors put a small network.
    Parity:  tests/parity/test_fusion.py (tensorly batched_outer)
    Raises:  InputError when the weight would pass 2 GiB
    """

    allows_missing = True

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__(dims, out=out)
        *front, last = (dim + 1 for dim in self.dims.values())
        _refuse_huge(self, prod(front), last, out)
        bound = (prod(front) * last) ** -0.5
        self.weight = nn.Parameter(torch.empty(prod(front), last, out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out))

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        rows = next(iter(given.values()))
        absent = {name: rows.new_zeros(len(rows), dim) for name, dim in self.dims.items() if name not in given}
        *front, last = (F.pad((given | absent)[name], (1, 0), value=1.0) for name in self.dims)
        left = reduce(_outer, front, rows.new_ones(len(rows), 1))
        return self.bias + _contract(left, self.weight, last)


class LowRankFusion(Fusion):
    r"""Tensor fusion whose weight tensor has CP rank at most R, so the outer product is never built.

    $$z_o = b_o + \sum_{r=1}^{R} \prod_m \langle w^{(m)}_{r o},\, [1; z_m] \rangle$$

    A missing modality is its 1 alone: its factor is the weight of the 1, which is the bias of `factors[m]`.

    Shape:   z_m (batch, d_m) for each modality m  ->  z (batch, out)
    Cost:    O(batch * rank * out * sum_m d_m); full tensor fusion costs O(batch * out * prod_m (d_m + 1))
    Source:  Liu et al. 2018, arXiv:1806.00064. Differs from the authors' code: no learned rank weights.
    Parity:  tests/parity/test_fusion.py (tensorly cp_to_tensor, contracted in full)
    """

    allows_missing = True

    def __init__(self, dims: dict[str, int], *, out: int, rank: int = 4) -> None:
        super().__init__(dims, out=out)
        self.factors = nn.ModuleDict({name: nn.Linear(dim, rank * out) for name, dim in self.dims.items()})
        self.bias = nn.Parameter(torch.zeros(out))

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        factors = (self.factors[name](given[name]) if name in given else self.factors[name].bias for name in self.dims)
        terms = rearrange(reduce(mul, factors), "b (r o) -> b r o", o=self.out)
        return self.bias + terms.sum(dim=1)


def _outer(left: Float[Tensor, "batch l"], right: Float[Tensor, "batch r"]) -> Float[Tensor, "batch lr"]:
    return rearrange(left[:, :, None] * right[:, None, :], "b l r -> b (l r)")


def _contract(
    left: Float[Tensor, "batch l"], weight: Float[Tensor, "l r out"], right: Float[Tensor, "batch r"]
) -> Float[Tensor, "batch out"]:
    """`b l, l r o, b r -> b o` by way of the smaller intermediate: `b l r` or `b r o`. Neither copies the weight."""
    if weight.shape[0] <= weight.shape[2]:
        return _outer(left, right) @ rearrange(weight, "l r o -> (l r) o")
    half = rearrange(left @ rearrange(weight, "l r o -> l (r o)"), "b (r o) -> b r o", o=weight.shape[2])
    return rearrange(rearrange(right, "b r -> b 1 r") @ half, "b 1 o -> b o")


def _refuse_huge(fusion: Fusion, left: int, right: int, out: int) -> None:
    if left * out * right > LARGEST:
        raise InputError(
            f"{type(fusion).__name__} would need a weight of {left * out * right * 4 / 2**30:.1f} GiB for "
            f"{listed(f'{name} {dim}' for name, dim in fusion.dims.items())}, out {out}; "
            "project to smaller widths first, or use LowRankFusion."
        )
