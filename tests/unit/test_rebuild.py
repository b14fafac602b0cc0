"""The dataset made again from its packages holds what ships, by decoded content; and a difference is noticed."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mmlab.datasets.emoji import EmojiData, decode_audio, decode_image
from tests.unit import tiny_emoji

SHIFT, LOUDEST = (
    160,
    0.02,
)  # samples that a clip may be longer; of the clip's effective value, what the codec may change


def rows(table) -> dict[tuple, dict]:
    """The rows of pictures or clips by everything that tells them apart."""
    keys = [name for name in ("thing", "style", "language", "engine", "voice") if name in table.column_names]
    return {tuple(row[key] for key in keys): row for row in table.to_pylist()}


def same_picture(one: bytes, other: bytes) -> bool:
    return np.array_equal(np.asarray(decode_image(one)), np.asarray(decode_image(other)))


def same_sound(one: bytes, other: bytes) -> bool:
    a, b = decode_audio(one).astype(float), decode_audio(other).astype(float)
    kept = min(len(a), len(b))
    apart = np.sqrt(np.mean((a[:kept] - b[:kept]) ** 2))
    return abs(len(a) - len(b)) <= SHIFT and apart <= LOUDEST * np.sqrt(np.mean(a**2))


def differences(ours: EmojiData, theirs: EmojiData) -> list[str]:
    """What the two hold differently, in words; nothing for the same decoded content."""
    found = [] if ours.things == theirs.things else ["things"]
    for column, same in (("image", same_picture), ("audio", same_sound)):
        tables = [data.image_table if column == "image" else data.speech_table for data in (ours, theirs)]
        one, other = map(rows, tables)
        found += [f"{column} {key} is in one only" for key in sorted(one.keys() ^ other.keys())]
        for key in sorted(one.keys() & other.keys()):
            facts = [{name: value for name, value in part[key].items() if name != column} for part in (one, other)]
            if facts[0] != facts[1]:
                found.append(f"{column} {key} is described differently")
            if not same(one[key][column]["bytes"], other[key][column]["bytes"]):
                found.append(f"{column} {key} differs")
    return found


@pytest.fixture
def twins(tmp_path: Path) -> list[Path]:
    return [tiny_emoji.write_data(tmp_path / name) for name in ("one", "two")]


def change(root: Path, table: str, edit) -> EmojiData:
    """The dataset with some rows of one table edited; its sums are not looked at."""
    path = root / f"{table}.parquet"
    before = pq.read_table(path)
    pq.write_table(before.from_pylist(edit(before.to_pylist())), path)
    return EmojiData(root)


def test_the_same_content_has_no_differences(twins):
    assert differences(*map(EmojiData, twins)) == []


@pytest.mark.parametrize(
    ("table", "edit", "seen"),
    [
        ("things", lambda rows: [{**rows[0], "name_en": "else"}, *rows[1:]], "things"),
        ("images", lambda rows: rows[1:], "in one only"),
        ("images", lambda rows: [{**rows[0], "image": rows[1]["image"]}, *rows[1:]], "differs"),
        ("speech", lambda rows: [{**rows[0], "audio": rows[1]["audio"]}, *rows[1:]], "differs"),
        ("speech", lambda rows: [{**rows[0], "split": "moved"}, *rows[1:]], "described differently"),
    ],
)
def test_a_difference_is_noticed(twins, table, edit, seen):
    found = differences(EmojiData(twins[0]), change(twins[1], table, edit))
    assert len(found) == 1 and seen in found[0]


@pytest.mark.audit
def test_the_rebuilt_dataset_holds_what_ships(tmp_path):
    """Fetches the pinned npm packages, draws and speaks everything again: about ten minutes, and needs the engines."""
    from mmlab.datasets.build import build

    build(tmp_path / "emoji")
    found = differences(EmojiData.load(), EmojiData.load(tmp_path / "emoji"))
    assert not found, "\n".join(found[:20])
