"""The picture of the README: thirty things in the joint space, each as a word, a drawing and a voice."""

from typing import Any

import numpy as np
import torch

from mmlab.datasets.emoji import TEST_STYLES, EmojiData, decode_audio
from mmlab.figures import COLOURS, figure
from mmlab.models.joint import JointEmbedder

THINGS = (
    "dog", "cat", "horse", "tiger", "penguin", "fish", "octopus", "butterfly", "banana", "grapes", "carrot", "pizza",
    "hamburger", "guitar", "violin", "trumpet", "drum", "automobile", "bus", "bicycle", "airplane", "sailboat",
    "house", "castle", "mountain", "snowflake", "sun", "umbrella", "books", "scissors",
)  # fmt: skip
SIZE = 0.035  # of a drawing, as a share of the map


def space_picture(model: JointEmbedder, data: EmojiData) -> Any:
    """A matplotlib figure: the first two principal axes of the things' 3 x 30 vectors, drawings and voices never seen.

    Lines join what belongs to one thing: the shorter, the better the three modalities agree.
    """
    things = [data[name] for name in THINGS]
    drawings = data.images(TEST_STYLES["near"])
    spoken = {row["thing"]: row["audio"]["bytes"] for row in data.clips(split="test", engine="flite").to_pylist()}
    z = model.encode(
        text=[thing.name_en for thing in things],
        image=[drawings[thing.id] for thing in things],
        audio=[decode_audio(spoken[thing.id]) for thing in things],
    )
    every = torch.stack(list(z.values())).double()
    centre = every.mean((0, 1))
    axes_of = torch.linalg.svd((every - centre).flatten(0, 1), full_matrices=False).Vh[:2]
    flat = ((every - centre) @ axes_of.T).numpy()
    made = figure(width=10, height=6.5, title="Thirty things as a word, a drawing and a voice, in one space")
    _draw(made.axes[0], flat, things, [drawings[thing.id] for thing in things])
    return made


def _draw(axes: Any, flat: np.ndarray, things: list, drawings: list) -> None:
    text, image, audio = flat
    half = SIZE * np.ptp(flat.reshape(-1, 2), axis=0) * np.array([0.65, 1.0])
    for row, thing in enumerate(things):
        axes.plot(*zip(text[row], image[row], audio[row], strict=True), color="#bbbbbb", linewidth=0.8, zorder=1)
        (x, y), (w, h) = image[row], half
        axes.imshow(np.asarray(drawings[row]), extent=(x - w, x + w, y - h, y + h), aspect="auto", zorder=2)
        axes.annotate(f"{thing.name_en} {thing.name_zh}", text[row], color=COLOURS["text"], fontsize=8, zorder=4, ha="center")
    axes.scatter(*text.T, s=10, color=COLOURS["text"], label="word", zorder=3)
    axes.scatter(*audio.T, s=28, color=COLOURS["audio"], marker="^", label="voice (never heard in training)", zorder=3)
    axes.scatter([], [], s=40, color=COLOURS["image"], marker="s", label="drawing (style never seen in training)")
    low, high = flat.reshape(-1, 2).min(0) - 2 * half, flat.reshape(-1, 2).max(0) + 2 * half
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="first principal axis", ylabel="second principal axis")
    axes.legend(loc="best", fontsize=8)
