"""Other trainings of a recipe, mostly the same but for the seed: their figures, kept beside those of the one that ships.

They say how much of a figure is chance. What they ran on stands with them: it may be another machine than that of the
checkpoint that ships.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmlab.models.checkpoint import CONFIG
from mmlab.types import InputError

FILE = "seeds.jsonl"


def keep(folder: Path, figures: Mapping[str, float], *, path: Path) -> None:
    """Write these figures of a checkpoint folder into `path`, one line a recipe; a line of the same one is replaced.

    Raises:  InputError for a model that was trained to compare recipes (`tuning`): it is judged on other data
    """
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    if config["recipe"].get("tuning"):
        raise InputError(
            f"{folder} was trained with --tuning, and trainings are compared on the test; train it again without."
        )
    training = {"minutes": round(config["training"]["seconds"] / 60, 1), "machine": config["training"]["machine"]}
    line = {"recipe": config["recipe"], **training, "figures": dict(figures)}
    lines = [one for one in _lines(path) if one["recipe"] != line["recipe"]] + [line]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in lines), encoding="utf-8")


def others(recipe: Mapping[str, Any], *, path: Path, but: str = "seed") -> list[dict[str, Any]]:
    """The kept trainings that differ from this recipe in `but` and in nothing else."""
    alike = [one for one in _lines(path) if {**one["recipe"], but: recipe[but]} == dict(recipe)]
    return [one for one in alike if one["recipe"] != dict(recipe)]


def told(trainings: Sequence[Mapping[str, Any]]) -> str:
    """A sentence for a card: how many trainings there are, and on what the others ran."""
    if not trainings:
        return "One training of the recipe stands here: the spread over seeds has not been measured."
    machines = " and ".join(sorted({one["machine"] for one in trainings}))
    seeds = " and ".join(str(one["recipe"]["seed"]) for one in trainings)
    return (
        f"`seeds`: least to largest over {len(trainings) + 1} trainings of the recipe, this one and those with the seeds "
        f"{seeds}, which ran on {machines}."
    )


def spread(name: str, value: float, trainings: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Least and largest of this value and those of the other trainings; None where none of them has it."""
    found = [one["figures"][name] for one in trainings if name in one["figures"]]
    return (min(value, *found), max(value, *found)) if found else None


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
