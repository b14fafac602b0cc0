"""Search: a text, a picture and a sound, alone or together, find the things that lie nearest in the joint space."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float
from torch import Tensor

from mmlab.apps.gallery import gallery
from mmlab.datasets.emoji import EmojiData, Thing
from mmlab.models.familiarity import STRANGE
from mmlab.models.joint import JointEmbedder
from mmlab.types import MODALITIES, InputError


@dataclass(frozen=True)
class Hit:
    """One thing that was found, and the cosine of its vector with the query's."""

    thing: Thing
    score: float


@dataclass(frozen=True)
class Answer:
    """The nearest things, best first, and for each modality of the query how familiar it is (1 very, 0 a stranger)."""

    hits: list[Hit]
    modalities: tuple[str, ...]
    familiarity: dict[str, float] = field(default_factory=dict)

    @property
    def strange(self) -> tuple[str, ...]:
        """The modalities whose input is unlike anything the model learned: hits found by them mean nothing."""
        return tuple(name for name, score in self.familiarity.items() if score <= STRANGE)

    def place(self, thing: str) -> int | None:
        """Where a thing, named by its id, stands among the hits, from 1; None where it is not among them."""
        return next((i for i, hit in enumerate(self.hits, start=1) if hit.thing.id == thing), None)


class Search:
    r"""All things of the data as unit vectors, searched by inner product.

    $$\mathrm{score}(g) = \langle z, z_g \rangle, \qquad z = f(\text{text}, \text{image}, \text{audio})$$

    z_g stands for the thing's names in both languages (target "text", the default), its picture by a team whose
    drawings the model never saw (target "image"), or both, fused as a query is. A thing that has none of them is not
    found. One target at a time shows whether modalities meet: a text that finds pictures has crossed over.

    Cost:    O(things * d_z) per query, exact (FAISS IndexFlatIP)
    Raises:  InputError for an unknown target, an empty query, k below 1
    """

    def __init__(
        self,
        model: JointEmbedder,
        data: EmojiData,
        *,
        targets: Sequence[str] = ("text",),
        folder: str | Path | None = None,
    ) -> None:
        self.model, self.data = model, data
        vectors = gallery(model, data, targets, folder=None if folder is None else Path(folder))
        found_by = model.fuse(**vectors).cpu()
        self.rows = found_by.norm(dim=-1).nonzero().flatten().numpy()
        self.index = faiss.IndexFlatIP(model.dim)
        self.index.add(np.ascontiguousarray(found_by.numpy()[self.rows], dtype=np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, *, text: str | None = None, image: Any = None, audio: Any = None, k: int = 5) -> Answer:
        """The `k` things nearest to a text, a PIL picture and a waveform at 16 kHz: whatever of them is given, fused."""
        given = {name: raw for name, raw in zip(MODALITIES, (text, image, audio), strict=True) if raw is not None}
        if not given:
            raise InputError("A search needs a text, a picture or a sound, got none; give at least one of them.")
        seen = self.model.judge(**{name: [raw] for name, raw in given.items()})
        known = {name: score.item() for name, (_, score) in seen.items() if score is not None}
        z = self.model.fuse(**{name: z for name, (z, _) in seen.items()})[0]
        return Answer(self.nearest(z, k=k), tuple(given), known)

    def nearest(self, z: Float[Tensor, " dim"], *, k: int = 5) -> list[Hit]:
        """The `k` things nearest to a unit vector of the joint space; all of them where there are fewer."""
        if k < 1:
            raise InputError(f"A search gives at least 1 thing, got k={k}; ask for 1 or more.")
        with _one_thread():
            scores, places = self.index.search(z.detach().cpu().float().numpy()[None], min(k, len(self)))
        pairs = zip(scores[0].tolist(), self.rows[places[0]].tolist(), strict=True)
        return [Hit(self.data.things[row], score) for score, row in pairs]


@contextmanager
def _one_thread() -> Iterator[None]:
    """One query needs one thread, and beside torch's own threads more of them can crash on macOS.

    FAISS and torch may share one OpenMP, and with it the number of threads: it is given back, or torch would stay slow.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
