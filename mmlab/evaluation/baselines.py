"""What needs no learning: the nearest picture by pixels, the nearest clip by its spectrogram, names by shared letters.

Each answers the same questions as the model, under the same keys with the baseline's name behind. The nearest item is
sought among those that the model was trained on; a thing scores as well as its nearest training item, and one without
any (the things never seen at all) comes last. Between names, cosine of character n-grams weighted by tf-idf: English
and Chinese share hardly a character, so this is what text alone can do without having learned what words mean.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mmlab.datasets.emoji import TRAIN_STYLES, VALIDATION_STYLES, EmojiData
from mmlab.evaluation.figure import Answers, Figure, proportion, ranked, retrieval
from mmlab.evaluation.nearest import mels, nearest, pixels, tfidf
from mmlab.evaluation.questions import PLACES, Questions


def baselines(data: EmojiData, *, split: str = "test", say: Callable[[str], None] | None = None) -> dict[str, Figure]:
    """All baselines of a split; for "validation" their memory is what a model sees while its recipe is tuned.

    Cost:    about 5 * 10^11 multiplications for the pixels and 13,000 spectrograms; about a minute on two cores
    """
    found: dict[str, Figure] = {}
    for title, part in (("nearest pixels", nearest_pixels), ("nearest mel", nearest_mel), ("text only", text_only)):
        if say is not None:
            say(title)
        found |= part(Questions(data, split=split))
    return found


def nearest_pixels(questions: Questions) -> dict[str, Figure]:
    """Squared distance of 64 x 64 RGB pictures."""
    data, asked = questions.data, questions.asked
    styles = TRAIN_STYLES if questions.split == "validation" else TRAIN_STYLES + VALIDATION_STYLES
    found = {}
    for place in PLACES:
        drawn = pixels(data, questions.styles[place])
        scores = nearest(drawn.values, (pixels(data, style).of(asked) for style in styles), count=len(data))
        for language, mark in (("en", ""), ("zh", "_zh")):
            there, back = both_ways(questions, scores, drawn.things, language)
            found |= {f"image_to_text{mark}_{place}": retrieval(there), f"text{mark}_to_image_{place}": retrieval(back)}
        keep = asked[drawn.things]
        things = drawn.things[keep]
        right = questions.kind[scores[keep].argmax(1)] == questions.kind[things]
        found[f"subgroup_{place}"] = proportion(right, things)
    return {f"{key}_nearest_pixels": figure for key, figure in found.items()}


def nearest_mel(questions: Questions) -> dict[str, Figure]:
    """Squared distance of log-mel spectrograms brought to one length, each less its mean."""
    data = questions.data
    splits = ("train",) if questions.split == "validation" else ("train", "validation")
    ways: dict[str, tuple[Answers, Answers]] = {}
    for language in ("en", "zh"):
        memory = mels(data, data.clips(split=splits, language=language).to_pylist()).of(questions.asked)
        for name in questions.voices:
            if questions.language(name) == language:
                said = mels(data, questions.spoken(name))
                scores = nearest(said.values, [memory], count=len(data))
                ways[name] = both_ways(questions, scores, said.things, language)
    found = {}
    for at, key in enumerate(("speech_to_text", "text_to_speech")):
        found[key] = retrieval(*(ways[name][at] for name in questions.english))
        found |= {f"{key}_{name}": retrieval(ways[name][at]) for name in questions.voices}
    return {f"{key}_nearest_mel": figure for key, figure in found.items()}


def text_only(questions: Questions) -> dict[str, Figure]:
    """Names of two languages compared by the characters, pairs and triples of characters that they share."""
    things = questions.data.things
    vectors = tfidf([thing.name(language) for language in ("en", "zh") for thing in things])
    scores = vectors[: len(things)] @ vectors[len(things) :].T
    every = torch.arange(len(things))
    found = {"en_to_zh": scores, "zh_to_en": scores.T}
    there = {key: both_ways(questions, value, every, "en", "zh")[0] for key, value in found.items()}
    return {f"{key}_text_only": retrieval(answers) for key, answers in there.items()}


def both_ways(
    questions: Questions, scores: Float[Tensor, "n things"], things: Int[Tensor, " n"], *languages: str
) -> tuple[Answers, Answers]:
    """From the items asked about to all things, and from the things asked about to all items."""
    asked, alike = questions.asked, questions.alike(*languages)
    keep, every = asked[things], torch.arange(scores.shape[1])
    there = ranked(scores[keep], things[keep], every, alike=alike)
    return there, ranked(scores.T[asked], every[asked], things, alike=alike)
