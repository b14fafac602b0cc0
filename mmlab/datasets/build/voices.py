"""Who says what: the voices, and the plan that gives each thing its clips in each split."""

from collections.abc import Iterator
from dataclasses import dataclass

from mmlab.datasets.build.families import seeded


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker; `options` select it: command-line options, or festival's command."""

    language: str
    engine: str
    name: str
    options: tuple[str, ...]


def _espeak(language: str, name: str, *, pitch: int, speed: int) -> Voice:
    # Plain "cmn" of espeak-ng 1.51 reads a character's pinyin as English, tone digit and all ("ya one, zi five").
    variant = name.replace("cmn", "cmn-latn-pinyin")
    return Voice(language, "espeak", name, ("-v", variant, "-p", str(pitch), "-s", str(speed)))


# Eight and six speakers as unlike as espeak-ng allows: two accents, men, women, another synthesiser, pitch and speed.
ENGLISH_POOL = (
    _espeak("en", "en-us+m1", pitch=50, speed=165),
    _espeak("en", "en-us+f2", pitch=55, speed=175),
    _espeak("en", "en-gb+m3", pitch=40, speed=150),
    _espeak("en", "en-gb+f4", pitch=60, speed=160),
    _espeak("en", "en-us+klatt2", pitch=45, speed=170),
    _espeak("en", "en-gb+Annie", pitch=50, speed=180),
    _espeak("en", "en-us+Andy", pitch=35, speed=155),
    _espeak("en", "en-us+steph", pitch=45, speed=165),
)
CHINESE_POOL = (
    _espeak("zh", "cmn+m1", pitch=50, speed=165),
    _espeak("zh", "cmn+f2", pitch=55, speed=175),
    _espeak("zh", "cmn+m3", pitch=40, speed=150),
    _espeak("zh", "cmn+klatt2", pitch=45, speed=165),
    _espeak("zh", "cmn+Annie", pitch=50, speed=175),
    _espeak("zh", "cmn+Andy", pitch=35, speed=155),
)
ENGLISH_VALIDATION = _espeak("en", "en-us+linda", pitch=50, speed=165)
CHINESE_VALIDATION = _espeak("zh", "cmn+linda", pitch=50, speed=165)
ENGLISH_TEST = _espeak("en", "en-us+f3", pitch=50, speed=165)
CHINESE_TEST = _espeak("zh", "cmn+f3", pitch=50, speed=165)
FLITE = {name: Voice("en", "flite", name, ("-voice", name)) for name in ("kal16", "slt", "awb", "rms")}
FESTIVAL = tuple(Voice("en", "festival", name, (f"voice_{name}",)) for name in ("ked_diphone", "cmu_us_slt_arctic_hts"))
VALIDATION_EVERY = 3  # the espeak-ng voices for validation say one thing in so many, the same things in both languages


def two_of(rank: int, size: int) -> tuple[int, int]:
    """Two different numbers below `size`: as the rank runs on, each number comes equally often, in all combinations."""
    first = rank % size
    return first, (first + 1 + (rank // size) % (size - 1)) % size


def plan(ids: list[str], *, seed: int) -> Iterator[tuple[str, Voice, str]]:
    """Every (thing, voice, split) to be spoken; the voices of a thing follow from hashes of the ids and the seed."""
    ranks = {}
    for draw in ("english", "chinese", "validation", "festival"):
        for rank, thing in enumerate(sorted(ids, key=lambda thing: seeded(seed, draw, thing))):
            ranks[draw, thing] = rank
    for thing in ids:
        for index in two_of(ranks["english", thing], len(ENGLISH_POOL)):
            yield thing, ENGLISH_POOL[index], "train"
        yield thing, FLITE["kal16"], "train"
        yield thing, FLITE["slt"], "train"
        for index in two_of(ranks["chinese", thing], len(CHINESE_POOL)):
            yield thing, CHINESE_POOL[index], "train"
        yield thing, FLITE["awb"], "validation"
        if ranks["validation", thing] % VALIDATION_EVERY == 0:
            yield thing, ENGLISH_VALIDATION, "validation"
            yield thing, CHINESE_VALIDATION, "validation"
        yield thing, ENGLISH_TEST, "test"
        yield thing, FLITE["rms"], "test"
        yield thing, FESTIVAL[ranks["festival", thing] % 2], "test"
        yield thing, CHINESE_TEST, "test"
