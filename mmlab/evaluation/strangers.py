"""What is called unlike anything learned: how often that is wrong of drawings and voices, and right of strangers."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from mmlab import metrics
from mmlab.datasets.emoji import decode_audio
from mmlab.evaluation.figure import Figure, rounded
from mmlab.evaluation.questions import PLACES
from mmlab.evaluation.space import Space
from mmlab.models.familiarity import STRANGE
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import SAMPLE_RATE, load_audio, load_image
from mmlab.training.outsiders import outsiders

CLIPS, MADE, CROPS = 300, 60, 100  # of each voice, of each kind that is made, of each photograph
PLAIN = 8.0  # spread of grey of a flat area
PHOTOGRAPHS = "sklearn.datasets.images"


def strangers(space: Space, seed: int) -> dict[str, Figure]:
    """Shares that are called unlike anything learned: `false_alarm_...` should be small, `flagged_...` large.

    Asked about are pictures of each unseen style and clips of each unseen voice, of all things; noise and flat colours;
    and scikit-learn's two photographs, whole and in square crops that show more than a plain area. A model that carries
    no familiarity gives no figure here.
    """
    model, found = space.model, {}
    if "image" in model.familiarity:
        for place in PLACES:
            found[f"false_alarm_{place}"] = flagged(model, image=list(space.data.images(space.styles[place]).values()))
        for kind in ("noise", "flat"):
            made = outsiders(MADE, seed=seed + 1_000_000, drawings=[], kinds=[kind])  # not those that it was fitted on
            found[f"flagged_pictures_{kind}"] = flagged(model, image=made)
        for name, pictures in photographs(seed).items():
            found[f"flagged_photographs_{name}"] = flagged(model, image=pictures)
    if "audio" in model.familiarity:
        for name, voices in space.voices.items():
            rows = space.spoken(name)
            for _, voice in voices:
                clips = [row["audio"]["bytes"] for row in rows if row["voice"] == voice]
                few = [decode_audio(clips[i]) for i in range(0, len(clips), max(1, len(clips) // CLIPS))]
                found[f"false_alarm_{name}_{voice}"] = flagged(model, audio=few)
        found["flagged_sounds_noise"] = flagged(model, audio=_hisses(seed))
    return found


def flagged(model: JointEmbedder, **raw: Sequence[Any]) -> Figure:
    """The share of inputs of one modality that are called strange, its interval, and n."""
    [score] = model.familiar(**raw).values()
    return share_of(score <= STRANGE)


def share_of(true: Tensor) -> Figure:
    """A share with its Wilson interval."""
    count = int(true.sum())
    interval = list(metrics.wilson_interval(count, len(true)))
    return rounded({"share": count / len(true), "n": len(true), "interval": interval})


def photographs(seed: int) -> dict[str, list[Image.Image]]:
    """scikit-learn's photographs, "whole" and as "crops" of 48 pixels or more."""
    with as_file(files(PHOTOGRAPHS)) as folder:
        whole = [load_image(path) for path in sorted(folder.glob("*.jpg"))]
    rng, crops = np.random.default_rng(seed), []
    for picture in whole:
        wanted = len(crops) + CROPS
        while len(crops) < wanted:
            side = int(rng.integers(48, min(picture.size) + 1))
            left, top = int(rng.integers(picture.width - side + 1)), int(rng.integers(picture.height - side + 1))
            crop = picture.crop((left, top, left + side, top + side))
            if np.asarray(crop.convert("L"), dtype=float).std() >= PLAIN:
                crops.append(crop)
    return {"whole": whole, "crops": crops}


def _hisses(seed: int) -> list[np.ndarray]:
    """White noise of half a second to two."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(SAMPLE_RATE // 2, 2 * SAMPLE_RATE, MADE)
    return [load_audio(rng.uniform(-0.7, 0.7, length).astype(np.float32)) for length in lengths]
