"""Reference solution of 05_4.1."""

import numpy as np


def triangles(mels, n_fft, rate):
    hertz = np.arange(n_fft // 2 + 1) * rate / n_fft
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.maximum(0, np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)))
