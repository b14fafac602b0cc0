"""The heads that the lessons play with: every vector operator, trained for pairs and for retrieval, in one folder."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmlab.evaluation.fusion.deck import TASKS
from mmlab.evaluation.fusion.head import FusionHead
from mmlab.models import checkpoint
from mmlab.paths import DATA

MODEL_TYPE = "mmlab-fusion-heads"
SHIPPED = DATA / "checkpoints" / "fusion"
KEPT = ("pair", "retrieval")  # tasks


def save_heads(heads: dict[str, FusionHead], folder: Path, *, dim: int, width: int, **notes: Any) -> None:
    """Write heads, named "task.operator", a byte a weight (float8), with a config that says what they were made from."""
    named = nn.ModuleDict({_key(name): head for name, head in heads.items()})
    config = {"model_type": MODEL_TYPE, "dim": dim, "width": width, "heads": list(heads), **notes}
    checkpoint.write(folder, named, config=config, dtype=torch.float8_e4m3fn)


def load_heads(folder: str | Path = SHIPPED) -> dict[str, FusionHead]:
    """Every head by "task.operator", strictly: a missing, extra or changed weight is an InputError naming it."""
    config = checkpoint.read_config(folder, model_type=MODEL_TYPE)
    heads = {name: _fresh(name, dim=config["dim"], width=config["width"]) for name in config["heads"]}
    checkpoint.load_weights(folder, nn.ModuleDict({_key(name): head for name, head in heads.items()}), config=config)
    return {name: head.eval() for name, head in heads.items()}


def _fresh(name: str, *, dim: int, width: int) -> FusionHead:
    task, operator = name.split(".")
    modalities, answers = TASKS[task]
    return FusionHead(operator, modalities=modalities, dim=dim, answers=answers or dim, width=width)


def _key(name: str) -> str:
    return name.replace(".", "__")  # a module's name has no dot
