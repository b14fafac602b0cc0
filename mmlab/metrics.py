"""How well it works, in numbers: retrieval, modality gap, separation, calibration, and the intervals of them."""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from mmlab.types import InputError


def similarity(a: Float[Tensor, "query dim"], b: Float[Tensor, "gallery dim"]) -> Float[Tensor, "query gallery"]:
    r"""Cosine of each query with each gallery item.

    $$s_{qg} = \frac{\langle a_q, b_g \rangle}{\lVert a_q \rVert \, \lVert b_g \rVert}$$
    """
    return normalize(a, dim=-1) @ normalize(b, dim=-1).T


def ranks(
    similarity: Float[Tensor, "query gallery"], targets: Int[Tensor, " query"] | Bool[Tensor, "query gallery"]
) -> Int[Tensor, " query"]:
    r"""The place of the best right answer in each query's list, counted from 1; a tie counts against it.

    $$r_q = 1 + \#\{g \notin T_q : s_{qg} \ge \max_{t \in T_q} s_{qt}\}$$

    A model that gives every item the same score is thus ranked last, not first. Right answers never count against each
    other.

    Shape:   targets are the index of the right item (query,), or a mask of all right items (query, gallery)
    Parity:  tests/parity/test_metrics.py (torchmetrics)
    Raises:  InputError for NaN in the similarities, and for a query without a right answer
    """
    if similarity.isnan().any():
        raise InputError("Ranks need similarities that are numbers, got NaN; look for it in the embeddings.")
    right = targets
    if targets.dtype != torch.bool:
        right = torch.zeros_like(similarity, dtype=torch.bool).scatter(1, targets.long()[:, None], True)
    if not right.any(dim=1).all():
        raise InputError("Ranks need at least one right answer per query, got a query without; leave that query out.")
    best = similarity.masked_fill(~right, -torch.inf).amax(dim=1, keepdim=True)
    return 1 + ((similarity >= best) & ~right).sum(dim=1)


def _some(values: Tensor, *, what: str) -> Tensor:
    if values.numel() == 0:
        raise InputError(f"{what} needs at least one value, got none; check the filter that chose them.")
    return values.double()


def recall_at(ranks: Int[Tensor, " query"], k: int) -> float:
    """The share of queries whose best right answer is among the first k (with several right answers: the hit rate)."""
    return (_some(ranks, what="Recall") <= k).double().mean().item()


def mrr(ranks: Int[Tensor, " query"]) -> float:
    r"""Mean reciprocal rank, $\frac{1}{Q} \sum_q 1 / r_q$."""
    return (1 / _some(ranks, what="The mean reciprocal rank")).mean().item()


def median_rank(ranks: Int[Tensor, " query"]) -> float:
    """The middle rank; of an even number of queries, the mean of the two in the middle."""
    return _some(ranks, what="The median rank").quantile(0.5).item()


def retrieval_summary(ranks: Int[Tensor, " query"]) -> dict[str, Any]:
    """What a result table shows: r1, r5, r10, median_rank, n, and the 95 % interval of r1."""
    hits = int((ranks == 1).sum())
    return {
        **{f"r{k}": recall_at(ranks, k) for k in (1, 5, 10)},
        "median_rank": median_rank(ranks),
        "n": len(ranks),
        "interval": list(wilson_interval(hits, len(ranks))),
    }


def wilson_interval(successes: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    r"""Interval of a proportion that stays within [0, 1] and is honest near its ends.

    $$\frac{\hat p + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}}}{1 + \frac{z^2}{n}}$$

    It takes the n trials as independent; several drawings or voices of one thing are not quite, and need a wider one.

    Source:  Wilson 1927, J. Am. Stat. Assoc. 22(158)
    Parity:  tests/parity/test_metrics.py (scipy.stats.binomtest)
    """
    if not 0 <= successes <= n or n == 0:
        raise InputError(f"An interval needs 0 <= successes <= n and n > 0, got {successes} of {n}; check the counts.")
    z, p = NormalDist().inv_cdf(0.5 + confidence / 2), successes / n
    centre, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def bootstrap_interval(
    values: Float[Tensor, " n"],
    *,
    generator: torch.Generator,
    confidence: float = 0.95,
    resamples: int = 1000,
    statistic: Callable[[Tensor], Tensor] = torch.mean,
) -> tuple[float, float]:
    """Percentile interval of a statistic (by default the mean) over samples drawn again with replacement.

    Cost:    O(resamples * n)
    Source:  Efron 1979, Ann. Stat. 7(1)
    """
    values = _some(values, what="A bootstrap")
    n = len(values)
    drawn = [statistic(values[torch.randint(n, (n,), generator=generator)]) for _ in range(resamples)]
    low, high = torch.stack(drawn).quantile(torch.tensor([(1 - confidence) / 2, (1 + confidence) / 2]).double())
    return low.item(), high.item()


def modality_gap(a: Float[Tensor, "n dim"], b: Float[Tensor, "m dim"]) -> float:
    r"""How far apart two modalities lie on the sphere: the distance between the means of their unit vectors.

    $$\left\lVert \frac{1}{n} \sum_{i=1}^{n} \frac{a_i}{\lVert a_i \rVert}
      - \frac{1}{m} \sum_{j=1}^{m} \frac{b_j}{\lVert b_j \rVert} \right\rVert$$

    Source:  Liang et al. 2022, arXiv:2203.02053
    """
    a, b = (normalize(_some(side, what="The modality gap"), dim=-1).mean(dim=0) for side in (a, b))
    return (a - b).norm().item()


def auc(scores: Float[Tensor, " n"], labels: Bool[Tensor, " n"]) -> float:
    r"""The chance that a positive scores above a negative, ties counted half.

    $$\mathrm{AUC} = \frac{\sum_{i \in +} R_i - \frac{1}{2} n_+ (n_+ + 1)}{n_+ \, n_-}, \quad R \text{ the mean ranks}$$

    Cost:    O(n log n)
    Parity:  tests/parity/test_metrics.py (sklearn.metrics.roc_auc_score)
    Raises:  InputError for NaN, and unless both labels occur
    """
    positive, negative = int(labels.sum()), int((~labels).sum())
    if positive == 0 or negative == 0 or scores.isnan().any():
        raise InputError(
            f"AUC needs scores without NaN and labels of both kinds, got {positive} positive and {negative} negative "
            "labels; check how they were made."
        )
    _, place, counts = scores.unique(return_inverse=True, return_counts=True)
    mean_rank = counts.double().cumsum(0) - (counts.double() - 1) / 2
    return ((mean_rank[place[labels]].sum() - positive * (positive + 1) / 2) / (positive * negative)).item()


def expected_calibration_error(
    confidence: Float[Tensor, " n"], correct: Bool[Tensor, " n"], *, bins: int = 15
) -> float:
    r"""How far confidence and accuracy lie apart, on average over bins of equal width.

    $$\mathrm{ECE} = \sum_b \frac{n_b}{n} \left| \mathrm{acc}_b - \mathrm{conf}_b \right|, \quad
      b = \left(\tfrac{b - 1}{B}, \tfrac{b}{B}\right]$$

    Source:  Guo et al. 2017, arXiv:1706.04599
    Parity:  tests/parity/test_metrics.py (torchmetrics)
    Raises:  InputError for a confidence outside [0, 1]
    """
    confidence = _some(confidence, what="The calibration error")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise InputError(f"Confidences lie in [0, 1], got one outside ({confidence.aminmax()}); pass probabilities.")
    edges = torch.linspace(0, 1, bins + 1, dtype=confidence.dtype, device=confidence.device)[1:-1]
    place = torch.bucketize(confidence, edges)
    gap = torch.zeros(bins, dtype=confidence.dtype, device=confidence.device)
    return gap.index_add(0, place, correct.double() - confidence).abs().sum().item() / len(confidence)
