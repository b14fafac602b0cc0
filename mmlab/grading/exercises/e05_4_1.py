"""05_4.1: the mel filter bank."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Wrong

CLOSE = Close(rtol=1e-6, atol=1e-8)


def _usual(rng: np.random.Generator) -> list[Call]:
    return [Call({"mels": 6, "n_fft": 64, "rate": 8000})]


def _others(rng: np.random.Generator) -> list[Call]:
    sizes = zip(
        rng.integers(3, 9, size=2).tolist(), (50, 96), rng.choice([8000, 11025, 16000], size=2).tolist(), strict=True
    )
    return [Call({"mels": mels, "n_fft": n_fft, "rate": rate}) for mels, n_fft, rate in sizes]


def _edges(rng: np.random.Generator) -> list[Call]:
    return [Call({"mels": 1, "n_fft": 32, "rate": 16000}), Call({"mels": 12, "n_fft": 40, "rate": 8000})]


STATEMENT = """
Low down the ear hears differences, high up ratios: 4,000 and 8,000 Hz sound about as far apart as 2,000 and 4,000.
The mel scale has equal steps for the ear:

$$\\mathrm{mel}(f) = 2595 \\log_{10}(1 + f / 700)$$

Write `triangles(mels, n_fft, rate)`: a matrix `(mels, n_fft // 2 + 1)` that sums the bins of a spectrum into mel
bands. Bin $k$ is the frequency $k \\cdot \\text{rate} / \\text{n\\_fft}$. Take `mels` + 2 points equally spaced **in
mel** from 0 Hz to half the rate, and turn them back into Hz: $c_0, c_1, \\dots$ Band $m$ (from 1) is a triangle that
is 0 at $c_{m-1}$, rises to 1 at $c_m$, and falls to 0 at $c_{m+1}$, straight **in Hz**; outside it is 0. The heights
are all 1: no division by the width.
"""

EXERCISE = Exercise(
    id="05_4.1",
    lesson="05_4_audio_encoder",
    title="The mel filter bank",
    entry="triangles",
    statement=STATEMENT,
    stub='''
import numpy as np


def triangles(mels, n_fft, rate):
    """How much each bin of a spectrum adds to each mel band: (mels, n_fft // 2 + 1), numbers from 0 to 1."""
    raise NotImplementedError  # your code here
''',
    checks=(
        Check("six bands", 2, _usual, "six bands over 33 bins", CLOSE),
        Check("others", 1, _others, "other numbers of bands, bins and samples a second", CLOSE),
        Check("special", 1, _edges, "one band; bands so narrow that they hold no bin", CLOSE, kind="case"),
        Check("fresh", 1, _others, "others again", CLOSE, hidden=True),
    ),
    hints={
        "value": (
            "Which spacing is equal: that of the points in mel. Which lines are straight: those of the triangles "
            "in Hz.",
            "The points go from 0 Hz to half the rate. Back from mel to Hz: 700 * (10 ** (mel / 2595) - 1).",
            "A triangle is the smaller of its rising and its falling line, but never below 0: np.minimum, np.maximum.",
        ),
        "shape": ("One row per band, one column per bin; there are n_fft // 2 + 1 bins, from 0 Hz to half the rate.",),
        "axis": ("Bands are rows, bins are columns.",),
        "scale": ("Every triangle has height 1; do not divide by its width.",),
        "case": ("A band that lies between two bins stays a row of zeros; nothing may be rounded to the nearest bin.",),
        "dtype": ("The result holds numbers between 0 and 1: floats.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def triangles(mels, n_fft, rate):
    hertz = np.arange(n_fft // 2 + 1) * rate / n_fft
    c = np.linspace(0, rate / 2, mels + 2)
    up = (hertz - c[:-2, None]) / (c[1:-1] - c[:-2])[:, None]
    down = (c[2:, None] - hertz) / (c[2:] - c[1:-1])[:, None]
    return np.maximum(0, np.minimum(up, down))
""",
            0,
            "points equally spaced in Hz",
        ),
        Wrong(
            """
import numpy as np

def triangles(mels, n_fft, rate):
    hertz = np.arange(n_fft // 2 + 1) * rate / n_fft
    top = 2595 * np.log10(1 + rate / 2 / 700)
    c = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    up = (hertz - c[:-2, None]) / (c[1:-1] - c[:-2])[:, None]
    down = (c[2:, None] - hertz) / (c[2:] - c[1:-1])[:, None]
    bank = np.maximum(0, np.minimum(up, down))
    return bank * (2 / (c[2:] - c[:-2]))[:, None]
""",
            0,
            "Slaney's normalisation by area, as another library does it",
        ),
        Wrong(
            """
import numpy as np

def triangles(mels, n_fft, rate):
    top = 2595 * np.log10(1 + rate / 2 / 700)
    c = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    at = np.floor((n_fft + 1) * c / rate).astype(int)
    bank = np.zeros((mels, n_fft // 2 + 1))
    for m in range(mels):
        for k in range(at[m], at[m + 1]):
            bank[m, k] = (k - at[m]) / (at[m + 1] - at[m])
        for k in range(at[m + 1], min(at[m + 2], n_fft // 2 + 1)):
            bank[m, k] = (at[m + 2] - k) / (at[m + 2] - at[m + 1])
    return bank
""",
            0,
            "rounds the corners to the nearest bin, as many tutorials do",
        ),
    ),
    variant="""
import math
import numpy as np

def triangles(mels, n_fft, rate):
    top = 2595 * math.log10(1 + rate / 1400)
    corners = [700 * (10 ** (top * i / (mels + 1) / 2595) - 1) for i in range(mels + 2)]
    hertz = np.linspace(0, rate / 2, n_fft // 2 + 1) if n_fft % 2 == 0 else np.arange(n_fft // 2 + 1) * rate / n_fft
    return np.stack([np.interp(hertz, corners[m : m + 3], [0, 1, 0], left=0, right=0) for m in range(mels)])
""",
)
