"""Things of your own as samples: a table of texts and paths, or a folder of pictures, sounds and texts."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from mmlab.preprocessing import describe, load_audio, load_image, open_file, read_file
from mmlab.preprocessing.limits import PICTURES, SOUNDS, reason, refusal
from mmlab.types import MODALITIES, InputError, Sample

KEY = "key"
TABLE = "a table in CSV (UTF-8, the names of the columns in its first line) or Parquet"
Parts = Mapping[str, Callable[[], Any]]  # what opens each modality of a thing


def own_samples(path: str | os.PathLike[str]) -> tuple[list[Sample], list[str]]:
    """What a person brings, as samples for `JointEmbedder.batch`, and a sentence for each part that cannot be used.

    A table has a row for each thing, and columns `text`, `image` and `audio`, any of which may be missing and any cell
    empty; pictures and sounds are paths, from the table's folder on. `key` names a row, else its number does. In a folder,
    files of one name but for the extension are one thing: cat.png, cat.wav and cat.txt. A part that cannot be used is
    left out of its thing, and the others stay.

    Units:   waveforms at 16 kHz
    Raises:  InputError for a path without a table or folder, a table without these columns, and where no thing is left
    """
    path, samples, problems = Path(path), [], []
    for key, parts in _files(path, problems) if path.is_dir() else _rows(path):
        found: dict[str, Any] = {}
        for name, load in parts.items():
            try:
                found[name] = load()
            except InputError as error:
                problems.append(f"{key}: {error}")
        if found:
            samples.append(Sample(**found, key=key))
        elif not parts:
            problems.append(f"{key}: Expected a text, a picture or a sound, got none; fill a cell, or drop the row.")
    if not samples:
        said = f": {problems[0]}" if problems else "."
        raise InputError(f"{path}: Expected a text, a picture or a sound, found none that can be used{said}")
    return samples, problems


def _rows(path: Path) -> Iterator[tuple[str, Parts]]:
    data = read_file(path, expected=f"{TABLE}, or a folder")
    try:
        if data.startswith(b"PAR1"):
            table = parquet.read_table(BytesIO(data))
        else:
            words = {name: pa.string() for name in (KEY, *MODALITIES)}
            table = csv.read_csv(BytesIO(data), convert_options=csv.ConvertOptions(column_types=words))
    except pa.ArrowException as error:
        came = f"it cannot be read ({reason(error)})"
        raise refusal(str(path), expected=TABLE, came=came, todo="save it again as one of the two") from error
    here = [name for name in MODALITIES if name in table.column_names]
    if not here:
        came = f"its columns are {', '.join(table.column_names)}"
        raise refusal(str(path), expected=f"columns {', '.join(MODALITIES)}", came=came, todo="name one of them so")
    opened: dict[str, Callable[[str], Any]] = {
        "text": str,
        "image": lambda cell: load_image(path.parent / cell),
        "audio": lambda cell: load_audio(path.parent / cell),
    }
    for number, row in enumerate(table.to_pylist(), start=1):
        cells = {name: str(row[name]).strip() for name in here if row[name] is not None}
        yield str(row.get(KEY) or f"row {number}"), {n: partial(opened[n], cell) for n, cell in cells.items() if cell}


def _files(folder: Path, problems: list[str]) -> Iterator[tuple[str, Parts]]:
    """The things of a folder; a file that is none of the three, or a second of its kind, adds a sentence to `problems`."""
    things: dict[str, dict[str, Callable[[], Any]]] = defaultdict(dict)
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        try:
            name, load = _told_apart(path)
            if name in things[path.stem]:
                todo = "rename one of them"
                raise refusal(str(path), expected=f"one {name} called {path.stem!r}", came="this is another", todo=todo)
            things[path.stem][name] = load
        except InputError as error:
            problems.append(f"{path.stem}: {error}")
    yield from ((key, parts) for key, parts in things.items() if parts)


def _told_apart(path: Path) -> tuple[str, Callable[[], Any]]:
    """What the bytes of a file are, whatever its extension says."""
    data = read_file(path, expected=f"{PICTURES}, {SOUNDS} or a text")
    if describe(data)[0] == "text":
        return "text", partial(_words, path, data)
    name, value = open_file(path)
    return name, lambda: value


def _words(path: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise refusal(str(path), expected="a text", came="it is not in UTF-8", todo="save it as UTF-8") from error
    if not text:
        raise refusal(str(path), expected="a text", came="it holds only blanks", todo="write something, or delete it")
    return text
