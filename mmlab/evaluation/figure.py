"""One figure of merit: what was asked of what, with its interval and what guessing would get."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmlab import metrics
from mmlab.evaluation.space import Items

Figure = dict[str, Any]
DIGITS = 4


@dataclass(frozen=True)
class Answers:
    """What came of queries that have a right answer in the gallery.

    Shape:   ranks of the best right answer (n,), things asked about (n,), chance to find one among 1 and among 5 (n, 2)
    """

    ranks: Int[Tensor, " n"]
    things: Int[Tensor, " n"]
    chance: Float[Tensor, "n two"]

    @property
    def right(self) -> Bool[Tensor, " n"]:
        return self.ranks == 1


def ask(queries: Items, gallery: Items, *, alike: Bool[Tensor, "things things"]) -> Answers:
    """Rank the gallery for each query by cosine; ties count against the right answer."""
    return ranked(metrics.similarity(queries.z, gallery.z), queries.things, gallery.things, alike=alike)


def ranked(
    scores: Float[Tensor, "query gallery"],
    queries: Int[Tensor, " query"],
    gallery: Int[Tensor, " gallery"],
    *,
    alike: Bool[Tensor, "things things"],
) -> Answers:
    """`ask` for scores that come from elsewhere than a space."""
    right = alike[queries][:, gallery]
    has = right.any(dim=1)
    chance = torch.stack([guess(right[has].sum(1), len(gallery), k=k) for k in (1, 5)], dim=1)
    return Answers(metrics.ranks(scores[has], right[has]), queries[has], chance)


def guess(right: Int[Tensor, " query"], size: int, *, k: int) -> Float[Tensor, " query"]:
    r"""The chance that a random order of the gallery has a right answer among its first k.

    $$1 - \prod_{i=0}^{k-1} \max\!\Big(0, \frac{G - c - i}{G - i}\Big)$$

    with G the size of the gallery and c the number of right answers.
    """
    miss = torch.ones(len(right), dtype=torch.float64)
    for i in range(min(k, size)):
        miss = miss * ((size - right - i).clamp(min=0) / (size - i))
    return 1 - miss


def retrieval(*parts: Answers, **more: float | None) -> Figure:
    """r1, r5, r10, median_rank, n, interval of r1, chance (of r1) and chance_r5, over all parts together.

    Where one thing is asked about several times (by several voices), n counts the queries, but the interval is that
    of as many trials as there are things: the clips of one thing are right or wrong together.
    """
    distinct = len(torch.cat([part.things for part in parts]).unique())
    summary = metrics.retrieval_summary(torch.cat([part.ranks for part in parts]))
    interval = metrics.wilson_interval(round(summary["r1"] * distinct), distinct)
    at1, at5 = torch.cat([part.chance for part in parts]).mean(0).tolist()
    return rounded({**summary, "interval": list(interval), "chance": at1, "chance_r5": at5, **more})


def proportion(right: Bool[Tensor, " n"], things: Int[Tensor, " n"], **more: float) -> Figure:
    """accuracy, n and interval of yes-or-no answers; the interval counts things, as in `retrieval`."""
    accuracy, distinct = right.double().mean().item(), len(things.unique())
    interval = metrics.wilson_interval(round(accuracy * distinct), distinct)
    return rounded({"accuracy": accuracy, "n": len(right), "interval": list(interval), **more})


def over_things(
    statistic: Callable[[Int[Tensor, " rows"]], float], things: Int[Tensor, " n"], *, seed: int, resamples: int = 200
) -> list[float]:
    """Bootstrap interval of a statistic of rows, drawing whole things: rows of one thing are not independent."""
    order = things.argsort(stable=True)
    groups = order.split(things.bincount()[things.unique()].tolist())

    def once(drawn: Tensor) -> Tensor:
        return torch.tensor(statistic(torch.cat([groups[i] for i in drawn.long().tolist()])), dtype=torch.float64)

    positions = torch.arange(len(groups), dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return list(metrics.bootstrap_interval(positions, generator=generator, resamples=resamples, statistic=once))


def rounded(figure: Figure) -> Figure:
    """Four digits after the point: finer than any interval here, and the same on every machine more often."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, DIGITS) if math.isfinite(value) else None
        return [plain(part) for part in value] if isinstance(value, Sequence) and not isinstance(value, str) else value

    return {name: plain(value) for name, value in figure.items()}
