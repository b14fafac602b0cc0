"""A callback that tells somebody outside how a training goes, and ends it when asked to, with a model that can be used."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch import nn

Told = Callable[..., bool]  # tell(step, steps=..., loss=..., recall=...) -> go on?


class Watch(Callback):
    """After every `every` steps calls `tell(step, steps=..., loss=..., recall=...)`; where that is False, training ends.

    It ends as it would have ended by itself, after this step: averaged weights are put in place, the checkpoint is
    written. `measure(module)` gives the recall, once in every `measure_every` steps; without it only the loss is told.
    `around` is entered when the training starts and left when it ends, however it ends.
    """

    def __init__(
        self,
        tell: Told,
        *,
        measure: Callable[[nn.Module], float] | None = None,
        every: int = 1,
        measure_every: int = 50,
        around: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.tell, self.measure = tell, measure
        self.every, self.measure_every = every, measure_every
        self.around, self._open = nullcontext() if around is None else around, ExitStack()

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._open.enter_context(self.around)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._open.close()

    def on_exception(self, trainer: L.Trainer, module: L.LightningModule, exception: BaseException) -> None:
        self._open.close()

    def on_train_batch_end(self, trainer: L.Trainer, module: L.LightningModule, outputs: Any, *_: Any) -> None:
        step = trainer.global_step
        if step % self.every:
            return
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        told = {"loss": float(loss)}
        if self.measure is not None and step % self.measure_every == 0:
            training = module.training
            told["recall"] = self.measure(module.eval())
            module.train(training)
        if not self.tell(step, steps=trainer.max_steps if trainer.max_steps > 0 else None, **told):
            trainer.should_stop = True
