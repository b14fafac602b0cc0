"""Every figure that the course states, made by a command: what was asked, beside chance and baselines.

The baselines and the sweeps are imported from their own modules, `baselines` and `scaling`.
"""

from mmlab.evaluation.fusion_weights import tune_weights
from mmlab.evaluation.joint import evaluate_joint, space_figures
from mmlab.evaluation.questions import Questions
from mmlab.evaluation.report import as_table, card_figures, evaluate_checkpoint, log_evaluation
from mmlab.evaluation.space import Items, Space

__all__ = [
    "Items",
    "Questions",
    "Space",
    "as_table",
    "card_figures",
    "evaluate_checkpoint",
    "evaluate_joint",
    "log_evaluation",
    "space_figures",
    "tune_weights",
]
