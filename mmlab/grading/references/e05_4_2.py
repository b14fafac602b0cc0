"""Reference solution of 05_4.2; `triangles` is the solution of 05_4.1."""

import numpy as np


def log_mel(wave, mels, n_fft, hop, rate):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = np.lib.stride_tricks.sliding_window_view(wave, n_fft)[::hop] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return np.log(np.maximum(triangles(mels, n_fft, rate) @ power.T, 1e-6))
