"""Embedding a person's own files: pictures and sounds told apart by their content, good ones through, bad ones named."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import open_file
from mmlab.types import MODALITIES, InputError

CHUNK = 32  # inputs decoded at a time: pictures may be large
FORMATS = (".npz", ".jsonl")


@dataclass(frozen=True)
class Embedding:
    """One input as a unit vector of the joint space; `familiarity` is None where the model cannot judge it."""

    name: str
    modality: str
    vector: Float32[np.ndarray, " dim"]
    familiarity: float | None


@dataclass(frozen=True)
class Failure:
    """One input that could not be used, and the sentence that says why."""

    name: str
    reason: str


def embed(
    model: JointEmbedder, *, files: Iterable[str | os.PathLike[str]] = (), texts: Iterable[str] = (), cut: bool = False
) -> Iterator[Embedding | Failure]:
    """Each input's embedding, or the reason why it has none, in the order of `files`, then of `texts`.

    `cut=True` keeps the first seconds of a sound that is longer than the model takes.
    """
    inputs = iter([(str(path), "file", path) for path in files] + [(repr(text), "text", text) for text in texts])
    while chunk := list(islice(inputs, CHUNK)):
        opened: list[tuple[str, str, Any]] = []
        for name, kind, raw in chunk:
            try:
                modality, value = (kind, raw) if kind == "text" else open_file(raw, cut=cut)
                if modality not in model.encoders:
                    raise InputError(
                        f"{name}: this model has no {modality} encoder; leave it out, or take another model."
                    )
                if modality == "text":  # alone, so that a text that is refused does not take its neighbours with it
                    model.encoders[modality].preprocess([value])
                opened.append((name, modality, value))
            except InputError as error:
                opened.append((name, "", str(error)))
        yield from _embed(model, opened)


def _embed(model: JointEmbedder, opened: Sequence[tuple[str, str, Any]]) -> list[Embedding | Failure]:
    results: dict[int, Embedding | Failure] = {
        i: Failure(name, value) for i, (name, modality, value) in enumerate(opened) if not modality
    }
    for modality in MODALITIES:
        places = [i for i, (_, kind, _) in enumerate(opened) if kind == modality]
        if not places:
            continue
        z, scores = model.judge(**{modality: [opened[i][2] for i in places]})[modality]
        known = [None] * len(z) if scores is None else scores.tolist()
        for row, i in enumerate(places):
            results[i] = Embedding(opened[i][0], modality, z[row].cpu().numpy(), known[row])
    return [results[i] for i in range(len(opened))]


def check_out(path: Path) -> None:
    """An InputError where `write` would not be able to write, before any work is done."""
    if path.suffix not in FORMATS:
        raise InputError(
            f"{path}: vectors are written as {' or '.join(FORMATS)}; give a name that ends in one of these."
        )
    if not path.parent.is_dir():
        raise InputError(f"{path}: its folder does not exist; make it first, or choose another.")
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; give the name of a file in it.")


def write(path: Path, embeddings: Sequence[Embedding]) -> None:
    """All embeddings in one file: NumPy arrays `names`, `modalities`, `vectors` (.npz), or one JSON object a line."""
    check_out(path)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        if path.suffix == ".npz":
            vectors = np.stack([one.vector for one in embeddings])
            names, modalities = ([getattr(one, field) for one in embeddings] for field in ("name", "modality"))
            np.savez(file, names=np.array(names), modalities=np.array(modalities), vectors=vectors)
        else:
            file.writelines(f"{line(one)}\n".encode() for one in embeddings)
    os.replace(part, path)


def line(one: Embedding) -> str:
    """One embedding as a JSON object."""
    numbers = [round(float(value), 6) for value in one.vector]
    said = {"name": one.name, "modality": one.modality, "familiarity": one.familiarity, "vector": numbers}
    return json.dumps(said, ensure_ascii=False)
