"""A reader's own vectors as points: checked one by one, so that what is wrong is said in a sentence and not drawn."""

import wave
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from mmlab.preprocessing import SAMPLE_RATE, load_image, read_file
from mmlab.preprocessing.limits import SOUNDS
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.maps import unit
from mmlab.widgets.media import thumbnail
from mmlab.widgets.points import Points
from mmlab.widgets.upload import LARGEST

MOST = 50_000  # points that the canvas draws without stutter
OTHER = len(MODALITIES)


def own_points(
    vectors: Any,
    *,
    labels: Sequence[str] | None = None,
    images: Sequence[Any] | None = None,
    audio: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Points:
    """Points of an array (n, dim), or of several by name, {"text": (n, dim), "image": (n, dim)}, row i being thing i.

    `labels`, `images` and `audio` have n entries each, of which any picture or sound may be None; pictures and sounds
    are paths, bytes or arrays. `groups` are more ways to colour the points: a name, and n words (or one a point).

    Raises:  InputError for vectors that are not finite, too few, too many, without direction, of differing widths, and
             for lists of another length
    """
    parts = dict(vectors) if isinstance(vectors, Mapping) else {"other": vectors}
    arrays = {name: _check(name, values) for name, values in parts.items()}
    if not arrays:
        raise InputError("A map needs vectors, got an empty dictionary; pass arrays of shape (n, dim) by name.")
    shapes = {values.shape for values in arrays.values()}
    if len(shapes) > 1:
        raise InputError(
            f"Vectors of one map have one shape, got {sorted(shapes)}; row i of each has to be the same thing."
        )
    [(n, dim)] = shapes
    if n * len(arrays) > MOST:
        raise InputError(f"A map shows at most {MOST:,} points, got {n * len(arrays):,}; pass a sample of them.")
    for name, values in {"labels": labels, "images": images, "audio": audio}.items():
        if values is not None and len(values) != n:
            raise InputError(
                f"There are {n:,} things, but {len(values):,} {name}; pass one for each, None where there is none."
            )
    names = [(str(label), "") for label in labels] if labels is not None else [(f"#{i}", "") for i in range(n)]
    modality = [name for name in arrays for _ in range(n)]
    items = np.tile(np.arange(n), len(arrays))
    columns = {"modality": modality, "id": [str(i) for i in items], **_groups(groups, n=n, times=len(arrays))}
    raw = np.concatenate(list(arrays.values())).astype(np.float32)
    return Points(
        vectors=unit(raw),
        items=items,
        modalities=np.array([MODALITIES.index(name) if name in MODALITIES else OTHER for name in modality]),
        names=names,
        columns=columns,
        picture=lambda index: _picture(images, int(items[index])),
        sound=lambda index: _sound(audio, int(items[index])),
        given=raw if dim == 2 else None,
    )


def _check(name: str, values: Any) -> np.ndarray:
    values = values.detach().cpu() if hasattr(values, "detach") else values
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"Vectors ({name}) have to be numbers of shape (n, dim), got {type(values).__name__}."
        ) from None
    if array.ndim != 2 or array.shape[1] < 2:
        raise InputError(
            f"Vectors ({name}) have the shape (n, dim) with dim of 2 or more, got {array.shape}; put one in each row."
        )
    if len(array) < 2:
        raise InputError(f"A map needs at least 2 points, got {len(array)} ({name}); a point alone has no neighbours.")
    if len(array) > MOST:
        raise InputError(f"A map shows at most {MOST:,} points, got {len(array):,} ({name}); pass a sample of them.")
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise InputError(
            f"Vectors ({name}) have to be finite, got NaN or infinity in {int(bad.sum())} of {len(array)} rows, first in "
            f"row {int(bad.argmax())}; leave these rows out."
        )
    still = np.linalg.norm(array, axis=1) == 0
    if still.any():
        raise InputError(f"Row {int(still.argmax())} ({name}) is all zeros and has no direction; leave it out.")
    return array


def _groups(groups: Mapping[str, Sequence[str]] | None, *, n: int, times: int) -> dict[str, list[str]]:
    found = {}
    for name, words in (groups or {}).items():
        if len(words) not in (n, n * times):
            raise InputError(f"The group {name!r} has {len(words):,} words for {n:,} things; pass one for each.")
        found[name] = [str(word) for word in words] * (times if len(words) == n else 1)
    return found


def _picture(images: Sequence[Any] | None, item: int) -> bytes | None:
    if images is None or images[item] is None:
        return None
    return thumbnail(load_image(images[item]))


def _sound(audio: Sequence[Any] | None, item: int) -> bytes | None:
    """The bytes of a sound file as they are, or an array of samples at 16 kHz as WAV."""
    if audio is None or audio[item] is None:
        return None
    raw = audio[item]
    data = (
        raw if isinstance(raw, bytes) else wav(raw) if isinstance(raw, np.ndarray) else read_file(raw, expected=SOUNDS)
    )
    if len(data) > LARGEST:
        raise InputError(
            f"Sound {item}: expected at most {LARGEST / 1e6:.0f} MB, got {len(data) / 1e6:.1f} MB; make it smaller."
        )
    return data


def wav(samples: np.ndarray) -> bytes:
    """Samples in [-1, 1], mono, 16 kHz, as the bytes of a WAV file of 16 bits."""
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise InputError(f"A sound is a finite array (samples,), got the shape {samples.shape}; give one channel.")
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
