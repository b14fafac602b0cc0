"""How a picture is drawn: a shape on a white ground, or something that fills a rectangle to its corners?"""

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from mmlab.models.manner.base import Manner, mean_over, share
from mmlab.preprocessing.fit import WHITE_TOLERANCE
from mmlab.types import Inputs

HIDDEN, STEPS, RATE, DECAY = 16, 1000, 0.02, 0.01
RING, CORE = 2, 4  # pixels: how wide the rim of what is drawn is, and how far inside its core begins
STEP_SIZES = (1.5, 8.0, 24.0, 64.0)  # of 255: flat, shaded, soft edge, hard edge
COLOURS = 16  # levels of each of red, green and blue, when colours are counted


class PictureManner(Manner):
    r"""Statistics of the pixels, told apart from made-up strangers by one hidden layer.

    $$\sigma(u) = w^\top \tanh(V \tilde s(u) + b) + c$$

    where s~ are the standardised statistics; V, b, w, c are fitted by logistic regression of strangers (noise, flat
    colour, gradients, textures, overlapping shapes) against drawings, both of equal weight.

    Shape:   values (batch, 3, 64, 64)  ->  strangeness (batch,), the log odds of a stranger
    Units:   pixel values in [0, 1], white ground
    Cost:    O(batch * pixels)
    Source:  Hendrycks et al. 2019, arXiv:1812.04606 (made-up outliers); the textures are those of natural images,
             Ruderman 1997, Vision Research 37(23) (overlapping shapes) and Field 1987, JOSA A 4(12) (1/f spectra)
    Parity:  tests/unit/test_manner.py (statistics of pictures that are plain to see)
    """

    names = (
        "filled", "corners", "rim", "inked", "rim_changes",
        *(f"all_below_{int(size)}" for size in STEP_SIZES), *(f"ink_below_{int(size)}" for size in STEP_SIZES),
        "core_spread", "rim_spread", "curvature", "colours", "chroma", "empty",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        shapes = {"inner": (len(self.names), HIDDEN), "inner_bias": (HIDDEN,), "outer": (HIDDEN,), "outer_bias": ()}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    def fit(
        self, known: Float[Tensor, "n stats"], strangers: Float[Tensor, "m stats"], *, generator: torch.Generator
    ) -> "PictureManner":
        """Learn to tell the statistics of drawings from those of strangers; a second or two."""
        both = self._learn_scale(torch.cat([known, strangers]))
        truth = torch.cat([torch.zeros(len(known)), torch.ones(len(strangers))])
        weight = torch.where(truth > 0, 0.5 / len(strangers), 0.5 / len(known))
        self.inner.copy_(torch.randn(self.inner.shape, generator=generator) / len(self.names) ** 0.5)
        self.outer.copy_(torch.randn(self.outer.shape, generator=generator) / HIDDEN**0.5)
        weights = {name: getattr(self, name).clone() for name in ("inner", "inner_bias", "outer", "outer_bias")}
        with torch.enable_grad():
            learned = [value.requires_grad_() for value in weights.values()]
            optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=DECAY)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
            for _ in range(STEPS):
                optimiser.zero_grad()
                binary_cross_entropy_with_logits(_odds(both, **weights), truth, weight, reduction="sum").backward()
                optimiser.step()
                schedule.step()
        for name, value in weights.items():
            getattr(self, name).copy_(value.detach())
        return self

    def judge(self, standard: Float[Tensor, "batch stats"]) -> Float[Tensor, " batch"]:
        return _odds(standard, self.inner, self.inner_bias, self.outer, self.outer_bias)

    @torch.no_grad()
    def statistics(self, inputs: Inputs) -> Float[Tensor, "batch stats"]:
        pixels = inputs.values.float()
        ink = (1 - pixels).amax(dim=1) > (WHITE_TOLERANCE + 0.5) / 255
        depth, across = _depth(ink)
        rim, core = (depth >= 0) & (depth < RING), depth >= CORE
        right = (pixels[..., 1:] - pixels[..., :-1]).abs().amax(dim=1)
        down = (pixels[..., 1:, :] - pixels[..., :-1, :]).abs().amax(dim=1)
        step = torch.maximum(right[:, :-1], down[..., :-1])
        inside = core[:, :-1, :-1]
        inked = inside & ink[:, :-1, :-1] & ink[:, 1:, :-1] & ink[:, :-1, 1:]
        found = [
            share(ink, depth >= 0), share(ink, rim & (across >= 0) & (across < RING)), share(ink, rim),
            ink.float().mean(dim=(1, 2)), _along_rim(right, down, depth == 1).sqrt(),
            *(share(step < size / 255, inside) for size in STEP_SIZES),
            *(share(step < size / 255, inked) for size in STEP_SIZES),
            _spread(pixels, core), _spread(pixels, rim), mean_over(_curvature(pixels), core[:, 1:-1, 1:-1]),
            _colours(pixels, ink), mean_over(pixels.amax(dim=1) - pixels.amin(dim=1), ink),
            (~ink.flatten(1).any(dim=1)).float(),
        ]  # fmt: skip
        return torch.stack(found, dim=1)


def _odds(standard: Tensor, inner: Tensor, inner_bias: Tensor, outer: Tensor, outer_bias: Tensor) -> Tensor:
    return torch.tanh(standard @ inner + inner_bias) @ outer + outer_bias


def _depth(ink: Bool[Tensor, "batch height width"]) -> tuple[Int[Tensor, "batch height width"], ...]:
    """Pixels to the nearest side, and to the nearer of the other two, of the box around what is drawn; -1 outside."""
    parts = []
    for seen in (ink.any(dim=2), ink.any(dim=1)):
        at = torch.arange(seen.shape[1], device=ink.device)
        first = torch.where(seen, at, seen.shape[1]).amin(dim=1, keepdim=True)
        last = torch.where(seen, at, -1).amax(dim=1, keepdim=True)
        parts.append(torch.minimum(at - first, last - at).clamp(min=-1))
    rows, columns = parts[0][:, :, None], parts[1][:, None, :]
    return torch.minimum(rows, columns), torch.maximum(rows, columns)


def _along_rim(right: Tensor, down: Tensor, line: Bool[Tensor, "batch height width"]) -> Float[Tensor, " batch"]:
    """Mean change from pixel to pixel along a line one pixel inside the box."""
    flat, steep = line[:, :, 1:] & line[:, :, :-1], line[:, 1:] & line[:, :-1]
    total = (right * flat).sum(dim=(1, 2)) + (down * steep).sum(dim=(1, 2))
    return total / (flat.sum(dim=(1, 2)) + steep.sum(dim=(1, 2))).clamp(min=1)


def _spread(pixels: Tensor, among: Bool[Tensor, "batch height width"]) -> Float[Tensor, " batch"]:
    """Standard deviation of the colours at some places."""
    mean = torch.stack([mean_over(channel, among) for channel in pixels.unbind(dim=1)], dim=1)
    return mean_over((pixels - mean[:, :, None, None]).square().mean(dim=1), among).sqrt()


def _curvature(pixels: Tensor) -> Tensor:
    """How far each inner pixel lies from the mean of its four neighbours, times four."""
    middle = pixels[:, :, 1:-1, 1:-1]
    beside = pixels[:, :, 1:-1, 2:] + pixels[:, :, 1:-1, :-2] + pixels[:, :, 2:, 1:-1] + pixels[:, :, :-2, 1:-1]
    return (4 * middle - beside).abs().mean(dim=1)


def _colours(pixels: Tensor, ink: Bool[Tensor, "batch height width"]) -> Float[Tensor, " batch"]:
    """Logarithm of the number of colours for the inked area."""
    red, green, blue = (pixels * (COLOURS - 0.01)).long().unbind(dim=1)
    codes = rearrange((red * COLOURS + green) * COLOURS + blue, "batch height width -> batch (height width)")
    codes = codes.sort(dim=1).values
    changes = (codes[:, 1:] != codes[:, :-1]).sum(dim=1).float()
    return (changes / ink.flatten(1).sum(dim=1).clamp(min=64).sqrt()).log1p()
