"""Picture and speech added: does the sum name the thing at least as well as the better of the two alone?"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mmlab.evaluation.figure import Answers, Figure, ask, retrieval
from mmlab.evaluation.questions import PLACES
from mmlab.evaluation.space import Items, Space


@dataclass(frozen=True)
class FusedAnswers:
    """Answers of the sum, and on the same things those of the picture alone and of the speech alone."""

    fused: Answers
    image: Answers
    audio: Answers

    def r1(self) -> tuple[float, float, float]:
        """R@1 of the sum, of the picture and of the speech."""
        return tuple(part.right.double().mean().item() for part in (self.fused, self.image, self.audio))


def fused_figures(space: Space, seed: int) -> dict[str, Figure]:
    """`fused_to_text_...` by place, by voice and for all English voices, in quiet and under noise."""
    found = {}
    for mark, noise in (("", None), ("_noisy", seed)):
        for place in PLACES:
            answers = {name: add(space, place, name, noise=noise) for name in space.voices}
            found[f"fused_to_text_{place}{mark}"] = beside([answers[name] for name in space.english])
            found |= {f"fused_to_text_{place}{mark}_{name}": beside([answers[name]]) for name in space.voices}
    heard = {}
    for name in space.voices:
        language = space.language(name)
        spoken = space.clips(name, noise=seed).of(space.asked)
        heard[name] = ask(spoken, space.names(language), alike=space.alike(language))
        found[f"speech_to_text_noisy_{name}"] = retrieval(heard[name])
    found["speech_to_text_noisy"] = retrieval(*(heard[name] for name in space.english))
    return found


def add(
    space: Space, place: str, name: str, *, noise: int | None = None, weights: dict[str, float] | None = None
) -> FusedAnswers:
    """Name each thing that has both a picture and a clip: by their weighted sum, by the picture, by the clip.

    `weights` take the place of the model's own.
    """
    drawn, spoken = space.pictures(place), space.clips(name, noise=noise)
    things = (space.asked & space.has(drawn) & space.has(spoken)).nonzero()[:, 0]
    image, audio = space.by_thing(drawn)[things], space.by_thing(spoken)[things]
    with torch.no_grad():
        own = space.model.weights  # where the model lives; the space lies on the CPU
        fused = space.model.fuse(image=image.to(own), audio=audio.to(own), weights=weights).float().cpu()
    return FusedAnswers(*(name_them(space, things, z, space.language(name)) for z in (fused, image, audio)))


def name_them(space: Space, things: Int[Tensor, " n"], z: Tensor, language: str) -> Answers:
    """Ask all names for vectors of things."""
    return ask(Items(things, z), space.names(language), alike=space.alike(language))


def beside(parts: list[FusedAnswers]) -> Figure:
    """The figure of the sum, with image_r1 and audio_r1 on the same items.

    `above_better` is how much the sum is above the better of the two; `error_closed` is the share of the better one's
    errors that the sum makes good (None where it makes none). Both compare the totals over all parts.
    """
    fused, image, audio = (
        torch.cat([getattr(part, side).right for part in parts]) for side in ("fused", "image", "audio")
    )
    alone = max(_share(image), _share(audio))
    gain = _share(fused) - alone
    return retrieval(
        *(part.fused for part in parts),
        image_r1=_share(image),
        audio_r1=_share(audio),
        above_better=gain,
        error_closed=gain / (1 - alone) if alone < 1 else None,
    )


def _share(right: Bool[Tensor, " n"]) -> float:
    return right.double().mean().item()
