"""Features that need no learning, and the nearest of a memory by them."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.nn.mel import LogMel

MEL_SHAPE = (64, 32)  # mel bins, moments
CHUNK = 256  # queries at a time


@dataclass(frozen=True)
class Features:
    """Fixed features of items and the things they are of.

    Shape:   things (n,), values (n, dim)
    """

    things: Int[Tensor, " n"]
    values: Float[Tensor, "n dim"]

    def of(self, chosen: Bool[Tensor, " things"]) -> "Features":
        """Only the items whose thing is chosen."""
        keep = chosen[self.things]
        return Features(self.things[keep], self.values[keep])


def pixels(data: EmojiData, style: str) -> Features:
    """The 64 x 64 RGB values of every picture of a style."""
    pictures = data.images(style)
    values = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures.values()])).float() / 255 - 0.5
    flat = rearrange(values, "n height width channel -> n (height width channel)")
    return Features(torch.tensor([data.index[thing] for thing in pictures]), flat)


def mels(data: EmojiData, rows: Sequence[dict]) -> Features:
    """Log-mel spectrograms of rows of the speech table, each brought to 32 moments and less its mean."""
    front = LogMel(MEL_SHAPE[0])

    def one(row: dict) -> Tensor:
        wave = torch.from_numpy(decode_audio(row["audio"]["bytes"]))
        mel = interpolate(front(wave[None]), size=MEL_SHAPE[1], mode="linear")
        return rearrange(mel - mel.mean(), "1 mels moments -> (mels moments)")

    with ThreadPoolExecutor(2) as pool:
        return Features(
            torch.tensor([data.index[row["thing"]] for row in rows]), torch.stack(list(pool.map(one, rows)))
        )


def nearest(
    queries: Float[Tensor, "query dim"], memory: Iterable[Features], *, count: int
) -> Float[Tensor, "query things"]:
    r"""Score of each of `count` things: minus the squared distance to its nearest item; -inf where it has none.

    $$s_{qt} = -\min_{i \,\in\, \mathrm{memory},\; t(i) = t} \lVert x_q - x_i \rVert^2$$
    """
    scores = torch.full((len(queries), count), -torch.inf)
    for part in memory:
        length = part.values.square().sum(1)
        for at in range(0, len(queries), CHUNK):
            some = queries[at : at + CHUNK]
            near = 2 * some @ part.values.T - length - some.square().sum(1, keepdim=True)
            scores[at : at + CHUNK].scatter_reduce_(1, part.things.expand(len(some), -1), near, "amax")
    return scores


def tfidf(texts: Sequence[str], *, longest: int = 3) -> Float[Tensor, "n terms"]:
    r"""Unit vectors of the character n-grams of each text, n = 1 to `longest`.

    $$v_{t} \propto \mathrm{tf}_{t}\, \Big(1 + \ln \frac{1 + N}{1 + \mathrm{df}_t}\Big)$$

    Parity:  tests/unit/test_evaluation.py (sklearn.feature_extraction.text.TfidfVectorizer)
    """
    forms = [unicodedata.normalize("NFKC", text).lower() for text in texts]
    counts = [
        Counter(form[i : i + n] for n in range(1, longest + 1) for i in range(len(form) - n + 1)) for form in forms
    ]
    frequency = Counter(term for count in counts for term in count)
    column = {term: i for i, term in enumerate(sorted(frequency))}
    values = np.zeros((len(texts), len(column)), dtype=np.float32)
    for row, count in enumerate(counts):
        for term, times in count.items():
            values[row, column[term]] = times * (1 + math.log((1 + len(texts)) / (1 + frequency[term])))
    return torch.from_numpy(values / np.linalg.norm(values, axis=1, keepdims=True))
