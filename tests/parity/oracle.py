"""How parity is measured: float64, every parameter re-randomised, outputs and input gradients, 1e-10."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.contract.promises import leaves, tensors

EXACT = {"rtol": 0.0, "atol": 1e-10}
STEP = 1e-40  # of a complex step nothing is subtracted, so it can be as small as one likes


def numpy_weights(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def same_as_numpy(ours: Callable[..., Tensor], theirs: Callable[..., Any], inputs: dict[str, Tensor]) -> None:
    r"""`theirs` is a closed form on NumPy arrays; its gradient is taken by complex steps, to machine precision.

    $$\frac{\partial f}{\partial x_i} = \frac{\mathrm{Im}\, f(x + i h e_i)}{h}$$
    """
    fresh, grads = leaves(inputs)
    out = ours(**fresh)
    arrays = {name: value.detach().numpy() for name, value in inputs.items()}
    expected = np.asarray(theirs(**arrays))
    torch.testing.assert_close(out.detach(), torch.as_tensor(expected), **EXACT)
    weights = np.random.default_rng(0).standard_normal(expected.shape)
    (out * torch.as_tensor(weights)).sum().backward()
    for name, leaf in grads.items():
        steps = np.zeros(arrays[name].shape)
        for place in np.ndindex(steps.shape):
            moved = arrays[name].astype(complex)
            moved[place] += 1j * STEP
            steps[place] = (weights * np.imag(theirs(**{**arrays, name: moved}))).sum() / STEP
        torch.testing.assert_close(leaf.grad, torch.as_tensor(steps), **EXACT, msg=lambda text, n=name: f"{n}: {text}")


def same_as_torch(ours: Callable[..., Any], theirs: Callable[..., Any], inputs: dict[str, Any]) -> None:
    """`theirs` is differentiable itself; both are asked for outputs and for the gradient of every input."""
    mine, my_leaves = leaves(inputs)
    yours, your_leaves = leaves(inputs)
    a, b = tensors(ours(**mine)), tensors(theirs(**yours))
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        torch.testing.assert_close(x, y, **EXACT)
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(x.shape, generator=generator, dtype=torch.float64) for x in a]
    for outputs in (a, b):
        sum((x * w).sum() for x, w in zip(outputs, weights, strict=True)).backward()
    for name, leaf in my_leaves.items():
        assert leaf.grad.abs().max() > 0, f"{name} is not felt"
        torch.testing.assert_close(
            leaf.grad, your_leaves[name].grad, **EXACT, msg=lambda text, n=name: f"gradient of {n}: {text}"
        )


def copied(theirs: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    """`theirs` in double precision with these weights: every one of its parameters must be among them."""
    theirs = theirs.double().eval()
    theirs.load_state_dict(weights, strict=True)
    return theirs
