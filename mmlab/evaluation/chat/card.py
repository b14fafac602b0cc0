"""The model card of a chat checkpoint: written from its config and its results, so that the two cannot drift."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmlab.datasets.dialogue import Facts, dialogues, majority_rates
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.chat.report import LOG, as_tables, beside, latest
from mmlab.evaluation.figure import Figure
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
architecture of Llama, trained from scratch on the course's own dialogues. {parameters:.2f} million parameters,
{megabytes:.1f} MB in half precision.

    mmlab chat --image dog.png

## How it was made

    mmlab train chat --out data/checkpoints/chat

{steps:,} steps of {batch} dialogues with seed {seed}, then {comparing:,} steps more in which it learns to compare,
in {minutes:.0f} minutes on {machine}. The recipe stands whole in `{config}`. The dialogues are generated from facts: what
the things are called, of what kind they are, and the colours measured in their pictures. The shipped checkpoint has seen
all styles and voices but those of the test; so has the joint space.

## Figures

`mmlab eval chat` makes them again. Asked about are the things of the training families, in drawing styles and voices that
were in no part of training or tuning (`near` is Twemoji, `far` OpenMoji), in phrasings that were never trained on. Right
is the whole answer, letter for letter. Where earlier turns matter, the model hears its own earlier answers. (An earlier
model took one of these phrasings, 你看到的东西叫什么？ "what is the thing that you see called?", for a question about the
kind, for in training only such questions spoke of 你看到的东西. Now some trained questions for a name do so, too.)

*Ceiling*: what somebody would get who reads the encoders' top answer (the nearest name in the joint space) and makes no
mistake after that; a model that weighs what the encoders give more finely may pass it. *Majority*: the commonest answer
to this kind of question. *Question only*: naive Bayes on the words of the question. `first_given_right`: the memory
questions whose thing the model had named rightly when it came. Each kind weighs the same in `overall`.

{figures}
{fused}
*Removed*: the same questions without the picture or sound that decides; the model should say that it cannot. *Forced
choice*: of the possible answers to these the likeliest; the interval should hold chance. *Swapped*: the same words over
another picture or sound; the answer should follow the new one as often as it followed the old one.

Results on the test were looked at and logged {looks} times (`{log}`).

The share of the commonest answer in what it is trained on, English and Chinese:

{balance}

## Limits

- It knows drawings and synthetic voices of {things:,} things, ten kinds of question, and no world beyond.
- It errs where the encoders err: it cannot see what they do not tell.
- Comparing is what it finds hard: which of two pictures is named, by a voice or by a word, and whether picture and sound
  agree (`agree`; a threshold on the cosine of their vectors stands beside it). Without the second part of its training
  these were at or near chance, and "Is it a fruit?" was until the answer said the kind first. A verdict may still
  contradict the kind that was said before it.
- A question of another sort gets an answer that means nothing.
"""

FUSED = """
The article's way, the sum of what a turn shows as one soft token, trained by the same recipe (`mmlab train chat
--connector fused`) and asked the same questions:

{table}
"""


def write_card(folder: Path, results: Mapping[str, Figure], data: EmojiData, *, log: Path = LOG) -> Path:
    """Write README.md beside the weights, from the config there, the results of `mmlab eval chat`, and the dialogues."""
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    recipe, training, lm = config["recipe"], config["training"], config["lm"]
    text = CARD.format(
        connector=config["connector"]["name"],
        layers=lm["layers"],
        width=lm["width"],
        parameters=config["parameters"] / 1e6,
        megabytes=(folder / WEIGHTS).stat().st_size / 1e6,
        minutes=training["seconds"] / 60,
        machine=training["machine"],
        config=CONFIG,
        figures=as_tables(results),
        fused=one_vector(results, log=log),
        looks=len(log.read_text("utf-8").splitlines()) if log.is_file() else 0,
        log=log.name,
        balance=balance(data),
        things=sum(thing.split == "train" for thing in Facts.of(data).things.values()),
        **{name: recipe[name] for name in ("steps", "batch", "seed", "comparing")},
    )
    path = folder / "README.md"
    path.write_text(text, encoding="utf-8")
    return path


def one_vector(results: Mapping[str, Figure], *, log: Path = LOG) -> str:
    """How a chat did that reads one fused vector, as the log has it, beside these results; nothing where there is no look."""
    fused = latest("fused", log=log)
    return "" if fused is None else FUSED.format(table=beside(results, fused, names=("tokens", "one vector")))


def balance(data: EmojiData, *, count: int = 3000) -> str:
    """The rates of `majority_rates` as a table."""
    rates = majority_rates(dialogues(data, split="train", count=count, seed=0))
    kinds = list(dict.fromkeys(kind for kind, _ in rates))
    lines = [["question", "English (%)", "Chinese (%)"], ["---", "---:", "---:"]]
    lines += [[f"`{kind}`", *(f"{100 * rates[kind, language]:.1f}" for language in ("en", "zh"))] for kind in kinds]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
