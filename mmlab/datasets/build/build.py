"""`mmlab data build`: remake data/emoji from the named packages."""

import tempfile
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from mmlab.datasets.build import sources
from mmlab.datasets.build.card import write_card
from mmlab.datasets.build.licences import write_licences
from mmlab.datasets.build.pictures import Noto, image_rows
from mmlab.datasets.build.speech import speech_rows
from mmlab.datasets.build.things import read_things
from mmlab.datasets.build.voices import plan
from mmlab.preprocessing.fit import IMAGE_SIZE
from mmlab.types import InputError

SEED = 2024
SIZES = (16, 256)  # pixels, the least and the largest side of a picture; drawings are rendered at 256
MAX_BYTES = 39_000_000
ROWS_PER_GROUP = 200  # a reader that wants a few rows (a preview) fetches little
SUMS = "SHA256SUMS"


def schemas() -> dict[str, pa.Schema]:
    """The three tables, typed so that `datasets.load_dataset` gives pictures and sounds."""
    from datasets import Audio, Features, Image, List, Value

    string = Value("string")
    names = {name: string for name in ("id", "emoji", "name_en", "name_zh", "group", "subgroup", "family", "split")}
    keywords = {name: List(string) for name in ("keywords_en", "keywords_zh")}
    order = ("id", "emoji", "order", "name_en", "name_zh", *keywords, "group", "subgroup", "family", "split")
    things = {**names, **keywords, "order": Value("int32")}
    speech = {name: string for name in ("thing", "language", "engine", "voice", "text", "split")}
    return {
        "things": Features({name: things[name] for name in order}).arrow_schema,
        "images": Features({"thing": string, "style": string, "split": string, "image": Image()}).arrow_schema,
        "speech": Features({**speech, "audio": Audio(sampling_rate=16000)}).arrow_schema,
    }


def leaves(field: pa.Field) -> list[str]:
    """The names of a column's Parquet leaves."""
    if pa.types.is_struct(field.type):
        return [f"{field.name}.{child.name}" for child in field.type]
    return [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name]


def write_table(rows: list[dict], schema: pa.Schema, path: Path) -> None:
    """Text small (zstd, dictionaries); media as they are: compressed already, and statistics would repeat them."""
    columns = [leaf for field in schema for leaf in leaves(field)]
    text = [leaf for leaf in columns if "." not in leaf]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=schema),
        path,
        row_group_size=ROWS_PER_GROUP,
        compression={leaf: "NONE" if leaf.endswith(".bytes") else "ZSTD" for leaf in columns},
        use_dictionary=text,
        write_statistics=text,
    )


def check_size(out: Path, *, at_most: int | None) -> int:
    """The bytes of the whole dataset; raise when they are more than the repository has room for."""
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if at_most is not None and size > at_most:
        raise ValueError(
            f"The dataset may take {at_most:,} bytes and takes {size:,}; give each thing fewer voices in voices.py."
        )
    return size


def write_sums(out: Path) -> None:
    """SHA256SUMS over every other file, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n" for path in files]
    (out / SUMS).write_text("".join(lines), "utf-8")


def build(
    out: Path,
    packages: Path | None = None,
    *,
    workers: int = 2,
    seed: int = SEED,
    size: int = IMAGE_SIZE,
    say: Callable[[str], None] = print,
) -> None:
    """Write the whole dataset into `out`; `packages` is a folder with node_modules (None: npm fetches them).

    Units:   size in pixels, the side of each picture; at another size than that which ships there is no limit of bytes
    Raises:  InputError when a program, a voice, the font or a package is missing, and for a size out of SIZES;
             ValueError for too large a result
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise InputError(
            f"Pictures of {SIZES[0]} to {SIZES[1]} pixels a side can be made, got {size}; choose among these."
        )
    sources.check_programs()
    font = sources.find_font()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        modules = sources.check_packages(sources.install_packages(Path(scratch)) if packages is None else packages)
        things = read_things(modules, drawable=Noto(font).can_draw, seed=seed)
        say(f"{len(things)} things; drawing them")
        images, lacking = image_rows(things, modules, font, workers=workers, size=size)
        say(f"{len(images)} pictures (without one: {lacking}); speaking the names")
        speech, dropped = speech_rows(things, list(plan([thing["id"] for thing in things], seed=seed)), workers=workers)
        say(f"{len(speech)} clips; {len(dropped)} too long and left out: {dropped}")
        tables = {"things": things, "images": images, "speech": speech}
        for name, schema in schemas().items():
            write_table(tables[name], schema, out / f"{name}.parquet")
        write_licences(out / "LICENSES", modules, size=size)
        write_card(
            out / "README.md",
            tables,
            seconds=[soundfile.info(BytesIO(row["audio"]["bytes"])).duration for row in speech],
            dropped=dropped,
            versions=sources.versions(font),
            seed=seed,
            size=size,
        )
    write_sums(out)
    splits = Counter(thing["split"] for thing in things)
    total = check_size(out, at_most=MAX_BYTES if size == IMAGE_SIZE else None)
    say(f"{total:,} bytes in {out}; things by split: {dict(splits)}")
