"""`mmlab eval scaling`: one short training with fewer things, smaller and larger models, fewer pairs of modalities.

Each point is one training of `steps` steps; the sweeps vary one of three at a time from a common middle point. The
figures of a point come in three groups: on the things that *this* point was trained on ("own"), on those that *every*
point was trained on ("common", the fair comparison over things), and on things that none ever saw ("zero_shot").
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from mmlab.datasets.emoji import EmojiData, Thing
from mmlab.evaluation.figure import Figure
from mmlab.evaluation.retrieval import pictures, words, zero_shot
from mmlab.evaluation.space import Space
from mmlab.models.checkpoint import sha256 as hash_of
from mmlab.models.joint import JointEmbedder
from mmlab.training.align import AlignModule, estimate, train
from mmlab.training.corpus import Corpus
from mmlab.training.recipe import AlignRecipe
from mmlab.training.shipped import train_tokenizer
from mmlab.types import InputError

THINGS = (160, 320, 640, None)  # None: all
SIZES = {"small": 0.5, "medium": 1.0, "large": 1.5}  # of the recipe's widths
PAIRS = (("all",), ("text-image", "image-audio"))  # the second is ImageBind's way
BATCH = 128  # below the fewest things, so that every point contrasts equally many


@dataclass(frozen=True)
class Point:
    """One training: how many things, how wide a model, which pairs attract, from which seed."""

    things: int | None
    size: str
    pairs: tuple[str, ...]
    seed: int

    @property
    def name(self) -> str:
        things = "all" if self.things is None else self.things
        return f"things_{things}-size_{self.size}-pairs_{'+'.join(self.pairs)}-seed_{self.seed}"


def points(*, things: Sequence[int | None] = THINGS, seeds: Sequence[int] = (0,)) -> list[Point]:
    """All points of the three sweeps, each once."""
    middle = [Point(None, "medium", PAIRS[0], seed) for seed in seeds]
    swept = [replace(point, things=count) for point in middle for count in things]
    swept += [replace(point, size=size) for point in middle for size in SIZES]
    swept += [replace(point, pairs=pairs) for point in middle for pairs in PAIRS]
    return list(dict.fromkeys(swept))


def scaling(
    data: EmojiData,
    *,
    run: Path,
    steps: int = 400,
    things: Sequence[int | None] = THINGS,
    seeds: Sequence[int] = (0,),
    recipe: AlignRecipe | None = None,
    split: str = "test",
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, dict[str, Any]]:
    """Train and measure every point in the folder `run`, going on where an earlier call was cut off; results by name.

    `recipe` (by default the shipped one) gives all that is not swept. Says before each point how long it will take.

    Cost:    7 short trainings per seed; 400 steps of 128 things take some minutes each on two cores
    """
    plan = points(things=things, seeds=seeds)
    fewest = min((point.things for point in plan if point.things is not None), default=None)
    found = {}
    for at, point in enumerate(plan):
        made = recipe_of(point, steps=steps, base=AlignRecipe() if recipe is None else recipe)
        say(f"{at + 1} of {len(plan)}: {point.name}")
        found[point.name] = measure(
            point, made, data, run=run / point.name, common=fewest, split=split, progress=progress, say=say
        )
    return found


def measure(
    point: Point,
    recipe: AlignRecipe,
    data: EmojiData,
    *,
    run: Path,
    common: int | None,
    split: str,
    progress: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The result of one point, from its file where it has one.

    Raises:  InputError when the folder holds a point of other settings
    """
    run.mkdir(parents=True, exist_ok=True)
    path = run / "point.json"
    settings = json.loads(json.dumps({"recipe": recipe.to_dict(), "common": common, "split": split}))
    if path.is_file():
        kept = json.loads(path.read_text("utf-8"))
        if kept["settings"] != settings:
            raise InputError(f"{run}: expected a point of these settings, found another; choose a new folder.")
        return kept["result"]
    own, tokenizer = nested(data.split("train"), point.things), train_tokenizer(data, vocab=recipe.vocab)
    corpus = Corpus.from_data(data, tuning=recipe.tuning, things=own)
    seconds = estimate(AlignModule(recipe, tokenizer), corpus)
    minutes = recipe.steps * seconds / 60
    say(f"  {len(own)} things, {recipe.steps} steps of {seconds:.2f} s: about {minutes:.0f} minutes.")
    model = train(recipe, corpus, tokenizer, run=run / "train", progress=progress)
    result = {
        **asdict(point),
        "things": len(own),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": recipe.steps,
        "batch": recipe.batch,
        "seconds_per_step": round(seconds, 3),
        "made_from": made_from(recipe, data),
        **figures_of(model, data, own=own, common=nested(data.split("train"), common), split=split),
    }
    run.mkdir(parents=True, exist_ok=True)
    written = json.dumps({"settings": settings, "result": result}, indent=1)
    partial = path.with_suffix(".part")
    partial.write_text(written + "\n", "utf-8")
    partial.replace(path)
    return json.loads(written)["result"]  # as a later call will read it


def made_from(recipe: AlignRecipe, data: EmojiData) -> dict[str, str]:
    """Hashes of the recipe that a point was trained by and of the data, so that a stale sweep is noticed."""
    written = json.dumps(recipe.to_dict(), sort_keys=True).encode()
    return {"recipe_sha256": sha256(written).hexdigest(), "data_sha256": hash_of(data.root / "SHA256SUMS")}


def figures_of(
    model: JointEmbedder, data: EmojiData, *, own: Sequence[Thing], common: Sequence[Thing], split: str
) -> dict[str, dict[str, Figure]]:
    """Names, speech and pictures: the point's own things, the common ones, and those never seen."""
    space = Space(model, data, split=split)
    groups = {}
    for name, asked in (("own", own), ("common", common)):
        chosen = torch.zeros(len(data), dtype=torch.bool)
        chosen[[data.index[thing.id] for thing in asked]] = True
        part = space.about(chosen)
        groups[name] = _brief({**words(part, 0), **pictures(part, 0)})
    return {**groups, "zero_shot": _brief(zero_shot(space, 0))}


def _brief(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Without the single voices of an engine and what a sweep does not compare: it is stored whole."""
    return {
        name: {field: value for field, value in figure.items() if field not in ("chance_r5", "r10", "median_rank")}
        for name, figure in figures.items()
        if "unseen_engine_" not in name
    }


def as_table(results: dict[str, dict[str, Any]]) -> str:
    """A line for each point: right first answers to pictures, voices and Chinese names, and to unseen things' pictures."""
    asked = {"picture": "image_to_text_near", "speech": "speech_to_text", "Chinese": "zh_to_en"}
    lines = [f"{'things':>6} {'size':7} {'pairs':22}" + "".join(f" {name:>8}" for name in (*asked, "unseen"))]
    for point in results.values():
        found = [point["own"][key] for key in asked.values()] + [point["zero_shot"]["zero_shot_image_to_text"]]
        head = f"{point['things']:6} {point['size']:7} {'+'.join(point['pairs']):22}"
        lines.append(head + "".join(f" {100 * figure['r1']:6.1f} %" for figure in found))
    return "\n".join(lines)


def recipe_of(point: Point, *, steps: int, base: AlignRecipe) -> AlignRecipe:
    """The recipe of a point: the base, shorter, its first part only, with the point's widths, pairs and seed.

    The average of the weights reaches back over the same share of the run as in the base: with the base's own decay, a
    short run's average would consist of the weights before the first step to a large part.
    """
    short = replace(base, steps=steps)  # which refuses a run without steps
    factor, ema = SIZES[point.size], base.ema ** (base.steps / steps)
    swept = {"seed": point.seed, "pairs": point.pairs, "things": point.things}
    parts = {name: _scaled(getattr(base, name), factor) for name in ("text", "image", "audio")}
    return replace(short, batch=BATCH, ema=ema, hearing=0.0, **swept, **parts)


def _scaled(sizes: dict[str, Any], factor: float) -> dict[str, Any]:
    """Widths times the factor, kept divisible by twice the heads (each head turns pairs of numbers)."""
    step = 2 * sizes.get("heads", 1)
    wide = {"dim": step * round(sizes["dim"] * factor / step)}
    if "widths" in sizes:
        wide["widths"] = [max(4, round(width * factor)) for width in sizes["widths"]]
    return {**sizes, **wide}


def nested(things: Sequence[Thing], count: int | None) -> list[Thing]:
    """The first `count` things in an order fixed by hashes of their ids, so that fewer things are always among more."""
    chosen = sorted(things, key=lambda thing: sha256(thing.id.encode()).digest())[:count]
    return sorted(chosen, key=lambda thing: things.index(thing))
