"""What the maps need and what takes long to make: the vectors of one voice's clips, and a UMAP of the default points."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmlab.datasets.emoji import EmojiData
from mmlab.models.checkpoint import sha256
from mmlab.models.fingerprint import fingerprint
from mmlab.models.joint import JointEmbedder
from mmlab.paths import DATA
from mmlab.types import InputError
from mmlab.widgets.maps import UMAP, fit_umap

if TYPE_CHECKING:
    from mmlab.widgets.points import Shelf

MAP = DATA / "maps" / "joint.npz"
VOICE = "rms"  # an English voice that the shipped model never heard
STEPS = 127  # a unit vector's largest entry, in 8 bits: cosines change in the fourth digit at most


def made_from(model: JointEmbedder, data: EmojiData) -> dict[str, str]:
    """The hashes of what decides a stored map: weights, data, and the settings of UMAP."""
    hashes = {"joint": fingerprint(model), "data_sha256": sha256(data.root / "SHA256SUMS")}
    return {**hashes, "umap": json.dumps(UMAP, sort_keys=True), "voice": VOICE}


def make_map(shelf: "Shelf", path: Path = MAP) -> Path:
    """`mmlab eval map`: embeds the clips, fits the UMAP, and stores both with the hashes of what they were made from."""
    rows, z = shelf.vectors("audio", VOICE)
    points = shelf.points()
    stored = {
        "audio_rows": rows.astype(np.int16),
        "audio": np.rint(STEPS * z / np.abs(z).max(axis=1, keepdims=True)).astype(np.int8),
        "umap": fit_umap(points.vectors).astype(np.float16),
        "made_from": np.array(json.dumps(made_from(shelf.model, shelf.data), sort_keys=True)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **stored)
    return path


def read_map(model: JointEmbedder, data: EmojiData, path: Path = MAP) -> dict[str, np.ndarray] | None:
    """What `make_map` stored; None where there is no file, or where it was made from another model or other data.

    Raises:  InputError for a damaged file
    """
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        made = json.loads(str(stored.pop("made_from")))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: expected a stored map, could not read it ({error}); make it with `mmlab eval map`."
        ) from error
    if made != made_from(model, data):
        return None
    return {
        "audio_rows": stored["audio_rows"].astype(np.int64),
        **{k: stored[k].astype(np.float32) for k in ("audio", "umap")},
    }
