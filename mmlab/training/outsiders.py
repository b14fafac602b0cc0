"""Pictures that no design team drew: made-up strangers, from which the familiarity learns what to doubt."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from numpy.random import Generator

from mmlab.preprocessing import fit_image, load_image

SIDE = 96  # pixels of a made-up picture, before it is fitted
WASHED, CUT = 0.25, 0.5  # shares of the pictures that lose their brightest parts to white, and that are not square


def outsiders(count: int, *, seed: int, drawings: Sequence[np.ndarray], kinds: Sequence[str] | None = None) -> list:
    """`count` pictures (PIL, as `fit_image` gives them), of each kind in turn; bits of `drawings` go into collages.

    Shape:   drawings (height, width, 3) of 0 to 255
    Source:  textures with the spectrum of natural images: Field 1987, JOSA A 4(12); shapes that hide each other:
             Ruderman 1997, Vision Research 37(23)
    """
    rng, makers = np.random.default_rng(seed), [KINDS[name] for name in kinds or KINDS]
    made = [makers[i % len(makers)](rng, drawings) for i in range(count)]
    return [fit_image(load_image(np.clip(_cut(rng, _wash(rng, one)), 0, 255).astype(np.uint8))) for one in made]


def noise(rng: Generator, _: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """White noise: uniform, or Gaussian in colour or grey, of any contrast."""
    side, kind = int(rng.integers(20, 200)), rng.integers(3)
    if kind == 0:
        return rng.uniform(0, 256, (side, side, 3))
    grains = rng.standard_normal((side, side, 3 if kind == 1 else 1)).repeat(1 if kind == 1 else 3, axis=2)
    return rng.uniform(60, 200) + rng.uniform(8, 80) * grains


def flat(rng: Generator, _: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """One colour; now and then so near to white that it counts as ground."""
    lightest = 256 if rng.random() < 0.2 else 240
    low = 248 if lightest == 256 else 0
    return np.ones((SIDE, SIDE, 3)) * rng.integers(low, lightest, 3)


def gradient(rng: Generator, _: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """From one colour to another along a line, sometimes a little noisy."""
    one, other, turn = rng.integers(0, 256, 3), rng.integers(0, 256, 3), rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    along = np.cos(turn) * columns + np.sin(turn) * rows
    along = (along - along.min()) / (along.max() - along.min())
    return one + (other - one) * along[..., None] + rng.normal(0, rng.uniform(0, 6), (SIDE, SIDE, 3))


def texture(rng: Generator, _: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """Noise whose amplitude falls with frequency, as that of natural images does; the colours go partly together."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    frequency[0, 0] = 1 / SIDE
    fall, own = rng.uniform(0.6, 1.6), rng.uniform(0, 0.8)
    layers = [np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIDE, SIDE))) / frequency**fall).real for _ in range(4)]
    shared, *colours = [layer / layer.std() for layer in layers]
    mixed = np.stack([shared + own * colour for colour in colours], axis=-1)
    return rng.uniform(60, 230) + rng.uniform(15, 70) * mixed


def leaves(rng: Generator, _: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """Discs and boxes of few colours and many sizes that hide each other, then blurred and grainy."""
    palette = rng.integers(0, 256, (int(rng.integers(3, 12)), 3))
    picture = np.ones((SIDE, SIDE, 3)) * palette[0]
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for _ in range(int(rng.integers(30, 300))):
        size, stretch = min(40.0, 1.5 / rng.uniform(0.03, 1)), rng.uniform(0.3, 1)
        across, down = (
            np.abs(columns - rng.uniform(0, SIDE)) / size,
            np.abs(rows - rng.uniform(0, SIDE)) / size / stretch,
        )
        inside = across**2 + down**2 < 1 if rng.random() < 0.6 else np.maximum(across, down) < 1
        picture[inside] = palette[rng.integers(len(palette))] + rng.normal(0, 12, 3)
    return _blur(picture, rng.uniform(0, 2.5)) + rng.normal(0, rng.uniform(0, 10), picture.shape)


def collage(rng: Generator, drawings: Sequence[np.ndarray]) -> Float[np.ndarray, "height width 3"]:
    """Enlarged bits of drawings over each other, without a ground."""
    picture = np.ones((SIDE, SIDE, 3)) * rng.integers(0, 256, 3)
    for _ in range(int(rng.integers(5, 20))):
        one, first, size = drawings[rng.integers(len(drawings))], rng.integers(6, 30, 2), int(rng.integers(16, 30))
        bit = np.rot90(one[first[0] : first[0] + size, first[1] : first[1] + size], int(rng.integers(4)))
        side = int(rng.integers(20, 70))
        at = [np.arange(side) * length // side for length in bit.shape[:2]]
        top, left = rng.integers(0, SIDE - 10, 2)
        room = picture[top : top + side, left : left + side]
        room[:] = bit[np.ix_(*at)][: room.shape[0], : room.shape[1]]
    return _blur(picture, rng.uniform(0.3, 1.5)) + rng.normal(0, rng.uniform(0, 10), picture.shape)


def _blur(picture: Float[np.ndarray, "height width 3"], width: float) -> Float[np.ndarray, "height width 3"]:
    """A Gaussian of standard deviation `width` pixels, over the edges and round to the other side."""
    rows, columns = (np.fft.fftfreq(length)[:, None] for length in picture.shape[:2])
    fall = np.exp(-2 * (np.pi * width) ** 2 * (rows**2 + columns.T**2))
    return np.fft.ifft2(np.fft.fft2(picture, axes=(0, 1)) * fall[..., None], axes=(0, 1)).real


def _wash(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Overexposed now and then: up to a third of the picture turns white, as the sky of a photograph does."""
    grey = picture.mean(axis=2)
    if rng.random() >= WASHED or grey.std() < 8:
        return picture
    return picture + max(0.0, 255 - np.quantile(grey, 1 - rng.uniform(0.05, 0.35)))


def _cut(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Half of the pictures are square, the others up to twice as wide as high, or as high as wide."""
    if rng.random() >= CUT:
        return picture
    kept = max(1, int(len(picture) * rng.uniform(0.5, 1)))
    return picture[:kept] if rng.random() < 0.5 else picture[:, :kept]


KINDS: dict[str, Callable[[Generator, Sequence[np.ndarray]], np.ndarray]] = {
    "noise": noise,
    "flat": flat,
    "gradient": gradient,
    "texture": texture,
    "leaves": leaves,
    "collage": collage,
}
