"""The mel front end against transformers.audio_utils, scipy and a Fourier sum written out, in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT
from transformers.audio_utils import hertz_to_mel as their_mel
from transformers.audio_utils import mel_filter_bank, mel_to_hertz, spectrogram, window_function

from mmlab.nn import mel

EXACT = {"rtol": 0, "atol": 1e-10}


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tone(hertz, *, seconds=1.0):
    return torch.sin(2 * math.pi * hertz * torch.arange(int(16_000 * seconds), dtype=torch.float64) / 16_000)[None]


@pytest.mark.parametrize(
    "sizes",
    [
        {"mels": 64, "n_fft": 512, "rate": 16_000, "low": 0.0, "high": 8000.0},
        {"mels": 40, "n_fft": 400, "rate": 16_000, "low": 20.0, "high": 7600.0},
        {"mels": 80, "n_fft": 1024, "rate": 22_050, "low": 55.0, "high": 11_025.0},
    ],
)
def test_the_filter_bank_is_that_of_transformers(sizes):
    ours = mel.mel_filterbank(**sizes, dtype=torch.float64)
    theirs = mel_filter_bank(
        sizes["n_fft"] // 2 + 1, sizes["mels"], sizes["low"], sizes["high"], sizes["rate"], norm=None, mel_scale="htk"
    )
    np.testing.assert_allclose(ours.numpy(), theirs.T, **EXACT)


def test_the_mel_scale_and_its_inverse_are_those_of_transformers():
    hertz = torch.linspace(0, 8000, 101, dtype=torch.float64)
    np.testing.assert_allclose(mel.hertz_to_mel(hertz).numpy(), their_mel(hertz.numpy(), mel_scale="htk"), **EXACT)
    scale = torch.linspace(0, 2840, 101, dtype=torch.float64)
    np.testing.assert_allclose(mel.mel_to_hertz(scale).numpy(), mel_to_hertz(scale.numpy(), mel_scale="htk"), **EXACT)


@pytest.mark.parametrize(
    ("samples", "n_fft", "hop"), [(4000, 512, 256), (511, 512, 256), (1000, 400, 160), (1, 512, 256)]
)
def test_the_spectrogram_and_its_gradient_are_those_of_the_sum_written_out(samples, n_fft, hop):
    window = noise(n_fft, seed=1)  # any window: a Hann window is zero at its edge and would hide an offset of one
    ours, theirs = ((0.1 * noise(2, samples)).requires_grad_() for _ in range(2))
    weight = noise(2, n_fft // 2 + 1, samples // hop + 1, seed=2)
    power = mel.power_spectrogram(ours, window, hop=hop)
    padded = torch.nn.functional.pad(theirs, (n_fft // 2, n_fft))
    turns = torch.outer(torch.arange(n_fft // 2 + 1), torch.arange(n_fft)).double() / n_fft
    waves = torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
    starts = [hop * t for t in range(samples // hop + 1)]
    sums = [(padded[:, s : s + n_fft] * window).to(waves.dtype) @ waves.T for s in starts]
    reference = torch.stack([total.abs() ** 2 for total in sums], dim=-1)
    torch.testing.assert_close(power, reference, **EXACT)
    (power * weight).sum().backward()
    (reference * weight).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, **EXACT)


def test_the_spectrogram_is_that_of_scipy():
    wave, window = 0.1 * noise(1, 5000), torch.hann_window(512, dtype=torch.float64)
    theirs = ShortTimeFFT(window.numpy(), hop=256, fs=1).stft(wave[0].numpy(), p0=0, p1=5000 // 256 + 1)
    ours = mel.power_spectrogram(wave, window)[0]
    np.testing.assert_allclose(ours.numpy(), np.abs(theirs) ** 2, **EXACT)


def test_log_mel_is_that_of_transformers():
    wave = noise(1, 8000) * torch.linspace(0, 0.5, 8000, dtype=torch.float64)
    front = mel.LogMel(64, floor=1e-3, dtype=torch.float64)
    theirs = spectrogram(
        wave[0].numpy(),
        window_function(512, "hann", periodic=True),
        frame_length=512,
        hop_length=256,
        power=2.0,
        pad_mode="constant",
        mel_filters=mel_filter_bank(257, 64, 0.0, 8000.0, 16_000, norm=None, mel_scale="htk"),
        mel_floor=1e-3,
        log_mel="log",
        dtype=np.float64,
    )
    assert (theirs > math.log(1e-3)).any() and (theirs == math.log(1e-3)).any()
    # transformers keeps its spectrum in complex64, so its last digits are lost; ours are held by the two tests above
    np.testing.assert_allclose(front(wave)[0].numpy(), theirs, rtol=0, atol=1e-6)


def test_rows_know_nothing_of_each_other():
    front, quiet, loud = mel.LogMel(), noise(1, 4000).float() * 1e-3, noise(1, 4000, seed=1).float() * 100
    with_loud = front(torch.cat([quiet, loud]))[0]
    with_itself = front(torch.cat([quiet, quiet]))[0]
    assert torch.equal(with_loud, with_itself)


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 4000, 4096])
def test_padding_changes_no_frame_and_the_mask_counts_those_of_the_clip_alone(samples):
    front = mel.LogMel(dtype=torch.float64)
    wave = noise(1, samples)
    alone = front(wave)
    padded = torch.nn.functional.pad(wave, (0, 5000 - samples))
    mask = front.frame_mask(torch.arange(5000)[None] < samples)
    together = front(padded)
    assert mask.shape == (1, together.shape[-1])
    assert mask.sum() == alone.shape[-1] == samples // 256 + 1
    torch.testing.assert_close(together[0][:, mask[0]], alone[0], **EXACT)


def test_twice_as_loud_is_four_times_the_power_everywhere():
    front, wave = mel.LogMel(dtype=torch.float64), noise(1, 4000)
    torch.testing.assert_close(
        front(2 * wave) - front(wave), torch.full((1, 64, 16), 2 * math.log(2.0), dtype=torch.float64), **EXACT
    )


def test_silence_lies_on_the_floor():
    assert torch.equal(mel.LogMel(floor=1e-4)(torch.zeros(1, 600)), torch.full((1, 64, 3), 1e-4).log())


def test_nothing_is_learned_nothing_is_stored_and_half_precision_is_kept_out():
    front = mel.LogMel()
    assert not list(front.parameters()) and not front.state_dict()
    assert {name for name, _ in front.named_buffers()} == {"bank", "window"}
    wave = noise(2, 4000).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(front(wave), front(wave).float())
        half = front(wave)
    assert torch.equal(half, front(wave))
    assert front.double()(wave).dtype == torch.float64


@given(warp=st.floats(0.7, 1.4))
@settings(max_examples=30, deadline=None)
def test_warping_keeps_the_order_and_the_ends_of_the_frequency_axis(warp):
    hertz = torch.linspace(0, 8000, 801, dtype=torch.float64)
    moved = mel.warp_frequency(hertz, warp=warp, nyquist=8000.0)
    assert (moved.diff() > 0).all()
    assert moved[0] == 0 and moved[-1] == 8000
    torch.testing.assert_close(moved[:400], warp * hertz[:400], **EXACT)  # below the knee: a plain stretch


@pytest.mark.parametrize("warp", [0.85, 1.15])
def test_a_warped_bank_hears_a_shifted_voice_as_the_plain_bank_hears_the_voice(warp):
    window = torch.hann_window(512, dtype=torch.float64)
    bands = {}
    for name, shift, bank in (("voice", 1.0, 1.0), ("shifted, warped", warp, warp), ("shifted", warp, 1.0)):
        power = sum(mel.power_spectrogram(tone(shift * formant), window) for formant in (700, 1220, 2600))
        bands[name] = torch.log(mel.mel_filterbank(40, warp=bank, dtype=torch.float64) @ power[0, :, 30] + 1.0)
    near = (bands["shifted, warped"] - bands["voice"]).abs().mean()
    far = (bands["shifted"] - bands["voice"]).abs().mean()
    assert near < far / 3


def test_a_bank_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="0 <= low < high"):
        mel.mel_filterbank(low=4000.0, high=3000.0)
    with pytest.raises(ValueError, match="hold no bin"):
        mel.mel_filterbank(256)
    with pytest.raises(ValueError, match="between"):
        mel.mel_filterbank(warp=3.0)
