"""From a waveform to a picture of its sound: power spectrogram, mel filters, logarithm."""

import torch
from einops import einsum
from jaxtyping import Bool, Float
from torch import Tensor, nn


def hertz_to_mel(hertz: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    r"""The HTK mel scale: equal steps on it sound about equally far apart.

    $$\mathrm{mel}(f) = 2595\, \log_{10}(1 + f / 700)$$

    Units:   Hz -> mel
    Source:  O'Shaughnessy 1987; constants of the HTK book (Slaney's scale is another)
    Parity:  tests/parity/test_mel.py (transformers.audio_utils)
    """
    return 2595.0 * torch.log10(1.0 + hertz / 700.0)


def mel_to_hertz(mel: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    r"""The inverse of `hertz_to_mel`.

    $$f(m) = 700\, (10^{m / 2595} - 1)$$

    Units:   mel -> Hz
    Parity:  tests/parity/test_mel.py (transformers.audio_utils)
    """
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def warp_frequency(hertz: Float[Tensor, "..."], *, warp: float, nyquist: float) -> Float[Tensor, "..."]:
    r"""Stretch the frequency axis as a shorter (warp > 1) or longer (warp < 1) vocal tract does.

    $$g(f) = \alpha f \;\text{ for } f \le f_0, \qquad
      g(f) = f_N - (f_N - \alpha f_0)\,\frac{f_N - f}{f_N - f_0} \;\text{ above}, \qquad
      f_0 = 0.85\, f_N \min(1, 1 / \alpha)$$

    with α the warp and f_N the Nyquist frequency: a line through the origin, bent at f_0 so that it ends at (f_N, f_N).

    Units:   Hz -> Hz
    Source:  Lee and Rose 1996 (vocal tract length normalisation); the bent line of Povey's and HTK's filter banks
    """
    if not 0.5 <= warp <= 2.0:
        raise ValueError(f"warp must lie between 0.5 and 2.0, got {warp}; speakers lie between about 0.8 and 1.2.")
    knee = 0.85 * nyquist * min(1.0, 1.0 / warp)
    above = nyquist - (nyquist - warp * knee) * (nyquist - hertz) / (nyquist - knee)
    return torch.where(hertz <= knee, warp * hertz, above)


def mel_filterbank(
    mels: int = 64,
    *,
    n_fft: int = 512,
    rate: int = 16_000,
    low: float = 0.0,
    high: float | None = None,
    warp: float = 1.0,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "mels bins"]:
    r"""Triangles of height 1, equally spaced in mel, that sum the bins of a spectrum into mel bands.

    $$H_m(f) = \max\!\Big(0,\; \min\!\Big(\frac{f - c_{m-1}}{c_m - c_{m-1}},\;
      \frac{c_{m+1} - f}{c_{m+1} - c_m}\Big)\Big)$$

    c_0 ... c_{M+1} are M + 2 points equally spaced in mel from `low` to `high` (default: the Nyquist frequency), moved
    by `warp_frequency`. With warp = 1.1 a speaker whose resonances all lie 10 % higher looks as the same speaker does
    with warp = 1.0.

    Shape:   (mels, n_fft // 2 + 1)
    Units:   rate, low, high in Hz
    Source:  Davis and Mermelstein 1980; HTK mel scale, no area normalisation (`norm=None`)
    Parity:  tests/parity/test_mel.py (transformers.audio_utils.mel_filter_bank)
    Raises:  ValueError when `low` and `high` leave no band, or a filter is so narrow that it holds no bin
    """
    nyquist = rate / 2
    high = nyquist if high is None else high
    if not 0.0 <= low < high <= nyquist:
        raise ValueError(f"low and high must satisfy 0 <= low < high <= {nyquist:g} Hz, got {low:g} and {high:g} Hz.")
    ends = hertz_to_mel(torch.tensor([low, high], dtype=torch.float64)).tolist()
    centres = mel_to_hertz(torch.linspace(*ends, mels + 2, dtype=torch.float64))
    centres = warp_frequency(centres, warp=warp, nyquist=nyquist)
    bins = torch.linspace(0.0, nyquist, n_fft // 2 + 1, dtype=torch.float64)
    below, middle, above = (centres[start : start + mels, None] for start in range(3))
    bank = torch.minimum((bins - below) / (middle - below), (above - bins) / (above - middle)).clamp(min=0.0)
    if (empty := int((bank.amax(dim=1) == 0).sum())) > 0:
        raise ValueError(f"{empty} of {mels} mel filters hold no bin of a {n_fft}-point FFT; ask for fewer mels.")
    return bank.to(dtype or torch.get_default_dtype())


def power_spectrogram(
    waveform: Float[Tensor, "batch samples"], window: Float[Tensor, " n_fft"], *, hop: int = 256
) -> Float[Tensor, "batch bins frames"]:
    r"""How much of each frequency there is around each moment.

    $$S_{k t} = \Big| \sum_{n=0}^{N-1} w_n\, x_{t h + n - N/2}\; e^{-2 \pi i k n / N} \Big|^2,
      \qquad x = 0 \text{ outside the clip}$$

    Zeros outside the clip (not its mirror image) mean that a clip padded with zeros has the same frames as the clip
    alone, and that a clip of one sample has a spectrogram.

    Shape:   (batch, samples), window (N,) -> (batch, N // 2 + 1, samples // hop + 1)
    Cost:    O(batch * frames * N log N)
    Parity:  tests/parity/test_mel.py (transformers.audio_utils.spectrogram, scipy.signal.ShortTimeFFT)
    """
    spectrum = torch.stft(
        waveform, len(window), hop_length=hop, window=window, center=True, pad_mode="constant", return_complex=True
    )
    return spectrum.real.square() + spectrum.imag.square()


class LogMel(nn.Module):
    r"""Log-mel spectrogram: the ear's frequency axis, the ear's loudness axis; nothing to learn.

    $$y_{m t} = \ln \max\Big(\sum_k H_{m k}\, S_{k t},\; \varepsilon\Big)$$

    H are `mel_filterbank`'s triangles, S is `power_spectrogram` under a Hann window. No mean, maximum or other figure
    of the clip or the batch enters: each frame depends on its own 512 samples only.

    Shape:   waveform (batch, samples) -> (batch, mels, samples // hop + 1)
    Units:   16 kHz in [-1, 1]; frames of 32 ms every 16 ms; natural logarithm; ε = 1e-5
             is the power of white noise at -73 dB of full scale
    Source:  Davis and Mermelstein 1980, without the cosine transform
    Parity:  tests/parity/test_mel.py (transformers.audio_utils)
    """

    bank: Float[Tensor, "mels bins"]
    window: Float[Tensor, " n_fft"]

    def __init__(
        self,
        mels: int = 64,
        *,
        n_fft: int = 512,
        hop: int = 256,
        rate: int = 16_000,
        floor: float = 1e-5,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.mels, self.hop, self.floor = mels, hop, floor
        # Not in the state dict: both follow from the sizes, and a half-precision checkpoint must not round them.
        self.register_buffer("bank", mel_filterbank(mels, n_fft=n_fft, rate=rate, dtype=dtype), persistent=False)
        window = torch.hann_window(n_fft, dtype=torch.float64).to(self.bank.dtype)
        self.register_buffer("window", window, persistent=False)

    def forward(self, waveform: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch mels frames"]:
        # Powers span ten decades: half precision would overflow before the logarithm tames them.
        with torch.autocast(waveform.device.type, enabled=False):
            power = power_spectrogram(waveform.to(self.window.dtype), self.window, hop=self.hop)
            return self.log(einsum(self.bank, power, "mels bins, batch bins frames -> batch mels frames"))

    def log(self, power: Float[Tensor, "batch mels frames"]) -> Float[Tensor, "batch mels frames"]:
        """Natural logarithm above the floor (public: augmentation works on powers and comes back through here)."""
        return power.clamp(min=self.floor).log()

    def frame_mask(self, mask: Bool[Tensor, "batch samples"]) -> Bool[Tensor, "batch frames"]:
        """True for the frames that a clip has alone: those centred on one of its samples or just after the last.

        Shape:   (batch, samples) -> (batch, samples // hop + 1)
        """
        starts = torch.arange(mask.shape[1] // self.hop + 1, device=mask.device) * self.hop
        return starts <= mask.sum(dim=1, keepdim=True)

    def extra_repr(self) -> str:
        return f"mels={self.mels}, n_fft={len(self.window)}, hop={self.hop}, floor={self.floor:g}, scale=htk"
