"""`mmlab train chat` under Lightning: dialogues to batches, the stages, a checkpoint to resume from."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from mmlab.datasets.dialogue.types import Dialogue, Turn
from mmlab.models.chat import MultimodalChat
from mmlab.models.chat_store import parts
from mmlab.models.connectors import Percept
from mmlab.models.prompt import Prompt, Prompts
from mmlab.training.dialogue_bank import Bank
from mmlab.training.dialogue_recipe import ChatRecipe
from mmlab.training.loop import claim, fit_recipe, one_cycle, place, precision

BLOCK = 16  # batches that are sorted by length together, so that a batch has little padding
LENGTHS = 16  # the lengths of batches are multiples of it
NAMING = frozenset({"what_see", "what_hear", "translate", "first"})  # where one is asked, what is shown is clear
COMPARED = frozenset({"which_named", "agree"})  # where two things have to be compared that are not said before
VERDICT = "is_it"  # where the answer says a kind, and then whether it is the one that was asked for

Names = tuple[Float[Tensor, "items dim"], list[tuple[str, str]]]  # vectors of the joint space and what they are called


class Pool:
    """Dialogues whose words are encoded once; a shuffled pass over all of them, then another."""

    def __init__(self, dialogues: Sequence[Dialogue], bank: Bank, chat: MultimodalChat) -> None:
        self.shown = [[requests(turn, bank) for turn in dialogue.turns] for dialogue in dialogues]
        self.prompts = [_prompt(chat, *pair) for pair in zip(dialogues, self.shown, strict=True)]
        self.strict = [any(turn.kind in NAMING for turn in dialogue.turns) for dialogue in dialogues]

    def rows(self, seed: int, step: int, batch: int) -> list[int]:
        """The dialogues of a step: block by block of a pass sorted by length, the batches of a block shuffled."""
        block, at = divmod(step, BLOCK)
        size, count = batch * BLOCK, len(self.prompts)
        first = block * size
        passes = range(first // count, (first + size) // count + 1)
        order = np.concatenate([np.random.default_rng((seed, 1, k)).permutation(count) for k in passes])
        chosen = sorted(order[first % count :][:size].tolist(), key=lambda row: len(self.prompts[row]))
        which = int(np.random.default_rng((seed, 0, block)).permutation(BLOCK)[at])
        return chosen[which * batch : (which + 1) * batch]


class Talks(IterableDataset):
    """The batches from step `start` on, in the order that (seed, step) fixes; what is shown is drawn anew each time.

    Questions for the name of one thing come first (`recipe.first` steps), then single questions of every kind (until
    `recipe.lessons`), then whole dialogues.
    """

    def __init__(
        self,
        questions: Sequence[Dialogue],
        dialogues: Sequence[Dialogue],
        bank: Bank,
        chat: MultimodalChat,
        recipe: ChatRecipe,
    ) -> None:
        self.bank, self.chat, self.recipe, self.start = bank, chat, recipe, 0
        self.questions, self.dialogues = self.pool(questions), self.pool(dialogues)
        self.choose(questions, dialogues)

    def pool(self, dialogues: Sequence[Dialogue]) -> Pool:
        return Pool(dialogues, self.bank, self.chat)

    def choose(self, questions: Sequence[Dialogue], dialogues: Sequence[Dialogue]) -> None:
        """The pools of those that are asked by themselves."""
        self.names = self.pool([naming for one in questions if (naming := name_of_one(one)) is not None])

    def __iter__(self) -> Iterator[Prompts]:
        for step in range(self.start, self.recipe.steps):
            yield self.batch(step)

    def pick(self, step: int) -> tuple[Pool, int, int]:
        """Where the dialogues of a step come from, which step of that pool it is, and how many they are."""
        recipe = self.recipe
        if step < recipe.first and len(self.names.prompts):
            return self.names, step, recipe.crowd
        if step < recipe.lessons:
            return self.questions, max(step - recipe.first, 0), recipe.batch
        return self.dialogues, step - recipe.lessons, recipe.batch

    def batch(self, step: int) -> Prompts:
        """The batch of one step."""
        pool, at, size = self.pick(step)
        rows = pool.rows(self.recipe.seed, at, size)
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        wanted = [one for row in rows for turn in pool.shown[row] for one in turn]
        strict = torch.tensor([pool.strict[row] for row in rows for turn in pool.shown[row] for _ in turn])
        drawn = iter(self.bank.draw(wanted, strict=strict, recipe=self.recipe, generator=generator) if wanted else [])
        turns = [tuple(tuple(next(drawn) for _ in turn) for turn in pool.shown[row]) for row in rows]
        ready = [replace(pool.prompts[row], turns=own) for row, own in zip(rows, turns, strict=True)]
        return self.chat.prompt.batch(ready, multiple=LENGTHS)


class Comparing(Talks):
    """In turn: two things compared, dialogues with a verdict, every kind of question, any dialogues; so nothing is forgotten.

    A verdict is learned where other words stand between: after single questions alone it was right in these, and in a
    conversation often contradicted the kind that was said right before it.
    """

    def choose(self, questions: Sequence[Dialogue], dialogues: Sequence[Dialogue]) -> None:
        self.compared = self.pool([dialogue for dialogue in questions if dialogue.turns[-1].kind in COMPARED])
        verdicts = [dialogue for dialogue in dialogues if any(turn.kind == VERDICT for turn in dialogue.turns)]
        self.verdicts = self.pool(verdicts)

    def pick(self, step: int) -> tuple[Pool, int, int]:
        turn, at = divmod(step, 4)
        pool = (self.compared, self.verdicts, self.questions, self.dialogues)[at]
        return pool, turn, self.recipe.batch if pool in (self.verdicts, self.dialogues) else self.recipe.crowd // 2


def name_of_one(dialogue: Dialogue) -> Dialogue | None:
    """The last turn alone, where it asks for the name of the one thing that it shows."""
    last = dialogue.turns[-1]
    if last.kind in ("what_see", "what_hear") and len(last.images) + len(last.clips) == 1:
        return Dialogue((last,))
    return None


def _prompt(chat: MultimodalChat, dialogue: Dialogue, shown: list[list[tuple[str, int, str]]]) -> Prompt:
    messages: list[dict[str, Any]] = []
    for turn, here in zip(dialogue.turns, shown, strict=True):
        empty = [Percept(name, *(torch.empty(0),) * 3) for name, _, _ in here]
        messages.append({"role": "user", "text": turn.question, "images": empty})
        messages.append({"role": "assistant", "text": turn.answer})
    return chat.prompt(messages)


def requests(turn: Turn, bank: Bank) -> list[tuple[str, int, str]]:
    """What a turn shows, as the bank is asked for it: (modality, row, id of the thing)."""
    pictures = [("image", bank.pictures[key], key.partition("/")[0]) for key in turn.images]
    return pictures + [("audio", bank.clips[row], bank.spoken[row]) for row in turn.clips]


class ChatModule(L.LightningModule):
    """Connector and language model, optimiser and schedule; which of them learn depends on the step alone."""

    def __init__(self, chat: MultimodalChat, recipe: ChatRecipe, names: Names | None) -> None:
        super().__init__()
        self.recipe, self.names = recipe, names
        self.held = parts(chat)
        self.others = {"chat": chat}  # in a plain dict: the frozen encoders are neither averaged nor written

    @property
    def chat(self) -> MultimodalChat:
        return self.others["chat"]

    def on_train_batch_start(self, batch: Prompts, batch_idx: int) -> None:
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.global_step)
        self.enter(self.recipe.stage(self.global_step))
        if self.names is not None and self.global_step == self.recipe.words:
            self.chat.remember(*self.names)  # the word embeddings have learned what they can from words alone

    def enter(self, stage: str) -> None:
        """Let the parts of a stage learn, and no others."""
        self.held["connector"].requires_grad_(stage != "text")
        if "lm" in self.held:
            self.held["lm"].requires_grad_(stage != "connector")

    def training_step(self, prompts: Prompts, batch_idx: int) -> Tensor:
        if self.recipe.stage(self.global_step) == "text":  # the marks of the places are words, and nothing is shown
            prompts = replace(prompts, places=torch.zeros_like(prompts.places), turns=())
        loss = self.chat.loss(prompts)
        self.log("loss", loss.detach(), prog_bar=True)
        return loss

    def configure_optimizers(self) -> dict[str, Any]:
        return one_cycle(self.held.parameters(), self.recipe)


class ChatData(L.LightningDataModule):
    """Serves the batches that are still to come; after a resume these start at the restored step."""

    def __init__(self, talks: Talks) -> None:
        super().__init__()
        self.talks = talks

    def train_dataloader(self) -> DataLoader:
        self.talks.start = self.trainer.global_step if self.trainer else 0
        return DataLoader(self.talks, batch_size=None)

    def transfer_batch_to_device(self, batch: Prompts, device: torch.device, dataloader_idx: int) -> Prompts:
        return batch.to(device)  # Lightning cannot rebuild a frozen dataclass; the connector moves what is shown


def estimate(chat: MultimodalChat, talks: Talks, *, steps: int = 4) -> float:
    """Seconds per step of whole dialogues on this machine, the middle of a few whose gradients are thrown away."""
    device = place()
    chat.to(device)
    times = []
    for step in range(talks.recipe.lessons, talks.recipe.lessons + steps + 1):
        began = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=precision() != "32-true"):
            loss = chat.loss(talks.batch(step).to(device))
        loss.backward()
        times.append(time.perf_counter() - began + 0 * loss.item())
    chat.zero_grad(set_to_none=True)
    chat.cpu()
    return sorted(times[1:])[steps // 2]


def train(
    chat: MultimodalChat,
    talks: Talks,
    recipe: ChatRecipe,
    names: Names | None,
    *,
    run: Path,
    callbacks: tuple[Callback, ...] = (),
    every: int = 100,
    progress: bool = True,
    average: bool = True,
) -> MultimodalChat:
    """Train a chat in the folder `run`, resuming where it can and averaging its weights or not (see `fit_recipe`).

    With `names`, its connector begins with them; without, it goes on from what it has learned.
    """
    claim(run, recipe)
    module = ChatModule(chat.train(), recipe, names)
    how = {"callbacks": callbacks, "every": every, "progress": progress, "average": average}
    chat.lm.to(place())  # where it stays as it is, Lightning does not know of it
    fit_recipe(module, ChatData(talks), recipe, run=run, **how)
    chat.lm.cpu()
    module.enter("all")
    return chat.eval()
