"""The model card of a joint checkpoint: written from its config and its results, so that the two cannot drift."""

import json
from collections.abc import Mapping
from pathlib import Path

from mmlab.evaluation.figure import Figure
from mmlab.evaluation.report import LOG, SEEDS, card_figures
from mmlab.evaluation.seeds import others
from mmlab.models.checkpoint import CONFIG, WEIGHTS
from mmlab.training.recipe import AlignRecipe

CARD = """\
---
license: cc-by-sa-4.0
language: [en, zh]
library_name: mmlab
tags: [multimodal, contrastive, text, image, audio]
---

# The joint space of mmlab

Text, pictures and spoken words of 1,446 things in one space of {dim} dimensions: encode, pool, project, add.
{parameters:.2f} million parameters, {megabytes:.1f} MB in half precision, trained from scratch on `data/emoji`.

    from mmlab import load_shipped
    model = load_shipped()
    z = model.encode(text=["a dog", "狗"])["text"]

## How it was made

    mmlab train align --out data/checkpoints/joint

{steps:,} steps of {batch} things with seed {seed}{alone}, in
{minutes:.0f} minutes on {machine}.
The loss is InfoNCE over {pairs} of five views of each thing (its English
and its Chinese name or keywords, two drawings by different teams, one spoken name), with a learned temperature; AdamW,
learning rate {lr:g} in one cycle, weight decay {weight_decay:g}; the weights are averaged over the run (decay {ema:g}).
Pictures are moved, bent, recoloured and redrawn as outlines; sounds change their vocal tract, tempo, room, noise, tilt
and band, the more the longer the run.{hears} The recipe stands whole in `{config}`.

Seen in training: the drawings of Noto, Fluent (3D and flat) and EmojiOne 2 (colour and line), and the voices marked
train and validation in the data, of the training families only. Never seen: Twemoji, OpenMoji, the test voices,
festival as a whole, and the zero-shot families: none of their drawings, clips or names was in a pair. Some of their names
are also keywords of training things, and were read as those: 17 of 148 in English, 24 in Chinese. And the pieces of words
that the tokenizer knows were counted in all names and keywords, theirs too.

## Figures

`mmlab eval joint` makes them again.{together}

{figures}

## Familiarity

`model.familiar(...)` gives each input its percentile among things that the model never saw, in styles and voices that
it knows (the zero-shot families, test styles and voices excluded). Near 0 it says: this is unlike anything learned, and
at 0.02 or less the commands say so. It looks at the encoder's features, at the nearest thing in the space, and, for
pictures and sounds, at how they are drawn or spoken: statistics of the pixels, told from made-up strangers (noise,
gradients, textures, overlapping shapes), and statistics of level, spectrum and pitch. In the figures above,
`false_alarm_...` is the share of drawings in unseen styles and of clips by unseen voices that are called strange, and
`flagged_...` that of noise, flat colours and scikit-learn's two photographs (whole, and square crops of them).

It misses what it was not made for: a photograph of an object cut out on white, or a screenshot, can pass. So can a
person's voice. A high score is no proof.

## Limits

- It learned drawings and synthetic voices. What it says of a photograph or of a person's voice means nothing.
- The names are the same strings in training and in test: it knows 1,446 things by name, not language.
- A thing that it never saw is placed near its kind at best.{unseen}
"""


# What is said of the second part, where a recipe has one.
ALONE = ", then {steps} more in which the sound encoder alone learns"
HEARS = """\
 In the steps of the sound encoder alone each spoken name must find its thing's
names and drawings, which stay where they are, among those of all training things, while sounds change as much as they
ever do; learning rate {lr:g}, decay {ema:g}."""


TOGETHER = """\
 Of a picture and a spoken name together (`fused_to_text_...`) {below} of {count} figures lie
below the better one alone; the least is {above:+.1f} points. Under white noise at 0 dB they close {near} (near) and {far}
(far) of the error that the better one leaves, but by flite, where noise leaves hardly anything to hear, {flite}, and by
the engine never heard {engine} (near)."""
CLOSED = {"near": "near_noisy", "far": "far_noisy", "flite": "near_noisy_flite", "engine": "near_noisy_unseen_engine"}


def fused_gain(results: Mapping[str, Figure]) -> str:
    """What picture and sound bring each other, where the results say it."""
    gains = [figure["above_better"] for figure in results.values() if "above_better" in figure]
    closed = {name: results.get(f"fused_to_text_{key}", {}).get("error_closed") for name, key in CLOSED.items()}
    if not gains or None in closed.values():
        return ""
    shares = {name: f"{100 * share:.0f} %" for name, share in closed.items()}
    below = sum(gain < 0 for gain in gains) or "none"
    return TOGETHER.format(below=below, count=len(gains), above=100 * min(gains), **shares)


UNSEEN = """\
 Among the {n} things of the zero-shot families a picture finds its
  name within the first five {picture} as often as chance ({near} near, {far} far), a spoken name {speech},
  an English name its Chinese one {names}."""
LIFTED = {"picture": "image_to_text", "near": "image_to_text_near", "far": "image_to_text_far"}
LIFTED |= {"speech": "speech_to_text", "names": "en_to_zh"}


def beyond_training(results: Mapping[str, Figure]) -> str:
    """How far what was learned reaches to things never seen, as multiples of chance, where the results say it."""
    found = {name: results.get(f"zero_shot_{key}") for name, key in LIFTED.items()}
    if None in found.values():
        return ""
    lifts = {name: f"{figure['r5'] / figure['chance_r5']:.1f} times" for name, figure in found.items()}
    return UNSEEN.format(n=found["names"]["n"], **lifts)


def write_card(folder: Path, results: Mapping[str, Figure], *, log: Path = LOG, seeds: Path = SEEDS) -> Path:
    """Write README.md beside the weights, from the config there and from the results of `mmlab eval joint`."""
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    recipe = config["recipe"]
    second = AlignRecipe(**{**recipe, "pairs": tuple(recipe["pairs"])}).second.to_dict()
    trainings = others(recipe, path=seeds)
    text = CARD.format(
        dim=config["dim"],
        parameters=config["parameters"] / 1e6,
        megabytes=(folder / WEIGHTS).stat().st_size / 1e6,
        config=CONFIG,
        minutes=config["training"]["seconds"] / 60,
        machine=config["training"]["machine"],
        pairs="every pair" if recipe["pairs"] == ["all"] else f"the pairs {', '.join(recipe['pairs'])}",
        figures=card_figures(results, seeds=trainings, log=log),
        alone=ALONE.format(**second) if second["steps"] else "",
        hears=HEARS.format(**second) if second["steps"] else "",
        together=fused_gain(results),
        unseen=beyond_training(results),
        **{name: recipe[name] for name in ("steps", "batch", "seed", "lr", "weight_decay", "ema")},
    )
    path = folder / "README.md"
    path.write_text(text, encoding="utf-8")
    return path
