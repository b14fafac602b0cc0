"""The dialogue model judged: exact answers to new phrasings about unseen drawings and voices, and what they rest on."""

from mmlab.evaluation.chat.asked import FULL, QUICK, Asked, ask
from mmlab.evaluation.chat.card import write_card
from mmlab.evaluation.chat.evaluate import evaluate_chat
from mmlab.evaluation.chat.play import Senses, play
from mmlab.evaluation.chat.report import RESULTS, as_tables, evaluate_checkpoint, keep_seed

__all__ = [
    "FULL",
    "QUICK",
    "RESULTS",
    "Asked",
    "Senses",
    "as_tables",
    "ask",
    "evaluate_chat",
    "evaluate_checkpoint",
    "keep_seed",
    "play",
    "write_card",
]
