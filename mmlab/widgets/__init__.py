"""Interactive views of the joint space: state in traits and pure functions, one canvas that only draws.

Nothing here is imported before it is asked for, so that `import mmlab.widgets` stays light.
"""

from importlib import import_module

# The table of contents.
WIDGETS = {
    "JointSpace": "mmlab.widgets.space",
    "FusionLab": "mmlab.widgets.fusion_lab",
    "AttentionView": "mmlab.widgets.attention",
    "TrainingView": "mmlab.widgets.training",
}

__all__ = ["WIDGETS", *WIDGETS]


def __getattr__(name: str) -> object:
    if name in WIDGETS:
        return getattr(import_module(WIDGETS[name]), name)
    raise AttributeError(f"mmlab.widgets has no {name!r}; it offers {', '.join(WIDGETS)}.")
