"""Shares of right answers, with an interval that counts things: the questions about one thing go right together."""

from collections.abc import Sequence

from mmlab.evaluation.figure import Figure, rounded
from mmlab.metrics import wilson_interval
from mmlab.types import InputError


def share(name: str, right: Sequence[bool], things: Sequence[str]) -> Figure:
    """`name` (the share of True), n, and an interval of as many trials as there are different things.

    Raises:  InputError for no questions
    """
    if not right:
        raise InputError("A share needs questions, got none; ask for more of each kind.")
    rate, distinct = sum(right) / len(right), len(set(things)) if any(things) else len(right)
    interval = wilson_interval(round(rate * distinct), distinct)
    return rounded({name: rate, "n": len(right), "interval": list(interval)})
