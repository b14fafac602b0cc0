"""The parts of the dataset builder that need no program and no network: families, splits, plan, pictures, Opus."""

import io
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mmlab.datasets.build.build import build
from mmlab.datasets.build.families import family, head_noun, zero_shot_families
from mmlab.datasets.build.licences import write_licences
from mmlab.datasets.build.opus import SAMPLE_RATE, canonical, encode_opus
from mmlab.datasets.build.pictures import read_drawing, render_style, round_colours, square
from mmlab.datasets.build.speech import PEAK, spoken_form, trim
from mmlab.datasets.build.things import STYLE_FOLDERS, file_key, is_candidate, thing_id
from mmlab.datasets.build.voices import CHINESE_POOL, ENGLISH_POOL, plan, two_of
from mmlab.datasets.emoji import ROOT, decode_image
from mmlab.preprocessing.fit import IMAGE_SIZE, MARGIN, fit_image
from mmlab.types import InputError

SAME_FAMILY = [
    ("people-body", "person-role", ["cook", "man cook", "woman cook"]),
    ("people-body", "person", ["person", "man: bald", "woman: red hair", "child"]),
    ("people-body", "person-activity", ["woman dancing", "man dancing", "person dancing"]),
    ("people-body", "person-role", ["pregnant woman", "pregnant man", "pregnant person"]),
    ("animals-nature", "animal-mammal", ["dog", "dog face", "guide dog"]),
    ("smileys-emotion", "heart", ["red heart", "broken heart", "love letter"]),
    ("travel-places", "time", ["one o’clock", "one-thirty", "alarm clock"]),
    ("travel-places", "sky-weather", ["new moon", "full moon face", "waxing crescent moon"]),
    ("travel-places", "sky-weather", ["sun", "sun with face", "sun behind small cloud"]),
    ("travel-places", "transport-ground", ["taxi", "oncoming taxi", "police car", "automobile"]),
    ("symbols", "geometric", ["red circle", "white circle", "hollow red circle"]),
    ("symbols", "alphanum", ["Japanese “here” button", "Japanese “secret” button"]),
    ("symbols", "arrow", ["up arrow", "TOP arrow"]),
    ("objects", "book-paper", ["closed book", "green book", "books"]),
]


@pytest.mark.parametrize(("group", "subgroup", "names"), SAME_FAMILY)
def test_variants_are_one_family(group: str, subgroup: str, names: list[str]) -> None:
    assert len({family(name, group=group, subgroup=subgroup) for name in names}) == 1


def test_a_cat_smiley_joins_the_face_it_repeats() -> None:
    cat = family("crying cat", group="smileys-emotion", subgroup="cat-face")
    assert cat == family("crying face", group="smileys-emotion", subgroup="face-concerned")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("animals-nature", "animal-mammal", "dog"), ("food-drink", "food-prepared", "hot dog")),
        (("animals-nature", "animal-mammal", "cat"), ("animals-nature", "animal-mammal", "tiger")),
        (("people-body", "person-role", "cook"), ("people-body", "person-role", "judge")),
        (("animals-nature", "animal-mammal", "mouse"), ("objects", "computer", "computer mouse")),
    ],
)
def test_different_things_are_not(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    names = [family(name, group=group, subgroup=subgroup) for group, subgroup, name in (first, second)]
    assert names[0] != names[1]


@pytest.mark.parametrize(
    ("name", "noun"), [("books", "book"), ("cherries", "cherry"), ("glass", "glass"), ("bus", "bus")]
)
def test_head_noun_is_singular(name: str, noun: str) -> None:
    assert head_noun(name) == noun


def _things() -> list[dict]:
    """Two groups of families of one to thirty members."""
    return [
        {"id": f"{group}{size}{member}", "group": group, "family": f"{group}/{size}", "split": ""}
        for group in ("animals", "tools")
        for size in range(1, 31)
        for member in range(size)
    ]


def test_zero_shot_takes_whole_small_families_of_every_group() -> None:
    things = _things()
    chosen = zero_shot_families(things, share=0.10, largest=25, seed=1)
    sizes = Counter(thing["family"] for thing in things)
    held = Counter(thing["group"] for thing in things if thing["family"] in chosen)
    totals = Counter(thing["group"] for thing in things)
    assert max(sizes[name] for name in chosen) <= 25
    assert all(0.05 <= held[group] / totals[group] <= 0.11 for group in totals)
    assert chosen == zero_shot_families(things[::-1], share=0.10, largest=25, seed=1)
    assert chosen != zero_shot_families(things, share=0.10, largest=25, seed=2)


@pytest.mark.parametrize(
    ("hexcode", "identity", "key"),
    [
        ("2764-FE0F", "2764", "2764"),
        ("0023-FE0F-20E3", "0023-20e3", "23-20e3"),
        ("1F9D1-200D-1F373", "1f9d1-200d-1f373", "1f9d1-1f373"),
    ],
)
def test_ids_and_file_keys(hexcode: str, identity: str, key: str) -> None:
    assert thing_id(hexcode) == identity
    assert file_key(hexcode) == file_key(identity) == key


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({"group": "flags"}, False),
        ({"skintone": 3}, False),
        ({"hexcode": "1F3C3-200D-2640-FE0F"}, False),
        ({"annotation": "family: man, woman, boy"}, False),
        ({"annotation": "family"}, True),
        ({"annotation": "white small square"}, False),
    ],
)
def test_candidates(change: dict, wanted: bool) -> None:
    row = {"hexcode": "1F415", "group": "animals-nature", "skintone": "", "annotation": "dog"}
    assert is_candidate({**row, **change}) is wanted


def test_the_plan_is_even_and_keeps_test_voices_out_of_training() -> None:
    ids = [f"{number:x}" for number in range(168)]
    jobs = list(plan(ids, seed=1))
    splits = defaultdict(set)
    uses = Counter()
    for thing, voice, split in jobs:
        splits[voice].add(split)
        uses[voice] += 1
        assert thing in ids
    assert all(len(found) == 1 for found in splits.values())
    assert len(jobs) == len(set((thing, voice) for thing, voice, _ in jobs))
    assert all(uses[voice] == 168 * 2 // len(ENGLISH_POOL) for voice in ENGLISH_POOL)
    assert all(uses[voice] == 168 * 2 // len(CHINESE_POOL) for voice in CHINESE_POOL)
    assert jobs == list(plan(ids, seed=1))


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_two_of_gives_two_different_numbers(rank: int, size: int) -> None:
    first, second = two_of(rank, size)
    assert first != second and min(first, second) >= 0 and max(first, second) < size


def test_spoken_forms_are_plain() -> None:
    assert spoken_form("Japanese “here” button", language="en") == "Japanese here button"
    assert spoken_form("twelve o’clock", language="en") == "twelve o'clock"
    assert spoken_form("piñata", language="en").isascii()
    assert spoken_form("日文的“这里”按钮", language="zh") == "日文的这里按钮"


def test_rounding_colours_twice_changes_nothing() -> None:
    every = Image.fromarray(np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
    once = np.asarray(round_colours(every))
    assert len(np.unique(once)) == 64
    assert np.abs(once.astype(int) - np.asarray(every)).max() <= 2
    assert (np.asarray(round_colours(Image.fromarray(once))) == once).all()
    assert once.min() == 0 and once.max() == 255


def _drawing(mode: str, ground: str | tuple[int, ...]) -> Image.Image:
    picture = Image.new(mode, (300, 200), ground)
    ImageDraw.Draw(picture).rectangle((40, 60, 239, 159), fill="red")
    return picture


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Folders as npm leaves them, with three drawings of one team and the licences that are copied."""
    for folder in STYLE_FOLDERS.values():
        (tmp_path / folder).mkdir(parents=True)
    for name, width, speck in (("1f34e", 220, 130), ("1f34f", 140, 130), ("1f350", 140, 84)):
        drawing = Image.new("RGBA", (256, 256))
        ImageDraw.Draw(drawing).ellipse((20, 20, 20 + width, 240), fill=(130, 130, 130))
        drawing.putpixel((90, 130), (speck, speck, speck, 255))  # too small a difference for 64 pixels a side
        drawing.save(tmp_path / STYLE_FOLDERS["fluent_3d"] / f"{name}.webp", lossless=True)
    for path in ("emojione/LICENSE.md", "openmoji/LICENSE.txt", "cldr-annotations-full/LICENSE"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("as they say")
    return tmp_path


def test_another_size_holds_the_same_pictures(modules: Path) -> None:
    things = [{"id": name} for name in ("1f34e", "1f34f", "1f350", "1f351")]  # the second two alike, the last not drawn
    small, large = (render_style("fluent_3d", things, modules, Path(), size) for size in (IMAGE_SIZE, 128))
    for pictures, side in ((small, 64), (large, 128)):
        assert [picture is not None for picture in pictures] == [True, False, False, False]
        assert decode_image(pictures[0]).size == (side, side)
    apart = np.abs(np.asarray(decode_image(large[0]).resize((64, 64)), float) - np.asarray(decode_image(small[0])))
    assert apart.mean() < 12
    one, other = (read_drawing(modules / STYLE_FOLDERS["fluent_3d"] / f"{name}.webp") for name in ("1f34f", "1f350"))
    assert square(one, 64) == square(other, 64) and square(one, 128) != square(other, 128)


def test_the_licences_say_the_size_and_otherwise_what_ships(modules: Path, tmp_path: Path) -> None:
    for size in (IMAGE_SIZE, 128):
        write_licences(tmp_path / str(size), modules, size=size)
    shipped = (ROOT / "LICENSES" / "Twemoji.txt").read_text("utf-8")
    assert (tmp_path / "64" / "Twemoji.txt").read_text("utf-8") == shipped
    assert (tmp_path / "128" / "Twemoji.txt").read_text("utf-8") == shipped.replace("64x64", "128x128") != shipped


@pytest.mark.parametrize("size", [15, 257])
def test_a_size_that_no_drawing_has_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(InputError, match=f"16 to 256 pixels a side can be made, got {size}"):
        build(tmp_path / "out", tmp_path, size=size)
    assert not (tmp_path / "out").exists()


def test_fit_crops_centres_and_keeps_the_shape() -> None:
    fitted = fit_image(_drawing("RGB", "white"))
    assert fitted.size == (IMAGE_SIZE, IMAGE_SIZE) and fitted.mode == "RGB"
    red = np.asarray(fitted)[:, :, 1] < 128
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    assert (columns[0], columns[-1]) == (MARGIN, IMAGE_SIZE - MARGIN - 1)
    assert abs(len(columns) - 2 * len(rows)) <= 2  # the drawing is 200 x 100
    assert abs(rows[0] + rows[-1] - (IMAGE_SIZE - 1)) <= 1


def test_fit_treats_transparency_as_white() -> None:
    clear = fit_image(_drawing("RGBA", (0, 0, 0, 0)))
    assert (np.asarray(clear) == np.asarray(fit_image(_drawing("RGB", "white")))).all()


def test_fit_keeps_photographs_whole_and_white_white() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 200, (100, 100, 3), dtype=np.uint8))
    inner = np.asarray(fit_image(noise))[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert (inner < 255).all()
    assert (np.asarray(fit_image(Image.new("RGB", (30, 50), "white"))) == 255).all()


def test_trim_leaves_twenty_milliseconds_and_the_peak() -> None:
    quiet = np.zeros(SAMPLE_RATE)
    tone = 0.1 * np.sin(np.arange(SAMPLE_RATE // 2) * 0.3)
    cut = trim(np.concatenate([quiet, tone, quiet]))
    assert len(tone) <= len(cut) <= len(tone) + SAMPLE_RATE // 16
    assert np.abs(cut).max() == pytest.approx(PEAK, abs=1e-6)
    with pytest.raises(ValueError, match="silence"):
        trim(quiet)


def test_opus_loses_its_padding_and_nothing_else() -> None:
    tone = (0.5 * np.sin(np.arange(SAMPLE_RATE) * 0.1)).astype(np.float32)
    buffer = io.BytesIO()
    soundfile.write(buffer, tone, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=0.985)
    long, short = buffer.getvalue(), canonical(buffer.getvalue())
    assert len(short) < len(long) - 500
    before, after = (soundfile.read(io.BytesIO(data))[0] for data in (long, short))
    assert (before == after).all() and len(after) == len(tone)
    assert encode_opus(tone) == encode_opus(tone) == canonical(encode_opus(tone))
    with pytest.raises(ValueError, match="Ogg"):
        canonical(b"RIFF" + bytes(40))
