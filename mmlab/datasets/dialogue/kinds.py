"""What kind of thing is it? Unicode's subgroups gathered under names that a person would answer with."""

from collections.abc import Mapping
from dataclasses import dataclass

from mmlab.datasets.emoji import Thing


@dataclass(frozen=True)
class Kind:
    """A kind: its name in both languages, the English one with its article as well, and the subgroups it holds."""

    en: str
    a: str
    zh: str
    subgroups: tuple[str, ...]

    def name(self, language: str) -> str:
        return self.en if language == "en" else self.zh

    def word(self, language: str) -> str:
        """As it stands in "Is it an animal?"."""
        return self.a if language == "en" else self.zh


KINDS: Mapping[str, Kind] = {
    kind.en: kind
    for kind in (
        Kind("face", "a face", "脸", (
            "face-smiling", "face-affection", "face-tongue", "face-hand", "face-neutral-skeptical", "face-sleepy",
            "face-unwell", "face-hat", "face-glasses", "face-concerned", "face-negative", "face-costume", "cat-face",
            "monkey-face")),
        Kind("heart", "a heart", "爱心", ("heart",)),
        Kind("gesture", "a gesture", "手势", (
            "hand-fingers-open", "hand-fingers-partial", "hand-single-finger", "hand-fingers-closed", "hands",
            "hand-prop")),
        Kind("body part", "a body part", "身体部位", ("body-parts",)),
        Kind("person", "a person", "人物", (
            "person", "person-gesture", "person-role", "person-fantasy", "person-activity", "person-sport",
            "person-resting", "family")),
        Kind("animal", "an animal", "动物", (
            "animal-mammal", "animal-bird", "animal-amphibian", "animal-reptile", "animal-marine", "animal-bug")),
        Kind("plant", "a plant", "植物", ("plant-flower", "plant-other")),
        Kind("fruit", "a fruit", "水果", ("food-fruit",)),
        Kind("vegetable", "a vegetable", "蔬菜", ("food-vegetable",)),
        Kind("dish", "a dish", "菜肴", ("food-prepared", "food-asian")),
        Kind("dessert", "a dessert", "甜点", ("food-sweet",)),
        Kind("drink", "a drink", "饮料", ("drink",)),
        Kind("tableware", "tableware", "餐具", ("dishware",)),
        Kind("building", "a building", "建筑", ("place-building", "place-religious")),
        Kind("landscape", "a landscape", "风景", ("place-geographic",)),
        Kind("vehicle", "a vehicle", "交通工具", ("transport-ground", "transport-water", "transport-air")),
        Kind("sky or weather", "sky or weather", "天空或天气", ("sky-weather",)),
        Kind("clock", "a clock", "钟表", ("time",)),
        Kind("sport", "a sport", "体育", ("sport",)),
        Kind("game", "a game", "游戏", ("game",)),
        Kind("festivity", "a festivity", "节庆", ("event",)),
        Kind("clothing", "clothing", "服饰", ("clothing",)),
        Kind("musical instrument", "a musical instrument", "乐器", ("musical-instrument",)),
        Kind("device", "a device", "电器", ("computer", "phone", "light-video")),
        Kind("book or paper", "a book or paper", "书本", ("book-paper",)),
        Kind("office supply", "an office supply", "办公用品", ("office", "writing", "mail")),
        Kind("money", "money", "钱", ("money",)),
        Kind("household item", "a household item", "家居用品", ("household",)),
        Kind("tool", "a tool", "工具", ("tool",)),
        Kind("arrow", "an arrow", "箭头", ("arrow",)),
        Kind("sign", "a sign", "标志牌", ("transport-sign", "warning")),
        Kind("zodiac sign", "a zodiac sign", "星座", ("zodiac",)),
        Kind("shape", "a shape", "图形", ("geometric",)),
        Kind("button", "a button", "按钮", ("av-symbol", "keycap", "alphanum")),
        Kind("symbol", "a symbol", "符号", ("other-symbol", "punctuation", "religion", "math", "currency", "gender")),
    )
}  # fmt: skip

# In a subgroup above, but not what its kind says: nobody is asked about their kind.
NEITHER = frozenset({
    "love letter", "brick", "rock", "wood", "building construction", "Statue of Liberty", "map of Japan", "anchor",
    "ring buoy", "seat", "parachute", "bus stop", "motorway", "railway track", "oil drum", "fuel pump", "wheel",
    "police car light", "horizontal traffic light", "vertical traffic light", "stop sign", "construction", "station",
    "tram car", "airplane departure", "airplane arrival", "umbrella on ground", "umbrella", "closed umbrella",
    "umbrella with rain drops", "snowman", "snowman without snow", "fire", "droplet", "water wave", "jar",
    "kitchen knife", "baby bottle", "hourglass done", "hourglass not done", "military medal", "candle",
    "magnifying glass tilted left", "magnifying glass tilted right", "light bulb", "flashlight",
    "red paper lantern", "diya lamp", "battery", "low battery", "electric plug", "abacus", "computer disk",
    "floppy disk", "optical disk", "dvd", "film frames", "dagger", "crossed swords", "bomb", "bow and arrow",
    "shield", "chains", "white cane", "link", "toolbox", "name badge", "vulcan salute",
    "eyes", "footprints", "dragon", "dragon face", "paw prints", "spider web", "feather", "wing", "nest with eggs",
    "empty nest", "spiral shell", "microbe", "T-Rex", "sauropod", "crystal ball", "magic wand", "nazar amulet",
    "slot machine", "ice", "beverage box", "mate", "pile of poo", "spade suit",
    "club suit", "diamond suit", "heart suit", "joker", "flower playing cards", "admission tickets", "ticket",
    "lipstick", "prayer beads", "hair pick", "ring", "gem stone", "folding hand fan", "wedding", "kaaba", "satellite",
    "manual wheelchair", "motorized wheelchair", "camping", "speaking head", "bouquet",
    "rosette", "white flower", "wilted flower", "potted plant", "tanabata tree",
    "pine decoration", "ballot box with ballot", "file cabinet", "wastebasket", "chart increasing with yen",
    "credit card", "receipt", "chart increasing", "chart decreasing", "bar chart", "carp streamer",
    "skull", "skull and crossbones", "ghost", "alien", "alien monster", "robot", "ogre", "goblin", "clown face",
    "barber pole", "razor", "cloud with lightning", "butter", "salt", "canned food", "honey pot",
    "Japanese post office", "compass", "thermometer", "milky way", "sunrise",
})  # fmt: skip


def kind_of(thing: Thing) -> str | None:
    """The kind of a thing, or None where no name of a kind would fit."""
    if thing.name_en in NEITHER:
        return None
    return next((name for name, kind in KINDS.items() if thing.subgroup in kind.subgroups), None)
