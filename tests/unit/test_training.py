"""Alignment training: draws, augmentations, resuming exactly, and learning what can be learned by eye."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from einops import rearrange

from mmlab.nn.mel import LogMel
from mmlab.training.align import train
from mmlab.training.aligner import Aligner
from mmlab.training.augment import PictureAugment, SoundAugment
from mmlab.training.loop import precision
from mmlab.training.recipe import VIEWS, AlignRecipe
from mmlab.types import InputError
from tests.unit import tiny


def test_a_step_draws_the_same_whatever_came_before() -> None:
    corpus = tiny.corpus()
    for step in range(5):
        corpus.draw(seed=3, step=step, batch=8)
    one, two = corpus.draw(seed=3, step=7, batch=8), tiny.corpus().draw(seed=3, step=7, batch=8)
    assert one.texts == two.texts and torch.equal(one.pictures, two.pictures) and torch.equal(one.sound, two.sound)
    assert not torch.equal(one.things, corpus.draw(seed=4, step=7, batch=8).things)


def test_an_epoch_shows_each_thing_once() -> None:
    corpus = tiny.corpus()
    seen = [int(i) for step in (2, 3) for i in corpus.draw(seed=0, step=step, batch=8).things]
    assert sorted(seen) == list(range(16))


def test_two_pictures_of_a_thing_come_from_two_teams() -> None:
    corpus = tiny.corpus()
    draw = corpus.draw(seed=0, step=0, batch=16)
    assert (draw.pictures[0] - draw.pictures[1]).abs().flatten(1).sum(1).min() > 0


def test_pictures_keep_a_white_ground_white() -> None:
    white = torch.ones(32, 3, 64, 64)
    changed = PictureAugment()(white, flippable=torch.ones(32) > 0, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(changed, white, rtol=0, atol=1e-4)


def test_symbols_are_never_mirrored() -> None:
    half = torch.ones(64, 3, 64, 64)
    half[..., :32] = 0.0
    generator = torch.Generator().manual_seed(0)
    kept = PictureAugment(outline=0.0)(half, flippable=torch.zeros(64) > 0, generator=generator)
    turned = PictureAugment(outline=0.0)(half, flippable=torch.ones(64) > 0, generator=generator)
    darker_left = lambda x: x[..., :20].mean((1, 2, 3)) < x[..., 44:].mean((1, 2, 3))  # noqa: E731
    assert darker_left(kept).all()
    assert 10 < (~darker_left(turned)).sum() < 54


def test_a_redrawn_picture_has_dark_lines_and_the_same_colours() -> None:
    disc = torch.hypot(*torch.meshgrid(torch.arange(64.0) - 32, torch.arange(64.0) - 32, indexing="ij")) < 20
    orange = torch.tensor([1.0, 0.55, 0.1])[:, None, None]
    drawn = torch.where(disc, orange, torch.ones(3, 1, 1)).repeat(32, 1, 1, 1)
    made = PictureAugment().redrawn(drawn, generator=torch.Generator().manual_seed(0))
    pixels = rearrange(made, "n c h w -> n (h w) c")
    alike = lambda colour: ((pixels - colour).abs().amax(dim=-1) < 0.02).float().mean(dim=1)  # noqa: E731
    assert (alike(orange.flatten()) > 0.1).all() and (alike(torch.ones(3)) > 0.2).all()
    assert (pixels.amax(dim=-1) < 0.5).any(dim=1).all() and (drawn.amax(dim=1) == 1).all()


def test_sounds_stay_finite_and_masked() -> None:
    draw = tiny.corpus().draw(seed=0, step=0, batch=16)
    mel, mask = SoundAugment(LogMel())(draw.sound, draw.sound_mask, generator=torch.Generator().manual_seed(0))
    assert mel.isfinite().all() and mask.any(1).all() and mel.shape[2] == mask.shape[1]
    plain = LogMel().frame_mask(draw.sound_mask).sum(1)
    assert ((mask.sum(1) / plain) > 0.7).all() and ((mask.sum(1) / plain) < 1.4).all()


def test_pairs_choose_which_views_attract() -> None:
    recipe = tiny.recipe(pairs=("text-image", "image-audio"))
    weights = Aligner(recipe.build(tiny.tokenizer()), recipe).pair_weights
    at = {name: i for i, name in enumerate(VIEWS)}
    assert weights[at["text-en"], at["image-b"]] > 0 and weights[at["image-a"], at["audio"]] > 0
    assert weights[at["text-en"], at["audio"]] == 0 and weights[at["image-a"], at["image-b"]] == 0
    with pytest.raises(InputError, match="text-video"):
        AlignRecipe(pairs=("text-video",))
    for wrong in ({"steps": 0}, {"batch": 0}, {"things": 0}, {"seed": -1}):
        with pytest.raises(InputError, match="at least 1 step"):
            AlignRecipe(**wrong)


def test_a_small_model_learns_its_batch() -> None:
    recipe = tiny.recipe(steps=60, lr=5e-3)
    torch.manual_seed(0)
    aligner, corpus = Aligner(recipe.build(tiny.tokenizer()), recipe).train(), tiny.corpus()
    optimizer = torch.optim.AdamW(aligner.parameters(), lr=5e-3)
    losses = []
    for step in range(60):
        loss = aligner(corpus.draw(seed=0, step=step, batch=16), torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) / 5 < 0.6 * losses[0]


@pytest.mark.parametrize(("cuda", "able"), [(True, True), (True, False), (False, False)])
def test_numbers_are_short_where_the_machine_multiplies_them(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, able: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: able or including_emulation)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: pytest.fail("asked what is not there"))
    assert precision() == ("bf16-mixed" if able else "32-true")


RUN = """
import os, signal, sys
from pathlib import Path
import torch
from lightning.pytorch.callbacks import Callback
from mmlab.training.align import train
from tests.unit import tiny

class Kill(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

run = Path(sys.argv[1])
made = train(tiny.recipe(), tiny.corpus(), tiny.tokenizer(), run=run, every=2, progress=False, callbacks=(Kill(),))
torch.save(made.state_dict(), run / "made.pt")
"""


def test_a_killed_run_ends_where_the_unkilled_one_ends(tmp_path: Path) -> None:
    """Each run is a process of its own, as a person's is: what other tests leave behind could change the last digits."""

    def run(name: str, *, killed_after: int = 0) -> int:
        command = [sys.executable, "-c", RUN, str(tmp_path / name), str(killed_after)]
        return subprocess.run(command, check=False).returncode

    assert run("whole") == 0
    assert run("cut", killed_after=5) == -signal.SIGKILL
    assert (tmp_path / "cut" / "last.ckpt").is_file() and not (tmp_path / "cut" / "made.pt").exists()
    assert run("cut") == 0
    whole, cut = (torch.load(tmp_path / name / "made.pt", weights_only=True) for name in ("whole", "cut"))
    torch.testing.assert_close(cut, whole, rtol=0, atol=1e-6)


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    train(tiny.recipe(steps=2), tiny.corpus(), tiny.tokenizer(), run=tmp_path, progress=False)
    with pytest.raises(InputError, match="another recipe"):
        train(tiny.recipe(steps=3), tiny.corpus(), tiny.tokenizer(), run=tmp_path, progress=False)
