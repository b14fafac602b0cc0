"""Reference solution of 01.1."""

from collections import Counter, defaultdict


def best_accuracy(inputs, labels):
    groups = defaultdict(Counter)
    for one, label in zip(inputs, labels, strict=True):
        groups[tuple(one)][label] += 1
    return sum(max(group.values()) for group in groups.values()) / len(labels)
