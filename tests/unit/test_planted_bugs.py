"""The contract and the parity checks can fail: bugs planted in vector operators and projections, and what catches them.

Every bug is a small change of a member that runs, has the right shapes and could be trained. Beside each stands the
check that must catch it, and the member without the bug must pass that same check.
"""

from functools import reduce
from operator import mul

import pytest
import torch
from einops import rearrange
from torch import nn

from mmlab import fusion as zoo
from mmlab.projection import LinearProjection
from tests.contract import promises
from tests.contract.promises import Case, randomise
from tests.contract.test_fusion import check_gap_is_absence
from tests.contract.zoo import WIDTHS, pooled
from tests.parity import test_fusion as parity

SQUARE = dict.fromkeys(WIDTHS, 6)


class UnregisteredFactors(zoo.LowRankFusion):
    """MultiBench's: the factors are in a Python list, so no optimiser and no checkpoint ever sees them."""

    def __init__(self, dims, *, out, rank=4):
        super().__init__(dims, out=out, rank=rank)
        self.hidden = list(self.factors.values())
        del self.factors

    def fuse(self, given, keep):
        for layer in self.hidden:
            layer.double()
        factors = [layer(z) for layer, z in zip(self.hidden, given.values(), strict=True)]
        return self.bias + rearrange(reduce(mul, factors), "b (r o) -> b r o", o=self.out).sum(1)


class DroppedBias(zoo.TensorFusion):
    def fuse(self, given, keep):
        return super().fuse(given, keep) - self.bias.detach()


class UnusedBias(zoo.TensorFusion):
    def fuse(self, given, keep):
        return super().fuse(given, keep) - self.bias


class SoftmaxOverRows(zoo.AttentionSumFusion):
    def weights(self, given, keep=None):
        return torch.stack([self.ask(self.keys[name](z).tanh()) for name, z in given.items()]).softmax(dim=1)


class GatesInterleaved(zoo.GatedFusion):
    def gates(self, given):
        opened = self.gate(torch.cat(list(given.values()), dim=1)).sigmoid()
        return rearrange(opened, "batch (out m) -> m batch out", m=len(given))


class GatedWithoutTanh(zoo.GatedFusion):
    """tanh forgotten: near zero it looks the same."""

    def fuse(self, given, keep):
        values = [self.values[name](z) for name, z in given.items()]
        return sum(gate * value for gate, value in zip(self.gates(given), values, strict=True))


class CentredByBatch(zoo.ConcatLinearFusion):
    def fuse(self, given, keep):
        return super().fuse({name: z - z.mean(0) for name, z in given.items()}, keep)


class TransposedWeight(zoo.BilinearFusion):
    """With equal widths every shape still fits."""

    def fuse(self, given, keep):
        self.weights = nn.ParameterDict({k: nn.Parameter(w.transpose(0, 1)) for k, w in self.weights.items()})
        return super().fuse(given, keep)


class OneModalityDeaf(zoo.ConcatMLPFusion):
    def fuse(self, given, keep):
        return super().fuse({**given, "image": given["image"].detach() * 0}, keep)


class OrderOfBuilding(zoo.ConcatLinearFusion):
    """Lays the inputs side by side in the order in which the widths were named."""

    def __init__(self, dims, *, out):
        super().__init__(dims, out=out)
        self.order = list(dims)

    def fuse(self, given, keep):
        return self.linear(torch.cat([given[name] for name in self.order], dim=1))


class MeanOverAll(zoo.MeanFusion):
    """A missing modality counts as a zero vector."""

    def fuse(self, given, keep):
        return sum(given.values()) / len(self.dims)


class GapsLeakIn(zoo.MaxFusion):
    """A row's absent modality is the zero that stands in its gap, and zero beats a negative value."""

    def fuse(self, given, keep):
        return super().fuse(given, None)


class SingleInside(zoo.MeanFusion):
    def fuse(self, given, keep):
        return super().fuse({name: z.float() for name, z in given.items()}, keep)


class GammaWithoutOne(zoo.FiLMFusion):
    def fuse(self, given, keep):
        return super().fuse(given, keep) - self.value(given[self.feature])


class ProductWithoutTanh(zoo.HadamardFusion):
    def fuse(self, given, keep):
        return self.combine(reduce(mul, (self.factors[name](z) for name, z in given.items())))


class RankAndOutputSwapped(zoo.LowRankFusion):
    """`(o r)` where the weights are laid out `(r o)`."""

    def fuse(self, given, keep):
        factors = (self.factors[name](given[name]) for name in self.dims)
        return self.bias + rearrange(reduce(mul, factors), "b (o r) -> b r o", o=self.out).sum(1)


def against(name, check=parity.check_vector):
    """The parity check of a member, to be run on a planted one."""

    def matches_its_formula(case):
        check(Case(f"{name} planted", case.build, case.dims, case.draw), case.module())

    return matches_its_formula


BUGS = [
    (UnregisteredFactors, WIDTHS, promises.hides_no_tensors),
    (UnregisteredFactors, WIDTHS, promises.survives_a_round_trip),
    (DroppedBias, WIDTHS, against("tensor")),
    (UnusedBias, WIDTHS, promises.trains_every_parameter),
    (UnusedBias, WIDTHS, against("tensor")),
    (SoftmaxOverRows, SQUARE, promises.keeps_rows_apart),
    (SoftmaxOverRows, SQUARE, against("attention_sum")),
    (GatesInterleaved, WIDTHS, against("gated")),
    (GatedWithoutTanh, WIDTHS, against("gated")),
    (CentredByBatch, WIDTHS, promises.keeps_rows_apart),
    (CentredByBatch, WIDTHS, against("concat_linear")),
    (TransposedWeight, SQUARE, against("bilinear", parity.check_bilinear)),
    (OneModalityDeaf, WIDTHS, promises.feels_every_input),
    (OneModalityDeaf, WIDTHS, against("concat_mlp")),
    (OrderOfBuilding, WIDTHS, promises.ignores_order),
    (MeanOverAll, SQUARE, against("mean", parity.check_missing)),
    (GapsLeakIn, SQUARE, check_gap_is_absence),
    (SingleInside, SQUARE, promises.runs_in_double_and_single),
    (SingleInside, SQUARE, against("mean")),
    (GammaWithoutOne, WIDTHS, against("film")),
    (ProductWithoutTanh, WIDTHS, against("hadamard")),
    (RankAndOutputSwapped, WIDTHS, against("low_rank")),
]


@pytest.mark.parametrize(("kind", "dims", "check"), BUGS, ids=lambda value: getattr(value, "__name__", ""))
def test_bug_in_a_vector_operator_is_caught(kind, dims, check):
    out = 4 if dims is WIDTHS else dims["text"]
    sound = kind.__mro__[1]
    check(Case(sound.__name__, lambda d: sound(d, out=out), dims, pooled))
    with pytest.raises(AssertionError):
        check(Case(kind.__name__, lambda d: kind(d, out=out), dims, pooled))


class BiasedProjection(LinearProjection):
    def project(self, x):
        return super().project(x) + self.W.sum(0)


class TransposedProjection(LinearProjection):
    """W x as the article writes it, which fits a square W."""

    def project(self, x):
        return x @ self.W.T


@pytest.mark.parametrize("kind, out", [(BiasedProjection, 4), (TransposedProjection, 5)])
def test_bug_in_the_projection_is_caught(kind, out):
    with pytest.raises(AssertionError):
        parity.check_linear_projection(randomise(kind(5, out=out), seed=0).double())


class UnregisteredMatrix(LinearProjection):
    def __init__(self, dim, *, out):
        super().__init__(dim, out=out)
        matrix = self.W.data.double()
        del self.W
        self.W = matrix


def test_matrix_that_is_no_parameter_is_caught():
    inputs = {"x": torch.randn(4, 5, dtype=torch.float64)}
    case = Case("W", lambda d: UnregisteredMatrix(d["x"], out=4), {"x": 5}, lambda d, seed: inputs)
    with pytest.raises(AssertionError, match="hides a Tensor"):
        promises.hides_no_tensors(case)
