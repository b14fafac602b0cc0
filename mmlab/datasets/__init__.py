"""Data: the things of the course, tasks made from them, and things of your own. `datasets.dialogue` makes dialogues."""

from mmlab.datasets.emoji import EmojiData, Thing
from mmlab.datasets.own import own_samples
from mmlab.datasets.tasks import OddOneOutTask, PairTask, odd_one_out_task, pair_task

__all__ = ["EmojiData", "OddOneOutTask", "PairTask", "Thing", "odd_one_out_task", "own_samples", "pair_task"]
