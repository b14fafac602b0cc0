"""One modality asked of another: names, pictures and speech, things of the training families and things never seen."""

from torch import Tensor

from mmlab import metrics
from mmlab.evaluation.figure import Answers, Figure, ask, proportion, retrieval
from mmlab.evaluation.questions import PLACES
from mmlab.evaluation.space import Items, Space


def words(space: Space, seed: int) -> dict[str, Figure]:
    """Names across languages, and speech against names, both ways."""
    found = {f"{a}_to_{b}": retrieval(across(space, a, b)) for a, b in (("en", "zh"), ("zh", "en"))}
    there, back = {}, {}
    for name in space.voices:
        names, alike = space.names(space.language(name)), space.alike(space.language(name))
        single = [voice for _, voice in space.voices[name]] if name == "unseen_engine" else []
        for voice in [None, *single]:
            spoken, key = space.clips(name, voice=voice), name if voice is None else f"{name}_{voice}"
            there[key] = ask(spoken.of(space.asked), names, alike=alike)
            back[key] = ask(names.of(space.asked), spoken, alike=alike)
    for key, answers in (("speech_to_text", there), ("text_to_speech", back)):
        found[key] = retrieval(*(answers[name] for name in space.english))
        found |= {f"{key}_{name}": retrieval(one) for name, one in answers.items()}
    return found


def pictures(space: Space, seed: int) -> dict[str, Figure]:
    """Pictures against names in both languages, and whether the top name is of the right kind."""
    found = {}
    for place in PLACES:
        drawn = space.pictures(place)
        for language, mark in (("en", ""), ("zh", "_zh")):
            names, alike = space.names(language), space.alike(language)
            found[f"text{mark}_to_image_{place}"] = retrieval(ask(names.of(space.asked), drawn, alike=alike))
            found[f"image_to_text{mark}_{place}"] = retrieval(ask(drawn.of(space.asked), names, alike=alike))
        found[f"subgroup_{place}"] = subgroup(drawn.of(space.asked), space.names("en"), space)
    return found


def speech_and_pictures(space: Space, seed: int) -> dict[str, Figure]:
    """Speech against pictures, both ways, by voice and for all English voices together."""
    found = {}
    for place in PLACES:
        drawn = space.pictures(place)
        there, back = {}, {}
        for name in space.voices:
            spoken, alike = space.clips(name), space.alike(space.language(name))
            there[name] = ask(spoken.of(space.asked), drawn, alike=alike)
            back[name] = ask(drawn.of(space.asked), spoken, alike=alike)
        for key, answers in ((f"speech_to_image_{place}", there), (f"image_to_speech_{place}", back)):
            found[key] = retrieval(*(answers[name] for name in space.english))
            found |= {f"{key}_{name}": retrieval(answers[name]) for name in space.voices}
    return found


def zero_shot(space: Space, seed: int) -> dict[str, Figure]:
    """Things never seen in any modality, among themselves; and the kind of the nearest known name."""
    new, english = space.zero_shot, space.names("en")
    found, parts = {}, []
    for place in PLACES:
        drawn = space.pictures(place).of(new)
        parts.append(ask(drawn, english.of(new), alike=space.alike("en")))
        found[f"zero_shot_image_to_text_{place}"] = retrieval(parts[-1])
        found[f"zero_shot_subgroup_{place}"] = subgroup(drawn, english.of(~new), space)
    found["zero_shot_image_to_text"] = retrieval(*parts)
    spoken = {}
    for name in space.voices:
        language = space.language(name)
        spoken[name] = ask(space.clips(name).of(new), space.names(language).of(new), alike=space.alike(language))
        found[f"zero_shot_speech_to_text_{name}"] = retrieval(spoken[name])
    found["zero_shot_speech_to_text"] = retrieval(*(spoken[name] for name in space.english))
    found |= {
        f"zero_shot_{a}_to_{b}": retrieval(across(space, a, b, among=new)) for a, b in (("en", "zh"), ("zh", "en"))
    }
    return found


def across(space: Space, source: str, target: str, *, among: Tensor | None = None) -> Answers:
    """Names in one language asked for in another; the gallery is all things, or those `among`."""
    queries, gallery = space.names(source), space.names(target)
    alike = space.alike(source, target)
    if among is None:
        return ask(queries.of(space.asked), gallery, alike=alike)
    return ask(queries.of(among), gallery.of(among), alike=alike)


def subgroup(drawn: Items, names: Items, space: Space) -> Figure:
    """Whether the nearest name is of the picture's kind; chance guesses, majority always says the largest kind."""
    top = metrics.similarity(drawn.z, names.z).argmax(1)
    asked, offered = space.kind[drawn.things], space.kind[names.things]
    sizes = offered.bincount(minlength=len(space.kinds))
    chance = (sizes[asked] / len(offered)).mean().item()
    majority = (asked == sizes.argmax()).double().mean().item()
    return proportion(offered[top] == asked, drawn.things, chance=chance, majority=majority, kinds=len(space.kinds))
