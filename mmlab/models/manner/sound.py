"""How a sound is made: the levels, pauses, bands and pitch of the synthetic voices that were heard, or others?"""

import torch
from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from mmlab.models.covariance import whitening
from mmlab.models.manner.base import Manner, mean_over, share
from mmlab.nn.mel import LogMel, power_spectrogram
from mmlab.types import InputError, Inputs

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75)  # of the frames' levels
LOUD, LOWEST = -5.0, -16.0  # nepers of power below the loudest frame: where speech is, and where level stops to count
BANDS = 8  # of the mel bins
LAGS = (32, 230)  # samples: pitch from 70 to 500 Hz
VOICED = 0.6  # of the autocorrelation at no lag
JUMP = 0.15  # of the logarithm of pitch between two frames: more than a voice glides


class SoundManner(Manner):
    r"""Statistics of level, spectrum and pitch over time, and how far they lie from those of the voices heard.

    $$\sigma(u) = \sqrt{\tilde s(u)^\top \hat\Sigma^{-1}\, \tilde s(u)}$$

    where s~ are the standardised statistics and Sigma is their shrunk covariance.

    Shape:   values (batch, samples), mask (batch, samples)  ->  strangeness (batch,)
    Units:   16 kHz; frames of 32 ms every 16 ms
    Cost:    O(batch * samples * log(512))
    Source:  Lee et al. 2018, arXiv:1807.03888 (Mahalanobis distance), on statistics instead of features
    Parity:  tests/unit/test_manner.py (statistics of tones, noise and pauses)
    """

    names = (
        *(f"level_at_{quantile:g}" for quantile in QUANTILES), "loud", "change", "change_spread", "change_skew",
        *(f"band_{band}" for band in range(1, BANDS)), *(f"band_spread_{band}" for band in range(0, BANDS, 2)),
        *(f"quiet_{band}" for band in range(0, BANDS, 2)), "at_floor", "harmonic", "jumps", "glide", "pitch_spread",
        "voiced", "crest",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.mel = LogMel()
        self.register_buffer("whiten", torch.zeros(len(self.names), len(self.names)))

    def fit(self, known: Float[Tensor, "n stats"]) -> "SoundManner":
        """Learn from the statistics of voices."""
        whiten = whitening(self._learn_scale(known))
        if whiten is None:
            raise InputError("SoundManner needs sounds that differ, got all the same; fit it on several voices.")
        self.whiten.copy_(whiten)
        return self

    def judge(self, standard: Float[Tensor, "batch stats"]) -> Float[Tensor, " batch"]:
        return (standard @ self.whiten).norm(dim=-1)

    @torch.no_grad()
    def statistics(self, inputs: Inputs) -> Float[Tensor, "batch stats"]:
        power = power_spectrogram(inputs.values.to(self.mel.window), self.mel.window, hop=self.mel.hop)
        kept = self.mel.frame_mask(inputs.mask)
        level = power.sum(dim=1).clamp(min=self.mel.floor).log()
        level = (level - level.masked_fill(~kept, -torch.inf).amax(dim=1, keepdim=True)).clamp(min=LOWEST)
        loud = kept & (level > LOUD)
        quantiles = [_quantile(level, kept, quantile) for quantile in QUANTILES]
        quiet = kept & (level <= quantiles[1][:, None])
        found = [*quantiles, share(loud, kept), *_changes(level, kept)]
        mel = self.mel.log(einsum(self.mel.bank, power, "mels bins, batch bins frames -> batch mels frames"))
        found += [*_bands(mel, loud, quiet), _at_floor(mel, kept, floor=self.mel.floor)]
        found += [*_pitch(power, self.mel.window, loud), _crest(inputs)]
        return torch.stack(found, dim=1)


def _quantile(values: Float[Tensor, "batch frames"], kept: Bool[Tensor, "batch frames"], at: float) -> Tensor:
    """The value below which a share `at` of the kept frames lies."""
    ordered = values.masked_fill(~kept, torch.inf).sort(dim=1).values
    place = ((kept.sum(dim=1) - 1) * at).round().long()
    return ordered.gather(1, place[:, None])[:, 0]


def _changes(level: Float[Tensor, "batch frames"], kept: Bool[Tensor, "batch frames"]) -> list[Tensor]:
    """How much the level changes from frame to frame, how unequally, and whether it rises faster than it falls."""
    change, both = level.diff(dim=1), kept[:, 1:] & kept[:, :-1]
    centred = change - mean_over(change, both)[:, None]
    spread = mean_over(centred.square(), both).sqrt()
    skew = mean_over((centred / spread.clamp(min=0.1)[:, None]) ** 3, both).clamp(-5, 5)
    return [mean_over(change.abs(), both), spread, skew]


def _bands(
    mel: Float[Tensor, "batch mels frames"], loud: Bool[Tensor, "batch frames"], quiet: Bool[Tensor, "batch frames"]
) -> list[Tensor]:
    """Of bands of the loud frames: the level against all bands, and its spread; of the quiet ones: against the loud."""
    bands = rearrange(mel, "batch (band bins) frames -> band batch bins frames", band=BANDS).mean(dim=2)
    means = torch.stack([mean_over(band, loud) for band in bands])
    spreads = torch.stack(
        [mean_over((b - m[:, None]).square(), loud).sqrt() for b, m in zip(bands, means, strict=True)]
    )
    under = (bands - means.amax(dim=0)[:, None]).clamp(min=LOWEST)
    calm = torch.stack([mean_over(band, quiet) for band in under])
    pairs = [rearrange(values, "(pair two) batch -> pair two batch", two=2).mean(dim=1) for values in (spreads, calm)]
    return [*(means - means.mean(dim=0))[1:], *pairs[0], *pairs[1]]


def _at_floor(mel: Float[Tensor, "batch mels frames"], kept: Bool[Tensor, "batch frames"], *, floor: float) -> Tensor:
    """Logarithm of the share of the spectrogram that is digital silence."""
    silent = mel < torch.tensor(floor, dtype=mel.dtype).log() + 0.06
    return (share(silent, kept[:, None].expand_as(silent)) + 0.01).log()


def _pitch(
    power: Float[Tensor, "batch bins frames"], window: Float[Tensor, " n_fft"], loud: Bool[Tensor, "batch frames"]
) -> list[Tensor]:
    """Of loud frames: how periodic they are, how pitch jumps, glides and spreads, and what share has one."""
    first, last = LAGS
    correlation = torch.fft.irfft(power, dim=1)
    taper = torch.fft.irfft(torch.fft.rfft(window).abs().square())
    correlation = correlation[:, :last] / correlation[:, :1].clamp(min=1e-6)
    correlation = correlation / (taper[:last] / taper[0]).clamp(min=0.05)[:, None]
    peak, lag = correlation[:, first:].max(dim=1)
    peak, lag = peak.clamp(0, 1), (lag + first).to(power.dtype).log()
    voiced = loud & (peak > VOICED)
    both, move = voiced[:, 1:] & voiced[:, :-1], lag.diff(dim=1).abs()
    jumps, glide = share(move > JUMP, both), mean_over(move.clamp(max=JUMP), both)
    spread = mean_over((lag - mean_over(lag, voiced)[:, None]).square(), voiced).sqrt()
    logs = [(value + 0.02).log() for value in (jumps, glide, spread)]
    return [mean_over(peak, loud), *logs, share(voiced, loud)]


def _crest(inputs: Inputs) -> Float[Tensor, " batch"]:
    """Logarithm of the effective value over the peak."""
    power = mean_over(inputs.values.square(), inputs.mask).clamp(min=1e-8)
    return power.log() / 2 - inputs.values.abs().amax(dim=1).clamp(min=1e-4).log()
