"""Manner: its statistics on pictures and sounds that are plain, what it makes of strangers, and its way through fp16."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from mmlab.models.familiarity import FEWEST, Familiarity
from mmlab.models.manner import MANNERS, PictureManner, SoundManner
from mmlab.preprocessing import audio_tensor, fit_image, image_tensor
from mmlab.training.outsiders import KINDS, outsiders
from mmlab.types import InputError, Inputs

RATE = 16_000


def drawn(i: int) -> Image.Image:
    """A shape in two flat colours on white, with a border."""
    rng = np.random.default_rng(i)
    picture = Image.new("RGB", (96, 96), "white")
    fill, line = (tuple(int(v) for v in rng.integers(0, 220, 3)) for _ in range(2))
    corners = [tuple(rng.uniform(5, 91, 2)) for _ in range(int(rng.integers(3, 7)))]
    ImageDraw.Draw(picture).polygon(corners, fill=fill, outline=line, width=3)
    ImageDraw.Draw(picture).ellipse([20, 20, 50 + i % 30, 60], fill=line)
    return fit_image(picture)


def spoken(i: int, *, noise: float = 0.0) -> np.ndarray:
    """Three gliding tones with overtones and pauses between them: speech of a kind."""
    rng, parts = np.random.default_rng(i), []
    for _ in range(3):
        length = int(rng.uniform(0.15, 0.3) * RATE)
        pitch = np.linspace(*rng.uniform(100, 180, 2), length)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        parts += [np.hanning(length) * sum(np.sin(k * phase) / k for k in range(1, 12)), np.zeros(int(0.05 * RATE))]
    sound = np.concatenate(parts)
    return (0.3 * sound + noise * rng.standard_normal(len(sound))).astype(np.float32)


def pictures(items: list[Image.Image]) -> Inputs:
    return Inputs(image_tensor(items))


@pytest.fixture(scope="module")
def seen() -> PictureManner:
    manner = PictureManner()
    known = manner.statistics(pictures([drawn(i) for i in range(200)]))
    made = outsiders(180, seed=0, drawings=[np.asarray(drawn(i)) for i in range(5)])
    return manner.fit(known, manner.statistics(pictures(made)), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def heard() -> SoundManner:
    manner = SoundManner()
    return manner.fit(manner.statistics(audio_tensor([spoken(i) for i in range(150)])))


def named(manner: PictureManner | SoundManner, inputs: Inputs) -> dict[str, float]:
    return dict(zip(manner.names, manner.statistics(inputs)[0].tolist(), strict=True))


def test_statistics_of_a_flat_square_and_of_a_disc():
    flat = named(PictureManner(), pictures([fit_image(Image.new("RGB", (50, 50), (200, 0, 0)))]))
    assert flat["filled"] == flat["corners"] == flat["rim"] == 1 and flat["empty"] == 0
    assert flat["inked"] == pytest.approx((60 / 64) ** 2)
    assert flat["core_spread"] == pytest.approx(0, abs=1e-6) and flat["curvature"] == pytest.approx(0, abs=1e-6)
    assert flat["all_below_1"] == flat["ink_below_1"] == 1
    assert flat["chroma"] == pytest.approx(200 / 255)
    disc = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(disc).ellipse([0, 0, 299, 299], fill=(200, 0, 0))
    disc = named(PictureManner(), pictures([fit_image(disc)]))
    assert disc["filled"] == pytest.approx(math.pi / 4, abs=0.03) and disc["corners"] == 0


def test_an_empty_picture_has_finite_statistics():
    empty = named(PictureManner(), Inputs(torch.ones(1, 3, 64, 64)))
    assert empty["empty"] == 1 and empty["filled"] == empty["inked"] == 0
    assert all(map(math.isfinite, empty.values()))


def test_statistics_of_a_tone_and_of_noise():
    time = np.arange(RATE) / RATE
    tone = named(SoundManner(), audio_tensor([(0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)]))
    hiss = named(SoundManner(), audio_tensor([np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)]))
    assert tone["harmonic"] > 0.95 and tone["voiced"] > 0.95 and hiss["voiced"] < 0.1
    assert tone["crest"] == pytest.approx(math.log(1 / math.sqrt(2)), abs=1e-3)
    assert hiss["crest"] == pytest.approx(math.log(1 / math.sqrt(3)), abs=0.01)
    assert tone["band_7"] < hiss["band_7"] - 3 and tone["loud"] == hiss["loud"] == 1
    gap = np.concatenate([np.sin(2 * np.pi * 200 * time), np.zeros(RATE), np.sin(2 * np.pi * 200 * time)])
    pause = named(SoundManner(), audio_tensor([(0.5 * gap).astype(np.float32)]))
    assert pause["level_at_0.25"] == -16 and pause["loud"] == pytest.approx(2 / 3, abs=0.02)


def test_strangers_are_stranger_than_new_drawings(seen):
    known = seen(pictures([drawn(i) for i in range(1000, 1100)]))
    for kind in ("noise", "flat", "texture", "leaves"):
        strange = seen(pictures(outsiders(30, seed=7, drawings=[], kinds=[kind])))
        assert strange.median() > known.quantile(0.98), kind


def test_noise_and_tones_are_stranger_than_new_speech(heard):
    known = heard(audio_tensor([spoken(i) for i in range(1000, 1060)]))
    hiss = np.random.default_rng(0).uniform(-0.5, 0.5, RATE).astype(np.float32)
    tone = (0.5 * np.sin(np.arange(RATE) / 5)).astype(np.float32)
    assert (heard(audio_tensor([hiss, tone, spoken(3, noise=0.1)])) > known.quantile(0.98)).all()


@pytest.mark.parametrize("name", MANNERS)
def test_rows_are_independent_and_padding_has_no_part(name, seen, heard):
    if name == "image":
        inputs, manner = pictures([drawn(i) for i in range(6)]), seen
        rows = [Inputs(inputs.values[i : i + 1]) for i in range(6)]
    else:
        sounds = [spoken(i) for i in range(6)]
        inputs, manner = audio_tensor(sounds), heard
        rows = [audio_tensor([sound]) for sound in sounds]
    torch.testing.assert_close(manner(inputs), torch.cat([manner(row) for row in rows]), rtol=0, atol=1e-3)


def rounded(manner: PictureManner | SoundManner) -> PictureManner | SoundManner:
    again = type(manner)()
    again.load_state_dict({k: v.half() if v.is_floating_point() else v for k, v in manner.state_dict().items()})
    return again


def test_half_precision_hardly_changes_what_it_says(seen, heard):
    drawings, sounds = pictures([drawn(i) for i in range(40)]), audio_tensor([spoken(i) for i in range(40)])
    torch.testing.assert_close(rounded(seen)(drawings), seen(drawings), rtol=0, atol=0.05)
    torch.testing.assert_close(rounded(heard)(sounds), heard(sounds), rtol=0.02, atol=0.02)
    assert not list(seen.parameters()) and not list(heard.parameters())


def test_familiarity_listens_to_its_manner(seen):
    draw = torch.Generator().manual_seed(0)
    x, z = torch.randn(400, 6, generator=draw), torch.randn(400, 5, generator=draw)
    strangeness = torch.randn(400, generator=draw)
    judge = Familiarity(6, out=5, items=9, manner="image")
    judge.manner.load_state_dict(seen.state_dict())
    held = {"held_x": x[100:], "held_z": z[100:]}
    with pytest.raises(InputError, match="of each of the 300 held-out samples"):
        judge.fit(x, gallery=z[:9], **held)
    judge.fit(x, gallery=z[:9], **held, held_strangeness=strangeness[100:], unseen_strangeness=strangeness)
    high = torch.full((300,), 99.0)
    assert (judge.score(x[100:], z[100:], strangeness=high) == 0).all()
    assert (judge.score(x[100:], z[100:], strangeness=-high) > 0).float().mean() > 0.9
    uniform = judge.score(x[100:], z[100:], strangeness=strangeness[100:])
    assert uniform.mean().item() == pytest.approx(0.5, abs=0.02)


def test_refusals_are_sentences(seen):
    with pytest.raises(InputError, match="has learned nothing yet"):
        PictureManner()(pictures([drawn(0)]))
    with pytest.raises(InputError, match="sounds that differ"):
        SoundManner().fit(torch.ones(60, len(SoundManner.names)))
    with pytest.raises(InputError, match="image, audio, or None, got 'smell'"):
        Familiarity(4, out=4, items=4, manner="smell")
    plain, ones = Familiarity(4, out=4, items=4), torch.randn(FEWEST, 4)
    plain.fit(ones, gallery=ones[:4], held_x=ones, held_z=ones)
    with pytest.raises(InputError, match="has no manner, but strangeness was given"):
        plain.score(ones, ones, strangeness=ones[:, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_outsiders_repeat_and_fit(kind):
    drawings = [np.asarray(drawn(i)) for i in range(3)]
    one, two, other = (image_tensor(outsiders(5, seed=seed, drawings=drawings, kinds=[kind])) for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert isinstance(one, Tensor) and one.shape == (5, 3, 64, 64)
