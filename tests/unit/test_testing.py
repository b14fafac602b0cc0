"""Seeds repeat, and the digest of a figure moves with what a reader sees and with nothing else."""

import random
import re

import numpy as np
import pytest
import torch
from beartype.roar import BeartypeCallHintParamViolation
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from matplotlib.figure import Figure

from mmlab.datasets.dialogue.colours import colour_of
from mmlab.datasets.dialogue.phrasings import hasty
from mmlab.metrics import similarity
from mmlab.testing import digest, seed, summary

RANDOM = np.random.default_rng(0)
CURVE = RANDOM.normal(size=200)


def drawn(y: np.ndarray = CURVE, *, title: str = "loss", label: str = "train", kind: str = "plot", dpi=100) -> str:
    figure = Figure(dpi=dpi)
    axes = figure.subplots()
    axes.set(title=title, xlabel="step", ylabel="nats")
    if kind == "imshow":
        axes.imshow(y.reshape(20, 10))
    elif kind == "bar":
        axes.bar(np.arange(len(y)), y)
    else:
        getattr(axes, kind)(np.arange(len(y)), y, label=label)
        axes.legend()
    return digest(figure)


def test_wrong_shapes_and_types_are_found_under_test() -> None:
    with pytest.raises(TypeCheckError):
        similarity(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(TypeCheckError):
        colour_of("red")  # arrays in a package whose other functions have none
    with pytest.raises(BeartypeCallHintParamViolation):
        hasty(3)


def test_seed_repeats_all_three_generators() -> None:
    draws = []
    for _ in range(2):
        generator = seed(3)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))
        assert torch.rand(1, generator=generator).item() == draws[-1][2]
    assert draws[0] == draws[1]
    seed(4)
    assert random.random() != draws[0][0]


def test_seed_takes_one_thread_unless_told_otherwise() -> None:
    torch.set_num_threads(2)
    seed(0, threads=None)
    assert torch.get_num_threads() == 2
    seed(0)
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("kind", ["plot", "scatter", "bar", "imshow"])
def test_digest_is_the_same_under_float_noise(kind: str) -> None:
    noise = 1 + 1e-6 * RANDOM.normal(size=CURVE.shape)
    assert drawn(CURVE * noise, kind=kind) == drawn(kind=kind)
    assert drawn(CURVE.astype(np.float32), kind=kind) == drawn(kind=kind)


@pytest.mark.parametrize("kind", ["plot", "scatter", "bar", "imshow"])
def test_digest_changes_with_the_data_and_their_order(kind: str) -> None:
    one_off = CURVE.copy()
    one_off[17] += 5
    assert drawn(one_off, kind=kind) != drawn(kind=kind)
    assert drawn(CURVE[::-1], kind=kind) != drawn(kind=kind)
    assert drawn(CURVE * 1.05, kind=kind) != drawn(kind=kind)


def test_digest_changes_with_words_and_kinds_and_not_with_size() -> None:
    assert drawn(title="accuracy") != drawn()
    assert drawn(label="test") != drawn()
    assert drawn(kind="scatter") != drawn()
    assert drawn(dpi=300) == drawn()


def test_digest_names_what_is_there() -> None:
    text = drawn()
    assert "axes 1 'loss', x 'step', y 'nats'" in text
    assert "line 'train' of 200" in text and "legend: train" in text
    assert not re.search(r"0x[0-9a-f]{6}", text)


def test_digest_sees_every_text_of_a_figure() -> None:
    figures = []
    for last in ("4", "5"):
        figure = Figure()
        axes = figure.subplots()
        for number in ("1", "2", "3", last):
            axes.text(0, 0, number)
        figures.append(digest(figure))
    assert figures[0] != figures[1]


@pytest.mark.parametrize("values", [[0.5, 0.25, 0.125], [1.0, 0.005], [999.5, 0.5], [0.1 + 0.2, 0.3], [1.0, 0.9999999]])
def test_summary_is_steady_at_rounding_boundaries(values: list[float]) -> None:
    """Halves and powers of ten are where rounding could flip; noise of float32 must not do it."""
    exact = np.array(values)
    assert len({summary(exact * (1 + sign * 6e-8)) for sign in (-1, 0, 1)}) == 1


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=50))
@settings(deadline=None, max_examples=200)
def test_summary_states_the_range_to_three_digits(values: list[float]) -> None:
    least, largest = map(float, re.match(r"(\S+) to (\S+),", summary(values)).groups())
    tolerance = 0.006 * max(map(abs, values))
    assert abs(least - min(values)) <= tolerance and abs(largest - max(values)) <= tolerance


def test_summary_counts_what_is_not_a_number() -> None:
    assert summary([1.0, np.nan, np.inf]).endswith("2 not finite")
    assert summary([]) == "no numbers"
    assert "-0" not in summary([-1e-9, 1.0])


def test_shapes_are_checked_in_the_tests() -> None:
    """The conftest turned the checker on: a wrong shape and a wrong type are refused, a whole number as float is not."""
    from mmlab.figures import figure, heatmap

    with pytest.raises(Exception, match="similarity"):
        heatmap(np.zeros(3))
    with pytest.raises(Exception, match="width"):
        figure(width="4")
    assert figure(width=4).get_figwidth() == 4


def test_digest_takes_names_on_an_axis() -> None:
    """A line over categories digests by their places; another order of values is seen."""

    def named(values: list[float]) -> str:
        figure = Figure()
        figure.subplots().plot(["sum", "product", "gate"], values)
        return digest(figure)

    assert "line of 3, x 0.00 to 2.00" in named([1.0, 2.0, 3.0])
    assert named([1.0, 2.0, 3.0]) != named([2.0, 1.0, 3.0])
