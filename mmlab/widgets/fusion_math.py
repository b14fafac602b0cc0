"""What a FusionLab computes at each turn of a knob: NumPy on one thread, a trained head in torch where one is chosen.

Products of a matrix and a vector are written with `einsum`, which stays on one thread: for arrays of this size a
second thread costs more than it gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from mmlab.fusion.checks import listed
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.fusion_state import DIRECT, FusionState

Vectors = Mapping[str, Float[np.ndarray, " dim"]]
HEAD = "retrieval"  # the task whose heads answer with a vector of the space
PAIR = "pair"  # the task whose heads say whether picture and sound agree
SHORTEST = 1e-6  # a fused vector shorter than this has no direction


@dataclass(frozen=True)
class Outcome:
    """The fused vector and what it finds.

    Shape:   z (dim,) of unit length; scores, chances (things,); best (k,); shares[m], rest (k,), which add up to the
             scores of the best
    """

    z: Float[np.ndarray, " dim"]
    length: float  # of the fused vector before it was brought to unit length
    used: tuple[str, ...]  # the modalities that had a part in it
    scores: Float[np.ndarray, " things"]
    chances: Float[np.ndarray, " things"]
    best: Int[np.ndarray, " k"]
    shares: dict[str, Float[np.ndarray, " k"]]
    rest: Float[np.ndarray, " k"]  # what the operator says whatever comes in
    agree: float | None = None  # how sure the operator's pair head is that picture and sound show one thing
    notes: tuple[str, ...] = field(default=())

    def places(self) -> Int[np.ndarray, " things"]:
        """The place of every thing in the order of the scores, from 1."""
        places = np.empty(len(self.scores), dtype=np.int64)
        places[np.argsort(-self.scores, kind="stable")] = np.arange(1, len(self.scores) + 1)
        return places


def fused_outcome(
    z: Vectors,
    state: FusionState,
    *,
    gallery: Float[np.ndarray, "things dim"],
    heads: Mapping[str, nn.Module],
    neutral: Vectors,
    k: int = 6,
) -> Outcome:
    r"""Fuse what is switched on, compare with every thing, and split the score of the best among the modalities.

    $$z = F(\{w_m z_m\}_{m \in P}), \qquad s_g = \langle z / \lVert z \rVert, g \rangle, \qquad
      p = \mathrm{softmax}(s / \tau)$$

    Shape:   z[m], neutral[m] (dim,); gallery (things, dim), unit rows
    Raises:  InputError, a sentence for the reader, where nothing is left to fuse or the operator cannot do without
    """
    used = taken(state, z, heads)
    inputs = {name: state.weight(name) * z[name] for name in used}
    direct = state.operator in DIRECT
    total = combine(state.operator, inputs) if direct else _answers(heads[f"{HEAD}.{state.operator}"], inputs, 1)[0]
    length = float(np.sqrt(np.square(total, dtype=np.float64).sum()))
    if not length > SHORTEST:
        raise InputError("What is left has no direction: raise the weight of a modality that is on.")
    unit = (total / length).astype(np.float32)
    scores = np.einsum("nd,d->n", gallery, unit)
    k = min(k, len(scores))
    best = np.argpartition(-scores, k - 1)[:k]
    best = best[np.argsort(-scores[best], kind="stable")]
    if direct:
        shares = {m: split @ gallery[best].T / length for m, split in parts(state.operator, inputs).items()}
        rest = np.zeros(k, dtype=np.float32)
    else:
        shares, rest = shapley(heads[f"{HEAD}.{state.operator}"], inputs, neutral, gallery[best])
    return Outcome(
        unit, length, used, scores, softmax(scores / state.temperature), best, shares, rest,
        agree=agreement(state, z, heads), notes=_notes(state, used),
    )  # fmt: skip


def taken(state: FusionState, z: Vectors, heads: Mapping[str, nn.Module]) -> tuple[str, ...]:
    """The modalities that the chosen operator takes of those that are on and have something to say."""
    there = tuple(name for name in state.on if name in z)
    if state.operator in DIRECT:
        if not there:
            raise InputError("No modality is left: switch one on.")
        return there
    head = heads.get(f"{HEAD}.{state.operator}")
    if head is None:
        raise InputError(
            f"{state.operator} has to learn before it can fuse, and no trained head of it was found; "
            "choose sum, weighted_sum, mean or max, or train the heads with `mmlab eval fusion`."
        )
    knows = tuple(head.projections)
    used = tuple(name for name in there if name in knows)
    missing = [name for name in knows if name not in used]
    if not used or (missing and not head.fusion.allows_missing):
        raise InputError(
            f"{state.operator} learned from {listed(knows)}, and {listed(missing)} is missing: switch it on."
        )
    return used


def combine(operator: str, inputs: Vectors) -> Float[np.ndarray, " dim"]:
    """An operator without trained parts, as in `mmlab.fusion`, on one row in NumPy."""
    stacked = np.stack(list(inputs.values()))
    if operator == "max":
        return stacked.max(axis=0)
    return stacked.mean(axis=0) if operator == "mean" else stacked.sum(axis=0)


def parts(operator: str, inputs: Vectors) -> dict[str, Float[np.ndarray, " dim"]]:
    """The fused vector as a sum with one term for each modality: exact for sum, mean and max."""
    if operator == "max":
        names, stacked = list(inputs), np.stack(list(inputs.values()))
        winner = stacked.argmax(axis=0)
        return {name: np.where(winner == row, stacked[row], 0.0) for row, name in enumerate(names)}
    share = 1 / len(inputs) if operator == "mean" else 1.0
    return {name: share * vector for name, vector in inputs.items()}


def shapley(
    head: nn.Module, inputs: Vectors, neutral: Vectors, targets: Float[np.ndarray, "k dim"]
) -> tuple[dict[str, Float[np.ndarray, " k"]], Float[np.ndarray, " k"]]:
    r"""What each modality adds to the scores, on average over the orders in which they may join.

    $$\phi_m = \sum_{S \subseteq P \setminus m} \frac{|S|!\,(|P| - |S| - 1)!}{|P|!}
      \left( s(S \cup m) - s(S) \right)$$

    A modality outside S says what its inputs say on average (`neutral`). The shares and s(nobody) add up to s(P).

    Cost:    one pass of the head over 2^|P| rows
    Source:  Shapley 1953, "A value for n-person games"; averages as what is missing, as in arXiv:1705.07874.
    Parity:  tests/unit/test_widget_fusion_math.py (every order of two and of three modalities, one after the other)
    """
    names = list(inputs)
    sets = [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]
    rows = {m: np.stack([inputs[m] if m in chosen else neutral[m] for chosen in sets]) for m in names}
    answers = _answers(head, rows, len(sets))
    answers = answers / np.maximum(np.linalg.norm(answers, axis=1, keepdims=True), SHORTEST)
    score = dict(zip(sets, np.einsum("nd,kd->nk", answers, targets), strict=True))
    shares = {}
    for m in names:
        gains = [
            (score[chosen | {m}] - score[chosen]) / (len(names) * comb(len(names) - 1, len(chosen)))
            for chosen in sets
            if m not in chosen
        ]
        shares[m] = np.sum(gains, axis=0)
    return shares, score[frozenset()]


def agreement(state: FusionState, z: Vectors, heads: Mapping[str, nn.Module]) -> float | None:
    """How sure the chosen operator's pair head is that picture and sound show one thing; None where it has no say."""
    head = heads.get(f"{PAIR}.{state.operator}")
    if head is None or any(name not in z or name not in state.on for name in head.projections):
        return None
    logit = _answers(head, {name: z[name] for name in head.projections}, 1)[0, 0]
    return float(1 / (1 + np.exp(-logit)))


def cosines(z: Vectors, names: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """The cosine of every two of these modalities' vectors."""
    lengths = {name: float(np.linalg.norm(z[name])) for name in names}
    return {(a, b): float(z[a] @ z[b]) / (lengths[a] * lengths[b]) for a, b in combinations(names, 2)}


def softmax(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    grown = np.exp(values - values.max())
    return grown / grown.sum()


def moves(
    before: Int[np.ndarray, " things"], after: Int[np.ndarray, " things"], best: Int[np.ndarray, " k"]
) -> list[int]:
    """By how many places each of the best rose (positive) or fell."""
    return [int(before[i] - after[i]) for i in best]


@torch.no_grad()
def _answers(
    head: nn.Module, inputs: Mapping[str, Float[np.ndarray, "*rows dim"]], rows: int
) -> Float[np.ndarray, "rows answers"]:
    given = {
        m: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)).reshape(rows, -1) for m, v in inputs.items()
    }
    return head(**given).numpy()


def _notes(state: FusionState, used: tuple[str, ...]) -> tuple[str, ...]:
    ignored = [name for name in MODALITIES if name in state.on and name not in used]
    if not ignored:
        return ()
    return (f"The trained heads take {listed(used)}; {listed(ignored)} has no part in this answer.",)
