"""A chat of a few thousand random weights over the tiny joint space, and the texts its tokenizer knows."""

from typing import Any

import torch

from mmlab.models.chat import MultimodalChat
from mmlab.models.joint import JointEmbedder

TEXTS = (
    "What do you see?", "What do you hear?", "Do they agree?", "I see: elephant.", "I hear: pizza.", "Yes.", "No.",
    "你看到了什么？", "你听到了什么？", "它们一致吗？", "我看到：大象。", "我听到：披萨。", "是的。", "不是。",
)  # fmt: skip
SIZES = {"vocab": 360, "width": 16, "layers": 2, "heads": 2, "mlp": 24}


def make_chat(joint: JointEmbedder, *, seed: int = 0, **options: object) -> MultimodalChat:
    """Untrained: what it says is nonsense, and the same nonsense every time."""
    return MultimodalChat.untrained(TEXTS, joint=joint, seed=seed, **SIZES, **options).eval()


def nobody_knows(joint: JointEmbedder, **raw: list[Any]) -> dict[str, torch.Tensor]:
    """In the place of `JointEmbedder.familiar`: everything is a stranger."""
    return {name: torch.zeros(len(items)) for name, items in raw.items()}
