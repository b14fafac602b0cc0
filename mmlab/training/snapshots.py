"""Where the things lay in the space at moments of the first part of its training, as `SpaceLog.export` stored it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open

from mmlab.types import InputError

FILE = "snapshots.safetensors"
UNIT = 127  # what stands for 1 in the file: a byte a coordinate, which is drawn and not computed with


@dataclass(frozen=True)
class Moments:
    """Coordinates on the first principal axes of the space at the last stored step, at each of them.

    Shape:  steps (moments,), coordinates (moments, 3, things, axes) with modalities in the order of MODALITIES
    """

    things: tuple[str, ...]
    steps: Int[np.ndarray, " moments"]
    coordinates: Float[np.ndarray, "moments modalities things axes"]


def read_moments(folder: str | Path) -> Moments | None:
    """The stored moments of a checkpoint folder; None where it holds none.

    Raises:  InputError for a damaged file
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="np") as file:
            things = (file.metadata() or {})["things"].split()
            coordinates = file.get_tensor("coordinates").astype(np.float32) / UNIT
            return Moments(tuple(things), file.get_tensor("steps"), coordinates)
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: expected moments of training, could not read them ({error}); copy it again."
        ) from error
