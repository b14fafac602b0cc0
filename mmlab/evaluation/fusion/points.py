"""One point of the comparison: an operator, a task, a kind of head, a seed; trained, measured, kept in one file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mmlab.evaluation.fusion.bank import LEVELS, PLACES
from mmlab.evaluation.fusion.deck import TASKS
from mmlab.evaluation.fusion.fit import Fitted, Trainer
from mmlab.evaluation.fusion.head import HEADS, matched_hidden, parameters
from mmlab.fusion import FUSIONS
from mmlab.types import InputError

ALONE = "sum"  # the operator around a single modality: of one term it is that term


@dataclass(frozen=True)
class Point:
    """A name for each training. `alone` is the one modality of a unimodal model, or ""."""

    task: str
    head: str
    operator: str
    seed: int
    alone: str = ""
    dropout: bool = False

    @property
    def series(self) -> str:
        """The same over all seeds."""
        variant = f"{self.operator}+dropout" if self.dropout else self.operator
        return f"{self.task}.{self.head}.{f'{self.alone}_alone' if self.alone else variant}"

    @property
    def name(self) -> str:
        return f"{self.series}.{self.seed}"


def points(
    *, seeds: int, operators: Sequence[str] = tuple(FUSIONS), tasks: Sequence[str] = tuple(TASKS)
) -> list[Point]:
    """All points, the first seed of everything before the second of anything."""
    found = []
    for seed in range(seeds):
        for task in tasks:
            for head in HEADS:
                found += [Point(task, head, name, seed) for name in operators if _plain(task, name)]
                if task == "missing":
                    found += [Point(task, head, name, seed, dropout=True) for name in operators]
                else:
                    found += [Point(task, head, ALONE, seed, alone=m) for m in TASKS[task][0]]
    return found


def _plain(task: str, operator: str) -> bool:
    """Whether an operator can be asked this without a part around it."""
    return task != "missing" or FUSIONS[operator].allows_missing


class Bench:
    """Measures points and keeps them in a folder; one that is there is read, not made again."""

    def __init__(self, trainer: Trainer, *, run: Path, made_from: dict[str, Any], operators: Sequence[str]) -> None:
        self.trainer, self.run, self.operators = trainer, run, list(operators)
        self.settings = json.loads(
            json.dumps({"budget": asdict(trainer.budget), **made_from, "operators": self.operators})
        )
        self._hidden: dict[tuple[str, bool], dict[str, int]] = {}

    def measure(self, point: Point) -> dict[str, Any]:
        """The result of a point, from its file where it has one.

        Raises:  InputError when the folder holds a point of other settings
        """
        path = self.run / "points" / f"{point.name}.json"
        if path.is_file():
            kept = json.loads(path.read_text("utf-8"))
            if kept["settings"] != self.settings:
                raise InputError(f"{path}: expected a point of these settings, found another; choose a new --run.")
            return kept["result"]
        result = self.result(point, self.fit(point))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"settings": self.settings, "result": result}, indent=1)
        partial = path.with_suffix(".part")
        partial.write_text(text + "\n", "utf-8")
        partial.replace(path)  # whole or not at all
        return json.loads(text)["result"]

    def fit(self, point: Point) -> Fitted:
        """Train it. Learning rate and weight decay are chosen on validation at the first seed, for all seeds."""
        choices = None
        if point.seed > 0:
            first = self.measure(Point(**{**asdict(point), "seed": 0}))
            choices = ((first["lr"], first["weight_decay"]),)
        return self.trainer.fit(
            point.operator,
            point.task,
            modalities=(point.alone,) if point.alone else None,
            hidden=self.hidden(point),
            dropout=point.dropout,
            seed=point.seed,
            choices=choices,
        )

    def hidden(self, point: Point) -> int | None:
        """Hidden units in table B; a modality alone gets as many as the sum of all has."""
        if point.head == "linear":
            return None
        key = point.task, point.dropout
        if key not in self._hidden:
            modalities, answers = TASKS[point.task]
            dim = self.trainer.basis.shape[0]
            fitting = [name for name in self.operators if point.dropout or _plain(point.task, name)]
            self._hidden[key] = matched_hidden(
                fitting, modalities=modalities, dim=dim, answers=answers or dim, dropout=point.dropout
            )
        return self._hidden[key][point.operator]

    def result(self, point: Point, fitted: Fitted) -> dict[str, Any]:
        """Settings that were chosen, and a share of right answers for everything that was asked."""
        head, names = fitted.head, tuple(fitted.head.projections)
        chosen = {
            "lr": fitted.choice[0],
            "weight_decay": fitted.choice[1],
            "step": fitted.step,
            "validation": fitted.validation,
        }
        figures = {}
        for place in PLACES:
            figures[place] = self._share(fitted, point, place, names)
            if point.task == "missing":
                for gone in names:
                    rest = tuple(m for m in names if m != gone)
                    figures[f"{place}_without_{gone}"] = self._share(fitted, point, place, rest)
        if point.task == "retrieval":
            for m in TASKS["retrieval"][0]:
                for level in LEVELS:
                    figures[f"near_{m}_{level}dB"] = self._share(fitted, point, "near", names, noise=(m, level))
        return {
            **asdict(point),
            "parameters": parameters(head),
            "hidden": self.hidden(point),
            **chosen,
            "shares": figures,
        }

    def _share(
        self, fitted: Fitted, point: Point, place: str, given: tuple[str, ...], *, noise: tuple[str, int] | None = None
    ) -> dict[str, float]:
        rows = self.trainer.deck(point.task, place, seed=point.seed, noise=noise)
        right = self.trainer.right(self.trainer.answers(fitted.head, rows, given), rows.label, point.task)
        return {"share": right.double().mean().item(), "n": len(right)}


def one_thread() -> None:
    """Heads are small: a second thread costs more than it gives, and one thread adds in one order."""
    torch.set_num_threads(1)
