"""`mmlab bench train`: a step of the shipped recipe against the plain loop, in the same run."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmlab.datasets.emoji import EmojiData
from mmlab.training.align import AlignModule
from mmlab.training.corpus import Corpus
from mmlab.training.loop import precision
from mmlab.training.recipe import AlignRecipe
from mmlab.training.shipped import train_tokenizer


def bench_train(
    data: EmojiData, *, rounds: int = 5, batch: int = 256, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Seconds per step of ours (channels-last, bf16 where the CPU has it, plain attention) and of the plain fp32 loop.

    The variants take turns, so that a busy machine slows them alike; medians over `rounds`, after one warm-up each.
    """
    recipe = AlignRecipe(batch=batch)
    corpus = Corpus.from_data(data, things=data.split("train")[: 2 * batch])
    tokenizer = train_tokenizer(data, vocab=recipe.vocab)
    half = precision("cpu") != "32-true"
    variants = {
        "plain": _Step(recipe, tokenizer, memory=torch.contiguous_format, half=False, attention=nullcontext),
        "ours_fp32": _Step(recipe, tokenizer, memory=torch.channels_last, half=False, attention=_math),
    }
    if half:
        variants["ours"] = _Step(recipe, tokenizer, memory=torch.channels_last, half=True, attention=_math)
    times: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds + 1):
        draw = corpus.draw(seed=0, step=turn, batch=batch)
        for name, step in variants.items():
            began = time.perf_counter()
            step(draw)
            if turn:
                times[name].append(time.perf_counter() - began)
    seconds = {name: median(values) for name, values in times.items()}
    fastest = "ours" if half else "ours_fp32"
    for name, value in seconds.items():
        say(f"{name:10} {value:6.2f} s per step, {seconds['plain'] / value:4.1f} times as fast as the plain loop")
    return {
        "seconds_per_step": seconds,
        "ratio": seconds["plain"] / seconds[fastest],
        "ratio_without_bf16": seconds["plain"] / seconds["ours_fp32"],
        "batch": batch,
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "bf16": half,
    }


def _math() -> AbstractContextManager:
    return sdpa_kernel(SDPBackend.MATH)


class _Step:
    """Forward, backward and update of one variant."""

    def __init__(
        self, recipe: AlignRecipe, tokenizer: Any, *, memory: torch.memory_format, half: bool, attention: Callable
    ) -> None:
        self.aligner = AlignModule(recipe, tokenizer).aligner.train()
        for name in ("image", "audio"):
            self.aligner.model.encoders[name].to(memory_format=memory)
        self.memory, self.half, self.attention = memory, half, attention
        self.optimizer = torch.optim.AdamW(self.aligner.parameters(), lr=recipe.lr)

    def __call__(self, draw: Any) -> None:
        generator = torch.Generator().manual_seed(0)
        with self.attention(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            loss = self.aligner.loss(self.aligner.views(draw, generator, memory=self.memory))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
