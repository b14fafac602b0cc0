"""A TrainingView shows what it was told, and its stop leaves a model that can be used, and a run that can go on."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmlab.models.joint import JointEmbedder
from mmlab.testing import digest
from mmlab.training.align import train
from mmlab.training.watch import Watch
from mmlab.types import InputError
from mmlab.widgets.training import PAUSE, TrainingView
from mmlab.widgets.training_state import MOST, Progress, duration, thinned
from tests.unit import tiny

STEPS = 6


class Clock:
    """Moves on by `tick` seconds at each look."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def run(folder: Path, *callbacks: Watch) -> JointEmbedder:
    return train(
        tiny.recipe(steps=STEPS),
        tiny.corpus(),
        tiny.tokenizer(),
        run=folder,
        callbacks=callbacks,
        every=1,
        progress=False,
    )


def points(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<f4").reshape(-1, 2)


def test_a_training_is_told_step_by_step(tmp_path: Path) -> None:
    view = TrainingView()
    run(tmp_path, view.callback(measure=lambda module: 0.5, measure_every=3))
    assert [step for step, _ in view.progress.losses] == list(range(1, STEPS + 1))
    assert all(np.isfinite(loss) and loss > 0 for _, loss in view.progress.losses)
    assert view.progress.recalls == [(3, 0.5), (6, 0.5)]
    assert not view.running and view.status.startswith(f"step {STEPS} / {STEPS}") and view.status.endswith("done")
    np.testing.assert_allclose(points(view.losses), np.array(view.progress.losses, np.float32))


def test_a_stop_leaves_a_model_that_works_and_a_run_that_goes_on_where_it_was(tmp_path: Path) -> None:
    view = TrainingView()
    stopper = view.callback(measure=lambda module: view.stop() or 0.0, measure_every=3)
    stopped = run(tmp_path / "stopped", stopper)
    assert view.progress.step == 3 and view.stopped and "the model can be used" in view.status
    z = stopped.encode(text=["thing 1"], image=[tiny.picture(1)], audio=[tiny.tone(1)])
    assert not stopped.training
    assert all(torch.isfinite(one).all() and one.norm().item() == pytest.approx(1, abs=1e-5) for one in z.values())

    whole = run(tmp_path / "whole")
    again = TrainingView()
    resumed = run(tmp_path / "stopped", again.callback())
    assert [step for step, _ in again.progress.losses] == [4, 5, 6]
    for name, expected in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], expected, rtol=0, atol=1e-6)


def test_the_stopped_model_is_the_averaged_one(tmp_path: Path) -> None:
    """What is given back is what the trainer's averaging made, not the weights of the last step."""
    view, raw = TrainingView(), {}

    def note(module: torch.nn.Module) -> float:
        raw.update({name: value.clone() for name, value in module.aligner.model.named_parameters()})
        view.stop()
        return 0.0

    model = run(tmp_path, view.callback(measure=note, measure_every=4))
    assert any(not torch.equal(value, raw[name]) for name, value in model.named_parameters())


def test_measuring_leaves_the_training_as_it_was(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain")
    modes: list[bool] = []
    watched = run(
        tmp_path / "watched",
        Watch(lambda *_, **__: True, measure=lambda m: modes.append(m.training) or 0.0, measure_every=2),
    )
    assert modes == [False] * 3
    assert all(
        torch.equal(a, b) for a, b in zip(plain.state_dict().values(), watched.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("stop", ["button", "interrupt"])
def test_any_loop_can_tell_it_and_is_told_to_stop(stop: str) -> None:
    view, done, before = TrainingView(clock=Clock(1.0)), [], signal.getsignal(signal.SIGINT)
    with view:
        for step in range(1, 100):
            done.append(step)
            if step == 7 and stop == "button":
                view._receive(None, {"type": "stop"}, None)
            elif step == 7:
                os.kill(os.getpid(), signal.SIGINT)
            if not view.tell(step, steps=100, loss=1 / step):
                break
    assert done == list(range(1, 8)) and not view.running and "stopped" in view.status
    assert signal.getsignal(signal.SIGINT) == before
    view._receive(None, {"type": "stop"}, None)  # the message of the button, read when the cell is over
    with view:
        assert not view.stopped and view.tell(1, steps=2, loss=1.0)


def test_a_loop_that_ends_early_or_badly_leaves_nothing_behind() -> None:
    view, before = TrainingView(clock=Clock(1.0)), signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), view:
        view.tell(1, steps=100, loss=1.0)
        assert view.running and view.tell(2, steps=100, loss=1 / 0)
    assert not view.running and signal.getsignal(signal.SIGINT) == before


def test_an_interrupt_of_a_lightning_training_leaves_the_model(tmp_path: Path) -> None:
    view, before = TrainingView(), signal.getsignal(signal.SIGINT)
    stopper = view.callback(measure=lambda module: os.kill(os.getpid(), signal.SIGINT) or 0.0, measure_every=2)
    model = run(tmp_path, stopper)
    assert view.progress.step == 2 and signal.getsignal(signal.SIGINT) == before
    assert torch.isfinite(model.encode(text=["thing 1"])["text"]).all()


def test_the_browser_hears_no_more_than_it_can_draw() -> None:
    view, sent = TrainingView(clock=Clock(0.01)), []
    view.observe(sent.append, "losses")
    for step in range(1, 201):
        view.tell(step, steps=400, loss=1.0 / step)
    assert len(sent) <= 0.01 * 200 / PAUSE + 2
    view.tell(400, steps=400, loss=0.1)
    assert points(view.losses)[-1] == pytest.approx([400, 0.1])  # the last step is always shown


def test_a_loss_that_is_not_a_number_is_said() -> None:
    view = TrainingView(clock=Clock(1.0))
    view.tell(1, steps=10, loss=2.0)
    view.tell(2, steps=10, loss=float("nan"))
    assert "loss at step 2 is not a number" in view.message
    assert points(view.losses).tolist() == [[1, 2]]
    view.tell(3, steps=10, loss=torch.tensor(1.0))
    assert view.message == "" and view.progress.losses[-1] == (3, 1.0)
    for wrong in (torch.ones(2), "low", [1.0]):
        with pytest.raises(InputError, match="A loss is one number, got"):
            view.tell(4, loss=wrong)


def test_pace_and_time_left() -> None:
    progress = Progress(steps=100)
    assert progress.pace is None and progress.left is None
    for step in range(1, 41):
        progress.add(step, at=0.5 * step, loss=1.0)
    assert progress.pace == pytest.approx(2) and progress.left == pytest.approx(30)
    progress.add(1, at=100.0, loss=3.0)
    assert progress.losses == [(1, 3.0)]  # a new training begins
    assert [duration(seconds) for seconds in (12, 89, 600, 6000)] == ["12 s", "89 s", "10 min", "1 h 40 min"]


@given(st.lists(st.floats(0, 10), max_size=1500))
def test_a_thinned_curve_keeps_its_ends_and_its_mean(values: list[float]) -> None:
    curve = list(enumerate(values))
    made = thinned(curve)
    assert len(made) == min(len(values), MOST)
    if values:
        assert made[:, 1].min() >= min(values) - 1e-4 and made[:, 1].max() <= max(values) + 1e-4
        assert made[-1, 0] >= len(values) - 1 - len(values) / MOST


def test_the_still_of_no_training_says_so_between_plain_axes() -> None:
    (axes,) = TrainingView().figure().axes
    assert [one.get_text() for one in axes.texts] == ["Nothing has been trained yet."]
    assert axes.get_xlim() == (0, 1) and axes.get_ylim() == (0, 1)


def test_the_still_shows_both_curves() -> None:
    view = TrainingView(title="A short run")
    empty = digest(view.figure())
    view.tell(1, loss=2.0)
    view.tell(2, loss=1.0, recall=0.5)
    assert "'A short run', 2 axes" in digest(view.figure()) and digest(view.figure()) != empty
    assert view._repr_mimebundle_()[0]["image/png"].startswith("iVBOR")
