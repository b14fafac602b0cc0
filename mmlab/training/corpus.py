"""The training rows of the dataset, decoded once and held as flat tensors; `draw` makes the batch of a given step."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmlab.datasets.emoji import (
    LANGUAGES,
    TRAIN_STYLES,
    VALIDATION_STYLES,
    EmojiData,
    Thing,
    decode_audio,
    decode_image,
)

TEAMS = {
    "noto": "noto",
    "fluent_3d": "fluent",
    "fluent_flat": "fluent",
    "emojione": "emojione",
    "emojione_line": "emojione",
}
LONGEST = 33_600  # samples, 2.1 s: 97 % of the clips are shorter, and every batch is padded to its longest
TEMPLATES = {
    "en": ("a {}", "the {}", "a picture of {}", "the sound of {}", "this is {}", "{}!"),
    "zh": ("一个{}", "这是{}", "{}的图片", "{}的声音", "看，{}", "{}！"),
}


@dataclass(frozen=True)
class Draw:
    """One step's raw material: the same `batch` things in every view.

    Shape:  texts: one list of strings per language; pictures (2, batch, 3, 64, 64); sound (batch, samples) with mask;
            flippable (batch,); things (batch,) positions in the corpus
    """

    texts: dict[str, list[str]]
    pictures: Float[Tensor, "two batch 3 height width"]
    sound: Float[Tensor, "batch samples"]
    sound_mask: Bool[Tensor, "batch samples"]
    flippable: Bool[Tensor, " batch"]
    things: Int[Tensor, " batch"]


class Corpus:
    """Everything that may be trained on. Batches depend on (seed, step) alone, so that a resumed run draws the same.

    Units:   pictures uint8; sounds int16 at 16 kHz
    """

    def __init__(
        self,
        things: Sequence[Thing],
        *,
        pictures: Iterable[tuple[str, str, bytes]],
        clips: Iterable[tuple[str, str, str, bytes]],
    ) -> None:
        self.things = list(things)
        place = {thing.id: i for i, thing in enumerate(self.things)}
        drawn = [(place[thing], style, data) for thing, style, data in pictures if thing in place]
        spoken = [(place[thing], language, voice, data) for thing, language, voice, data in clips if thing in place]
        with ThreadPoolExecutor(2) as pool:
            decoded = list(pool.map(lambda row: np.asarray(decode_image(row[2])), drawn))
            waves = list(pool.map(lambda row: (decode_audio(row[3]) * 32767).astype(np.int16), spoken))
        self.pixels = rearrange(torch.from_numpy(np.stack(decoded)), "row h w c -> row c h w").contiguous()
        self.waves = torch.from_numpy(np.concatenate(waves))
        ends = np.cumsum([len(wave) for wave in waves])
        self.starts, self.lengths = ends - [len(wave) for wave in waves], np.array([len(wave) for wave in waves])
        self.by_team: list[dict[str, dict[str, int]]] = [{} for _ in self.things]
        for row, (i, style, _) in enumerate(drawn):
            self.by_team[i].setdefault(TEAMS[style], {})[style] = row
        self.by_language: list[dict[str, dict[str, list[int]]]] = [
            {name: {} for name in LANGUAGES} for _ in self.things
        ]
        for row, (i, language, voice, _) in enumerate(spoken):
            self.by_language[i][language].setdefault(voice.split("/")[0], []).append(row)
        self.flippable = torch.tensor([thing.group != "symbols" for thing in self.things])

    @classmethod
    def from_data(cls, data: EmojiData, *, tuning: bool = False, things: Sequence[Thing] | None = None) -> "Corpus":
        """The rows that a recipe may see: train and validation rows, or train rows alone while `tuning`."""
        splits = ("train",) if tuning else ("train", "validation")
        styles = TRAIN_STYLES if tuning else TRAIN_STYLES + VALIDATION_STYLES
        rows = data.image_table.to_pylist()
        pictures = [(row["thing"], row["style"], row["image"]["bytes"]) for row in rows if row["style"] in styles]
        spoken = data.clips(split=splits).to_pylist()
        clips = [
            (row["thing"], row["language"], f"{row['engine']}/{row['voice']}", row["audio"]["bytes"]) for row in spoken
        ]
        return cls(data.split("train") if things is None else things, pictures=pictures, clips=clips)

    def __len__(self) -> int:
        return len(self.things)

    def order(self, *, seed: int, step: int, batch: int) -> list[int]:
        """The things of a step: each epoch is one shuffled pass; what does not fill a batch is dropped."""
        per_epoch = max(1, len(self) // batch)
        shuffled = np.random.default_rng((seed, 0, step // per_epoch)).permutation(len(self))
        start = step % per_epoch * batch
        return shuffled[start : start + batch].tolist()

    def draw(self, *, seed: int, step: int, batch: int) -> Draw:
        """The batch of one step."""
        chosen = self.order(seed=seed, step=step, batch=batch)
        rng = np.random.default_rng((seed, 1, step))
        pairs = [self._two_pictures(i, rng) for i in chosen]
        pictures = torch.stack([torch.stack([pair[view] for pair in pairs]) for view in (0, 1)])
        sound, mask = self.gather([self._one_clip(i, rng) for i in chosen])
        return Draw(
            texts={name: [self._one_text(self.things[i], name, rng) for i in chosen] for name in LANGUAGES},
            pictures=pictures.float() / 255,
            sound=sound,
            sound_mask=mask,
            flippable=self.flippable[chosen],
            things=torch.tensor(chosen),
        )

    def gather(self, rows: Sequence[int]) -> tuple[Float[Tensor, "batch samples"], Bool[Tensor, "batch samples"]]:
        """Clips by row, cut at LONGEST and padded to the longest of them."""
        length = torch.from_numpy(self.lengths[rows]).clamp(max=LONGEST)
        steps = torch.arange(int(length.max()))
        mask = steps < length[:, None]
        at = (torch.from_numpy(self.starts[rows])[:, None] + steps).clamp(max=len(self.waves) - 1)
        return self.waves[at].float() / 32768 * mask, mask

    def _two_pictures(self, i: int, rng: np.random.Generator) -> list[Tensor]:
        teams = list(self.by_team[i])
        two = rng.choice(len(teams), size=2, replace=len(teams) < 2)
        return [self._one_picture(self.by_team[i][teams[t]], rng) for t in two]

    def _one_picture(self, styles: dict[str, int], rng: np.random.Generator) -> Tensor:
        kind = int(rng.integers(len(styles) + ("emojione_line" in styles)))
        if kind == len(styles):  # colour under its own lines: the darker of both, an outlined drawing
            return torch.minimum(*(self.pixels[row] for row in styles.values()))
        return self.pixels[list(styles.values())[kind]]

    def _one_clip(self, i: int, rng: np.random.Generator) -> int:
        spoken = self.by_language[i]
        available = [name for name in LANGUAGES if spoken[name]]
        engines = spoken[available[0] if len(available) < 2 or rng.random() < 0.65 else available[1]]
        rows = engines[list(engines)[rng.integers(len(engines))]]
        return rows[rng.integers(len(rows))]

    @staticmethod
    def _one_text(thing: Thing, language: str, rng: np.random.Generator) -> str:
        name, kind = thing.name(language), rng.random()
        if kind < 0.7:
            return name
        if kind < 0.85:
            templates = TEMPLATES[language]
            return templates[rng.integers(len(templates))].format(name)
        words = thing.keywords(language)
        few = [words[k] for k in rng.permutation(len(words))[: rng.integers(1, 4)]]
        return ", ".join([name, *few] if rng.random() < 0.5 or len(few) < 2 else few)
