"""The picture of the README: what words, voices and drawings find among the drawings of a team never trained on."""

from typing import Any

import torch

from mmlab.datasets.emoji import TEST_STYLES, EmojiData, decode_audio
from mmlab.figures import COLOURS, figure
from mmlab.models.joint import JointEmbedder

# How each row asks: by an English or Chinese word, by an unseen voice, by a drawing of another team.
ROWS = (
    ("text", "en", "guitar"),
    ("text", "zh", "tiger"),
    ("audio", "en", "pizza"),
    ("audio", "zh", "umbrella"),
    ("image", "", "sailboat"),
)
FOUND = 5
SAID = {"text": "a word", "audio": "a voice never heard", "image": "a drawing in another style"}


def space_picture(model: JointEmbedder, data: EmojiData) -> Any:
    """A matplotlib figure: a row for each question, its five nearest Twemoji drawings, the right one framed.

    Wrong answers stay as they are.
    """
    drawings = data.images(TEST_STYLES["near"])
    ids = list(drawings)
    gallery = model.encode(image=[drawings[key] for key in ids])["image"]
    made = figure(len(ROWS), FOUND + 1, width=9.0, height=7.4, title="A word, a voice or a drawing finds its like")
    for row, (kind, language, name) in enumerate(ROWS):
        thing = data[name]
        raw, shown = _question(model, data, kind, language, thing)
        scores = (model.encode(**{kind: [raw]})[kind] @ gallery.T)[0]
        axes = made.axes[row * (FOUND + 1) : (row + 1) * (FOUND + 1)]
        _ask(axes[0], kind, shown)
        for place, at in zip(axes[1:], scores.topk(FOUND).indices.tolist(), strict=True):
            found = data[ids[at]]
            place.imshow(drawings[found.id])
            _bare(place, f"{found.name_en}\n{scores[at]:.2f}", frame=COLOURS["image"] if found.id == thing.id else None)
    return made


def _question(model: JointEmbedder, data: EmojiData, kind: str, language: str, thing: Any) -> tuple[Any, Any]:
    """What the model is asked with, and what the figure shows of it."""
    if kind == "text":
        return thing.name(language), thing.name(language)
    if kind == "image":
        drawing = data.images(TEST_STYLES["far"])[thing.id]
        return drawing, drawing
    [clip] = data.clips(thing=thing.id, split="test", language=language, engine="espeak").to_pylist()
    wave = decode_audio(clip["audio"]["bytes"])
    return wave, model.encoders["audio"].mel(torch.from_numpy(wave)[None])[0].numpy()


def _ask(axes: Any, kind: str, shown: Any) -> None:
    if kind == "text":
        axes.text(0.5, 0.5, shown, ha="center", va="center", fontsize=16, transform=axes.transAxes)
    elif kind == "audio":
        axes.imshow(shown, origin="lower", aspect="auto", cmap="magma")
    else:
        axes.imshow(shown)
    _bare(axes, SAID[kind], frame=COLOURS[kind])


def _bare(axes: Any, below: str, *, frame: str | None) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.set_xlabel(below, fontsize=8)
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        spine.set(color=frame or "none", linewidth=2.5)
