"""Reference solution of 06_1.2."""

from itertools import combinations


def minimal_pairs(scenes, key):
    def good(one, other):
        return one[key] != other[key] and all(one[name] == other[name] for name in one if name != key)

    return [[i, j] for i, j in combinations(range(len(scenes)), 2) if good(scenes[i], scenes[j])]
