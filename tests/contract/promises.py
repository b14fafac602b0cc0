"""What every trainable part of the house promises, as functions that raise AssertionError when a promise is broken.

They are called by the contract tests on every member of a zoo, and by the tests of planted bugs on broken members.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from mmlab.types import MODALITIES, Tokens

EXACT = {"rtol": 0.0, "atol": 1e-12}
Inputs = dict[str, Any]  # by name: Tensor, Tokens, or the Bool mask `present`


@dataclass(frozen=True)
class Case:
    """One member: how to build it (from widths in a given order), and inputs for it drawn from a seed."""

    name: str
    build: Callable[[dict[str, int]], nn.Module]
    dims: dict[str, int]
    draw: Callable[[dict[str, int], int], Inputs]

    def module(self, *, seed: int = 0) -> nn.Module:
        return randomise(self.build(self.dims), seed=seed).double().eval()

    def inputs(self, *, seed: int = 1) -> Inputs:
        return self.draw(self.dims, seed)


def randomise(module: nn.Module, *, seed: int, std: float = 0.4) -> nn.Module:
    """Every parameter anew: at their first values biases are 0 and gains 1, and losing them would not show."""
    generator = torch.Generator().manual_seed(seed)
    for _, parameter in sorted(module.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * std
        parameter.data = noise.to(parameter.dtype)
    return module


def tensors(result: Any) -> list[Tensor]:
    """The meaningful numbers of a result: padding is blanked, the fields of a dataclass are taken in turn."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, Tokens):
        return [result.values.masked_fill(~result.mask[..., None], 0.0)]
    assert is_dataclass(result), f"a result is a tensor or a frozen dataclass, not {type(result).__name__}"
    parts = [getattr(result, field.name) for field in fields(result)]
    return [tensor for part in parts if part is not None for tensor in tensors(part)]


def map_rows(inputs: Inputs, rows: Tensor) -> Inputs:
    take = {Tokens: lambda tokens: Tokens(tokens.values[rows], tokens.mask[rows])}
    return {name: take.get(type(value), lambda tensor: tensor[rows])(value) for name, value in inputs.items()}


def leaves(inputs: Inputs) -> tuple[Inputs, dict[str, Tensor]]:
    """The same inputs, made of fresh tensors that collect gradients, and those tensors by name."""
    fresh: dict[str, Tensor] = {}
    out: Inputs = {}
    for name, value in inputs.items():
        if isinstance(value, Tokens):
            fresh[name] = value.values.detach().clone().requires_grad_()
            out[name] = Tokens(fresh[name], value.mask)
        elif value.is_floating_point():
            out[name] = fresh[name] = value.detach().clone().requires_grad_()
        else:
            out[name] = value
    return out, fresh


def close(ours: Any, theirs: Any, what: str) -> None:
    mine, yours = tensors(ours), tensors(theirs)
    assert len(mine) == len(yours), what
    for a, b in zip(mine, yours, strict=True):
        torch.testing.assert_close(a, b, **EXACT, msg=lambda text: f"{what}\n{text}")


def probe(result: Any) -> Tensor:
    """A fixed random functional of a result: its gradient has no reason to vanish anywhere."""
    generator = torch.Generator().manual_seed(7)
    parts = tensors(result)
    return sum((p * torch.randn(p.shape, generator=generator, dtype=torch.float64)).sum() for p in parts)


def hides_no_tensors(case: Case) -> None:
    """Every tensor that matters is a parameter or a buffer, also after a call."""
    module = case.module()
    module(**case.inputs())
    for path, part in module.named_modules():
        for key, value in vars(part).items():
            if key not in ("_parameters", "_buffers", "_modules"):
                for kind in stray(value):
                    raise AssertionError(f"{case.name}: {path}.{key} hides a {kind} from optimiser and checkpoint")


def stray(value: Any) -> Iterator[str]:
    if isinstance(value, Tensor | nn.Module):
        yield type(value).__name__
    elif isinstance(value, dict):
        for item in value.values():
            yield from stray(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from stray(item)


def trains_every_parameter(case: Case) -> None:
    module = case.module()
    inputs, _ = leaves(case.inputs())
    probe(module(**inputs)).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{case.name}: {name} takes no part in the result"
        assert parameter.grad.isfinite().all(), f"{case.name}: {name} gets a gradient that is not finite"
        assert parameter.grad.abs().max() > 1e-9, f"{case.name}: {name} gets no gradient"


def keeps_rows_apart(case: Case) -> None:
    module, inputs = case.module(), case.inputs()
    whole = tensors(module(**inputs))
    for rows in (torch.tensor([2, 0]), torch.tensor([1]), torch.tensor([3, 2, 1, 0])):
        for part, all_rows in zip(tensors(module(**map_rows(inputs, rows))), whole, strict=True):
            torch.testing.assert_close(
                part, all_rows[rows], **EXACT, msg=lambda text: f"{case.name}: a row depends on its neighbours\n{text}"
            )


def ignores_padding(case: Case) -> None:
    """What stands under the mask, and how much of it, changes nothing."""
    module, inputs = case.module(), case.inputs()
    whole = module(**inputs)
    masked = {name: tokens for name, tokens in inputs.items() if not tokens.mask.all()}
    assert masked, f"{case.name}: this promise needs inputs with padding"
    for name, tokens in masked.items():
        noise = torch.randn(tokens.values.shape, dtype=torch.float64) * 1e3
        other = Tokens(torch.where(tokens.mask[..., None], tokens.values, noise), tokens.mask)
        close(module(**{**inputs, name: other}), whole, f"{case.name}: the padding of {name} is read")
    longer = {name: pad(tokens) for name, tokens in inputs.items()}
    for long, short in zip(tensors(module(**longer)), tensors(whole), strict=True):
        a, b = (sorted(part.abs().sum(-1).flatten().tolist(), reverse=True) for part in (long, short))
        torch.testing.assert_close(
            torch.tensor(a[: len(b)]), torch.tensor(b), rtol=0, atol=1e-10, msg=lambda text: f"{case.name}: {text}"
        )
        assert not any(a[len(b) :]), f"{case.name}: padding became real"


def pad(tokens: Tokens) -> Tokens:
    values = torch.cat([tokens.values, torch.full_like(tokens.values[:, :2], 3.0)], dim=1)
    return Tokens(values, torch.cat([tokens.mask, torch.zeros_like(tokens.mask[:, :1]).expand(-1, 2)], dim=1))


def feels_every_input(case: Case) -> None:
    """Each row of each input moves the result, unless it is absent; each real token does, and no padded one."""
    module = case.module()
    inputs, fresh = leaves(case.inputs())
    probe(module(**inputs)).backward()
    for name, leaf in fresh.items():
        assert leaf.grad is not None, f"{case.name}: {name} takes no part in the result"
        felt = leaf.grad.abs().amax(-1)
        assert ((felt > 1e-9) == real(inputs, name)).all(), f"{case.name}: {name} is not felt where it should be"


def real(inputs: Inputs, name: str) -> Tensor:
    """Where an input says something: its real tokens, or the rows in which it is present."""
    value = inputs[name]
    if isinstance(value, Tokens):
        return value.mask
    if "present" in inputs:
        return inputs["present"][:, MODALITIES.index(name)]
    return torch.ones(len(value), dtype=torch.bool)


def ignores_order(case: Case) -> None:
    """Neither the order of the arguments nor that of the widths at building time matters."""
    inputs, module = case.inputs(), case.module()
    other = case.build(dict(reversed(case.dims.items()))).double().eval()
    other.load_state_dict(module.state_dict())
    backwards = dict(reversed(inputs.items()))
    close(module(**backwards), module(**inputs), f"{case.name}: the order of the arguments matters")
    close(other(**backwards), module(**inputs), f"{case.name}: the order of the widths matters")


def runs_in_double_and_single(case: Case) -> None:
    for dtype in (torch.float64, torch.float32):
        module = case.module().to(dtype)
        assert all(p.dtype == dtype for p in module.parameters())
        inputs = {name: cast(value, dtype) for name, value in case.inputs().items()}
        for part in tensors(module(**inputs)):
            assert part.dtype == dtype, f"{case.name}: {dtype} in, {part.dtype} out"


def cast(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, Tokens):
        return Tokens(value.values.to(dtype), value.mask)
    return value.to(dtype) if value.is_floating_point() else value


def survives_a_round_trip(case: Case) -> None:
    """Through the bytes of a safetensors file into a module with other weights, strictly; and through a copy."""
    module, inputs = case.module(seed=0), case.inputs()
    expected = module(**inputs)
    restored = case.module(seed=5)
    restored.load_state_dict(load(save({k: v.contiguous() for k, v in module.state_dict().items()})), strict=True)
    close(restored(**inputs), expected, f"{case.name}: its state dict does not hold all of it")
    close(copy.deepcopy(module)(**inputs), expected, f"{case.name}: a copy differs")


EVERY_MODULE = (
    hides_no_tensors,
    trains_every_parameter,
    keeps_rows_apart,
    feels_every_input,
    runs_in_double_and_single,
    survives_a_round_trip,
)
EVERY_FUSION = (*EVERY_MODULE, ignores_order)
EVERY_TOKEN_FUSION = (*EVERY_FUSION, ignores_padding)
