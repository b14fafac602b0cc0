"""Which emoji are in the data, and what they are called: OpenMoji's list, joined with Unicode CLDR's names."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from mmlab.datasets.build.families import family, zero_shot_families

EXCLUDED_GROUPS = {"flags", "component", "extras-openmoji", "extras-unicode"}
# "woman running" beside "person running": teams disagree on how the plain one looks.
GENDER_SIGNS = ("200d-2640", "200d-2642")
COMPOSITIONS = re.compile(r"^(family|kiss|couple with heart): ")  # 31 line-ups of the same few heads
# Told apart by their size alone, and every picture is cropped to its content: the large one of each stays.
SAME_BUT_FOR_SIZE = re.compile(r"^(black|white) (medium|medium-small|small) square$|^small (orange|blue) diamond$")
SAME_DRAWING = {"person: curly hair"}  # OpenMoji's "man: curly hair" in other bytes; equal bytes are found below
STYLE_FOLDERS = {
    "fluent_3d": "@lobehub/fluent-emoji-3d/assets",
    "fluent_flat": "@lobehub/fluent-emoji-flat/assets",
    "emojione": "emojione/assets/svg",
    "emojione_line": "emojione/assets/svg_bw",
    "twemoji": "@twemoji/svg",
    "openmoji": "openmoji/color/svg",
}
REQUIRED_STYLES = ("twemoji", "openmoji")  # the test styles, and Noto, hold every thing
COLOUR_STYLES = ("fluent_3d", "fluent_flat", "emojione")  # and at least one of these as well


def thing_id(hexcode: str) -> str:
    """Lower-case code points without the presentation selector: "2764-FE0F" -> "2764"."""
    return "-".join(part for part in hexcode.lower().split("-") if part != "fe0f")


def file_key(name: str) -> str:
    """What a drawing's file name means: teams differ in selectors, joiners and zeros ("0023-fe0f-20e3", "23-20e3")."""
    return "-".join(part.lstrip("0") or "0" for part in name.lower().split("-") if part not in ("fe0f", "200d"))


def style_files(modules: Path) -> dict[str, dict[str, Path]]:
    """For each style, the drawing of each file key."""
    found = {}
    for style, folder in STYLE_FOLDERS.items():
        paths = sorted(path for path in (modules / folder).iterdir() if path.suffix in (".svg", ".webp"))
        found[style] = {file_key(path.stem): path for path in paths}
    return found


def annotations(modules: Path, language: str) -> dict[str, dict[str, list[str]]]:
    """CLDR's short name ("tts") and keywords ("default") of each emoji, written without the presentation selector."""
    derived = modules / "cldr-annotations-derived-full/annotationsDerived" / language / "annotations.json"
    basic = modules / "cldr-annotations-full/annotations" / language / "annotations.json"
    names = dict(json.loads(derived.read_text("utf-8"))["annotationsDerived"]["annotations"])
    names.update(json.loads(basic.read_text("utf-8"))["annotations"]["annotations"])
    return {emoji.replace("\ufe0f", ""): entry for emoji, entry in names.items()}


def is_candidate(row: dict) -> bool:
    """Whether OpenMoji's row is the kind of emoji that the data wants, drawings and names aside."""
    hexcode = row["hexcode"].lower()
    return not (
        row["group"] in EXCLUDED_GROUPS
        or row["skintone"]
        or any(sign in hexcode for sign in GENDER_SIGNS)
        or COMPOSITIONS.match(row["annotation"])
        or SAME_BUT_FOR_SIZE.match(row["annotation"])
        or row["annotation"] in SAME_DRAWING
    )


def is_drawn(key: str, files: dict[str, dict[str, Path]]) -> bool:
    return all(key in files[style] for style in REQUIRED_STYLES) and any(key in files[style] for style in COLOUR_STYLES)


def without_twins(rows: Iterable[dict], files: dict[str, dict[str, Path]]) -> list[dict]:
    """Drop a thing that a test style draws byte for byte like an earlier one (OpenMoji: "student", "man student")."""
    seen, kept = set(), []
    for row in rows:
        drawings = {
            (style, hashlib.sha256(files[style][file_key(row["hexcode"])].read_bytes()).hexdigest())
            for style in REQUIRED_STYLES
        }
        if not drawings & seen:
            kept.append(row)
        seen |= drawings
    return kept


def read_things(modules: Path, *, drawable: Callable[[str], bool], seed: int) -> list[dict]:
    """The things in Unicode's order, with names, families and splits; `drawable` says whether Noto has an emoji."""
    files = style_files(modules)
    english, chinese = annotations(modules, "en"), annotations(modules, "zh")
    listed = json.loads((modules / "openmoji/data/openmoji.json").read_text("utf-8"))
    rows = [row for row in listed if is_candidate(row) and is_drawn(file_key(row["hexcode"]), files)]
    things = []
    for row in without_twins(sorted(rows, key=lambda row: row["order"]), files):
        emoji = "".join(chr(int(part, 16)) for part in row["hexcode"].split("-"))
        names = [language.get(emoji.replace("\ufe0f", ""), {}) for language in (english, chinese)]
        if not all("tts" in entry for entry in names) or not drawable(emoji):
            continue
        name = names[0]["tts"][0]
        things.append(
            {
                "id": thing_id(row["hexcode"]),
                "emoji": emoji,
                "order": row["order"],
                "name_en": name,
                "name_zh": names[1]["tts"][0],
                "keywords_en": names[0].get("default", []),
                "keywords_zh": names[1].get("default", []),
                "group": row["group"],
                "subgroup": row["subgroups"],
                "family": family(name, group=row["group"], subgroup=row["subgroups"]),
            }
        )
    held_out = zero_shot_families(things, share=0.10, largest=25, seed=seed)
    return [{**thing, "split": "zero_shot" if thing["family"] in held_out else "train"} for thing in things]
