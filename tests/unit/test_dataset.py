"""What data/emoji promises: files as they shipped, tables that fit together, splits that keep what is tested unseen."""

import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import datasets
import numpy as np
import pytest

from mmlab.datasets.emoji import (
    LANGUAGES,
    ROOT,
    TEST_STYLES,
    TRAIN_STYLES,
    VALIDATION_STYLES,
    EmojiData,
    decode_audio,
    decode_image,
)  # fmt: skip
from mmlab.types import InputError
from tests.unit.toy_emoji import UNDRAWN, make

SPLIT_OF_STYLE = {
    **dict.fromkeys(TRAIN_STYLES, "train"),
    **dict.fromkeys(VALIDATION_STYLES, "validation"),
    **{style: f"test_{place}" for place, style in TEST_STYLES.items()},
}
CONFIGS = {"things": "keywords_zh", "images": "image", "speech": "audio"}


def column(data: EmojiData, table: str, *names: str) -> list[tuple]:
    rows = getattr(data, f"{table}_table")
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


def test_about_1440_things_with_names_in_both_languages(data: EmojiData) -> None:
    assert 1400 <= len(data) <= 1500
    assert len({thing.id for thing in data.things}) == len({thing.emoji for thing in data.things}) == len(data)
    for thing in data.things:
        assert thing.name_en.strip() == thing.name_en != "" and thing.name_en.isprintable()
        assert re.search(r"[\u4e00-\u9fff]", thing.name_zh) or not re.search("[a-z]", thing.name_zh), thing
        assert thing.keywords("en") and thing.keywords("zh") and all(map(str.strip, thing.keywords("zh")))
        assert thing.group and thing.subgroup and thing.family and thing.split in ("train", "zero_shot")
        assert thing.id == "-".join(f"{ord(c):04x}" for c in thing.emoji if c != "\ufe0f")
    assert len({thing.subgroup for thing in data.things}) == 95


def test_no_flags_and_no_skin_tones(data: EmojiData) -> None:
    for thing in data.things:
        assert not re.search("[\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]", thing.emoji), thing
        assert thing.group != "flags"


def test_families_stay_whole_and_a_tenth_is_zero_shot(data: EmojiData) -> None:
    sides = defaultdict(set)
    for thing in data.things:
        sides[thing.family].add(thing.split)
    assert all(len(side) == 1 for side in sides.values())
    assert len(data.split("zero_shot")) == pytest.approx(0.1 * len(data), rel=0.1)
    assert len(data.split("train")) + len(data.split("zero_shot")) == len(data)
    assert {thing.group for thing in data.split("zero_shot")} == {thing.group for thing in data.things}


def test_every_picture_is_of_a_thing_and_stands_in_its_styles_split(data: EmojiData) -> None:
    rows = column(data, "image", "thing", "style", "split")
    assert len({row[:2] for row in rows}) == len(rows)
    assert {thing for thing, _, _ in rows} == set(data.index)
    assert {(style, split) for _, style, split in rows} == set(SPLIT_OF_STYLE.items())
    count = Counter(style for _, style, _ in rows)
    for style in ("noto", *TEST_STYLES.values()):
        assert count[style] == len(data)
    assert count["fluent_3d"] > 1400 and count["fluent_flat"] > 1400 and count["emojione"] > 1000


def test_no_thing_is_without_a_training_drawing_by_two_teams(data: EmojiData) -> None:
    teams = defaultdict(set)
    for thing, style, split in column(data, "image", "thing", "style", "split"):
        if not split.startswith("test"):
            teams[thing].add(style.split("_")[0])
    assert all(len(found) >= 2 for found in teams.values()) and len(teams) == len(data)


def test_voices_stand_on_one_side_and_the_unseen_engine_wholly_on_the_tests(data: EmojiData) -> None:
    rows = column(data, "speech", "language", "engine", "voice", "split")
    splits = defaultdict(set)
    for language, engine, voice, split in rows:
        splits[language, engine, voice].add(split)
    assert all(len(found) == 1 for found in splits.values())
    engines = defaultdict(set)
    for (language, engine, _), found in splits.items():
        engines[next(iter(found)), language].add(engine)
    assert engines["train", "en"] == engines["validation", "en"] == {"espeak", "flite"}
    assert engines["test", "en"] == {"espeak", "flite", "festival"}
    assert engines["train", "zh"] == engines["validation", "zh"] == engines["test", "zh"] == {"espeak"}


def test_every_thing_is_said_in_every_split_and_by_no_voice_twice(data: EmojiData) -> None:
    rows = column(data, "speech", "thing", "language", "engine", "voice", "split")
    assert len({row[:4] for row in rows}) == len(rows)
    said = defaultdict(set)
    for thing, language, engine, _, split in rows:
        said[split, language, engine].add(thing)
    for kind in (
        ("train", "en", "flite"),
        ("train", "en", "espeak"),
        ("train", "zh", "espeak"),
        ("validation", "en", "flite"),
    ):
        assert said[kind] == set(data.index), kind
    for engine, language in (("espeak", "en"), ("flite", "en"), ("festival", "en"), ("espeak", "zh")):
        assert len(said["test", language, engine]) >= len(data) - 5


def test_pictures_are_64_pixels_square_on_white_and_no_two_alike(data: EmojiData) -> None:
    assert len(set(data.image_table["image"].combine_chunks().field("bytes").to_pylist())) == data.image_table.num_rows
    for style in SPLIT_OF_STYLE:
        rows = data.image_table.filter(np.array(data.image_table["style"].to_pylist()) == style)
        for row in rows.take(list(range(0, len(rows), 200))).to_pylist():
            values = np.asarray(decode_image(row["image"]["bytes"]))
            assert values.shape == (64, 64, 3) and values.std() > 1
            assert (values[[0, -1]] == 255).all() and (values[:, [0, -1]] == 255).all()


def test_clips_are_short_mono_and_loud_and_differ_but_for_homophones(data: EmojiData) -> None:
    clips = data.speech_table["audio"].combine_chunks().field("bytes").to_pylist()
    said = defaultdict(set)
    for clip, text in zip(clips, data.speech_table["text"].to_pylist(), strict=True):
        said[clip].add(text)
    assert {frozenset(texts) for texts in said.values() if len(texts) > 1} <= {frozenset({"fairy", "ferry"})}
    assert len(clips) - len(said) <= 5  # that pair in five voices, and no voice says one text for two things
    for clip in clips[::400]:
        wave = decode_audio(clip)
        assert wave.ndim == 1 and wave.dtype == np.float32 and 0.2 < len(wave) / 16000 <= 3.0
        assert 0.5 < np.abs(wave).max() < 1.0


def test_a_sample_holds_what_was_asked_for(data: EmojiData) -> None:
    sample = data.sample("dog", style="openmoji", voice="rms")
    assert (sample.text, sample.key, sample.image.size) == ("dog", "1f415", (64, 64)) and len(sample.audio) > 4000
    chinese = data.sample("🐕", language="zh")
    assert chinese.text == data["1f415"].name_zh and chinese.image is None and chinese.audio is None
    assert data.sample("dog", voice="no such voice").audio is None


@pytest.mark.parametrize(("config", "rich"), CONFIGS.items())
def test_the_datasets_library_opens_each_table(config: str, rich: str, tmp_path: Path, data: EmojiData) -> None:
    table = datasets.load_dataset(str(ROOT), config, split="train", cache_dir=str(tmp_path))
    counts = {"things": len(data), "images": data.image_table.num_rows, "speech": data.speech_table.num_rows}
    assert len(table) == counts[config]
    kinds = {"image": datasets.Image, "audio": datasets.Audio, "keywords_zh": datasets.List}
    assert isinstance(table.features[rich], kinds[rich])
    if config == "images":
        assert table[0]["image"].size == (64, 64)
    if config == "speech":  # decoding needs torchcodec; the bytes are there without it
        assert len(decode_audio(table.cast_column("audio", datasets.Audio(decode=False))[0]["audio"]["bytes"])) > 3000


def test_the_sums_cover_every_file_and_the_licences_every_source() -> None:
    listed = {line.split(maxsplit=1)[1] for line in (ROOT / "SHA256SUMS").read_text("utf-8").splitlines()}
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert listed == there
    licences = " ".join(sorted(path.stem for path in (ROOT / "LICENSES").iterdir()))
    assert licences == "CLDR EmojiOne FluentEmoji Noto OpenMoji Speech Twemoji"
    assert "share-alike" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["things.parquet", "images.parquet", "speech.parquet"])
def test_a_flipped_byte_is_refused(name: str, tmp_path: Path) -> None:
    path = make(tmp_path).root / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: its bytes are not those that shipped"):
        EmojiData.load(tmp_path)


def test_a_lost_file_and_a_lost_folder_are_refused(tmp_path: Path) -> None:
    (make(tmp_path).root / "speech.parquet").unlink()
    with pytest.raises(InputError, match=r"speech.parquet: expected a file of the dataset, found none"):
        EmojiData.load(tmp_path)
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match="SHA256SUMS"):
        EmojiData.load(tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    toy = make(tmp_path)
    assert toy.image(toy.things[UNDRAWN].id, "twemoji") is None and len(toy.images("twemoji")) == len(toy) - 1
    for wrong, sentence in (
        (lambda: toy["unicorn"], "No thing has the id, emoji or name 'unicorn'"),
        (lambda: toy.images("cubist"), "the styles are emojione"),
        (lambda: toy.clips(pitch="high"), "got 'pitch'"),
        (lambda: toy.things[0].name("fr"), "names in en and zh"),
    ):
        with pytest.raises(InputError, match=re.escape(sentence)):
            wrong()
    assert [thing.name(language) for thing in toy.things[:1] for language in LANGUAGES] == ["name 0", "物0"]
