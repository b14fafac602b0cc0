"""The recipe of the shipped joint space, as one frozen object: what it says is what is trained."""

from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

from mmlab.encoders import AudioEncoder, ImageEncoder, TextEncoder
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import Tokenizer
from mmlab.types import InputError

VIEWS = ("text-en", "text-zh", "image-a", "image-b", "audio")


@dataclass(frozen=True)
class AlignRecipe:
    """Everything that decides a run: data, model, loss, schedule. Two runs of one recipe on one machine are equal.

    `pairs` names the modality pairs whose views attract ("text-image", "image-image", ...); with "all", every pair.

    After `steps` steps of everything, the sound encoder alone goes on learning for the share `hearing` of these, at
    the rate `hearing_lr`: voices took longer than drawings, and a step of sounds alone costs less than half.
    """

    steps: int = 2300
    batch: int = 256
    seed: int = 0
    lr: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    ema: float = 0.998
    dim: int = 128
    vocab: int = 3000
    pairs: tuple[str, ...] = ("all",)
    picture_weight: float = 1.0
    outline: float = 0.45
    picture_strength: float = 1.0
    sound_ramp: float = 0.4
    hearing: float = 0.3
    hearing_lr: float = 1e-3
    hearing_ema: float = 0.99
    things: int | None = None
    tuning: bool = False
    text: dict[str, Any] = field(default_factory=lambda: {"dim": 128, "layers": 2, "heads": 4})
    image: dict[str, Any] = field(
        default_factory=lambda: {"dim": 256, "widths": [32, 64, 128], "blocks": [1, 2, 1], "strides": [2, 2, 2]}
    )
    audio: dict[str, Any] = field(default_factory=lambda: {"dim": 192, "widths": [24, 48, 96], "layers": 2, "heads": 6})

    def __post_init__(self) -> None:
        fewest = 1 if self.hearing else 0  # the second part may be empty
        if self.steps < fewest or self.batch < 1 or self.seed < 0 or (self.things is not None and self.things < 1):
            got = f"{self.steps}, {self.batch}, {self.things} and {self.seed}"
            raise InputError(f"A recipe needs at least 1 step, 1 thing a step, 1 in all and a seed from 0, got {got}.")
        known = {"-".join(sorted(pair)) for pair in _modality_pairs()} | {"all"}
        for pair in self.pairs:
            if "-".join(sorted(pair.split("-"))) not in known:
                names = ", ".join(sorted(known))
                raise InputError(f"A pair of modalities is one of {names}, got {pair!r}; choose among these.")

    @property
    def second(self) -> "AlignRecipe":
        """The part in which only the sound encoder learns, as a recipe of its own; without steps if nothing pulls sounds."""
        steps = round(self.hearing * self.steps) if any(self.attracts(view, "audio") for view in VIEWS[:-1]) else 0
        return replace(self, steps=steps, lr=self.hearing_lr, ema=self.hearing_ema, hearing=0.0)

    def attracts(self, first: str, second: str) -> bool:
        """Whether two views ("text-en", "image-a", ...) are pulled together by this recipe."""
        pair = "-".join(sorted((first.split("-")[0], second.split("-")[0])))
        return "all" in self.pairs or pair in {"-".join(sorted(p.split("-"))) for p in self.pairs}

    def build(self, tokenizer: Tokenizer) -> JointEmbedder:
        """A fresh model with random weights."""
        encoders = {
            "text": TextEncoder(**self.text, tokenizer=tokenizer),
            "image": ImageEncoder(**self.image),
            "audio": AudioEncoder(**self.audio),
        }
        return JointEmbedder(encoders, dim=self.dim)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _modality_pairs() -> set[tuple[str, ...]]:
    return {tuple(sorted((a.split("-")[0], b.split("-")[0]))) for a, b in combinations(VIEWS, 2)}
