"""`mmlab bench embed`: seconds for a thousand texts, pictures and sounds, from raw inputs to unit vectors."""

import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import cycle, islice
from typing import Any

import torch

from mmlab.bench.race import Figure
from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.models.joint import JointEmbedder

STYLE = "twemoji"


def bench_embed(
    model: JointEmbedder,
    data: EmojiData,
    *,
    count: int = 1000,
    rounds: int = 3,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Seconds by the clock for `count` inputs of each modality, decoded before, in as many threads as PyTorch has."""
    clips = data.clips(split="test", language="en").slice(0, count)["audio"].to_pylist()
    given = {
        "text": [thing.name_en for thing in data.things],
        "image": list(data.images(STYLE).values()),
        "audio": [decode_audio(clip["bytes"]) for clip in clips],
    }
    figures = {}
    for name, items in given.items():
        inputs, times = list(islice(cycle(items), count)), []
        model.encode(**{name: inputs[:128]})
        for _ in range(rounds):
            began = time.perf_counter()
            model.encode(**{name: inputs})
            times.append(time.perf_counter() - began)
        figures[name] = Figure.of(times)
        say(f"{name:5} {figures[name].value:6.2f} s for {count:,}")
    return {**{name: asdict(one) for name, one in figures.items()}, "count": count, "threads": torch.get_num_threads()}
