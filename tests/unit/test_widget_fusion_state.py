"""The frozen state of a FusionLab and its history: nothing is lost, nothing impossible can be set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmlab.fusion import FUSIONS
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.fusion_state import DEPTH, DIRECT, TOGETHER, Channel, FusionState, History

START = FusionState(Channel("typed", "guitar"), Channel("thing", "1f3b8", "twemoji"), Channel("thing", "1f3b8", "rms"))
KNOBS = st.one_of(
    st.tuples(st.sampled_from([f"{m}.weight" for m in MODALITIES]), st.floats(0, 2)),
    st.tuples(st.sampled_from([f"{m}.on" for m in MODALITIES]), st.booleans()),
    st.tuples(st.just("operator"), st.sampled_from(list(FUSIONS))),
    st.tuples(st.just("normalise"), st.booleans()),
)


@given(st.lists(KNOBS, max_size=30))
def test_undoing_everything_leads_to_the_start_and_redoing_back(moves: list[tuple[str, object]]) -> None:
    history = History(START)
    for knob, value in moves:
        history = history.change(history.present.change(knob, value))
    end = walked = history
    while walked.past:
        walked = walked.undo()
    assert walked.present == START
    while walked.future:
        walked = walked.redo()
    assert walked.present == end.present and walked.past == end.past


@given(st.lists(KNOBS, min_size=1, max_size=10))
def test_a_reset_leads_to_the_first_state_and_can_be_undone(moves: list[tuple[str, object]]) -> None:
    history = History(START)
    for knob, value in moves:
        history = history.change(history.present.change(knob, value))
    back = history.reset()
    assert back.present == START
    assert back.undo().present == (history.present if history.present != START else back.undo().present)


def test_one_drag_is_one_step_and_two_drags_are_two() -> None:
    history = History(START)
    for i in range(5):
        state = history.present.change("text.weight", 1 + i / 10 + 0.1)
        history = history.change(state, knob="text.weight", at=0.1 * i)
    assert len(history.past) == 1 and history.before == START
    history = history.change(history.present.change("text.weight", 0.2), knob="text.weight", at=0.4 + 2 * TOGETHER)
    assert len(history.past) == 2
    history = history.change(history.present.change("image.weight", 0.2), knob="image.weight", at=0.5 + 2 * TOGETHER)
    assert len(history.past) == 3


def test_a_change_after_an_undo_forgets_what_was_undone() -> None:
    history = History(START).change(START.change("text.weight", 0.5)).undo()
    assert history.future
    assert history.change(START.change("text.on", False)).future == ()


def test_nothing_happens_at_either_end_and_for_a_change_that_changes_nothing() -> None:
    history = History(START)
    assert history.undo() == history and history.redo() == history and history.change(START) is history


def test_a_history_does_not_grow_without_end() -> None:
    history = History(START)
    for i in range(DEPTH + 50):
        history = history.change(history.present.change("seed", i + 1))
    assert len(history.past) == DEPTH and history.reset().present == START


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("operator", "magic", "A fusion operator is one of sum, .*, got 'magic'"),
        ("text.weight", 3.5, "The weight goes from 0 to 3, got 3.5"),
        ("text.noise", float("nan"), "The noise goes from 0 to 0.98, got nan"),
        ("temperature", 0.0, "The temperature goes from 0.005 to 1, got 0.0"),
        ("video.weight", 1.0, "A knob is named like"),
        ("text.colour", 1.0, "A knob is named like"),
        ("text", 1.0, "A knob is named like"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(knob: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        START.change(knob, value)


def test_the_sum_has_no_weights_and_every_other_operator_has() -> None:
    loud = START.change("text.weight", 0.3)
    assert loud.weight("text") == 0.3
    assert loud.change("operator", "sum").weight("text") == 1.0
    assert set(DIRECT) < set(FUSIONS)
