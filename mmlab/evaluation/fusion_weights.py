"""How much each modality should count in the sum, chosen on validation pictures and voices."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.figure import DIGITS, ask
from mmlab.evaluation.fused import add
from mmlab.evaluation.questions import PLACES
from mmlab.evaluation.space import Items, Space
from mmlab.models.joint import JointEmbedder

RATIOS = tuple(round(2 ** (step / 4), 4) for step in range(-8, 9))  # a quarter to four times, in steps of a fifth
PLATEAU = 0.01  # scores this near to the best are as good: on a few hundred things each, they differ by luck
PENALTY = 10.0  # for a sum that names things worse than the better of its parts: to be below one alone is a fault


def tune_weights(
    model: JointEmbedder, data: EmojiData, *, split: str = "validation", seed: int = 0, ratios: Sequence[float] = RATIOS
) -> dict[str, Any]:
    r"""Weights of text, image and audio, the image's fixed at 1.

    First the audio's: the ratio with the highest score

    $$\overline{R}_1(\text{sum}) - 10 \cdot \overline{\max(0,\; R_1(\text{better alone}) - R_1(\text{sum}))}$$

    where the bars are means over near and far pictures, every voice of the split, in quiet and under white noise at 0
    dB, and R_1 is that of naming the thing. Then the text's, by how well text and sound find the picture, and text
    (in the other language) and picture the name. Of the ratios within a hundredth of the best score the one nearest to 1
    is taken: more of one modality has to earn its place.

    Returns "weights", and "audio" and "text": the score of every ratio that was tried. Meant for a model that was
    trained with `tuning=True`, for any other has been trained on these very pictures and clips.
    """
    space = Space(model, data, split=split)
    audio = {ratio: _audio_score(space, ratio, seed) for ratio in ratios}
    weights = {"image": 1.0, "audio": _best(audio)}
    text = {ratio: _text_score(space, {**weights, "text": ratio}) for ratio in ratios}
    weights["text"] = _best(text)
    return {"weights": weights, "audio": _shown(audio), "text": _shown(text), "split": split}


def _audio_score(space: Space, ratio: float, seed: int) -> float:
    sums, lacks = [], []
    for place in PLACES:
        for name in space.voices:
            for noise in (None, seed):
                weights = {"image": 1.0, "audio": ratio}
                fused, image, audio = add(space, place, name, noise=noise, weights=weights).r1()
                sums.append(fused)
                lacks.append(max(0.0, image - fused, audio - fused))
    return fmean(sums) - PENALTY * fmean(lacks)


def _text_score(space: Space, weights: dict[str, float]) -> float:
    """Mean R@1 of text + speech -> picture (one language) and Chinese text + picture -> English name."""
    shares = []
    for place in PLACES:
        drawn, chinese, english = space.pictures(place), space.names("zh"), space.names("en")
        for name in space.english:
            spoken = space.clips(name)
            queries = _sum(space, weights, text=english, audio=spoken)
            shares.append(ask(queries, drawn, alike=space.alike("en")).right.double().mean().item())
        queries = _sum(space, weights, text=chinese, image=drawn)
        shares.append(ask(queries, english, alike=space.alike("zh", "en")).right.double().mean().item())
    return fmean(shares)


def _sum(space: Space, weights: dict[str, float], **parts: Items) -> Items:
    """The weighted sum for each thing asked about that has all parts."""
    there = space.asked.clone()
    for items in parts.values():
        there &= space.has(items)
    things = there.nonzero()[:, 0]
    own: Tensor = space.model.weights
    with torch.no_grad():
        z = space.model.fuse(
            **{name: space.by_thing(items)[things].to(own) for name, items in parts.items()}, weights=weights
        )
    return Items(things, z.float().cpu())


def _best(scores: dict[float, float]) -> float:
    top = max(scores.values())
    return min((ratio for ratio, score in scores.items() if score >= top - PLATEAU), key=lambda r: (max(r, 1 / r), r))


def _shown(scores: dict[float, float]) -> dict[str, float]:
    return {f"{ratio:g}": round(score, DIGITS) for ratio, score in scores.items()}
