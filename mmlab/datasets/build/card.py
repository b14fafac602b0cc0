"""README.md of the dataset: what it holds, how it was made, what it is good for and what not; all counts are
counted."""

from collections import Counter
from pathlib import Path

CARD = """---
pretty_name: "Emoji: drawn, named and spoken"
language: [en, zh]
license: other
license_name: several-see-licenses-folder
license_link: LICENSES
task_categories: [zero-shot-image-classification, feature-extraction, image-to-text, automatic-speech-recognition]
tags: [emoji, multimodal, synthetic-speech]
size_categories: [10K<n<100K]
configs:
  - config_name: things
    default: true
    data_files: things.parquet
  - config_name: images
    data_files: images.parquet
  - config_name: speech
    data_files: speech.parquet
---

# Emoji: drawn, named and spoken

What five design teams drew, what people call it in two languages, and how it sounds: {things} things, {images}
pictures in seven styles, {clips} spoken names. Small enough to ship with a course, and real enough to learn a joint
space of text, image and audio.

    from datasets import load_dataset
    images = load_dataset("data/emoji", "images", split="train")   # also "things" (the default) and "speech"

The Hub's format has one split called "train" in each table; the splits that count are in the column `split`. To
decode sounds, `datasets` needs torchcodec; `soundfile.read(io.BytesIO(row["audio"]["bytes"]))` needs nothing more.

## Tables

- `things.parquet`: `id` (code points in lower-case hex, without fe0f), `emoji`, `order`, `name_en`, `name_zh`,
  `keywords_en`, `keywords_zh`, `group`, `subgroup`, `family`, `split` (`train` or `zero_shot`)
- `images.parquet`: `thing`, `style`, `split`, `image` ({size}x{size} RGB, lossless WebP)
- `speech.parquet`: `thing`, `language` (`en`, `zh`), `engine`, `voice`, `text` (what the engine was given to say),
  `split`, `audio` (16 kHz mono, Ogg Opus at about 10 kbit/s)

### Things

{things} emoji from OpenMoji's list, named in Unicode CLDR in both languages, drawn by Noto, Twemoji and OpenMoji and by
at least one of Fluent and EmojiOne. Left out: flags; skin tones; the signed gender variants ("woman running" beside
"person running": teams disagree on how the plain one looks; roles such as "woman cook" stay); line-ups of families and
couples; squares and diamonds that differ in size alone; a thing that OpenMoji or Twemoji draws exactly like another.

{thing_table}

**Zero-shot.** {zero_shot} things in {zero_families} families are `zero_shot` and are to be trained on in no
modality. Things that are variants of each other (people by gender, hair or age; hearts; clocks; moons; colours of
one shape; "dog face" and "dog") are one family and stay on one side. Families are drawn by a seeded hash (seed
{seed}) within each group; none of more than 25 things, and none that would be more than half of its group's share.

### Styles

| style | made by | split | pictures | MB | licence |
|---|---|---|---|---|---|
{style_rows}

`train` is for training; `validation` is held out while a recipe is tuned and trained on afterwards; `test_near`
(drawn much like the others) and `test_far` (outlined line drawings) are never trained on. Both Fluent styles are
Microsoft's and on one side. A picture that a style uses for several things (line drawings of hearts that differ in
colour) is left out of that style. Pictures are cropped to the drawing, centred in a white square with 2 pixels of
margin, and rounded to 64 levels a channel.

### Voices

| language | engine | voice | split | clips | hours | MB |
|---|---|---|---|---|---|---|
{voice_rows}

Each training thing is said by two of the eight English espeak-ng voices and by two of the six Chinese ones, in
turn by a seeded hash; the festival voices take turns likewise. Silence is trimmed to 20 ms, the peak is 0.7, no clip
is longer than 3.0 s ({dropped} that would have been longer are missing).
The whole band up to 8 kHz is kept. `zero_shot` things have clips in all splits; a model that is to be tested on
them must leave out their training clips too.

## Limits

- The voices are synthetic and the pictures are drawings. What learns from them has met neither people nor photographs.
- The names are the same strings in training and in test: what is tested is the drawing and the voice, not new words
  for a thing.
- The festival voice `cmu_us_slt_arctic_hts` and the flite voice `slt` come from one person's recordings by two
  methods of synthesis: for it, the engine is new in the test, the speaker is not. `ked_diphone` is new in both.
- espeak-ng's Chinese is intelligible, not natural. Names with Latin letters ("OK") are read as in English; in about a
  dozen names (斑马, 玫瑰, 鹦鹉 ...) it says a syllable twice.
- Names are CLDR's: some describe the drawing more than the thing ("face with tears of joy"), and some differ by
  country.
- A few things look nearly alike within a style ("new moon" and "black circle", "full moon" and "yellow circle" in
  OpenMoji).

## How it was made, and how to make it again

    mmlab data build

fetches the npm packages below, draws with them and with the Debian font, and runs the Debian speech programs. The same
versions give the same files, byte for byte; another release of a codec gives the same pictures, and sounds within its
tolerance. `sha256sum -c SHA256SUMS` checks the files.

{version_rows}

## Licences

Several, by part: see `LICENSES/`. **Share-alike: the pictures of style `openmoji`** (and OpenMoji's grouping of the
things) are CC BY-SA 4.0. Whoever passes on other parts needs to keep the attributions of those parts. """

STYLE_NOTES = {
    "noto": ("Google", "OFL-1.1"),
    "fluent_3d": ("Microsoft", "MIT"),
    "fluent_flat": ("Microsoft", "MIT"),
    "emojione": ("EmojiOne 2", "CC BY 4.0"),
    "emojione_line": ("EmojiOne 2, black and white", "CC BY 4.0"),
    "twemoji": ("Twitter and contributors", "CC BY 4.0"),
    "openmoji": ("OpenMoji", "CC BY-SA 4.0 (share-alike)"),
}


def megabytes(rows: list[dict], column: str) -> str:
    return f"{sum(len(row[column]['bytes']) for row in rows) / 1e6:.2f}"


def style_rows(images: list[dict]) -> str:
    lines = []
    for style, (team, licence) in STYLE_NOTES.items():
        rows = [row for row in images if row["style"] == style]
        lines.append(
            f"| {style} | {team} | {rows[0]['split']} | {len(rows)} | {megabytes(rows, 'image')} | {licence} |"
        )
    return "\n".join(lines)


def voice_rows(speech: list[dict], seconds: list[float]) -> str:
    columns = ("language", "engine", "voice", "split")
    keys = [tuple(row[name] for name in columns) for row in speech]
    time: Counter = Counter()
    for key, length in zip(keys, seconds, strict=True):
        time[key] += length
    rank = {"train": 0, "validation": 1, "test": 2}
    lines = []
    for key in sorted(time, key=lambda key: (key[0], rank[key[3]], key[1:])):
        rows = [row for row, other in zip(speech, keys, strict=True) if other == key]
        lines.append(f"| {' | '.join(key)} | {len(rows)} | {time[key] / 3600:.2f} | {megabytes(rows, 'audio')} |")
    return "\n".join(lines)


def thing_table(things: list[dict]) -> str:
    train = Counter(thing["group"] for thing in things if thing["split"] == "train")
    zero = Counter(thing["group"] for thing in things if thing["split"] == "zero_shot")
    lines = ["| group | train | zero_shot |", "|---|---|---|"]
    groups = dict.fromkeys(thing["group"] for thing in things)
    return "\n".join(lines + [f"| {group} | {train[group]} | {zero[group]} |" for group in groups])


def write_card(
    path: Path,
    tables: dict[str, list[dict]],
    *,
    seconds: list[float],
    dropped: list[str],
    versions: dict[str, str],
    seed: int,
    size: int,
) -> None:
    """The dataset card; `seconds` are the lengths of the clips, `dropped` the names that took too long."""
    things = tables["things"]
    zero = [thing for thing in things if thing["split"] == "zero_shot"]
    path.write_text(
        CARD.format(
            things=f"{len(things):,}",
            images=f"{len(tables['images']):,}",
            clips=f"{len(tables['speech']):,}",
            zero_shot=len(zero),
            zero_families=len({thing["family"] for thing in zero}),
            seed=seed,
            size=size,
            thing_table=thing_table(things),
            style_rows=style_rows(tables["images"]),
            voice_rows=voice_rows(tables["speech"], seconds),
            dropped=len(dropped),
            version_rows="\n".join(f"- {name} {version}" for name, version in versions.items()),
        ),
        "utf-8",
    )
