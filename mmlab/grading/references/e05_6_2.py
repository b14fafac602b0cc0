"""Reference solution of 05_6.2."""

from math import comb


def by_chance(first, second):
    wins = sum(b and not a for a, b in zip(first, second, strict=True))
    losses = sum(a and not b for a, b in zip(first, second, strict=True))
    total = wins + losses
    tail = sum(comb(total, i) for i in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**total)
