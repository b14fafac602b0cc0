"""The one interface of every manner: inputs as an encoder gets them, one number for each, larger for stranger ones."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmlab.types import InputError, Inputs

LEAST_SPREAD = 1e-3  # of a statistic: what never changes would else be divided by nothing
FARTHEST = 8.0  # standard deviations: from there on it makes no difference how far


class Manner(nn.Module, ABC):
    r"""Strangeness of a few statistics of the raw input, which know nothing of what it means.

    $$\sigma(u) = g\!\left(\frac{s(u) - \mu}{\tau}\right)$$

    s are the statistics, mu and tau their mean and spread over what `fit` was shown.

    A subclass names its statistics in `names`, and defines `statistics`, `judge` (the g) and its `fit`.

    Shape:   inputs (batch rows, see `Inputs`)  ->  statistics (batch, stats)  ->  strangeness (batch,)
    Raises:  InputError before `fit`
    """

    names: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__()
        for name, start in (("mean", torch.zeros), ("spread", torch.ones)):
            self.register_buffer(name, start(len(self.names)))
        self.register_buffer("fitted", torch.tensor(False))

    @abstractmethod
    def statistics(self, inputs: Inputs) -> Float[Tensor, "batch stats"]:
        """A few numbers of each input, in the order of `names`."""

    @abstractmethod
    def judge(self, standard: Float[Tensor, "batch stats"]) -> Float[Tensor, " batch"]:
        """Strangeness of standardised statistics."""

    @torch.no_grad()
    def strangeness(self, statistics: Float[Tensor, "batch stats"]) -> Float[Tensor, " batch"]:
        """How strange inputs of these statistics are; larger for stranger ones."""
        if not self.fitted:
            raise InputError(f"This {type(self).__name__} has learned nothing yet; call fit, or load one that has.")
        return self.judge(self._standard(statistics))

    def forward(self, inputs: Inputs) -> Float[Tensor, " batch"]:
        return self.strangeness(self.statistics(inputs))

    def _learn_scale(self, known: Float[Tensor, "n stats"]) -> Float[Tensor, "n stats"]:
        """Keep mean and spread of what is known, and give it standardised."""
        self.mean.copy_(known.mean(dim=0))
        self.spread.copy_(known.std(dim=0).clamp(min=LEAST_SPREAD))
        self.fitted.fill_(True)
        return self._standard(known)

    def _standard(self, statistics: Float[Tensor, "n stats"]) -> Float[Tensor, "n stats"]:
        return ((statistics - self.mean) / self.spread).clamp(-FARTHEST, FARTHEST)


def share(true: Tensor, among: Tensor) -> Float[Tensor, " batch"]:
    """Of each row: the share of the places `among` where `true` holds; 0 where there is no such place."""
    return (true & among).flatten(1).sum(dim=1) / among.flatten(1).sum(dim=1).clamp(min=1)


def mean_over(values: Float[Tensor, "batch ..."], among: Tensor) -> Float[Tensor, " batch"]:
    """Of each row: the mean of the values at the places `among`; 0 where there is no such place."""
    return (values * among).flatten(1).sum(dim=1) / among.flatten(1).sum(dim=1).clamp(min=1)
