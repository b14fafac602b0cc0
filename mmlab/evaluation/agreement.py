"""Picture and sound side by side: do they agree, and how far apart do the modalities lie?"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmlab import metrics
from mmlab.datasets.tasks import KINDS, pair_task
from mmlab.evaluation.figure import Figure, over_things, rounded
from mmlab.evaluation.questions import PLACES
from mmlab.evaluation.space import Items, Space


def matching(space: Space, seed: int) -> dict[str, Figure]:
    """Does the picture agree with the sound? The pair task, judged by the cosine of the two."""
    found = {}
    for place in PLACES:
        scores, labels, kinds, things = (torch.cat(column) for column in zip(*_pairs(space, place, seed), strict=True))

        def score(rows: Tensor, scores: Tensor = scores, labels: Tensor = labels) -> float:
            return metrics.auc(scores[rows], labels[rows])

        by_kind = {kind: score((kinds == at).nonzero()[:, 0]) for at, kind in enumerate(KINDS)}
        everything = torch.arange(len(scores))
        interval = over_things(score, things, seed=seed)
        figure = {"auc": score(everything), "n": len(scores), "interval": interval, "chance": 0.5, **by_kind}
        found[f"match_auc_{place}"] = rounded(figure)
    return found


def _pairs(space: Space, place: str, seed: int) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """For each English voice: cosine, whether both are one thing, kind of negative, thing drawn."""
    drawn, found = space.pictures(place), []
    for name in space.english:
        spoken = space.clips(name)
        both = space.asked & space.has(drawn) & space.has(spoken)
        pool = both.nonzero()[:, 0]
        task = pair_task([space.data.things[i] for i in pool.tolist()], seed=seed)
        image, audio = pool[torch.from_numpy(task.image)], pool[torch.from_numpy(task.audio)]
        cosine = (space.by_thing(drawn)[image] * space.by_thing(spoken)[audio]).sum(-1)
        found.append((cosine, torch.from_numpy(task.label) == 1, torch.from_numpy(task.kind), image))
    return found


def gaps(space: Space, seed: int) -> dict[str, Figure]:
    """How far apart the modalities lie, over the things asked about; and how many things share a name."""
    found: dict[str, Figure] = {}
    for name in space.voices:
        found[f"modality_gap_text_audio_{name}"] = modality_gap_of(
            space, space.names(space.language(name)), space.clips(name)
        )
    for place in PLACES:
        drawn = space.pictures(place)
        found[f"modality_gap_text_image_{place}"] = modality_gap_of(space, space.names("en"), drawn)
        for name in space.voices:
            found[f"modality_gap_image_audio_{place}_{name}"] = modality_gap_of(space, drawn, space.clips(name))
    return {**found, "shared_names": {**space.shared_names(), "n": len(space.data)}}


def modality_gap_of(space: Space, a: Items, b: Items) -> Figure:
    r"""Distance between the means of two modalities over the same things, and its interval by the delta method.

    $$g = \lVert \bar d \rVert, \quad d_i = a_i - b_i, \qquad
      g \pm 1.96\, \sqrt{\tfrac{1}{n} \operatorname{Var}_i \langle d_i, \bar d / g \rangle}$$

    (A bootstrap of a length is biased upwards by as much as the means scatter.)
    """
    things = (space.asked & space.has(a) & space.has(b)).nonzero()[:, 0]
    a_z, b_z = space.by_thing(a)[things], space.by_thing(b)[things]
    distance = metrics.modality_gap(a_z, b_z)
    along = (a_z - b_z) @ normalize((a_z - b_z).mean(0), dim=0)
    half = 1.96 * (along.var() / len(things)).sqrt().item()
    return rounded({"gap": distance, "n": len(things), "interval": [max(0.0, distance - half), distance + half]})
