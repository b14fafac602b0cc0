"""The controlled comparison of fusion operators: frozen encoders, one budget, several seeds, two kinds of head."""

from mmlab.evaluation.fusion.bank import Bank, encode_bank, split_things
from mmlab.evaluation.fusion.compare import compare, compare_checkpoint
from mmlab.evaluation.fusion.fit import Budget, Trainer
from mmlab.evaluation.fusion.head import FusionHead
from mmlab.evaluation.fusion.points import Bench, Point, points
from mmlab.evaluation.fusion.store import load_heads, save_heads
from mmlab.evaluation.fusion.summary import as_tables, over_seeds, summarise

__all__ = [
    "Bank",
    "Bench",
    "Budget",
    "FusionHead",
    "Point",
    "Trainer",
    "as_tables",
    "compare",
    "compare_checkpoint",
    "encode_bank",
    "load_heads",
    "over_seeds",
    "points",
    "save_heads",
    "split_things",
    "summarise",
]
