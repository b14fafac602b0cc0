"""From a path to bytes, and from bytes to what they are: by content, never by the file's extension."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from mmlab.preprocessing.limits import MAX_BYTES, reason, refusal
from mmlab.types import InputError

Value = TypeVar("Value")

# The first bytes, the kind of file, and a phrase for a person. "picture" and "sound" are those that are read here.
SIGNATURES: Final = (
    (rb"\x89PNG", "picture", "a picture (PNG)"),
    (rb"\xff\xd8\xff", "picture", "a picture (JPEG)"),
    (rb"GIF8", "picture", "a picture (GIF)"),
    (rb"RIFF....WEBP", "picture", "a picture (WebP)"),
    (rb"BM....\0\0\0\0", "picture", "a picture (BMP)"),
    (rb"II\*\0|MM\0\*", "picture", "a picture (TIFF)"),
    (rb"P[1-6]\s", "picture", "a picture (PNM)"),
    (rb"\0\0\x01\0", "picture", "a picture (ICO)"),
    (rb"....ftypavi", "picture", "a picture (AVIF)"),
    (rb"....ftyp(hei|hev|mif)", "heic", "a picture in the HEIC format"),
    (rb"RI(FF|FX)....WAVE|RF64....WAVE", "sound", "a sound (WAV)"),
    (rb"fLaC", "sound", "a sound (FLAC)"),
    (rb"OggS", "sound", "a sound (Ogg)"),
    (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "sound", "a sound (MP3)"),
    (rb"FORM....AIF", "sound", "a sound (AIFF)"),
    (rb"\.snd", "sound", "a sound (AU)"),
    (rb"caff", "sound", "a sound (CAF)"),
    (rb"....ftypM4A|\xff[\xf0\xf1\xf8\xf9]", "aac", "a sound in the AAC format"),
    (rb"\x30\x26\xb2\x75|#!AMR", "aac", "a sound in a format that is not read here"),
    (rb"MThd", "midi", "a MIDI file, which holds notes and no sound"),
    (rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI ", "video", "a video"),
    (rb"%PDF", "document", "a PDF document"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|BZh", "archive", "an archive or an office document"),
    (rb"version https://git-lfs", "pointer", "a Git LFS pointer to a file, not the file"),
    (rb"(\xef\xbb\xbf)?\s*(<\?xml.{,1000})?(<!--.{,1000}-->\s*)?(<!doctype svg.{,1000})?<svg", "svg", "an SVG drawing"),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)", "html", "a web page"),
    (rb"[\t\n\r -~\x80-\xff]+\Z", "text", "plain text"),
)
TODO: Final = {
    "picture": "pass it with --image",
    "sound": "pass it with --audio",
    "heic": "save it as PNG or JPEG",
    "aac": "convert it to WAV",
    "midi": "play it into a WAV file first",
    "video": "take a picture or its sound track out of it first",
    "document": "take the picture or the sound out of it first",
    "archive": "unpack it first",
    "pointer": "fetch the file with `git lfs pull`",
    "svg": "save it as PNG first (a browser or Inkscape does that)",
    "html": "download the file itself, not the page that shows it",
    "text": "give its words as a text",
    "unknown": "save it in one of these formats",
}


def describe(data: bytes) -> tuple[str, str]:
    """What bytes are, by their content: a kind ("picture", "sound", "svg", "text", ...) and a phrase for a person."""
    head = data[:4096]
    for pattern, kind, phrase in SIGNATURES:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE if kind in ("svg", "html") else re.DOTALL):
            return kind, phrase
    return "unknown", "a file of a kind that is not known here"


def unreadable(name: str, data: bytes, *, kind: str, expected: str, error: Exception) -> InputError:
    """The sentence for bytes that no decoder took: of the right kind and damaged, or of another kind."""
    found, phrase = describe(data)
    if found == kind:
        came = f"this is {phrase} that is damaged or cut off ({reason(error)})"
        return refusal(name, expected=expected, came=came, todo="copy or export it again")
    return refusal(name, expected=expected, came=f"this is {phrase}", todo=TODO[found])


def read_file(path: str | os.PathLike[str], *, expected: str, most: int = MAX_BYTES) -> bytes:
    """All bytes of a file; `expected` says in its error sentences what the file should have held ("a sound").

    Raises:  InputError for a missing, empty, unreadable or too large file, a folder, a device
    """
    name, path = str(path), Path(path)
    limit = f"{most / 1e6:.0f} MB"
    try:
        if path.is_dir():
            came, todo = "this is a folder", f"give the files in it, as in {path / '*'}"
        elif not path.exists():
            came, todo = "there is nothing at this path", "check its spelling and the folder you are in"
        elif not path.is_file():
            came, todo = "this is a device or a pipe", "save it to a file first"
        elif (size := path.stat().st_size) == 0:
            came, todo = "the file is empty (0 bytes)", "copy or download it again"
        elif size > most:
            came, todo = f"the file has {size / 1e6:.1f} MB and at most {limit} are taken", "make it smaller or shorter"
        else:
            return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = getattr(error, "strerror", None) or reason(error)
        came, todo = f"it cannot be opened ({why})", "check its name and its permissions"
    raise refusal(name, expected=expected, came=came, todo=todo)


def check_bytes(data: bytes, *, name: str, expected: str, most: int = MAX_BYTES) -> None:
    """The same limits for bytes that came without a file."""
    if not 0 < len(data) <= most:
        came, limit = f"{len(data)} bytes came", f"{most / 1e6:.0f} MB"
        raise refusal(name, expected=expected, came=came, todo=f"give the whole file, of at most {limit}")


def load_many(
    paths: Sequence[str | os.PathLike[str]], loader: Callable[[str | os.PathLike[str]], Value]
) -> tuple[list[tuple[int, Value]], list[tuple[str, str]]]:
    """Load a list of files; one that is refused does not keep the others from coming through.

    Returns (good, failed): the position in the list and the value of each file that loaded, and the path and the
    sentence of each that did not, both in the order of the list. Errors other than InputError are bugs and pass on.
    """
    good: list[tuple[int, Value]] = []
    failed: list[tuple[str, str]] = []
    for index, path in enumerate(paths):
        try:
            good.append((index, loader(path)))
        except InputError as error:
            failed.append((str(path), str(error)))
    return good, failed
