"""What was said, shown and heard in a conversation: as text, as a file with its pictures and sounds beside it, and back."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmlab.apps.media import WORDS, Medium, open_image, open_sound
from mmlab.preprocessing import read_file
from mmlab.types import InputError

FORMAT = "mmlab-chat-1"
FILE = "chat.json"
SAID = ("question", "language", "answer", "notice", "stopped", "attempt")  # what is stored as it is


@dataclass(frozen=True, eq=False)
class Exchange:
    """One question with what was shown and heard in it, and what was answered.

    `answer` is what the model said; `notice`, said before it, is about inputs unlike anything it learned. `stopped`
    says that the answer was cut off, `attempt` how often it was asked for anew.
    """

    question: str
    language: str
    media: tuple[Medium, ...] = ()
    answer: str = ""
    notice: str = ""
    stopped: bool = False
    attempt: int = 0

    @property
    def reply(self) -> str:
        """Notice and answer as one text."""
        end = " …" if self.stopped else ""
        return f"{self.notice}{self.gap}{self.answer}{end}".strip()

    @property
    def gap(self) -> str:
        """What stands between notice and answer: Chinese has no space there."""
        return " " if self.notice and self.language != "zh" else ""

    @property
    def strange(self) -> tuple[str, ...]:
        """The modalities of this exchange in which something is unlike anything that the model learned."""
        return tuple(dict.fromkeys(medium.modality for medium in self.media if medium.strange))

    def of(self, modality: str) -> list[Medium]:
        """Its pictures ("image") or its sounds ("audio")."""
        return [medium for medium in self.media if medium.modality == modality]


def label(medium: Medium) -> str:
    """What it is, and the name of the file that it came from, if it came from one."""
    word = WORDS[medium.modality]
    return word if medium.name == word else f"{word} {medium.name}"


def as_text(exchanges: Sequence[Exchange]) -> str:
    """A transcript for a person: two lines for each exchange."""
    lines = []
    for one in exchanges:
        given = "".join(f"[{label(medium)}] " for medium in one.media)
        lines += [f"you:   {given}{one.question}", f"model: {one.reply}"]
    return "\n".join(lines)


def write_transcript(path: str | Path, exchanges: Sequence[Exchange], settings: dict[str, Any]) -> Path:
    """A folder with a chat.json, or a .json file, and the pictures and sounds beside it; gives the .json's path.

    Raises:  InputError where it cannot go, and where another file would be overwritten
    """
    path = saving_place(Path(path))
    rows, files = [], {}
    for number, one in enumerate(exchanges, start=1):
        media = []
        for count, medium in enumerate(one.media, start=1):
            name = f"{path.stem}-{number:02}-{count}{medium.suffix}"
            files[name] = medium.data
            media.append({"modality": medium.modality, "file": name, "name": medium.name})
        said = {name: getattr(one, name) for name in SAID}
        rows.append({**said, "media": media})
    own = _own(path)
    _spare(path, files, own)
    try:
        path.parent.mkdir(exist_ok=True)
        for name, data in files.items():
            (path.parent / name).write_bytes(data)
        scratch = path.with_name(f".{path.name}.part")
        content = {"format": FORMAT, "settings": settings, "exchanges": rows}
        scratch.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(scratch, path)
        for name in own - files.keys():
            (path.parent / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: the conversation cannot be saved here ({error.strerror}); choose another place."
        ) from error
    return path


def read_transcript(path: str | Path) -> tuple[list[Exchange], dict[str, Any]]:
    """What `write_transcript` wrote: exchanges with their pictures and sounds, and the settings.

    Raises:  InputError for what is no conversation, is damaged, or lacks a picture or a sound
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    content = _content(path)
    try:
        settings = dict(content["settings"])
        exchanges = [
            Exchange(
                **{name: row[name] for name in SAID},
                media=tuple(_medium(path, one) for one in row["media"]),
            )
            for row in content["exchanges"]
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: this conversation is damaged ({error} is missing or odd); save it again.") from error
    return exchanges, settings


def _content(path: Path) -> dict[str, Any]:
    """The file as it was parsed; an InputError where it is not one of ours."""
    data = read_file(path, expected="a saved conversation (.json)")
    try:
        content = json.loads(data)
    except ValueError as error:
        raise InputError(
            f"{path}: expected a saved conversation, but this is no JSON; give the .json of one."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: expected a conversation in the format {FORMAT}, but this is another JSON file.")
    return content


def _medium(path: Path, row: dict[str, str]) -> Medium:
    name = row["file"]
    if Path(name).name != name:
        raise InputError(f"{path}: its pictures and sounds lie beside it, but it names {name!r}; save it again.")
    opened = {"image": open_image, "audio": lambda *a, **k: open_sound(*a, cut=True, **k)}[row["modality"]]
    return opened(path.parent / name, name=row["name"])


def saving_place(path: Path) -> Path:
    """The .json file that is meant; a file that is not a conversation of ours is never overwritten."""
    home = path.parent
    path = path if path.suffix == ".json" else path / FILE
    if not home.is_dir() or path.is_dir() or path.parent.is_file():
        raise InputError(
            f"{path}: a conversation goes to a folder, or a .json, in a folder that exists; choose another."
        )
    if path.exists():
        try:
            _own(path)
        except (InputError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: this file is no saved conversation, so it stays; choose another name."
            ) from error
    return path


def _own(path: Path) -> set[str]:
    """The pictures and sounds that the conversation saved here wrote; one that was copied here names others' files."""
    named = {one["file"] for row in _content(path)["exchanges"] for one in row["media"]} if path.exists() else set()
    return {name for name in named if Path(name).name == name and name.startswith(f"{path.stem}-")}


def _spare(path: Path, files: dict[str, bytes], own: set[str]) -> None:
    """An InputError where a picture or sound would overwrite a file that no conversation of ours wrote."""
    for name, data in files.items():
        there = path.parent / name
        if name not in own and there.exists() and not (there.is_file() and there.read_bytes() == data):
            raise InputError(f"{there}: this file is not of this conversation, so it stays; choose another name.")
