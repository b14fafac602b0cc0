"""A FusionLab's question to the dialogue model: what it sees, what it hears, and whether both are the same thing."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mmlab.apps.dialogue import Conversation
from mmlab.models.chat import SHIPPED, MultimodalChat, load_shipped
from mmlab.models.checkpoint import CONFIG
from mmlab.types import InputError
from mmlab.widgets.labels import QUESTIONS


@lru_cache(maxsize=1)
def shipped_chat() -> MultimodalChat:
    """The dialogue model that ships, opened once; an InputError where none was made."""
    if not (SHIPPED / CONFIG).is_file():
        raise InputError("The dialogue model is not here: train it with `mmlab train chat`, then ask again.")
    return load_shipped()


def questions(shown: Mapping[str, Any]) -> list[str]:
    """What is asked: the text itself where it is a question, else what the inputs that are on call for."""
    text = shown.get("text", "").strip()
    if text.endswith(("?", "？")):
        return [text]
    return [QUESTIONS[name] for name in ("image", "audio") if name in shown] + (
        [QUESTIONS["both"]] if {"image", "audio"} <= shown.keys() else []
    )


def ask(shown: Mapping[str, Any], *, model: MultimodalChat | None = None) -> str:
    """Questions and replies, one pair a line; `shown` holds the words, the picture and the waveform that are on.

    Raises:  InputError where neither picture nor sound is on, and where there is no dialogue model
    """
    if not {"image", "audio"} & shown.keys():
        raise InputError("The dialogue model talks about a picture or a sound: switch one on.")
    talk = Conversation(shipped_chat() if model is None else model)
    media, lines = {name: shown[name] for name in ("image", "audio") if name in shown}, []
    for question in questions(shown):
        lines.append(f"{question}\n    {talk.say(question, **media)}")
        media = {}  # shown once; the conversation remembers
    return "\n".join(lines)
