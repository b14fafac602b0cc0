"""A FusionLab without its widgets: from a state to vectors, an outcome, and the lines that are shown of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from mmlab.apps.gallery import gallery
from mmlab.evaluation.fusion.store import SHIPPED as HEADS
from mmlab.evaluation.fusion.store import load_heads
from mmlab.models.checkpoint import WEIGHTS
from mmlab.models.joint import SHIPPED
from mmlab.types import InputError
from mmlab.widgets.fusion_inputs import Reader, Reading
from mmlab.widgets.fusion_math import Outcome, Vectors, cosines, fused_outcome, moves
from mmlab.widgets.fusion_state import LIMITS, NOTCH, Channel, FusionState, History
from mmlab.widgets.labels import FUSION
from mmlab.widgets.points import Shelf

OUTCOMES = 64  # that are remembered: those before the latest move among them
FIRST = "guitar"  # what a lab shows that was told nothing


def shipped_heads() -> dict[str, nn.Module]:
    """The trained heads that ship; none where none were made."""
    return dict(load_heads(HEADS)) if (HEADS / WEIGHTS).is_file() else {}


class FusionEngine:
    """Computes what a state gives, and remembers the latest.

    Shape:   gallery (things, dim), one unit row for the names of each thing; neutral[m] (dim,), what m says on average
    """

    def __init__(self, shelf: Shelf, *, heads: Mapping[str, nn.Module] | None, neutral: Vectors, k: int) -> None:
        self.reader, self.model, self.data = Reader(shelf), shelf.model, shelf.data
        self.heads = shipped_heads() if heads is None else dict(heads)
        self.neutral, self.k = neutral, k
        self.gallery = gallery(self.model, self.data, ("text",), folder=SHIPPED)["text"].numpy().astype(np.float32)
        self._kept: dict[FusionState, Outcome] = {}

    def start(self, names: Mapping[str, str | None], *, style: str, voice: str) -> FusionState:
        """A state that shows the named things at the model's own weights; what is not named shows a thing that has all."""
        shelf, things = self.reader.shelf, sorted(self.data.things, key=lambda thing: thing.name_en != FIRST)
        whole = (t for t in things if (t.id, style) in shelf.pictures and (t.id, voice) in shelf.clips)
        first = next(whole, things[0])
        seen, heard = (first.id if names[m] is None else self.data[names[m]].id for m in ("image", "audio"))
        words = first.name_en if names["text"] is None else names["text"]
        notches = np.rint(np.array(self.model.weights.tolist()) / NOTCH["weight"])  # where the sliders can stand
        own = np.clip(notches * NOTCH["weight"], *LIMITS["weight"]).round(2).tolist()
        kinds = (("typed", words, ""), ("thing", seen, style), ("thing", heard, voice))
        return FusionState(*(Channel(*kind, weight=weight) for kind, weight in zip(kinds, own, strict=True)))

    def choose(self, state: FusionState, modality: str, name: str, form: str = "") -> FusionState:
        """The state in which a modality shows the thing of this name; a text is read as it was typed."""
        if modality == "text":
            return state.choose("text", "typed", name)
        form = form or state.channel(modality).form or self.reader.forms(modality)[0]
        return state.choose(modality, "thing", self.data[name.strip()].id, form)

    def upload(self, state: FusionState, modality: str, file: str, content: bytes) -> tuple[FusionState, bool]:
        """The state in which a modality reads an uploaded file, and whether a long sound was cut."""
        cut = self.reader.upload(modality, file, content)
        self._kept.clear()  # another file may have had this name
        channel = replace(state.channel(modality), kind="upload", value=file)
        return replace(state, **{modality: channel}), cut

    def reading(self, modality: str, state: FusionState) -> Reading:
        """What the model makes of a modality's input, noise included."""
        return self.reader.read(modality, state.channel(modality), seed=state.seed)

    def vectors(self, state: FusionState) -> Vectors:
        """The vectors of what is on: of unit length, or as long as the projections made them."""
        readings = {m: self.reading(m, state) for m in state.on}
        return {m: reading.z if state.normalise else reading.plain for m, reading in readings.items()}

    def outcome(self, state: FusionState) -> Outcome:
        """What the state gives, or an InputError that says why it gives nothing."""
        if state not in self._kept:
            vectors, known = self.vectors(state), {"heads": self.heads, "neutral": self.neutral}
            made = fused_outcome(vectors, state, gallery=self.gallery, k=self.k, **known)
            if len(self._kept) >= OUTCOMES:
                del self._kept[next(iter(self._kept))]
            self._kept[state] = made
        return self._kept[state]

    def answers(self, history: History) -> list[dict[str, Any]]:
        """The best things with what each modality adds, and how they moved since the state before the latest move."""
        outcome = self.outcome(history.present)
        moved = moves(self._places_before(history, outcome), outcome.places(), outcome.best)
        parts = [*outcome.shares.items(), *([("rest", outcome.rest)] if outcome.rest.any() else [])]
        lines = []
        for row, i in enumerate(outcome.best):
            thing = self.data.things[i]
            known = {"index": int(i), "id": thing.id, "name": f"{thing.name_en} {thing.name_zh}"}
            found = {"place": row + 1, "move": moved[row], "score": float(outcome.scores[i])}
            split = [(name, float(share[row])) for name, share in parts]
            lines.append({**known, **found, "chance": float(outcome.chances[i]), "parts": split})
        return lines

    def numbers(self, state: FusionState) -> str:
        """Length, cosines and agreement in one line: what the formula does not show."""
        outcome = self.outcome(state)
        said = [f"‖z‖ = {outcome.length:.2f}"]
        for (one, two), value in cosines(self.vectors(state), outcome.used).items():
            said.append(f"cos({FUSION[one]}, {FUSION[two]}) = {value:.2f}")
        if outcome.agree is not None:
            said.append(FUSION["agree"].format(operator=state.operator, share=outcome.agree))
        return " · ".join(said)

    def _places_before(self, history: History, outcome: Outcome) -> np.ndarray:
        """The places before the latest move; the present ones where there was no answer then."""
        try:
            return self.outcome(history.before).places()
        except InputError:
            return outcome.places()
