"""Changes that leave the meaning: of pictures (place, colour, outline), of sounds (tract, tempo, room, noise, band)."""

import math
from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Generator, Tensor
from torch.nn import functional as F

from mmlab.nn.mel import LogMel, mel_filterbank, power_spectrogram

TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


class PictureAugment:
    """Random place, size, bend, colour, outline and holes, each picture its own; white grounds stay white.

    The outline turns flat pictures into line drawings and back, so that an encoder cannot lean on the way a team draws.

    Shape:   pixels (batch, 3, height, width) in [0, 1] -> the same
    """

    def __init__(self, *, strength: float = 1.0, outline: float = 0.45) -> None:
        self.strength, self.outline = strength, outline

    def __call__(
        self, pixels: Float[Tensor, "batch 3 height width"], *, flippable: Bool[Tensor, " batch"], generator: Generator
    ) -> Float[Tensor, "batch 3 height width"]:
        u = _Uniform(len(pixels), generator, pixels.device)
        pixels = self._place(pixels, u, flippable)
        pixels = self._colour(pixels, u)
        pixels = self._on(pixels, u.chance(self.outline), lambda part: self._outline(part, generator))
        pixels = self._on(pixels, u.chance(0.15), lambda part: F.avg_pool2d(F.pad(part, (1, 1, 1, 1), value=1.0), 3, 1))
        return self._holes(pixels, u)

    def redrawn(
        self, pixels: Float[Tensor, "batch 3 height width"], *, generator: Generator
    ) -> Float[Tensor, "batch 3 height width"]:
        """Another place, size and bend, and dark lines where colour changes; the colours stay as they are."""
        u = _Uniform(len(pixels), generator, pixels.device)
        upright = torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
        return self._outline(self._place(pixels, u, upright), generator, faded=0.0)

    def _on(self, pixels: Tensor, rows: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        if rows.any():
            pixels = pixels.clone()
            pixels[rows] = change(pixels[rows])
        return pixels

    def _place(self, pixels: Tensor, u: "_Uniform", flippable: Tensor) -> Tensor:
        k = self.strength
        angle, shear = u(-0.35, 0.35) * k, u(-0.2, 0.2) * k
        sx, sy = u(0.85, 1.3) ** k * u(0.9, 1.1), u(0.85, 1.3) ** k * u(0.9, 1.1)
        mirror = torch.where(flippable & u.chance(0.5), -1.0, 1.0)
        cos, sin = angle.cos(), angle.sin()
        theta = torch.stack(
            [
                torch.stack([sx * cos * mirror, sy * (shear - sin), u(-0.15, 0.15) * k], -1),
                torch.stack([sx * sin * mirror, sy * cos, u(-0.15, 0.15) * k], -1),
            ],
            1,
        )
        grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
        bend = torch.randn(len(pixels), 2, 5, 5, generator=u.generator, device=pixels.device) * 0.05 * k
        bend = F.interpolate(bend * u.chance(0.6)[:, None, None, None], size=pixels.shape[-2:], mode="bicubic")
        return F.grid_sample(
            pixels, grid + rearrange(bend, "b t h w -> b h w t"), padding_mode="border", align_corners=False
        )

    def _colour(self, pixels: Tensor, u: "_Uniform") -> Tensor:
        """One matrix per picture: hue turned, saturation scaled; white is its fixed point. Then contrast towards white."""
        hue = torch.where(u.chance(0.1), u(-math.pi, math.pi), u(-0.3, 0.3) * self.strength)
        saturation = torch.where(u.chance(0.15), torch.zeros_like(hue), u(0.4, 1.6))
        zero, one = torch.zeros_like(hue), torch.ones_like(hue)
        cos, sin = saturation * hue.cos(), saturation * hue.sin()
        turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], -1).view(-1, 3, 3)
        yiq = TO_YIQ.to(pixels)
        matrix = torch.linalg.inv(yiq) @ turn @ yiq
        flat = rearrange(pixels, "b c h w -> b c (h w)")
        flat = 1 - (1 - torch.bmm(matrix, flat)) * u(0.7, 1.35)[:, None, None]
        return flat.clamp(0, 1).view_as(pixels)

    @staticmethod
    def _outline(pixels: Tensor, generator: Generator, *, faded: float = 0.35) -> Tensor:
        """Draw dark lines where colour changes, and fade what lies between, from not at all to white, with a chance."""
        u = _Uniform(len(pixels), generator, pixels.device)
        smooth = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
        dx = F.pad((smooth[..., :, 1:] - smooth[..., :, :-1]).abs().amax(1, keepdim=True), (0, 1, 0, 0))
        dy = F.pad((smooth[..., 1:, :] - smooth[..., :-1, :]).abs().amax(1, keepdim=True), (0, 0, 0, 1))
        edge = torch.maximum(dx, dy)
        thick = u.chance(0.6)[:, None, None, None]
        edge = torch.where(thick, F.max_pool2d(edge, 3, 1, 1), edge)
        line = ((edge - u(0.04, 0.12)[:, None, None, None]) * 12).clamp(0, 1) * u(0.6, 1.0)[:, None, None, None]
        fade = torch.where(u.chance(faded), u(0.5, 1.0), torch.zeros(len(pixels), device=pixels.device))
        ground = pixels + (1 - pixels) * fade[:, None, None, None]
        return ground * (1 - line)

    @staticmethod
    def _holes(pixels: Tensor, u: "_Uniform") -> Tensor:
        """A white rectangle over a third of the pictures."""
        h, w = pixels.shape[-2:]
        rows = torch.arange(h, device=pixels.device)[None, :]
        cols = torch.arange(w, device=pixels.device)[None, :]
        y, x = u(0, 1)[:, None] * h, u(0, 1)[:, None] * w
        tall, wide = u(0.05, 0.2)[:, None] * h, u(0.05, 0.2)[:, None] * w
        hole = (
            ((rows - y).abs() < tall)[:, :, None]
            & ((cols - x).abs() < wide)[:, None, :]
            & u.chance(0.33)[:, None, None]
        )
        return torch.where(hole[:, None], torch.ones((), device=pixels.device), pixels)


class SoundAugment:
    """Another speaker, room and line, worked on the spectrogram: vocal tract, tempo, echo, noise, tilt, band, gaps.

    A shorter or longer vocal tract stretches the whole spectrum: resonances and pitch move together.

    Shape:   waveform (batch, samples), mask (batch, samples) -> log-mel (batch, mels, frames), mask (batch, frames)
    With strength 0 only the level changes, and a clip beyond LONGEST is shortened; with 1 all that is said below.

    Units:   16 kHz; tract factors 0.82 to 1.22; tempo 0.78 to 1.28; noise 0 to 35 dB below the speech
    Source:  vocal tract: Jaitly and Hinton 2013; gaps: SpecAugment, Park et al. 2019, arXiv:1904.08779
    """

    LONGEST = 136  # frames, 2.2 s: a long clip is not slowed down beyond this
    WARPS = torch.linspace(0.82, 1.22, 17).tolist()

    def __init__(self, mel: LogMel) -> None:
        self.mel = mel
        self.banks = torch.stack([mel_filterbank(warp=warp) for warp in self.WARPS])

    def __call__(
        self,
        wave: Float[Tensor, "batch samples"],
        mask: Bool[Tensor, "batch samples"],
        *,
        generator: Generator,
        strength: float = 1.0,
    ) -> tuple[Float[Tensor, "batch mels frames"], Bool[Tensor, "batch frames"]]:
        u = _Uniform(len(wave), generator, wave.device)
        power = power_spectrogram(wave, self.mel.window, hop=self.mel.hop)
        kept = self.mel.frame_mask(mask)
        middle = len(self.WARPS) // 2
        which = (middle + u(-1, 1) * strength * (middle + 0.49)).round().long().clamp(0, len(self.WARPS) - 1)
        mel = torch.bmm(self.banks.to(power)[which], power)
        mel, kept = self._tempo(mel, kept, u, strength)
        mel = self._echo(mel, u, strength)
        mel = self._noise(mel, kept, u, strength)
        log = self.mel.log(mel)
        axis = torch.linspace(-1, 1, log.shape[1], device=log.device)[None, :, None]
        log = log + u(-2.0, 2.0)[:, None, None] * strength * axis + u(-2.0, 1.0)[:, None, None]
        log = self._band_and_gaps(log, kept, u, strength)
        return log, kept

    def _tempo(self, mel: Tensor, kept: Tensor, u: "_Uniform", strength: float) -> tuple[Tensor, Tensor]:
        """Read the frames at another pace, by linear interpolation."""
        length = kept.sum(1)
        pace = torch.maximum(u(0.78, 1.28) ** strength, length / self.LONGEST)
        new = (length / pace).round().clamp(min=4).long()
        at = torch.arange(int(new.max()), device=mel.device)[None, :] * pace[:, None]
        low = at.floor().long().clamp(max=mel.shape[-1] - 1)
        high = (low + 1).clamp(max=mel.shape[-1] - 1)
        part = (at - low)[:, None, :].clamp(0, 1)
        index = low[:, None, :].expand(-1, mel.shape[1], -1), high[:, None, :].expand(-1, mel.shape[1], -1)
        stretched = mel.gather(2, index[0]) * (1 - part) + mel.gather(2, index[1]) * part
        mask = torch.arange(at.shape[1], device=mel.device)[None, :] < new[:, None]
        return stretched * mask[:, None, :], mask

    def _echo(self, mel: Tensor, u: "_Uniform", strength: float) -> Tensor:
        """A room that dies away exponentially, added in the power domain."""
        times = torch.arange(16, device=mel.device)[None, :]
        decay = (-times / u(1.0, 6.0)[:, None]).exp() * u(0.05, 0.5)[:, None] * u.chance(0.35 * strength)[:, None]
        decay[:, 0] = 1.0
        padded = F.pad(rearrange(mel, "b m t -> m b t"), (15, 0))
        heard = F.conv1d(padded, decay.flip(1)[:, None, :], groups=len(mel))
        return rearrange(heard, "m b t -> b m t")

    def _noise(self, mel: Tensor, kept: Tensor, u: "_Uniform", strength: float) -> Tensor:
        """Steady noise of a random colour, 0 to 35 dB below the speech, on 60 % of the clips."""
        level = (mel.sum((1, 2)) / (kept.sum(1) * mel.shape[1])).clamp(min=1e-8)
        axis = torch.linspace(-1, 1, mel.shape[1], device=mel.device)[None, :]
        colour = (u(-2.5, 2.5)[:, None] * axis).exp()
        gain = level * 10 ** (-u(0.0, 35.0) / 10) * u.chance(0.6 * strength)
        grain = -torch.rand(mel.shape, generator=u.generator, device=mel.device).clamp(min=1e-6).log()
        return (
            mel
            + gain[:, None, None] * colour[:, :, None] * grain * 0.5
            + gain[:, None, None] * colour[:, :, None] * 0.5
        )

    def _band_and_gaps(self, log: Tensor, kept: Tensor, u: "_Uniform", strength: float) -> Tensor:
        """A telephone band on a quarter of the clips; one gap in time and one in frequency, filled with the clip's mean."""
        _, m, t = log.shape
        mels = torch.arange(m, device=log.device)[None, :]
        band = (mels < (u(0, 10) * u.chance(0.25 * strength))[:, None]) | (
            mels >= (m - u(0, 26) * u.chance(0.3 * strength))[:, None]
        )
        log = torch.where(band[:, :, None], log.amin((1, 2), keepdim=True), log)
        fill = (log * kept[:, None]).sum((1, 2)) / (kept.sum(1) * m).clamp(min=1)
        y, x = (u(0, 1) * m)[:, None], (u(0, 1) * kept.sum(1))[:, None]
        rows = ((mels - y).abs() < u(0, 5)[:, None])[:, :, None]
        cols = ((torch.arange(t, device=log.device)[None, :] - x).abs() < u(0, 5)[:, None])[:, None, :]
        return torch.where((rows | cols) & u.chance(0.5 * strength)[:, None, None], fill[:, None, None], log)


class _Uniform:
    """Numbers per row, from one generator."""

    def __init__(self, rows: int, generator: Generator, device: torch.device) -> None:
        self.rows, self.generator, self.device = rows, generator, device

    def __call__(self, low: float, high: float) -> Float[Tensor, " rows"]:
        return low + (high - low) * torch.rand(self.rows, generator=self.generator, device=self.device)

    def chance(self, p: float) -> Bool[Tensor, " rows"]:
        return torch.rand(self.rows, generator=self.generator, device=self.device) < p
