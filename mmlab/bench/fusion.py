"""`mmlab bench fusion`: each operator, forward and backward, against its plainest correct form, and how it grows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmlab.bench.plain import PLAIN
from mmlab.bench.race import Figure, Step, keep_memory, race
from mmlab.fusion import FUSIONS, TOKEN_FUSIONS
from mmlab.fusion.elementwise import ElementwiseFusion
from mmlab.types import MODALITIES, Tokens

BATCH, OUT, RANK, SEQ, LATENTS, HEADS = 256, 64, 4, 8, 8, 4
WIDTHS = (64, 128, 256, 512)
LARGEST_PLAIN = 2 * 2**30  # bytes: an outer product beyond them is not built


@dataclass(frozen=True)
class Entry:
    """One operator in the race.

    `cost` is the O(...) of its docstring as a function of the width and the number of modalities, without the batch;
    `growth` are the widths at which it is measured: wide enough for the arithmetic to outweigh the calls.
    """

    cost: Callable[[int, int], float]
    growth: tuple[int, ...]
    modalities: tuple[str, ...] = MODALITIES
    operator: str = ""  # where the entry's name is not the operator's
    at: int = 0  # the width at which two modalities are compared with three; 0: not compared


ADDS, LINEAR = (512, 1024, 2048, 4096), (512, 1024, 2048)
SQUARES, TOKENS = (256, 512, 1024), (128, 256, 512)
PAIR = ("text", "image")


def _tokens(d: int, asking: int, asked: int) -> float:
    return asking * asked * d + (asking + asked) * d * d


ENTRIES: dict[str, Entry] = {
    "sum": Entry(lambda d, k: d * k, ADDS, at=1024),
    "weighted_sum": Entry(lambda d, k: d * k, ADDS, at=1024),
    "mean": Entry(lambda d, k: d * k, ADDS, at=1024),
    "max": Entry(lambda d, k: d * k, ADDS, at=1024),
    "attention_sum": Entry(lambda d, k: k * d * d, SQUARES, at=512),
    "concat_linear": Entry(lambda d, k: OUT * k * d, LINEAR, at=1024),
    "concat_mlp": Entry(lambda d, k: k * d * (OUT + k * d), SQUARES, at=512),
    "gated": Entry(lambda d, k: OUT * (k + 1) * k * d, LINEAR, at=1024),
    "film": Entry(lambda d, k: OUT * (d + 2 * (k - 1) * d), LINEAR, at=1024),
    "hadamard": Entry(lambda d, k: OUT * (OUT + k * d), LINEAR, at=1024),
    "bilinear_of_two": Entry(lambda d, k: OUT * math.comb(k, 2) * d * d, TOKENS, PAIR, "bilinear", at=128),
    "tensor_of_two": Entry(lambda d, k: OUT * (d + 1) ** k, TOKENS, PAIR, "tensor", at=64),
    "tensor": Entry(lambda d, k: OUT * (d + 1) ** k, (16, 32, 64)),
    "low_rank": Entry(lambda d, k: RANK * OUT * k * d, LINEAR, at=1024),
    "late": Entry(lambda d, k: OUT * k * d, LINEAR, at=1024),
    "cross_attention": Entry(lambda d, k: _tokens(d, SEQ, SEQ), TOKENS, ("query", "context")),
    "co_attention": Entry(lambda d, k: _tokens(d, SEQ, SEQ), TOKENS, PAIR),
    "single_stream": Entry(lambda d, k: _tokens(d, k * SEQ, k * SEQ), TOKENS, at=128),
    "perceiver_resampler": Entry(lambda d, k: _tokens(d, LATENTS, k * SEQ), TOKENS, at=128),
}


def bench_fusion(
    *,
    names: Sequence[str] | None = None,
    widths: Sequence[int] = WIDTHS,
    batch: int = BATCH,
    seconds: float = 0.5,
    growth: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Figures by name, each with its interval and n; times are milliseconds of one processor core.

    `ratio/<operator>/<width>`  our formula over the plain one, like with like: below 1 where ours is faster
    `ratio_checked/<operator>/<width>`  the same with what the plain form does not do, refusing bad input
    `ours_ms/...`, `checked_ms/...`, `plain_ms/...`  the three times behind them
    `growth_in_width/<operator>`  slope of log time over log width, beside the slope of the docstring's O(...)
    `growth_in_modalities/<operator>`  time with three modalities over time with two, beside that of the O(...)
    """
    figures: dict[str, Any] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_memory()
    try:
        for name in ENTRIES if names is None else names:
            line = [f"{name:20}"]
            for width in widths:
                if _plain_fits(name, width, batch):
                    figures |= (new := _compare(name, width, batch, seconds))
                    both = (new[f"{key}/{name}/{width}"]["value"] for key in ("ratio", "ratio_checked"))
                    line.append("{}: {:.2f} ({:.2f})".format(width, *both))
            if growth:
                figures |= (new := _growth(name, batch, seconds))
                line += [f"{key.split('/')[0]} {f['value']:.2f} (O: {f['expected']:.2f})" for key, f in new.items()]
            say("  ".join(line))
    finally:
        torch.set_num_threads(threads)
    return figures


def _compare(name: str, width: int, batch: int, seconds: float) -> dict[str, Any]:
    module, inputs = build(name, width, batch=batch)
    plain = PLAIN[_operator(name)](module)
    forms = (lambda: ours_of(module, module.forward(**inputs)), lambda: ours_of(module, module(**inputs)))
    times = race([*map(Step, forms), Step(lambda: plain(**inputs))], seconds=seconds)
    ours, checked, theirs = times
    samples = {
        "ratio": [a / b for a, b in zip(ours, theirs, strict=True)],
        "ratio_checked": [a / b for a, b in zip(checked, theirs, strict=True)],
        **{key: [1e3 * t for t in run] for key, run in zip(("ours_ms", "checked_ms", "plain_ms"), times, strict=True)},
    }
    return {f"{key}/{name}/{width}": asdict(Figure.of(values)) for key, values in samples.items()}


def _growth(name: str, batch: int, seconds: float) -> dict[str, Any]:
    """Both growths of one operator; sizes take turns, so that each turn gives one sample of the growth."""
    entry, out = ENTRIES[name], {}
    turns = race([_step(name, width, batch) for width in entry.growth], seconds=seconds)
    slopes = [_slope(entry.growth, times) for times in zip(*turns, strict=True)]
    expected = _slope(entry.growth, [entry.cost(width, len(entry.modalities)) for width in entry.growth])
    out[f"growth_in_width/{name}"] = {**asdict(Figure.of(slopes)), "expected": expected}
    if entry.at:
        steps = [_step(name, entry.at, batch, modalities=names) for names in (PAIR, MODALITIES)]
        two, three = race(steps, seconds=seconds)
        ratios = [b / a for a, b in zip(two, three, strict=True)]
        expected = entry.cost(entry.at, 3) / entry.cost(entry.at, 2)
        out[f"growth_in_modalities/{name}"] = {**asdict(Figure.of(ratios)), "expected": expected}
    return out


def build(
    name: str, width: int, *, batch: int, modalities: Sequence[str] | None = None, dtype: torch.dtype = torch.float32
) -> tuple[nn.Module, dict[str, Any]]:
    """An operator of the race and inputs for it, both from a fixed seed; the last quarter of the tokens is padding."""
    names = ENTRIES[name].modalities if modalities is None else modalities
    generator = torch.Generator().manual_seed(0)
    dims, operator = dict.fromkeys(names, width), _operator(name)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(dtype).requires_grad_()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if operator in FUSIONS:
            same = issubclass(FUSIONS[operator], ElementwiseFusion)
            module = FUSIONS[operator](dims, out=width if same else OUT)
            return module.to(dtype), {key: draw(batch, width) for key in names}
        sizes: dict[str, int] = {"heads": HEADS}
        if operator in ("single_stream", "perceiver_resampler"):
            sizes |= {"out": width, "depth": 1}
        if operator == "perceiver_resampler":
            sizes["latents"] = LATENTS
        module = TOKEN_FUSIONS[operator](dims, **sizes)
    mask = (torch.arange(SEQ) < SEQ * 3 // 4).expand(batch, SEQ)
    return module.to(dtype), {key: Tokens(draw(batch, SEQ, width), mask) for key in names}


def ours_of(module: nn.Module, fused: Any) -> Tensor | list[Tensor]:
    """The operator's result as bare tensors, as the plain form gives it."""
    return fused if isinstance(fused, Tensor) else [tokens.values for tokens in module.streams(fused)]


def _step(name: str, width: int, batch: int, *, modalities: Sequence[str] | None = None) -> Step:
    module, inputs = build(name, width, batch=batch, modalities=modalities)
    return Step(lambda: ours_of(module, module(**inputs)))


def _operator(name: str) -> str:
    return ENTRIES[name].operator or name


def _plain_fits(name: str, width: int, batch: int) -> bool:
    """Whether the outer product that the plain tensor fusion builds stays within 2 GB."""
    return _operator(name) != "tensor" or 4 * batch * (width + 1) ** len(ENTRIES[name].modalities) <= LARGEST_PLAIN


def _slope(widths: Sequence[int], times: Sequence[float]) -> float:
    """Least squares through log time over log width."""
    x, y = [math.log(w) for w in widths], [math.log(t) for t in times]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)
