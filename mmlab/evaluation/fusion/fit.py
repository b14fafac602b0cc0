"""Training one head on cached vectors, and asking it: the same budget for every operator."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from mmlab.evaluation.fusion.augment import agreeing
from mmlab.evaluation.fusion.bank import Bank
from mmlab.evaluation.fusion.deck import TASKS, Deck, alike, deck
from mmlab.evaluation.fusion.head import WIDTH, FusionHead, principal
from mmlab.types import InputError

SCALE = 20.0  # of cosines before the softmax over names


AGREEMENT = ("pair", "odd")  # tasks about what agrees with what, whatever it is


@dataclass(frozen=True)
class Budget:
    """What every head of a task gets: steps, rows a step, (learning rate, weight decay) to choose from, looks at validation.

    Tasks about agreement get more steps (`agreement`), on rows that are made anew at each (`augment.agreeing`).
    """

    steps: int = 300
    agreement: int = 1200
    batch: int = 384
    choices: tuple[tuple[float, float], ...] = ((0.003, 0.1), (0.01, 0.1))
    looks: int = 10

    def steps_of(self, task: str) -> int:
        return self.agreement if task in AGREEMENT else self.steps


Batch = tuple[dict[str, Float[Tensor, "batch dim"]], Int[Tensor, " batch"]]  # rows by modality, labels


@dataclass(frozen=True)
class Fitted:
    """A head at the step that was best on validation."""

    head: FusionHead
    choice: tuple[float, float]
    step: int
    validation: float


class Trainer:
    """Decks of one bank, made once and shared by all operators; fits heads on them."""

    def __init__(self, bank: Bank, budget: Budget) -> None:
        self.bank, self.budget = bank, budget
        self.alike = alike(bank)
        train = bank.split["train"]
        shown = [bank.views[view][train][bank.has(view)[train]] for view in ("en", "noto", "slt")]
        self.basis = principal(torch.cat(shown))
        self._decks: dict[tuple[object, ...], Deck] = {}
        self._batches: dict[tuple[object, ...], list[Batch]] = {}

    def deck(self, task: str, place: str, *, seed: int, noise: tuple[str, int] | None = None) -> Deck:
        key = (task, place, seed, noise)
        if key not in self._decks:
            self._decks[key] = deck(self.bank, task, place, seed=seed, noise=noise)
        return self._decks[key]

    def forget(self) -> None:
        """Let the decks and batches go (they hold copies of the views)."""
        self._decks.clear()
        self._batches.clear()

    def batches(self, task: str, names: tuple[str, ...], *, seed: int) -> list[Batch]:
        """The rows of every step, which are the same for each operator; those of one task are kept.

        Cost:    more time than the steps of a small head themselves; up to 0.7 GB for 1,200 steps of three modalities
        """
        key = task, names, seed
        if key not in self._batches:
            self._batches.clear()
            train, generator, made = self.deck(task, "train", seed=seed), Generator().manual_seed(seed), []
            for _ in range(self.budget.steps_of(task)):
                chosen = torch.randint(len(train), (self.budget.batch,), generator=generator)
                rows, label = train.rows(chosen, names), train.label[chosen]
                if task in AGREEMENT:
                    rows = agreeing(rows, label, generator=generator)
                made.append((rows, label))
            self._batches[key] = made
        return self._batches[key]

    def fit(
        self,
        operator: str,
        task: str,
        *,
        modalities: tuple[str, ...] | None = None,
        hidden: int | None = None,
        width: int = WIDTH,
        dropout: bool = False,
        seed: int,
        choices: tuple[tuple[float, float], ...] | None = None,
    ) -> Fitted:
        """The best on validation over the choices and the looks; of equals the first."""
        full, answers = TASKS[task]
        sizes = {"modalities": modalities or full, "dim": self.basis.shape[0], "hidden": hidden, "width": width}
        best: Fitted | None = None
        for choice in choices or self.budget.choices:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                generator = Generator().manual_seed(seed)
                sizes |= {"answers": answers or self.basis.shape[0], "dropout": dropout}
                made = FusionHead(operator, **sizes, generator=generator)
                made.start_from(self.basis)
                found = self._run(made, task, choice=choice, seed=seed)
            if best is None or found.validation > best.validation:
                best = found
        if best is None:
            raise InputError("A budget needs at least one pair of learning rate and weight decay, got none; name some.")
        return best

    def _run(self, head: FusionHead, task: str, *, choice: tuple[float, float], seed: int) -> Fitted:
        held, names = self.deck(task, "validation", seed=seed), tuple(head.projections)
        batches = self.batches(task, names, seed=seed)
        steps = len(batches)
        lr, weight_decay = choice
        optimiser = torch.optim.AdamW(head.parameters(), lr=lr, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=lr, total_steps=steps, pct_start=0.2)
        best, every = (-1.0, 0.0), max(1, steps // self.budget.looks)
        kept, at = deepcopy(head.state_dict()), 0
        for step, (rows, label) in enumerate(batches, start=1):
            loss = self.loss(head(**rows), label, task)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            if step % every == 0 or step == steps:
                answers, label = self.answers(head, held, names), held.label
                score = self.right(answers, label, task).float().mean().item(), -self.loss(answers, label, task).item()
                if score > best:
                    best, kept, at = score, deepcopy(head.state_dict()), step
        head.load_state_dict(kept)
        return Fitted(head.eval(), choice, at, best[0])

    @torch.no_grad()
    def answers(self, head: FusionHead, rows: Deck, modalities: tuple[str, ...]) -> Float[Tensor, "n answers"]:
        """What the head says to every row, from these modalities; the others are missing."""
        training = head.training
        head.eval()
        parts = [head(**rows.rows(slice(i, i + 4096), modalities)) for i in range(0, len(rows), 4096)]
        head.train(training)
        return torch.cat(parts)

    def loss(self, answers: Float[Tensor, "n answers"], label: Int[Tensor, " n"], task: str) -> Float[Tensor, ""]:
        """Binary cross-entropy for pairs, cross-entropy over the four answers, or over the names of training things."""
        if task == "pair":
            return F.binary_cross_entropy_with_logits(answers[:, 0], label.to(answers.dtype))
        if task == "odd":
            return F.cross_entropy(answers, label)
        # In training the names of the training things compete; on validation, those asked about too.
        gallery = torch.cat([self.bank.split["train"], label]).unique()
        logits = SCALE * F.normalize(answers, dim=1) @ self.bank.views["en"][gallery].T
        at = torch.searchsorted(gallery, label)
        namesakes = self.alike[label][:, gallery].scatter(1, at[:, None], False)
        return F.cross_entropy(logits.masked_fill(namesakes, -torch.inf), at)

    def right(self, answers: Float[Tensor, "n answers"], label: Int[Tensor, " n"], task: str) -> Bool[Tensor, " n"]:
        """Which rows are answered rightly; names are sought among those of all things, seen in training or not."""
        if task == "pair":
            return (answers[:, 0] > 0) == label.bool()
        if task == "odd":
            return answers.argmax(dim=1) == label
        found = (F.normalize(answers, dim=1) @ self.bank.views["en"].T).argmax(dim=1)
        return self.alike[label, found]
