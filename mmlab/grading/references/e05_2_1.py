"""Reference solution of 05_2.1."""

from collections import Counter
from itertools import pairwise


def merge_step(words, counts):
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            pairs[pair] += count
    if not pairs:
        return {"pair": [], "words": words}
    pair = min(pairs, key=lambda one: (-pairs[one], one))
    return {"pair": list(pair), "words": [_merge(word, pair) for word in words]}


def _merge(word, pair):
    merged, place = [], 0
    while place < len(word):
        both = tuple(word[place : place + 2]) == pair
        merged.append("".join(pair) if both else word[place])
        place += 2 if both else 1
    return merged
