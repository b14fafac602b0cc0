"""Every projection keeps the promises of the house; the linear one is linear and nothing else."""

import pytest
import torch

from mmlab.projection import PROJECTIONS, LinearProjection, Projection
from mmlab.types import InputError
from tests.contract.promises import EVERY_MODULE, Case, randomise


def draw(dims: dict[str, int], seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"x": torch.randn(4, dims["x"], generator=generator, dtype=torch.float64)}


CASES = [Case(name, lambda d, name=name: PROJECTIONS[name](d["x"], out=3), {"x": 5}, draw) for name in PROJECTIONS]


@pytest.mark.parametrize("promise", EVERY_MODULE, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_projection(case, promise):
    promise(case)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_axes_in_front_are_kept(name):
    module = PROJECTIONS[name](5, out=3)
    x = torch.randn(2, 4, 5)
    torch.testing.assert_close(module(x)[1, 2], module(x[1, 2]))
    assert module(x).shape == (2, 4, 3)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_bad_widths_are_refused(name):
    kind = PROJECTIONS[name]
    with pytest.raises(InputError, match=rf"{kind.__name__} expects values 5 wide, got 4 in shape \(2, 4\)"):
        kind(5, out=3)(torch.randn(2, 4))
    with pytest.raises(InputError, match=f"{kind.__name__} needs widths"):
        kind(0, out=3)


def test_linear_projection_is_linear_and_keeps_lengths_on_average():
    module = randomise(LinearProjection(5, out=3), seed=0).double()
    a, b = torch.randn(2, 5).double(), torch.randn(2, 5).double()
    torch.testing.assert_close(module(2 * a - b), 2 * module(a) - module(b), rtol=0, atol=1e-12)
    assert (module(torch.zeros(1, 5).double()) == 0).all()
    torch.manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(200, 64), dim=-1)
    lengths = LinearProjection(64, out=128)(x).square().sum(-1)
    assert lengths.mean().item() == pytest.approx(1.0, abs=0.1)


def test_list_holds_final_classes_of_the_family():
    for kind in PROJECTIONS.values():
        assert issubclass(kind, Projection)
        assert not [other for other in kind.__subclasses__() if other.__module__.startswith("mmlab")]
