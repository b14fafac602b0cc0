"""A file of a picture or a sound, told apart by its content."""

import os
from typing import Any

from mmlab.preprocessing.audio import load_audio
from mmlab.preprocessing.files import TODO, describe, read_file
from mmlab.preprocessing.image import load_image
from mmlab.preprocessing.limits import CUT_BYTES, MAX_BYTES, PICTURES, SOUNDS, refusal


def open_file(path: str | os.PathLike[str], *, cut: bool = False) -> tuple[str, Any]:
    """("image", picture) or ("audio", samples): what the bytes of a file are, whatever its extension says."""
    expected = f"{PICTURES} or {SOUNDS}"
    kind, phrase = describe(read_file(path, expected=expected, most=CUT_BYTES if cut else MAX_BYTES))
    if kind == "picture":
        return "image", load_image(path)
    if kind == "sound":
        return "audio", load_audio(path, cut=cut)
    todo = "give its words with --text" if kind == "text" else TODO[kind]
    raise refusal(str(path), expected=expected, came=f"this is {phrase}", todo=todo)
