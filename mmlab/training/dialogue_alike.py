"""Names and soft tokens of the same things, side by side: from these the heads that compare begin (`see_alike`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from mmlab.models.chat import MultimodalChat
from mmlab.models.connectors import SEEN
from mmlab.training.dialogue_bank import Bank
from mmlab.training.dialogue_recipe import ChatRecipe

SHOWS = 3  # percepts of each thing and modality
WORD, SOFT = 0, 1  # the two sources

Alikes = tuple[Float[Tensor, "n width"], Int[Tensor, " n"], Int[Tensor, " n"]]


@torch.no_grad()
def look_alikes(chat: MultimodalChat, bank: Bank, names: Mapping[str, Sequence[str]], recipe: ChatRecipe) -> Alikes:
    """What the language model reads of each thing: its names as words, its pictures and sounds as the first soft tokens.

    `names[id]` are those of a thing, one per language; a name of several words is left out, and so is a thing that is
    never shown and heard. Words are repeated, so that they weigh as much as soft tokens.

    Shape:   vectors (n, width), the number of the thing of each (n,), and WORD or SOFT (n,)
    """
    generator = Generator().manual_seed(recipe.seed)
    shown: dict[str, dict[str, list[int]]] = {name: {} for name in SEEN}
    for key, row in bank.pictures.items():
        shown["image"].setdefault(key.partition("/")[0], []).append(row)
    for clip, thing in bank.spoken.items():
        shown["audio"].setdefault(thing, []).append(bank.clips[clip])
    things = [thing for thing in names if all(thing in rows for rows in shown.values())]
    wanted = [
        (name, rows[int(torch.randint(len(rows), (1,), generator=generator))], thing)
        for thing in things
        for name in SEEN
        for rows in (shown[name][thing],)
        for _ in range(SHOWS)
    ]
    loose = torch.zeros(len(wanted), dtype=torch.bool)
    percepts = bank.draw(wanted, strict=loose, recipe=replace(recipe, pseudo=0.0), generator=generator)
    soft = chat.connector([[percept] for percept in percepts])
    slots = [len(chat.connector.slots([percept.modality])) for percept in percepts]
    tokens = chat.connector.reader.tokens  # what it is: the first of each; the colour comes after them
    starts = torch.tensor(slots).cumsum(0) - torch.tensor(slots)
    vectors = [soft[starts + token] for token in range(tokens)]
    number = {thing: at for at, thing in enumerate(things)}
    owners = [torch.tensor([number[thing] for _, _, thing in wanted])] * tokens
    table = chat.lm.get_input_embeddings().weight
    words = [
        (at, ids[0]) for thing, at in number.items() for name in names[thing] if len(ids := chat.prompt.ids(name)) == 1
    ]
    said, ids = torch.tensor(words).unbind(-1)
    repeats = SHOWS * len(SEEN) * tokens // max(1, len(next(iter(names.values()))))
    vectors.append(table[ids.repeat(repeats)])
    owners.append(said.repeat(repeats))
    sources = [torch.full((len(one),), SOFT if at < tokens else WORD) for at, one in enumerate(owners)]
    return torch.cat(vectors), torch.cat(owners), torch.cat(sources)
