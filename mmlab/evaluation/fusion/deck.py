r"""The tasks as rows over the bank: which thing each modality shows, in which view, and the right answer.

**Pairs come in fours**: for every draw of partners (i, j) there are (i, i), (j, j), "same", and (i, j), (j, i),
"different". No additive score is right on more than three of four (the proof stands at `SumFusion`), so the bound is
75 % for this very test, not for some other. Each picture and each sound stands equally often under each label: one
modality alone is at 1/2, and in odd-one-out (see `datasets.tasks`) at 1/4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Generator, Tensor

from mmlab.datasets.tasks import odd_one_out_task, pair_task
from mmlab.evaluation.fusion.bank import LEVELS, NOISED, PLACES, SHOWN, Bank
from mmlab.types import MODALITIES

TASKS = {  # what goes in and how many answers there are (None: a vector of the space)
    "pair": (("image", "audio"), 1),
    "odd": (MODALITIES, 4),
    "retrieval": (("image", "audio"), None),
    "missing": (MODALITIES, None),
}
ROUNDS = {"train": 40, "validation": 2, "test": 2}


@dataclass(frozen=True)
class Deck:
    """Rows of one task. `at[m]` is the thing that modality m shows, `view[m]` a position in `stack[m]`.

    Shape:   at[m], view[m], label (n,); stack[m] (view, things, dim)
    """

    at: dict[str, Int[Tensor, " n"]]
    view: dict[str, Int[Tensor, " n"]]
    stack: dict[str, Tensor]
    label: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, chosen: Tensor | slice, modalities: Sequence[str]) -> dict[str, Tensor]:
        """The vectors of some rows, by modality."""
        return {m: self.stack[m][self.view[m][chosen], self.at[m][chosen]] for m in modalities}


def deck(bank: Bank, task: str, place: str, *, seed: int, noise: tuple[str, int] | None = None) -> Deck:
    """One task at one place; with `noise` = (modality, level in dB), that modality under noise in every row.

    In training and validation the view of each row is drawn without a look at the label, and for "retrieval" one of
    the two modalities may be under noise; on test there is one view.
    """
    side = "test" if place in PLACES else place
    things, generator = _shown(bank, side, place), Generator().manual_seed(1000 * seed + len(place))
    at, label = _rows(bank, task, things, seed=seed, rounds=ROUNDS[side], views_differ=side != "test")
    names = _views(task, place, noise)
    stack = {m: bank.stack(names[m]) for m in at}
    if noise is not None or place in PLACES:
        view = {m: torch.zeros(len(label), dtype=torch.long) for m in at}
    else:
        view = _draw(names, at, bank, generator, noised=task == "retrieval")
    return Deck(at, view, stack, label)


def _shown(bank: Bank, side: str, place: str) -> Int[Tensor, " n"]:
    """The things of a split that have at least one picture and one clip at this place."""
    keep = bank.split[side]
    for views in SHOWN[place].values():
        keep = keep[torch.stack([bank.has(view) for view in views]).any(dim=0)[keep]]
    return keep


def _rows(
    bank: Bank, task: str, things: Tensor, *, seed: int, rounds: int, views_differ: bool
) -> tuple[dict[str, Tensor], Tensor]:
    if task in ("retrieval", "missing"):
        repeated = things.repeat(4 * rounds if views_differ else 1)  # each time in another view
        return dict.fromkeys(TASKS[task][0], repeated), repeated
    listed = [bank.things[i] for i in things.tolist()]
    if task == "pair":
        drawn = pair_task(listed, seed=seed, rounds=rounds)
        different = drawn.label == 0
        i, j = (torch.from_numpy(side[different]) for side in (drawn.image, drawn.audio))
        image, audio = torch.cat([i, j, i, j]), torch.cat([i, j, j, i])
        return {"image": things[image], "audio": things[audio]}, (image == audio).long()
    odd = odd_one_out_task(listed, seed=seed, rounds=max(1, rounds // 2))
    return {m: things[torch.from_numpy(getattr(odd, m))] for m in MODALITIES}, torch.from_numpy(odd.label)


def _views(task: str, place: str, noise: tuple[str, int] | None) -> dict[str, list[str]]:
    """The views of each modality; those under noise stand after the clean ones."""
    names = {"text": ["zh" if task == "missing" else "en"], **{m: list(v) for m, v in SHOWN[place].items()}}
    if noise is not None:
        modality, level = noise
        names[modality] = [f"{names[modality][0]}@{level}"]
    elif task == "retrieval" and place not in PLACES:
        for m in ("image", "audio"):
            names[m] += [f"{view}@{level}" for view in names[m] if view in NOISED for level in LEVELS]
    return names


def _draw(
    names: dict[str, list[str]], at: dict[str, Tensor], bank: Bank, generator: Generator, *, noised: bool
) -> dict[str, Tensor]:
    """A view for each row among those that the thing has; of the two modalities at most one is under noise."""
    rows = len(next(iter(at.values())))
    which = torch.randint(3, (rows,), generator=generator)  # 0: image under noise, 1: audio, 2: none
    drawn = {}
    for number, m in enumerate(m for m in ("image", "audio") if m in at):
        noisy = torch.tensor(["@" in name for name in names[m]])
        there = torch.stack([bank.has(name) for name in names[m]], dim=1)[at[m]]
        allowed = there & (noisy == ((which == number) & noised)[:, None])
        allowed = torch.where(allowed.any(dim=1, keepdim=True), allowed, there & ~noisy)
        drawn[m] = torch.multinomial(allowed.float(), 1, generator=generator)[:, 0]
    if "text" in at:
        drawn["text"] = torch.zeros(rows, dtype=torch.long)
    return drawn


def alike(bank: Bank) -> Tensor:
    """Which things share their English name: right answers for each other.

    Shape:   (things, things)
    """
    codes = torch.from_numpy(np.unique([thing.name_en.lower() for thing in bank.things], return_inverse=True)[1])
    return codes[:, None] == codes[None, :]
