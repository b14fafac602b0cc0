"""The model card of a chat checkpoint: written from its config and its results, so that the two cannot drift."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmlab.datasets.dialogue import Facts, dialogues, majority_rates
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.chat.report import LOG, SEEDS, as_tables, beside
from mmlab.evaluation.figure import Figure
from mmlab.evaluation.seeds import others, told
from mmlab.models.checkpoint import CONFIG, WEIGHTS

CARD = """\
---
license: cc-by-sa-4.0
language: [en, zh]
library_name: mmlab
tags: [multimodal, dialogue, text, image, audio]
---

# The dialogue model of mmlab

A small language model that talks about pictures and spoken words in English and Chinese: the frozen encoders of
`data/checkpoints/joint`, a connector (`{connector}`), and a decoder of {layers} layers, {width} wide, with the
architecture of Llama, trained from scratch on the course's own dialogues. The connector's soft tokens begin as the word
embeddings of names, and before the second part of the training three attention heads are set so that they find what is
alike (lesson 06_1 shows both). {parameters:.2f} million parameters, {megabytes:.1f} MB in half precision.

    mmlab chat --image dog.png

## How it was made

    mmlab train chat --out data/checkpoints/chat

{steps:,} steps of {batch} dialogues with seed {seed}, then {comparing:,} steps more in which it learns to compare,
in {minutes:.0f} minutes on {machine}. These begin with the last weights of the first part. The numbers of the
recipe stand in `{config}`; how many questions of each kind it asks, in `mmlab/training/dialogue_shipped.py`; their words, in
`mmlab/datasets/dialogue`. The dialogues are generated from facts: what the things are called, of what kind they are, and
the colours measured in their pictures. {distracted}The
shipped checkpoint has seen all styles and voices but those of the test; so has the joint space.

## Figures

`mmlab eval chat` makes them again. Asked about are the things of the training families, in drawing styles and voices that
were in no part of training or tuning (`near` is Twemoji, `far` OpenMoji), in phrasings that were never trained on. Right
is the whole answer, letter for letter. Where earlier turns matter, the model hears its own earlier answers.

The phrasings are new to the model, but not to whoever wrote the recipe: earlier models took a few Chinese ones for
questions of another kind, such as 你看到的东西叫什么？ ("what is the thing that you see called?") for one about the kind.
Some trained ones were then written anew, and there are 20 for each way to ask and language where there were 14. {reworded}The
held-out ones, and the questions of the test, stayed as they were.

*Ceiling*: what somebody would get who reads the encoders' top answer (the nearest name in the joint space) and makes no
mistake after that; a model that weighs what the encoders give more finely may pass it. *Majority*: the commonest answer
to this kind of question. *Question only*: naive Bayes on the words of the question. `first_given_right`: the memory
questions whose thing the model had named rightly when it came. Each kind weighs the same in `overall`.

{told}

{figures}
{fused}
*Removed*: the same questions without the picture or sound that decides; the model should say that it cannot. *Forced
choice*: of the possible answers to these the likeliest, with nothing shown that the question is not about; the interval
should hold chance. (What comes beside is of the same kind in three of four cases: a hint. In `which_named` the pictures go
each time, as the answers say the name: with the pictures there, it can be found again. For `is_it` both answers say a kind.
Those of a question to be affirmed are made of kinds that other questions deny: else how common the two are would tell
the verdict in 60 %, without any picture.) *Swapped*: the same words over another picture or sound; the answer should follow
the new one as often as it followed the old one. Verdicts that do not follow are counted alone, and one turn later, after a
question for the name of the same thing. *With something else beside*: those of the swapped questions with which a picture or
sound was shown, too, that they are not about; it stayed what it was.

Results on the test were looked at and logged {looks} times (`{log}`), of earlier chats too; the recipe was changed
after some of these looks, so the figures may be a little too good.

The share of the commonest answer in what it is trained on, English and Chinese:

{balance}

## Limits

- It knows drawings and synthetic voices of {things:,} things, ten kinds of question, and no world beyond.
- It errs where the encoders err: it cannot see what they do not tell.
- Comparing is what it finds hard: which of two pictures is named, by a voice or by a word, and whether picture and sound
  agree (`agree`). {single}"Is it a fruit?" was answered at chance until the
  answer said the kind first. How well trainings of an earlier recipe learned to compare differed with the seed.
- Asked for the kind of a picture while a voice is heard, or of what a voice says beside a picture, it may answer about the
  other. {undistracted}
- A question of another sort gets an answer that means nothing.
"""

DISTRACTED = """\
In those of the second part, what comes in the other modality beside a question is
mostly a distractor, of another kind. """
# What earlier chats of the log did, each by the beginning of its hash.
SINGLE = "2b3da2b6"
UNCOMPARED = """\
An earlier chat without the second part of its training was right in {which_named:.0f} %
  and {agree:.0f} % of these, where a guess is in 50 %. """
WITHOUT = "95edfd36"
UNDISTRACTED = """\
An earlier chat, without distractors in the second part, lost {kind:.1f} (`kind`) and {is_it:.1f}
  (`is_it`) points there, where this one loses {kind_now:.1f} and {is_it_now:.1f}."""
BEFORE = "fb3a8bfa"
REWORDED = """\
Last, six Chinese
ones for what came first were made to end in 吗, as questions for a verdict do: an earlier chat took such questions for
those, and was right in {first:.1f} % of the memory questions given a right first answer. """


FUSED = """
The article's way, the sum of what a turn shows as one soft token, trained by the same recipe (`mmlab train chat
--connector fused`, on {machine}) and asked the same questions:

{table}

A sum has no order, so it cannot say which of two pictures; it holds little of colours; and it does not say which modality
a vector came from, so it does not know what is missing.
"""


def write_card(
    folder: Path, results: Mapping[str, Figure], data: EmojiData, *, log: Path = LOG, seeds: Path = SEEDS
) -> Path:
    """Write README.md beside the weights, from the config there, the results of `mmlab eval chat`, and the dialogues."""
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    recipe, training, lm = config["recipe"], config["training"], config["lm"]
    trainings = others(recipe, path=seeds)
    looks = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.is_file() else []
    text = CARD.format(
        connector=config["connector"]["name"],
        layers=lm["layers"],
        width=lm["width"],
        parameters=config["parameters"] / 1e6,
        megabytes=(folder / WEIGHTS).stat().st_size / 1e6,
        minutes=training["seconds"] / 60,
        machine=training["machine"],
        config=CONFIG,
        figures=as_tables(results, seeds=trainings),
        told=told(trainings),
        fused=one_vector(results, recipe, seeds=seeds),
        looks=len(looks),
        distracted=DISTRACTED if recipe.get("distract") else "",
        **tried(results, recipe, looks),
        log=log.name,
        balance=balance(data),
        things=sum(thing.split == "train" for thing in Facts.of(data).things.values()),
        **{name: recipe[name] for name in ("steps", "batch", "seed", "comparing")},
    )
    path = folder / "README.md"
    path.write_text(text, encoding="utf-8")
    return path


def tried(
    results: Mapping[str, Figure], recipe: Mapping[str, Any], looks: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """What earlier chats did that the recipe was changed for, from the log; nothing in the card of another recipe."""

    def found(sha: str) -> Mapping[str, float]:
        return next((one["figures"] for one in reversed(looks) if one["checkpoint_sha256"].startswith(sha)), {})

    if not recipe.get("distract"):
        return dict.fromkeys(("single", "undistracted", "reworded"), "")
    beside = {"kind": "swapped_beside_kind", "is_it": "swapped_beside_is_it"}
    single, without, before = map(found, (SINGLE, WITHOUT, BEFORE))
    lost: dict[str, float] = {}
    if set(beside.values()) <= without.keys() & results.keys():
        lost = {short: -100 * without[name] for short, name in beside.items()}
        lost |= {f"{short}_now": -100 * results[name]["difference"] for short, name in beside.items()}
    return {
        "single": UNCOMPARED.format(**{name: 100 * value for name, value in single.items()}) if single else "",
        "undistracted": UNDISTRACTED.format(**lost) if lost else "",
        "reworded": REWORDED.format(first=100 * before["first_given_right"]) if before else "",
    }


def one_vector(results: Mapping[str, Figure], recipe: Mapping[str, Any], *, seeds: Path = SEEDS) -> str:
    """How a chat of this recipe did that reads one fused vector, beside these results; nothing where none was kept."""
    fused = [one for one in others(recipe, path=seeds, but="connector") if one["recipe"]["connector"] == "fused"]
    if not fused:
        return ""
    table = beside(results, fused[0]["figures"], names=("tokens", "one vector"))
    return FUSED.format(table=table, machine=fused[0]["machine"])


def balance(data: EmojiData, *, count: int = 3000) -> str:
    """The rates of `majority_rates` as a table."""
    rates = majority_rates(dialogues(data, split="train", count=count, seed=0))
    kinds = list(dict.fromkeys(kind for kind, _ in rates))
    lines = [["question", "English (%)", "Chinese (%)"], ["---", "---:", "---:"]]
    lines += [[f"`{kind}`", *(f"{100 * rates[kind, language]:.1f}" for language in ("en", "zh"))] for kind in kinds]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
