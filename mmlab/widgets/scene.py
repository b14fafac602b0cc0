"""What a map shows of some points: where each lies, in which colour, who its neighbours are. Pure functions."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from mmlab.figures import COLOURS
from mmlab.metrics import modality_gap
from mmlab.types import InputError
from mmlab.widgets.labels import SPACE
from mmlab.widgets.maps import Frame, Lookup, Pca, axis_names, neighbours
from mmlab.widgets.points import Points, modality_name
from mmlab.widgets.still import INK

# Okabe and Ito's colours and one of Tol's; the ninth is for everything that is left over.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK, "#882255")
REST = "#8A8A8A"
FIRST, FEW, LATER, ALONE = SPACE["errors"]
MOST = 20_000  # points whose errors are looked for: each is compared with all of another modality


@dataclass(frozen=True)
class Scene:
    """Points on a plane, scaled to [-1, 1], and the way to bring another vector there (None where there is none)."""

    xy: Float[np.ndarray, "n 2"]
    axes: list[str]
    note: str = ""
    place: Callable[[Float[np.ndarray, "k dim"]], Float[np.ndarray, "k 2"]] | None = None


@dataclass(frozen=True)
class Groups:
    """The colour of each point: a position in `legend` and `colours`."""

    codes: UInt8[np.ndarray, " n"]
    legend: list[str]
    colours: list[str]


def pca_scene(points: Points) -> Scene:
    """The live map. Vectors of two dimensions are shown as they were given."""
    if points.given is not None:
        return Scene(Frame.of(points.given).scale(points.given), axis_names(SPACE["given"]), SPACE["as_given"])
    pca = Pca.fit(points.vectors)
    frame = Frame.of(places := pca.place(points.vectors))
    return Scene(frame.scale(places), axis_names("PCA", pca.shares), "", lambda z: frame.scale(pca.place(z)))


def umap_scene(points: Points, xy: Float[np.ndarray, "n 2"]) -> Scene:
    """A map that was made before; another vector is placed among its neighbours, and the note says so."""
    frame, lookup = Frame.of(xy), Lookup(points.vectors, xy)
    return Scene(frame.scale(xy), axis_names("UMAP"), SPACE["interpolated"], lambda z: frame.scale(lookup.place(z)))


def grouping(points: Points, column: str) -> Groups:
    """Colours by a column: each modality its own colour everywhere, other groups by how many points they have.

    Raises:  InputError for a column that is not there
    """
    if column != "error" and column not in points.columns:
        known = ", ".join([*points.columns, "error"])
        raise InputError(f"Points are coloured by {known}, got {column!r}; choose one of these.")
    words = error_column(points) if column == "error" else points.columns[column]
    if column == "error":
        legend = [word for word in (FIRST, FEW, LATER, ALONE) if word in set(words)]
        colours = {FIRST: "#009E73", FEW: "#E69F00", LATER: "#D55E00", ALONE: REST}
    else:
        legend = [word for word, _ in sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))]
        if column in ("modality", "style"):
            legend = list(dict.fromkeys(words))
        kept = legend if len(legend) <= len(PALETTE) else [*legend[: len(PALETTE) - 1], SPACE["rest"]]
        colours = dict(zip(kept, (*PALETTE[: len(kept) - (kept != legend)], REST), strict=False))
        colours |= {word: COLOURS[word] for word in kept if word in COLOURS}
        legend = kept
    place = {word: code for code, word in enumerate(legend)}
    codes = np.array([place.get(word, len(legend) - 1) for word in words], dtype=np.uint8)
    return Groups(codes, [SPACE["words"].get(word, word) for word in legend], [colours[word] for word in legend])


def error_column(points: Points) -> list[str]:
    """Where the nearest counterpart of each point stands: names look among the pictures, all else among the names.

    Where these are not there, another modality is asked. Things that share a name count as one.

    Raises:  InputError for more points than can be compared
    """
    if len(points) > MOST:
        raise InputError(f"Errors are looked for among at most {MOST:,} points, got {len(points):,}; show fewer.")
    words = np.full(len(points), ALONE, dtype=object)
    _, called = np.unique([" ".join(pair).lower() for pair in points.names], return_inverse=True)
    same = called[points.items]
    for modality in points.present:
        others = [other for other in ((1, 2, 0, 3) if modality == 0 else (0, 1, 2, 3)) if other in points.present]
        target = next((other for other in others if other != modality), None)
        if target is None:
            continue
        rows, columns = np.flatnonzero(points.of(modality)), np.flatnonzero(points.of(target))
        for some in np.array_split(rows, max(1, len(rows) // 1000)):
            cosines = points.vectors[some] @ points.vectors[columns].T
            right = same[some][:, None] == same[columns][None]
            best = np.where(right, cosines, -np.inf).max(axis=1, keepdims=True)
            rank = 1 + ((cosines >= best) & ~right).sum(axis=1)
            found = np.where(rank == 1, FIRST, np.where(rank <= 5, FEW, LATER)).astype(object)
            words[some] = np.where(right.any(axis=1), found, ALONE)
    return words.tolist()


def nearest(
    points: Points, z: Float[np.ndarray, " dim"], *, leave_out: int = -1, k: int = 5
) -> dict[int, list[tuple[int, float]]]:
    """The `k` nearest points of each modality with their cosines; the point itself is left out."""
    found = {}
    for modality in points.present:
        among = points.of(modality)
        if 0 <= leave_out < len(points):
            among = among & (np.arange(len(points)) != leave_out)
        rows, cosines = neighbours(points.vectors, z, k=k, among=among)
        found[modality] = [(int(row), float(cosine)) for row, cosine in zip(rows, cosines, strict=True)]
    return found


def gaps(points: Points) -> dict[tuple[str, str], float]:
    """The modality gap between each two modalities (see `mmlab.metrics.modality_gap`)."""
    means = {modality: torch.from_numpy(points.vectors[points.of(modality)]) for modality in points.present}
    return {
        (modality_name(a), modality_name(b)): modality_gap(means[a], means[b])
        for a, b in combinations(points.present, 2)
    }


def similarities(points: Points, chosen: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k k"]:
    """Cosine of each chosen point with each other."""
    z = points.vectors[chosen]
    return np.clip(z @ z.T, -1, 1)


def thinned(indices: Int[np.ndarray, " k"], most: int) -> Int[np.ndarray, " m"]:
    """At most so many of the indices, spread evenly."""
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).round().astype(int)]
