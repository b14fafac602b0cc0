"""The race is fair: the plain forms give what the operators give, gradients included, and the figures are all there."""

import pytest
import torch

from mmlab.bench import fusion as bench
from mmlab.bench.plain import PLAIN
from mmlab.bench.race import LEAST, Figure, Step, race
from mmlab.fusion import FUSIONS, TOKEN_FUSIONS
from tests.contract.promises import leaves, randomise

SMALL = {"batch": 5, "width": 8}


def test_every_operator_races():
    assert {bench.ENTRIES[name].operator or name for name in bench.ENTRIES} == {*FUSIONS, *TOKEN_FUSIONS} == {*PLAIN}


@pytest.mark.parametrize("name", bench.ENTRIES)
def test_plain_form_gives_the_same(name):
    module, inputs = bench.build(name, **SMALL, dtype=torch.float64)
    plain = PLAIN[bench.ENTRIES[name].operator or name](randomise(module, seed=0))
    results = []
    for form in (lambda **x: bench.ours_of(module, module(**x)), plain):
        fresh, grads = leaves(inputs)
        out = form(**fresh)
        out = [out] if isinstance(out, torch.Tensor) else list(out)
        weights = [torch.linspace(-1, 1, part.numel()).view_as(part) for part in out]
        sum((part * weight).sum() for part, weight in zip(out, weights, strict=True)).backward()
        results.append([*out, *(leaf.grad for leaf in grads.values())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_a_step_asks_for_the_gradient_of_every_weight_and_input():
    module, inputs = bench.build("low_rank", **SMALL)
    step = Step(lambda: module(**inputs))
    expected = {id(tensor) for tensor in (*module.parameters(), *inputs.values())}
    assert {id(leaf) for leaf in step.leaves} == expected
    assert all(grad.isfinite().all() for grad in step())


def test_the_steps_of_a_race_take_turns():
    calls: list[str] = []
    first, second = race([lambda: calls.append("a"), lambda: calls.append("b")], seconds=0.0)
    assert len(first) == len(second) == LEAST
    assert all(time > 0 for time in first + second)
    assert {"a", "b"} == set(calls)


def test_a_figure_is_a_median_with_an_interval():
    figure = Figure.of([float(x) for x in range(101)])
    assert (figure.value, figure.n) == (50.0, 101)
    assert 38 <= figure.low <= 41 and 60 <= figure.high <= 62
    assert Figure.of([3.0]) == Figure(3.0, 3.0, 3.0, 1)


def test_figures_have_names_intervals_and_counts():
    lines: list[str] = []
    names = ["sum", "tensor"]
    figures = bench.bench_fusion(names=names, widths=(16, 512), batch=4, seconds=0.0, growth=False, say=lines.append)
    kinds = ("ratio", "ratio_checked", "ours_ms", "checked_ms", "plain_ms")
    expected = {f"{kind}/{name}/16" for kind in kinds for name in names} | {f"{kind}/sum/512" for kind in kinds}
    assert set(figures) == expected, "an outer product of 513^3 numbers a row does not fit in 2 GB"
    for figure in figures.values():
        assert 0 < figure["low"] <= figure["value"] <= figure["high"] and figure["n"] >= LEAST
    assert [line.split()[0] for line in lines] == names


def test_growth_stands_beside_what_the_docstring_promises():
    expected = bench._slope((64, 128, 256), [bench.ENTRIES["bilinear_of_two"].cost(d, 2) for d in (64, 128, 256)])
    assert expected == pytest.approx(2.0)
    assert bench._slope((1, 2, 4), (3.0, 12.0, 48.0)) == pytest.approx(2.0)
    figures = bench._growth("low_rank", batch=2, seconds=0.0)
    assert figures["growth_in_width/low_rank"]["expected"] == pytest.approx(1.0)
    assert figures["growth_in_modalities/low_rank"]["expected"] == pytest.approx(1.5)
