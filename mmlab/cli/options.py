"""Options that several commands share, and how the model and the data behind them are opened."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mmlab.datasets.emoji import EmojiData
    from mmlab.models.joint import JointEmbedder

ModelFolder = Annotated[
    Path | None, typer.Option("--model", metavar="FOLDER", help="A checkpoint folder; without it, the one that ships.")
]
JointFolder = Annotated[
    Path | None,
    typer.Option("--joint", metavar="FOLDER", help="The joint space of the chat; without it, the one that ships."),
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="A dataset folder; without it, the one that ships.")
]


def open_model(folder: Path | None) -> "tuple[JointEmbedder, Path]":
    """The model in a folder, or the shipped one, and where it lies."""
    from mmlab.models.joint import SHIPPED, JointEmbedder

    folder = SHIPPED if folder is None else folder
    return JointEmbedder.from_pretrained(folder), folder


def open_data(folder: Path | None) -> "EmojiData":
    """The dataset in a folder, or the shipped one, its bytes checked."""
    from mmlab.datasets.emoji import EmojiData

    return EmojiData.load(folder)
