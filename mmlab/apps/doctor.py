"""A look at this machine: what is here, what will be slow, what is missing and how to get it."""

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch

from mmlab.assets import FONT
from mmlab.datasets import emoji
from mmlab.models import checkpoint
from mmlab.paths import DATA, NOTEBOOKS
from mmlab.types import InputError

OK, SLOW, OPTIONAL, MISSING = "ok", "slow", "optional", "missing"
GIGA = 1024**3
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` is a sentence wherever the state is not ok."""

    name: str
    state: str
    detail: str
    advice: str = ""


def examine(data: Path = DATA, notebooks: Path = NOTEBOOKS) -> list[Finding]:
    """Everything that `mmlab doctor` reports, in order."""
    machine = [python(), packages(), processor(), memory(), number_format(), accelerator(), browser()]
    return [*machine, font(), lessons(notebooks), dataset(data / "emoji"), *checkpoints(data / "checkpoints")]


def python() -> Finding:
    return Finding("Python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def packages() -> Finding:
    """Every package that the installed mmlab asks for, present or not."""
    try:
        wanted = metadata.requires("mmlab") or []
    except metadata.PackageNotFoundError:
        return Finding("packages", MISSING, "mmlab is not installed here", "Run `make lab`, or `pip install -e .`.")
    names = [re.match(r"[\w.-]+", line).group() for line in wanted if "extra ==" not in line]
    absent = [name for name in names if not _installed(name)]
    if absent:
        return Finding("packages", MISSING, f"not installed: {', '.join(absent)}", "Run `pip install -e .` again.")
    return Finding("packages", OK, f"{len(names)} of {len(names)}, torch {torch.__version__}")


def processor() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    advice = "Lessons may take twice as long as they say." if cores < 2 else ""
    return Finding("processor", SLOW if cores < 2 else OK, f"{cores} core{'s' * (cores != 1)}", advice)


def memory() -> Finding:
    """Memory of the machine, or of the container where that is less.

    Units:   GiB
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    short = total < 4 * GIGA
    advice = "Close other programs before a lesson." if short else ""
    return Finding("memory", SLOW if short else OK, f"{total / GIGA:.1f} GiB", advice)


def number_format() -> Finding:
    """Whether the processor computes in bf16 by itself, which training uses."""
    can = torch.cpu.get_capabilities()
    if can.get("amx_bf16"):
        return Finding("bf16", OK, "AMX: training is at its fastest without a GPU")
    if can.get("avx512_bf16") or can.get("bf16") or can.get("arm_bf16"):
        return Finding("bf16", OK, "vector instructions: faster training than fp32, slower than AMX")
    return Finding("bf16", SLOW, "none", "Training takes several times as long; lessons and search are not affected.")


def accelerator() -> Finding:
    if torch.cuda.is_available():
        return Finding("GPU", OK, torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Finding("GPU", OK, "Apple GPU (mps)")
    return Finding("GPU", OPTIONAL, "none", "Nothing here needs one.")


def font() -> Finding:
    if FONT.is_file():
        return Finding("Chinese font", OK, "ships with the package")
    return Finding("Chinese font", MISSING, f"no {FONT.name}", "Restore mmlab/assets, for example with git checkout.")


def lessons(notebooks: Path) -> Finding:
    count = len(list(notebooks.glob("*.ipynb")))
    if count:
        return Finding("lessons", OK, f"{count} in {notebooks.name}/")
    return Finding("lessons", MISSING, f"no notebook in {notebooks}", "Work in a whole clone of the course.")


def dataset(root: Path) -> Finding:
    """The data that ships, each file compared with its sha256."""
    try:
        emoji.verify(root)
    except InputError as error:
        return Finding("data", MISSING, f"{root.name} is not whole", str(error))
    return Finding("data", OK, f"{root.name}, every sha256 right")


def checkpoints(root: Path) -> Iterator[Finding]:
    """The models that ship, each compared with the sha256 in its config."""
    folders = sorted(path.parent for path in root.glob(f"*/{checkpoint.CONFIG}"))
    if not folders:
        yield Finding("models", MISSING, f"none in {root}", "Restore data/checkpoints, or run `mmlab train align`.")
    for folder in folders:
        name, weights = f"model {folder.name}", folder / checkpoint.WEIGHTS
        advice = f"Restore data/checkpoints/{folder.name}, for example with git checkout."
        try:
            config = json.loads((folder / checkpoint.CONFIG).read_text(encoding="utf-8"))
            wanted, others = config["weights_sha256"], checkpoint.changed(folder, config)
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Finding(name, MISSING, f"its {checkpoint.CONFIG} is damaged", advice)
            continue
        if not weights.is_file() or checkpoint.sha256(weights) != wanted:
            yield Finding(name, MISSING, "its weights are not those that shipped", advice)
        elif others or (gone := checkpoint.lost(folder, config)):
            found = f"its {others[0]} is not what shipped" if others else f"its {gone[0]} is missing"
            yield Finding(name, MISSING, found, advice)
        else:
            yield Finding(name, OK, "every sha256 right")


def browser() -> Finding:
    found = [name for name in BROWSERS if shutil.which(name)]
    if found:
        return Finding("Chromium", OK, found[0])
    return Finding("Chromium", OPTIONAL, "none found", "Only the tests that drive a browser use it.")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
