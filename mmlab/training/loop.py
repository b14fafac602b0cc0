"""What all trainings of the course share under Lightning: optimiser and schedule, a checkpoint to resume from, the clock."""

import json
import logging
import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint, Timer, TQDMProgressBar
from torch import nn

from mmlab.types import InputError

LAST, SECONDS = "last.ckpt", "seconds.json"
UNMEANT = ("LeafSpec", "does not have many workers", "Checkpoint directory", "`IterableDataset` has")


@runtime_checkable
class Recipe(Protocol):
    """What a recipe says of its loop."""

    steps: int
    seed: int
    lr: float
    weight_decay: float
    warmup: float
    ema: float

    def to_dict(self) -> dict[str, Any]: ...


def place() -> str:
    """Where models are trained and steps timed: on a GPU of NVIDIA's where there is one, else on the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision(where: str | None = None) -> str:
    """bf16 where the device (by default that of `place`) multiplies it in hardware, else 32-bit."""
    if (place() if where is None else where) != "cpu":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # not every build of PyTorch for ARM has the library that is asked
        able = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16-mixed" if able else "32-true"


def one_cycle(parameters: Iterable[nn.Parameter], recipe: Recipe) -> dict[str, Any]:
    """AdamW, which lets only matrices decay, and a learning rate that rises once and falls to nothing."""
    every = list(parameters)
    matrices, rest = [p for p in every if p.ndim >= 2], [p for p in every if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98))
    rise = recipe.warmup * recipe.steps
    rise += rise == 1  # PyTorch divides by a rise less one
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.lr, total_steps=recipe.steps, pct_start=rise / recipe.steps, cycle_momentum=False
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def fit_recipe(
    module: L.LightningModule,
    batches: L.LightningDataModule,
    recipe: Recipe,
    *,
    run: Path,
    callbacks: tuple[Callback, ...] = (),
    every: int = 100,
    progress: bool = True,
    average: bool = True,
) -> None:
    """Train `module` in the folder `run` (see `claim`), resuming from its last checkpoint where there is one.

    The checkpoint is written every `every` steps, or a little sooner, so that the last one lies near the end. A killed
    run started again loses at most the steps since, and ends where the unkilled one ends. At the end the module holds the
    averaged weights (without `average` the last ones), and `run` the seconds that it took. It runs where `place` says.
    """
    every = max(1, recipe.steps // math.ceil(recipe.steps / every))
    keep = ModelCheckpoint(run, filename="last", every_n_train_steps=every, save_top_k=1, enable_version_counter=False)
    clock = Timer(verbose=False)  # its reading is in the checkpoint, so a resumed run counts on
    averaging = [EMAWeightAveraging(decay=recipe.ema, use_buffers=True)] if average else []
    bars = [TQDMProgressBar(refresh_rate=10)] if progress else []
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # what it says of devices, we said before
    with warnings.catch_warnings():
        for words in UNMEANT:
            warnings.filterwarnings("ignore", message=f".*{words}.*")
        trainer = L.Trainer(
            max_steps=recipe.steps,
            accelerator=place(),
            devices=1,
            precision=precision(),
            gradient_clip_val=1.0,
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=progress,
            callbacks=[*averaging, keep, clock, *callbacks, *bars],
        )
        last = run / LAST
        kept = torch.load(last, map_location="cpu", weights_only=True) if last.exists() else None
        trainer.fit(module, datamodule=batches, ckpt_path=None if kept is None else str(last))
    if kept is not None and kept["global_step"] >= recipe.steps:
        module.load_state_dict(kept["state_dict"])  # the average, which Lightning leaves out where no step is left
    (run / SECONDS).write_text(json.dumps(round(clock.time_elapsed("train"), 1)) + "\n")


def claim(run: Path, recipe: Recipe) -> None:
    """Make the folder of a run, and seed everything random.

    A folder belongs to one recipe: resuming it with another would give a model that no recipe describes.

    Raises:  InputError where the folder holds a run of another recipe
    """
    run.mkdir(parents=True, exist_ok=True)
    path, said = run / "recipe.json", json.dumps(recipe.to_dict(), indent=2)
    if path.exists() and json.loads(path.read_text()) != json.loads(said):
        raise InputError(
            f"{run}: this folder holds a run of another recipe; finish it, or choose another folder with --run."
        )
    if not path.exists():
        path.write_text(said + "\n")
    L.seed_everything(recipe.seed, verbose=False)
