"""How `mmlab-sans-sc.otf` was made: a subset of Noto Sans CJK SC (Debian package fonts-noto-cjk), renamed.

    python -m mmlab.assets.build_font NotoSansCJK-Regular.ttc mmlab/assets/mmlab-sans-sc.otf

The subset holds Latin and Greek letters, the signs of a formula, Chinese punctuation, the 3,755 common characters of
GB 2312 (level 1) and every Chinese character that occurs in a name or keyword of the data, in a lesson or in the package.
Latin is in it because matplotlib draws a text that holds a formula with the first family alone, without fallback. Hinting
and layout tables are dropped, and outlines rounded to a grid of UNITS: matplotlib draws at sizes where these change nothing
that a reader sees. Strokes that many characters share are then stored once.
"""

import sys
from pathlib import Path

import cffsubr
from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from pyarrow import parquet

ROOT = Path(__file__).parents[2]
FAMILY = "mmlab Sans SC"
FACE = "Noto Sans CJK SC"
UNITS = 500  # to the em: 30 and more to a pixel of a figure
KEEP_NAMES = {0, 13, 14}  # copyright, licence, licence address
LATIN_AND_GREEK = [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x391, 0x3CA)]
PINYIN = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
SIGNS = "−×÷±≈≠≤≥∞∑∏√∂∇∈∉∩∪→←↑↓↔⇒∀∃∅⊕⊗⊙‖•′″‰€°"
PUNCTUATION = "·—‘’“”…、。〃〈〉《》「」『』【】〔〕〖〗〜・￥！＂＃％＆＇（）＊＋，－．／：；＜＝＞？＠［＼］｛｜｝～"


def gb2312_level_1() -> set[str]:
    """The 3,755 most common simplified characters: rows 16 to 55 of GB 2312."""
    cells = (bytes([row + 0xA0, cell + 0xA0]) for row in range(16, 56) for cell in range(1, 95))
    return {character for code in cells for character in code.decode("gb2312", errors="ignore")}


def characters() -> set[str]:
    """Every character that the font must be able to draw."""
    things = parquet.read_table(ROOT / "data" / "emoji" / "things.parquet", columns=["name_zh", "keywords_zh"])
    texts = [text for row in things.to_pylist() for text in (row["name_zh"], *row["keywords_zh"])]
    for kind in ("mmlab/**/*.py", "notebooks/*.ipynb"):
        texts += [path.read_text("utf-8") for path in sorted(ROOT.glob(kind))]
    chinese = {c for text in texts for c in text if "\u4e00" <= c <= "\u9fff"}
    return set(map(chr, LATIN_AND_GREEK)) | set(PINYIN + SIGNS + PUNCTUATION) | gb2312_level_1() | chinese


def rename(font: TTFont) -> None:
    """Gives the subset its own name, as the Open Font License asks of a modified version; keeps the licence entries."""
    names = font["name"]
    names.names = [record for record in names.names if record.nameID in KEEP_NAMES]
    postscript = FAMILY.replace(" ", "")
    entries = {1: FAMILY, 2: "Regular", 3: f"{postscript};1.0", 4: FAMILY, 5: "Version 1.0", 6: postscript}
    for name_id, value in entries.items():
        names.setName(value, name_id, 3, 1, 0x409)  # Windows, Unicode, English
    top = font["CFF "].cff
    top.fontNames = [postscript]
    top.topDictIndex[0].FullName = top.topDictIndex[0].FamilyName = FAMILY


def build(collection: Path, out: Path) -> int:
    """Writes the subset and returns how many characters it draws."""
    font = next(f for f in TTCollection(collection).fonts if f["name"].getDebugName(1) == FACE)
    options = subset.Options(
        hinting=False, layout_features=[], desubroutinize=False, notdef_outline=True, glyph_names=False, name_IDs=["*"]
    )
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted(map(ord, characters())))
    subsetter.subset(font)
    scale_upem(font, UNITS)
    rename(font)
    cffsubr.subroutinize(font, keep_glyph_names=False)
    font["head"].modified = font["head"].created  # the same bytes whenever it is made
    font.recalcTimestamp = False
    font.save(out)
    return len(font.getBestCmap())


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    print(f"{target}: {build(source, target)} characters, {target.stat().st_size / 1e6:.2f} MB")
