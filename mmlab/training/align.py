"""`mmlab train align`: the recipe under Lightning, with a checkpoint to resume from and a model folder at the end."""

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import Tokenizer
from mmlab.training.aligner import Aligner
from mmlab.training.corpus import Corpus, Draw
from mmlab.training.loop import claim, fit_recipe, one_cycle, place, precision
from mmlab.training.recipe import AlignRecipe


class AlignModule(L.LightningModule):
    """Aligner, optimiser and schedule. Step k draws its randomness from (seed, k), so a resumed run repeats it."""

    def __init__(self, recipe: AlignRecipe, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.recipe = recipe
        self.aligner = Aligner(recipe.build(tokenizer), recipe)
        for name in ("image", "audio"):
            self.aligner.model.encoders[name].to(memory_format=torch.channels_last)

    def on_train_batch_start(self, batch: Draw, batch_idx: int) -> None:
        torch.manual_seed(self._step_seed())

    def training_step(self, draw: Draw, batch_idx: int) -> Tensor:
        generator = torch.Generator(self.device).manual_seed(self._step_seed())
        loss = self.loss(draw, generator, progress=self.global_step / self.recipe.steps)
        self.log("loss", loss.detach(), prog_bar=True)
        return loss

    def loss(self, draw: Draw, generator: torch.Generator, *, progress: float = 1.0) -> Tensor:
        """The loss of one draw; `progress` is the share of the run that is done."""
        return self.aligner(draw, generator, progress=progress)

    def _step_seed(self) -> int:
        return self.recipe.seed * 1_000_003 + self.global_step

    def configure_optimizers(self) -> dict[str, Any]:
        return one_cycle(self.aligner.parameters(), self.recipe)


class Draws(IterableDataset):
    """The batches from step `start` on, in the order that (seed, step) fixes."""

    def __init__(self, corpus: Corpus, recipe: AlignRecipe, start: int) -> None:
        self.corpus, self.recipe, self.start = corpus, recipe, start

    def __iter__(self) -> Iterator[Draw]:
        for step in range(self.start, self.recipe.steps):
            yield self.corpus.draw(seed=self.recipe.seed, step=step, batch=self.recipe.batch)


class AlignData(L.LightningDataModule):
    """Serves the draws that are still to come; after a resume these start at the restored step."""

    def __init__(self, corpus: Corpus, recipe: AlignRecipe) -> None:
        super().__init__()
        self.corpus, self.recipe = corpus, recipe

    def train_dataloader(self) -> DataLoader:
        start = self.trainer.global_step if self.trainer else 0
        return DataLoader(Draws(self.corpus, self.recipe, start), batch_size=None)

    def transfer_batch_to_device(self, batch: Draw, device: torch.device, dataloader_idx: int) -> Draw:
        return batch  # the aligner moves what it needs; Lightning cannot rebuild a frozen dataclass


class Snapshots(Callback):
    """Calls `take(step, model)` at about `count` moments, close together at first, to show how the space comes about."""

    def __init__(self, steps: int, *, count: int, take: Callable[[int, JointEmbedder], None]) -> None:
        moments = torch.linspace(0, 1, count) ** 2 * steps
        self.moments = {0} | set(moments.round().int().tolist())
        self.take = take

    def on_train_start(self, trainer: L.Trainer, module: AlignModule) -> None:
        if trainer.global_step == 0:
            self.take(0, module.aligner.model)

    def on_train_batch_end(self, trainer: L.Trainer, module: AlignModule, *_: Any) -> None:
        if trainer.global_step in self.moments:
            self.take(trainer.global_step, module.aligner.model)


@runtime_checkable
class Learner(Protocol):
    """What a part of the training is timed by."""

    recipe: AlignRecipe

    def loss(self, draw: Draw, generator: torch.Generator) -> Tensor: ...


def estimate(module: Learner, corpus: Corpus, *, steps: int = 3) -> float:
    """Seconds per step on this machine, measured on throw-away steps of a copy."""
    device = place()
    fresh = deepcopy(module).to(device).train()
    times = []
    for step in range(steps + 1):
        began = time.perf_counter()
        draw = corpus.draw(seed=module.recipe.seed, step=step, batch=module.recipe.batch)
        with torch.autocast(device, torch.bfloat16, enabled=precision() != "32-true"):
            loss = fresh.loss(draw, torch.Generator(device).manual_seed(step))
        loss.backward()
        times.append(time.perf_counter() - began + 0 * loss.item())
    return sorted(times[1:])[steps // 2]


def train(
    recipe: AlignRecipe,
    corpus: Corpus,
    tokenizer: Tokenizer,
    *,
    run: Path,
    callbacks: tuple[Callback, ...] = (),
    every: int = 100,
    progress: bool = True,
) -> JointEmbedder:
    """Train a recipe in the folder `run`, resuming where it can (see `fit_recipe`); gives the averaged model."""
    claim(run, recipe)
    module = AlignModule(recipe, tokenizer)
    how = {"callbacks": callbacks, "every": every, "progress": progress}
    fit_recipe(module, AlignData(corpus, recipe), recipe, run=run, **how)
    return module.aligner.model.eval()
