"""A hands-on course in multimodal language models, and the lab kit behind it.

`import mmlab` is light: each name below is imported from its module when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

_EXPORTS = {
    "get_embedding": "mmlab.models.article",
    "get_multi_modal_embedding": "mmlab.models.article",
    "load_shipped": "mmlab.models.joint",
    "JointEmbedder": "mmlab.models.joint",
    "EmojiData": "mmlab.datasets.emoji",
    "seed": "mmlab.testing",
    "digest": "mmlab.testing",
    "check": "mmlab.grading.check",
    "progress": "mmlab.grading.progress",
}
_MODULES = ("datasets", "encoders", "figures", "fusion", "metrics", "models", "nn", "objectives", "preprocessing")

__all__ = [*_EXPORTS, *_MODULES, "__version__"]


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    if name in _MODULES:
        return import_module(f"mmlab.{name}")
    raise AttributeError(f"mmlab has no {name!r}; it offers {', '.join(sorted(__all__))}.")


def __dir__() -> list[str]:
    return sorted(__all__)
