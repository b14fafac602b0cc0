"""05_4.2: from a waveform to a log-mel spectrogram."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Close, Exercise, Wrong

CLOSE = Close(rtol=1e-6, atol=1e-8)


def _call(rng: np.random.Generator, samples: int, mels: int, n_fft: int, hop: int, rate: int = 8000) -> Call:
    time = np.arange(samples) / rate
    wave = 0.5 * np.sin(2 * np.pi * rng.uniform(300, 3000) * time) + 0.1 * rng.normal(size=samples)
    return Call({"wave": wave, "mels": mels, "n_fft": n_fft, "hop": hop, "rate": rate})


def _tone(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 160, 5, 64, 32)]


def _others(rng: np.random.Generator) -> list[Call]:
    return [_call(rng, 200, 4, 48, 20), _call(rng, 131, 6, 64, 16, rate=16_000)]


def _edges(rng: np.random.Generator) -> list[Call]:
    silence = _call(rng, 100, 4, 48, 24)
    silence.args["wave"][:] = 0.0
    return [silence, _call(rng, 64, 3, 64, 32)]


STATEMENT = """
A sound becomes a picture of itself. Write `log_mel(wave, mels, n_fft, hop, rate)` for `wave (samples,)`:

1. Cut it into frames of `n_fft` samples that begin at 0, `hop`, 2 `hop`, ...; only whole frames, nothing is padded.
2. Multiply each frame by the periodic Hann window $w_n = \\tfrac12 - \\tfrac12 \\cos(2 \\pi n / \\text{n\\_fft})$,
   $n = 0, \\dots, \\text{n\\_fft} - 1$.
3. Take the **power** $|X_k|^2$ of its Fourier transform, for the bins $0 \\dots \\text{n\\_fft} / 2$.
4. Sum the bins into mel bands with your `triangles(mels, n_fft, rate)` of exercise 05_4.1.
5. Take the natural logarithm, of $10^{-6}$ where the sum of a band is smaller. (Floor and padding differ from the lesson's.)

The result is `(mels, frames)`: bands upwards, time to the right.
"""

EXERCISE = Exercise(
    id="05_4.2",
    lesson="05_4_audio_encoder",
    title="Log-mel by hand",
    entry="log_mel",
    statement=STATEMENT,
    stub='''
import numpy as np


def log_mel(wave, mels, n_fft, hop, rate):
    """wave (samples,)  ->  natural logarithm of the power in each mel band and frame, (mels, frames)."""
    raise NotImplementedError  # your code here
''',
    allowed=("math", "numpy"),
    needs=("05_4.1",),
    checks=(
        Check("a tone", 2, _tone, "a tone in noise, frames that overlap by half", CLOSE),
        Check("others", 1, _others, "other frames, steps and rates; a rest that fills no frame", CLOSE),
        Check("special", 1, _edges, "silence; a sound of exactly one frame", CLOSE, kind="case"),
        Check("fresh", 1, _others, "other sounds", CLOSE, hidden=True),
    ),
    hints={
        "shape": (
            "How many whole frames fit? 1 + (samples - n_fft) // hop.",
            "Bands are rows, frames are columns; there are n_fft // 2 + 1 bins: `np.fft.rfft`.",
        ),
        "axis": ("Give (mels, frames), not (frames, mels).",),
        "value": (
            "np.hanning is symmetric: its last value is 0 again. The periodic window has n_fft in the denominator.",
            "Power is the square of the absolute value. The square comes before the sum into bands.",
            "The logarithm comes last, after the sum into bands.",
        ),
        "scale": ("Natural logarithm, of the power: no decibels, no square root, no division by n_fft.",),
        "case": ("The logarithm of 0 is minus infinity: `np.maximum(power, 1e-6)` first.",),
        "error": ("NameError? `triangles` comes from exercise 05_4.1: run that cell first.",),
        "in_place": ("Multiply by the window into a new array.",),
    },
    wrong=(
        Wrong(
            """
import numpy as np

def log_mel(wave, mels, n_fft, hop, rate):
    starts = range(0, len(wave) - n_fft + 1, hop)
    frames = np.stack([wave[s : s + n_fft] for s in starts]) * np.hanning(n_fft)
    power = np.abs(np.fft.rfft(frames)) ** 2
    return np.log(np.maximum(triangles(mels, n_fft, rate) @ power.T, 1e-6))
""",
            0,
            "the symmetric window",
        ),
        Wrong(
            """
import numpy as np

def log_mel(wave, mels, n_fft, hop, rate):
    starts = range(0, len(wave) - n_fft + 1, hop)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    power = np.abs(np.fft.rfft(np.stack([wave[s : s + n_fft] for s in starts]) * window))
    return np.log(np.maximum(triangles(mels, n_fft, rate) @ power.T, 1e-6))
""",
            0,
            "sums amplitudes, not powers",
        ),
        Wrong(
            """
import numpy as np

def log_mel(wave, mels, n_fft, hop, rate):
    starts = range(0, len(wave) - n_fft + 1, hop)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    power = np.abs(np.fft.rfft(np.stack([wave[s : s + n_fft] for s in starts]) * window)) ** 2
    return np.log(triangles(mels, n_fft, rate) @ power.T)
""",
            4,
            "minus infinity where it is silent",
        ),
    ),
    variant="""
import numpy as np

def log_mel(wave, mels, n_fft, hop, rate):
    bank = triangles(mels, n_fft, rate)
    n = np.arange(n_fft)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(n_fft // 2 + 1), n) / n_fft)
    window = np.sin(np.pi * n / n_fft) ** 2
    columns, start = [], 0
    while start + n_fft <= len(wave):
        spectrum = turns @ (wave[start : start + n_fft] * window)
        columns.append(bank @ (spectrum.real**2 + spectrum.imag**2))
        start += hop
    return np.log(np.clip(np.stack(columns, axis=1), 1e-6, None))
""",
)
