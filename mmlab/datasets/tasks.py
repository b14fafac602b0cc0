r"""Matching tasks made from the things: do picture and sound agree, and of text, picture and sound, which is odd?

Both are lists of positions in the things they were made from; which style and which voice show a thing is chosen by who
uses them, by a rule that looks at the thing alone (or at a draw that ignores the label).

**Why one modality alone is at chance.** Each negative comes from a permutation σ of the things without a fixed point
(a thing's partner never shares its name in either language). For a fixed σ the pair task holds (i, i), "same", and
(i, σ(i)), "different", for every thing i. Because σ is a bijection, every picture stands exactly once under each
label, and so does every sound. Whatever a function f of the picture alone answers for thing i, it answers twice, once
rightly: its accuracy is exactly 1/2, memory of the whole list included. The mean of any sum f(picture) + g(sound) is
the same under both labels too: what decides is only how the two go together.

The odd-one-out task holds, for every i and its partner j, (text, picture, sound) = (i, i, i) "none", (j, i, i)
"text", (i, j, i) "image" and (i, i, j) "audio". Under each label each modality runs once through all things: one
modality alone has accuracy exactly 1/4. Partners are taken from σ *and* from its inverse, so that (a, b) and (b, a)
occur equally often: of two modalities that differ, either may be the odd one, and two that agree leave "none" or the
third. No function of two modalities is right more often than 1/2; only all three together can be.

All of this holds within each kind of negative, and so for any mixture of whole kinds and rounds.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from mmlab.datasets.emoji import Thing
from mmlab.types import MODALITIES, InputError

KINDS = ("same_subgroup", "other_subgroup")  # where the partner of a negative is taken from
PAIR_LABELS = ("different", "same")
ODD_LABELS = (*MODALITIES, "none")
ATTEMPTS = 20  # orders in which a permutation is sought before a set of things counts as too alike


@dataclass(frozen=True)
class PairTask:
    """Do picture and sound say the same thing? Balanced; the argument stands at the top of this module.

    Shape:   image, audio: positions of things (n,); label (n,) in the order of PAIR_LABELS; kind (n,) in that of KINDS
             (a positive has the kind of the negatives that it balances)
    """

    image: Int64[np.ndarray, " n"]
    audio: Int64[np.ndarray, " n"]
    label: Int64[np.ndarray, " n"]
    kind: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class OddOneOutTask:
    """Which of text, picture and sound is of another thing than the two others, or none? Balanced, as argued above.

    Shape:   text, image, audio: positions of things (n,); label (n,) in the order of ODD_LABELS; kind (n,) in that
             of KINDS (an item without an odd one has the kind of the items that it balances)
    """

    text: Int64[np.ndarray, " n"]
    image: Int64[np.ndarray, " n"]
    audio: Int64[np.ndarray, " n"]
    label: Int64[np.ndarray, " n"]
    kind: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.label)


def pair_task(things: Sequence[Thing], *, seed: int, rounds: int = 1, kinds: Sequence[str] = KINDS) -> PairTask:
    """Pairs (picture, sound) of the things, half of them of one thing; each round draws new partners.

    Shape:   n = 2 * rounds * (things that have a partner, summed over kinds)
    Raises:  InputError for an unknown kind, or things that leave no partner
    """
    rows = []
    for kind, i, j in _partners(things, seed=seed, rounds=rounds, kinds=kinds):
        rows += [(i, i, 1, kind), (i, j, 0, kind)]
    return PairTask(*_columns(rows, seed=seed))


def odd_one_out_task(
    things: Sequence[Thing], *, seed: int, rounds: int = 1, kinds: Sequence[str] = KINDS
) -> OddOneOutTask:
    """Triples (text, picture, sound) of the things, a quarter under each label; each round draws new partners.

    Shape:   n = 8 * rounds * (things that have a partner, summed over kinds)
    Raises:  InputError for an unknown kind, or things that leave no partner
    """
    rows = []
    for kind, i, j in _partners(things, seed=seed, rounds=rounds, kinds=kinds):
        for a, b in ((i, j), (j, i)):  # σ, then its inverse
            rows += [(b, a, a, 0, kind), (a, b, a, 1, kind), (a, a, b, 2, kind), (a, a, a, 3, kind)]
    return OddOneOutTask(*_columns(rows, seed=seed))


def _partners(things: Sequence[Thing], *, seed: int, rounds: int, kinds: Sequence[str]) -> list[tuple[int, int, int]]:
    """(kind, i, σ(i)) of every thing, round after round."""
    if not kinds or any(kind not in KINDS for kind in kinds):
        raise InputError(f"Kinds of negatives are {' and '.join(KINDS)}, got {list(kinds)}; name one or both.")
    found = []
    for round_ in range(rounds):
        for kind in kinds:
            sigma = _permutation(things, kind, seed=(seed, round_, kind))
            found += [(KINDS.index(kind), i, sigma[i]) for i in sorted(sigma)]
    return found


def _permutation(things: Sequence[Thing], kind: str, *, seed: object) -> dict[int, int]:
    """σ without fixed points, inside each subgroup or across all of them.

    A subgroup that allows none (a single thing, or two of one name) stays out of the first.
    """

    def allowed(i: int, j: int) -> bool:
        a, b = things[i], things[j]
        alike = a.id == b.id or a.name_en == b.name_en or a.name_zh == b.name_zh
        return not alike and (a.subgroup == b.subgroup) == (kind == "same_subgroup")

    pools = defaultdict(list)
    for i, thing in enumerate(things):
        pools[thing.subgroup if kind == "same_subgroup" else "all"].append(i)
    sigma: dict[int, int] = {}
    for pool in pools.values():
        sigma.update(_scatter(things, pool, allowed, seed=seed) or {})
    if not sigma:
        raise InputError(
            f"No negatives of kind {kind!r} among these {len(things)} things: expected things of several names, and "
            "for other_subgroup no subgroup above half of them; pass more things, or leave this kind out."
        )
    return sigma


def _scatter(
    things: Sequence[Thing], pool: list[int], allowed: Callable[[int, int], bool], *, seed: object
) -> dict[int, int] | None:
    """A permutation of the pool that sends each member to an allowed one: two shuffles side by side, then swaps."""
    for attempt in range(ATTEMPTS):
        givers, takers = (
            sorted(pool, key=lambda i, side=side: _seeded(seed, attempt, side, things[i].id))
            for side in ("give", "take")
        )
        for a in range(len(pool)):
            if allowed(givers[a], takers[a]):
                continue
            for b in (*range(a + 1, len(pool)), *range(a)):
                if allowed(givers[a], takers[b]) and allowed(givers[b], takers[a]):
                    takers[a], takers[b] = takers[b], takers[a]
                    break
        sigma = dict(zip(givers, takers, strict=True))
        if all(allowed(i, j) for i, j in sigma.items()):
            return sigma
    return None


def _columns(rows: list[tuple[int, ...]], *, seed: int) -> list[Int64[np.ndarray, " n"]]:
    """Rows in an order that says nothing of their labels, as one array per column."""
    order = sorted(range(len(rows)), key=lambda at: _seeded(seed, "order", at))
    return list(np.array(rows, dtype=np.int64)[order].T.copy())


def _seeded(*parts: object) -> bytes:
    """What decides every draw here: a digest, the same on every machine and in every version of NumPy."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
