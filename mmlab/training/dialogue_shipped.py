"""From the data to the chat's checkpoint folder: tokenizer, bank of percepts, training, weights on disk."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mmlab.datasets.dialogue import KINDS, LANGUAGES, Dialogue, about, all_texts, dialogues, whole_names
from mmlab.datasets.emoji import EmojiData
from mmlab.models.chat import MultimodalChat
from mmlab.models.checkpoint import WEIGHTS, sha256
from mmlab.models.connectors import TokenConnector
from mmlab.models.joint import SHIPPED, JointEmbedder
from mmlab.models.language import see_alike, see_same
from mmlab.training.dialogue import Comparing, Talks, estimate, train
from mmlab.training.dialogue_alike import look_alikes
from mmlab.training.dialogue_bank import open_bank
from mmlab.training.dialogue_recipe import ChatRecipe
from mmlab.training.loop import SECONDS, claim
from mmlab.training.shipped import machine

QUESTIONS, OTHERS = {"is_it": 7000, "which_named": 7000, "agree": 6000, "what_see": 3000, "what_hear": 3000}, 2000

COMPARING = "comparing"  # folder of the second part, within that of the run


def train_chat(
    recipe: ChatRecipe,
    *,
    run: Path,
    joint: Path = SHIPPED,
    data: EmojiData | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> MultimodalChat:
    """`mmlab train chat`: trains (or resumes) the recipe in `run`, after saying how long it will take."""
    data = EmojiData.load() if data is None else data
    space = JointEmbedder.from_pretrained(joint)
    split = "tuning" if recipe.tuning else "train"
    things = data.split("train")
    options = {**recipe.options, "items": len(things)}
    if recipe.lm is None:
        chat = MultimodalChat.untrained(
            all_texts(data), joint=space, whole=whole_names(data), **recipe.sizes, **options
        )
    else:
        torch.manual_seed(recipe.seed)
        chat = MultimodalChat(recipe.lm, joint=space, **options)
    claim(run, recipe)  # a run of another recipe keeps its percepts
    bank = open_bank(data, space, split=split, seed=recipe.seed, folder=run, say=say)
    if isinstance(chat.connector, TokenConnector):
        chat.connector.standardise(bank.early.flatten(0, 1))
    talks = Talks(*_told(data, split, recipe), bank, chat, recipe)
    seconds = estimate(chat, talks)
    say(
        f"{recipe.dialogues} dialogues, {recipe.steps} steps of {recipe.batch} of them, {seconds:.2f} s each: about "
        f"{(recipe.steps + recipe.compares * recipe.comparing) * seconds / 60:.0f} minutes."
    )
    vectors = bank.names[[data.index[thing.id] for thing in things]]
    names = vectors, [(thing.name_en, thing.name_zh) for thing in things]
    chat = train(chat, talks, recipe, names, run=run, progress=progress, average=not recipe.compares)
    if recipe.compares:
        vectors, owners, sources = look_alikes(
            chat, bank, {thing.id: (thing.name_en, thing.name_zh) for thing in things}, recipe
        )
        see_alike(chat.lm, vectors, things=owners, sources=sources)
        see_same(chat.lm)
        del talks  # its dialogues, encoded, take much room
        second = Comparing(*_told(data, split, recipe, distract=recipe.distract), bank, chat, recipe.second)
        say(f"Now it learns to compare: {recipe.comparing} steps more.")
        chat = train(chat, second, recipe.second, None, run=run / COMPARING, progress=progress)
    say(f"Trained in {seconds_of(run) / 60:.1f} minutes.")
    return chat


def seconds_of(run: Path) -> float:
    """How long the training in this folder took, both parts of it together."""
    return sum(json.loads(path.read_text()) for path in (run / SECONDS, run / COMPARING / SECONDS) if path.is_file())


def _told(
    data: EmojiData, split: str, recipe: ChatRecipe, *, distract: bool = False
) -> tuple[list[Dialogue], list[Dialogue]]:
    """What a part is trained on: single questions, and whole dialogues."""
    how = {"split": split, "seed": recipe.seed, "distract": distract}
    return single_questions(data, **how), dialogues(data, count=recipe.dialogues, **how)


def single_questions(data: EmojiData, *, split: str, seed: int, distract: bool = False) -> list[Dialogue]:
    """Short dialogues about one question of each kind and language, names the most."""
    return [
        dialogue
        for kind in KINDS
        for language in LANGUAGES
        for dialogue in about(
            data,
            kind=kind,
            split=split,
            language=language,
            count=QUESTIONS.get(kind, OTHERS),
            seed=seed,
            phrasings="train",
            distract=distract,
        )
    ]


def dialogues_sha256(data: EmojiData, recipe: ChatRecipe, *, sample: int = 200) -> str:
    """A hash of what the recipe's numbers leave open: phrasings and answers, questions of each kind, how all is drawn."""
    how = {"split": "tuning" if recipe.tuning else "train", "seed": recipe.seed, "count": sample}
    drawn = [repr(dialogues(data, **how, distract=distract)) for distract in sorted({False, recipe.distract})]
    told = json.dumps([QUESTIONS, OTHERS, *all_texts(data), *drawn], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def save_chat(
    chat: MultimodalChat, recipe: ChatRecipe, data: EmojiData, *, run: Path, joint: Path, folder: Path
) -> None:
    """The checkpoint folder, in half precision, with what it was made from."""
    notes: dict[str, Any] = {
        "recipe": recipe.to_dict(),
        "made_from": {
            "data_sha256": sha256(data.root / "SHA256SUMS"),
            "joint_sha256": sha256(joint / WEIGHTS),
            "dialogues_sha256": dialogues_sha256(data, recipe),
        },
        "training": {"seconds": seconds_of(run), "machine": machine()},
    }
    chat.save_pretrained(folder, dtype=torch.float16, **notes)
