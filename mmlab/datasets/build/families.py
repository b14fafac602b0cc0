"""Families: things so alike that a fair zero-shot test must hold out all of them or none; and the choice of that test.

The rules, first match wins:

1. faces of one subgroup (smiling, unwell, ...) are a family; a cat or monkey smiley joins the face or animal that
   it repeats;
2. hearts, clocks, moons, hands of one kind, arrows, zodiac signs, keycaps, player buttons, Japanese buttons ... are
   families;
3. people: gender, age and hair are stripped ("woman cook", "man cook" and "cook" are "cook"; every plain person is
   "person");
4. all others: the head noun of the English name within its group ("dog face", "guide dog" and "dog" are "dog").
"""

import hashlib
import math
import re
from collections import Counter

CAT_FACES = {
    "grinning cat": "face-smiling",
    "grinning cat with smiling eyes": "face-smiling",
    "cat with tears of joy": "face-smiling",
    "smiling cat with heart-eyes": "face-affection",
    "cat with wry smile": "face-neutral-skeptical",
    "kissing cat": "face-affection",
    "weary cat": "face-concerned",
    "crying cat": "face-concerned",
    "pouting cat": "face-negative",
}
WHOLE_SUBGROUPS = {
    "zodiac": "zodiac",
    "arrow": "arrow",
    "keycap": "keycap",
    "math": "mathematical sign",
    "gender": "gender sign",
    "punctuation": "punctuation",
    "av-symbol": "player button",
    "alphanum": "letter button",
    "lock": "lock",
    "family": "couple or family",
}
PEOPLE_SYNONYMS = {
    "prince": "royalty", "princess": "royalty", "with crown": "royalty",
    "merperson": "mermaid", "merman": "mermaid",
    "breast-feeding": "feeding baby",
    "in tuxedo": "wedding", "with veil": "wedding", "with headscarf": "headwear", "with skullcap": "headwear",
    "wearing turban": "headwear", "santa claus": "claus", "mrs. claus": "claus", "mx claus": "claus",
    "bust in silhouette": "bust", "busts in silhouette": "bust",
    "mountain biking": "biking",
}  # fmt: skip
SYNONYMS = {
    "glasses": "eyewear", "sunglasses": "eyewear", "goggles": "eyewear", "t-shirt": "shirt", "running shirt": "shirt",
    "speaker low volume": "speaker", "speaker medium volume": "speaker", "speaker high volume": "speaker",
    "hourglass done": "hourglass", "hourglass not done": "hourglass", "snowman without snow": "snowman",
    "automobile": "car", "oncoming automobile": "car", "taxi": "car", "oncoming taxi": "car",
    "railway car": "train", "bullet train": "train", "tram car": "tram", "trolleybus": "bus", "minibus": "bus",
    "speedboat": "boat", "motor boat": "boat", "sailboat": "boat", "motor scooter": "scooter",
    "desktop computer": "computer", "laptop": "computer", "e-mail": "envelope", "spiral notepad": "notebook",
    "restroom": "room", "potable water": "drinking water", "non-potable water": "drinking water",
    "baby chick": "chicken", "hatching chick": "chicken", "front-facing baby chick": "chicken", "blowfish": "fish",
    "ox": "cow", "water buffalo": "cow", "boar": "pig", "rat": "mouse", "ewe": "sheep", "ram": "sheep",
    "sauropod": "dinosaur", "t-rex": "dinosaur", "rosette": "flower", "blossom": "flower", "cherry blossom": "flower",
}  # fmt: skip
PERSON = re.compile(r"^(deaf )?(person|people|man|men|woman|women)\b:? ?")
CUT = re.compile(
    r" (?:with|without|of|on|in|at|behind|over|under|showing|pointed|tilted|and|or|increasing|decreasing)\b.*"
    r"|[:,].*|\(.*"
)
TAIL = re.compile(r" (?:face|button|symbol|sign|left|right|up|down|departure|arrival)$")


def singular(noun: str) -> str:
    """A plural noun without its ending; good enough to bring "books" to "book"."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if re.search(r"(?:ch|sh|ss|x)es$", noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not re.search(r"(?:ss|us|is|’s)$", noun) else noun


def head_noun(name: str) -> str:
    """The noun that says what a thing is: "guide dog" -> "dog", "sun behind small cloud" -> "sun"."""
    name = name.lower().replace("’", "'")
    if name in SYNONYMS:
        return SYNONYMS[name]
    phrase = CUT.sub("", name)
    phrase = TAIL.sub("", phrase)
    noun = singular(phrase.split()[-1])
    return SYNONYMS.get(phrase, SYNONYMS.get(noun, noun))


def people_family(name: str, *, subgroup: str) -> str:
    """What a person does, is or wears, whoever does it; plain persons of any age, hair and beard are one family."""
    if subgroup == "person":
        return "person"
    stem = PERSON.sub("", name.lower())
    stem = {"baby": "feeding baby"}.get(stem, stem)
    if name.lower().startswith(("deaf", "pregnant")):
        return name.split()[0].lower()
    return PEOPLE_SYNONYMS.get(name.lower(), PEOPLE_SYNONYMS.get(stem, stem or "person"))


def family(name: str, *, group: str, subgroup: str) -> str:
    """The family of a thing from its English name and its place in OpenMoji's groups; the rules stand above."""
    if name in CAT_FACES:
        return CAT_FACES[name]
    if subgroup.startswith(("face-", "hand-")) or subgroup == "hands":
        return subgroup
    if subgroup == "heart" or name == "heart suit":
        return "heart"
    if subgroup == "time" and re.search(r"clock$|-thirty$", name):
        return "clock"
    if subgroup == "sky-weather" and "moon" in name.split():
        return "moon"
    if name.startswith("Japanese “"):
        return "Japanese button"
    if subgroup in WHOLE_SUBGROUPS:
        return WHOLE_SUBGROUPS[subgroup]
    if "wheelchair" in name:
        return "wheelchair"
    if subgroup == "monkey-face":
        return "animals-nature/monkey"
    if name.startswith("no "):
        return "prohibition"
    if subgroup.startswith("person"):
        return people_family(name, subgroup=subgroup)
    return f"{group}/{head_noun(name)}"


def seeded(*parts: object) -> int:
    """A number that depends on nothing but its arguments: the same on every machine and in every version of Python."""
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:8], "big")


def zero_shot_families(things: list[dict], *, share: float, largest: int, seed: int) -> set[str]:
    """Whole families, drawn by hash within each group until the group has given its share.

    Families above `largest`, or above half of what their group gives, stay: the test is to hold many kinds of things.
    """
    sizes = Counter(thing["family"] for thing in things)
    home = {thing["family"]: thing["group"] for thing in reversed(things)}  # where a family's first thing stands
    totals = Counter(thing["group"] for thing in things)
    chosen: set[str] = set()
    for group in sorted(totals):
        left = math.ceil(share * totals[group])
        limit = min(largest, left // 2)
        mine = sorted((name for name in sizes if home[name] == group), key=lambda name: seeded(seed, "zero_shot", name))
        for name in mine:
            if sizes[name] <= min(left, limit):
                chosen.add(name)
                left -= sizes[name]
    return chosen
