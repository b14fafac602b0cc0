"""The frozen encoders' vectors, by thing: each view (a style, a voice, a language; clean or corrupted) encoded once.

Three disjoint sets of things, whole families together, all of them known to the encoders: the heads train on "train",
choose step, learning rate and weight decay on "validation", and are measured on "test". No head has met a test thing,
style or voice. "clean" shows test things in a style and a voice that encoders and heads know; "near" and "far" in
styles and voices that neither does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from PIL import Image
from torch import Tensor

from mmlab.datasets.emoji import EmojiData, Thing, decode_audio
from mmlab.evaluation.space import encode_sounds, noisy
from mmlab.models.joint import JointEmbedder
from mmlab.types import InputError

SHARES = (("train", 0.6), ("validation", 0.75), ("test", 1.0))  # cumulative, over families
STYLES = ("noto", "fluent_3d", "fluent_flat", "emojione", "emojione_line", "twemoji", "openmoji")
VOICES = {
    "kal16": {"voice": "kal16"}, "slt": {"voice": "slt"},
    "espeak_a": {"engine": "espeak", "split": "train"}, "espeak_b": {"engine": "espeak", "split": "train"},
    "awb": {"voice": "awb"}, "linda": {"voice": "en-us+linda"},
    "f3": {"voice": "en-us+f3"}, "rms": {"voice": "rms"}, "festival": {"engine": "festival"},
}  # fmt: skip
SHOWN = {  # where things are shown: the split of things, and the views of each modality
    "train": {"image": ("noto", "fluent_3d", "fluent_flat"), "audio": ("kal16", "slt", "espeak_a", "espeak_b")},
    "validation": {"image": ("emojione", "emojione_line"), "audio": ("awb", "linda")},
    "clean": {"image": ("noto",), "audio": ("slt",)},
    "near": {"image": ("twemoji",), "audio": ("f3",)},
    "far": {"image": ("openmoji",), "audio": ("festival",)},
}
PLACES = ("clean", "near", "far")
LEVELS = (10, 0, -10, -20)  # dB; of the picture relative to its variance, of the clip to its mean power
NOISED = ("noto", "fluent_flat", "emojione", "twemoji", "kal16", "espeak_a", "awb", "f3")


@dataclass(frozen=True)
class Bank:
    """Vectors of all things under each view; the row of a thing that a view lacks is zero.

    Shape:   views[name] (things, dim), split[name] positions of things (n,)
    """

    things: Sequence[Thing]
    split: dict[str, Int[Tensor, " n"]]
    views: dict[str, Float[Tensor, "things dim"]]

    def has(self, view: str) -> Bool[Tensor, " things"]:
        """Which things this view shows."""
        return self.views[view].any(dim=1)

    def stack(self, views: Sequence[str]) -> Float[Tensor, "view things dim"]:
        return torch.stack([self.views[view] for view in views])


def split_things(things: Sequence[Thing]) -> dict[str, Int[Tensor, " n"]]:
    """Positions of the training families' things, whole families to one side, by a digest of the family's name."""
    sides: dict[str, list[int]] = {name: [] for name, _ in SHARES}
    for at, thing in enumerate(things):
        if thing.split == "train":
            luck = int.from_bytes(sha256(f"fusion {thing.family}".encode()).digest()[:8], "big") / 2**64
            sides[next(name for name, upto in SHARES if luck < upto)].append(at)
    return {name: torch.tensor(side) for name, side in sides.items()}


def encode_bank(
    model: JointEmbedder, data: EmojiData, *, cache: Path, made_from: str, say: Callable[[str], None] = print
) -> Bank:
    """Encode every view, or read it from `cache`, where each is one file that names what it was `made_from`."""
    views = {}
    wanted = [("en", None), ("zh", None), *((name, None) for name in (*STYLES, *VOICES))]
    wanted += [(name, level) for name in NOISED for level in LEVELS]
    for name, level in wanted:
        key = name if level is None else f"{name}@{level}"
        path = cache / f"{key}.npz"
        if not path.is_file():
            say(f"encoding {key}")
            z = _encode(model, data, name, level)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part.npz")  # a file that is there is whole
            np.savez(partial, z=z.numpy(), made_from=made_from)
            partial.replace(path)
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["made_from"]) != made_from:
                raise InputError(f"{path}: expected vectors of this model and data, found others; choose a new --run.")
            views[key] = torch.from_numpy(kept["z"])
    return Bank(data.things, split_things(data.things), views)


def _encode(model: JointEmbedder, data: EmojiData, name: str, level: int | None) -> Float[Tensor, "things dim"]:
    if name in ("en", "zh"):
        return model.encode(text=[thing.name(name) for thing in data.things])["text"].float().cpu()
    if name in STYLES:
        pictures = {data.index[thing]: picture for thing, picture in data.images(name).items()}
        at = sorted(pictures)
        shown = [pictures[i] if level is None else speckled(pictures[i], seed=(level + 100, i), snr=level) for i in at]
        z = model.encode(image=shown)["image"]
    else:
        clips = _one_each(data, name)
        at = sorted(clips)
        waves = [clips[i] if level is None else noisy(clips[i], seed=(level + 100, i), snr=level) for i in at]
        z = encode_sounds(model, waves)
    return torch.zeros(len(data), z.shape[1]).index_copy(0, torch.tensor(at), z.float().cpu())


def _one_each(data: EmojiData, name: str) -> dict[int, Float32[np.ndarray, " _"]]:
    """At most one English clip of each thing; `espeak_a` and `espeak_b` are the first and the last of its voices."""
    rows = data.clips(language="en", **VOICES[name]).sort_by([("voice", "ascending")]).to_pylist()
    chosen = {data.index[row["thing"]]: row for row in (rows if name.endswith("_b") else reversed(rows))}
    return {at: decode_audio(row["audio"]["bytes"]) for at, row in chosen.items()}


def speckled(picture: Image.Image, *, seed: Sequence[int], snr: float) -> Image.Image:
    """The picture under Gaussian noise, clipped to what a pixel can show.

    Units:   snr in dB, of the picture's variance over its pixels
    """
    values = np.asarray(picture.convert("RGB"), dtype=np.float64)
    noise = np.random.default_rng(list(seed)).standard_normal(values.shape)
    mixed = values + noise * np.sqrt(max(values.var(), 1.0) / 10 ** (snr / 10))
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))
