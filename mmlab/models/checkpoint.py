"""A folder with a config and safetensors weights, written and read strictly."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from mmlab.types import InputError

WEIGHTS, CONFIG = "model.safetensors", "config.json"
LARGE = 10_000  # numbers in a tensor


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(folder: str | Path, model: nn.Module, *, config: dict[str, Any], dtype: torch.dtype) -> None:
    """Weights in `dtype` and the config, which records their sha256, so that a flipped byte is noticed at load."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu().to(dtype) if v.is_floating_point() else v.cpu() for k, v in model.state_dict().items()}
    shared = _copies(state)
    save_file({k: v.contiguous() for k, v in state.items() if k not in shared}, folder / WEIGHTS)
    config = {**config, "shared": shared, "weights_sha256": sha256(folder / WEIGHTS)}
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def seal(folder: str | Path, *names: str) -> None:
    """Record the sha256 of further files of the folder in its config: a flipped byte in them is noticed, too."""
    path = Path(folder) / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["files_sha256"] = config.get("files_sha256", {}) | {name: sha256(Path(folder) / name) for name in names}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def compact(path: Path) -> None:
    """Write a JSON file again without the blanks that make it long."""
    found = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def read_config(folder: str | Path, *, model_type: str) -> dict[str, Any]:
    """The config of a checkpoint folder; an InputError says what is wrong with the folder."""
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise InputError(f"{folder}: expected a checkpoint folder with {CONFIG} and {WEIGHTS}, found no {CONFIG}.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, could not read it ({error}); copy the checkpoint again.") from error
    if not isinstance(config, dict) or not isinstance(config.get("files_sha256", {}), dict):
        raise InputError(
            f"{path}: expected the description of a checkpoint, found other JSON; copy the checkpoint again."
        )
    if config.get("model_type") != model_type:
        found = config.get("model_type", "no model_type")
        raise InputError(f"{folder}: expected a checkpoint of type {model_type}, found {found}; pass the right folder.")
    if damaged := changed(folder, config):
        raise InputError(
            f"{path.parent / damaged[0]}: its bytes are not those that were saved (sha256 differs); copy the checkpoint "
            "again."
        )
    return config


def changed(folder: str | Path, config: dict[str, Any]) -> list[str]:
    """Which of the sealed files are there, but are not what they were."""
    every = config.get("files_sha256", {}).items()
    return [name for name, wanted in every if (path := Path(folder) / name).is_file() and sha256(path) != wanted]


def lost(folder: str | Path, config: dict[str, Any]) -> list[str]:
    """Which of the sealed files are not there: a model may do without some, what ships may not."""
    return [name for name in config.get("files_sha256", {}) if not (Path(folder) / name).is_file()]


@contextmanager
def described(folder: str | Path) -> Iterator[None]:
    """Building a model from what its config says; an InputError where that is not what a config says."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{Path(folder) / CONFIG}: expected the description of a model, but a part of it is missing or not what it "
            f"should be ({type(error).__name__}: {error}); copy the checkpoint again."
        ) from error


def load_weights(folder: str | Path, model: nn.Module, *, config: dict[str, Any]) -> None:
    """Fill `model` from the folder; every tensor must be there, fit, and be what the config's sha256 says."""
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise InputError(
            f"{path}: expected the weights in safetensors format, found no such file (pickle is not read)."
        )
    try:
        state = load_file(path)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: expected a safetensors file, could not read it ({error}); copy it again.") from error
    state |= {copy: state[name] for copy, name in config.get("shared", {}).items() if name in state}
    own = model.state_dict()
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or extra:
        raise InputError(
            f"{path}: expected exactly this model's weights; missing: {_few(missing)}; unexpected: {_few(extra)}. "
            "Use the checkpoint that belongs to the config."
        )
    wrong = [k for k in own if own[k].shape != state[k].shape]
    if wrong:
        k = wrong[0]
        raise InputError(f"{path}: {k} has shape {tuple(state[k].shape)}, expected {tuple(own[k].shape)}.")
    if sha256(path) != config.get("weights_sha256"):
        raise InputError(
            f"{path}: its bytes are not those that were saved (sha256 differs); copy the checkpoint again."
        )
    model.load_state_dict({k: v.to(own[k].dtype) for k, v in state.items()})


def _copies(state: dict[str, torch.Tensor]) -> dict[str, str]:
    """Large tensors that equal an earlier one, with its name: these are stored once."""
    large = [name for name, value in state.items() if value.numel() > LARGE]
    found: dict[str, str] = {}
    for at, name in enumerate(large):
        twins = (one for one in large[:at] if one not in found and _equal(state[one], state[name]))
        if (twin := next(twins, None)) is not None:
            found[name] = twin
    return found


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Byte for byte: float8 numbers cannot be compared as numbers."""
    alike = one.shape == other.shape and one.dtype == other.dtype
    return alike and torch.equal(one.contiguous().view(torch.uint8), other.contiguous().view(torch.uint8))


def _few(names: list[str]) -> str:
    return "none" if not names else ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
