"""`mmlab search`: which things lie nearest to a text, a picture, a sound, or all of them together."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmlab.cli.options import DataFolder, ModelFolder, open_data, open_model

if TYPE_CHECKING:
    from mmlab.apps.search import Answer


def search(
    query: Annotated[str | None, typer.Argument(metavar="[QUERY]", help="A text, English or Chinese.")] = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="A picture.")] = None,
    audio: Annotated[Path | None, typer.Option(metavar="FILE", help="A sound.")] = None,
    count: Annotated[int, typer.Option("-k", "--count", min=1, help="How many things.")] = 5,
    target: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="text|image", help="Look through names or pictures; twice: both, fused."),
    ] = None,
    cut: Annotated[bool, typer.Option("--cut", help="Keep the first seconds of a sound that is too long.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    model: ModelFolder = None,
    data: DataFolder = None,
) -> None:
    """Find the things nearest to a text, a picture or a sound.

    Several of them are fused: what is searched with is the sum of their vectors.
    """
    from mmlab.apps.search import Search
    from mmlab.preprocessing import load_audio, load_image
    from mmlab.types import InputError

    if query is None and image is None and audio is None:
        raise InputError("There is nothing to search with; give a text, --image FILE or --audio FILE.")
    picture = None if image is None else load_image(image)
    sound = None if audio is None else load_audio(audio, cut=cut)
    joint, folder = open_model(model)
    things = Search(joint, open_data(data), targets=tuple(target or ("text",)), folder=folder)
    answer = things.find(text=query, image=picture, audio=sound, k=count)
    typer.echo(_json(answer)) if as_json else _show(answer)


def _json(answer: "Answer") -> str:
    hits = [
        {
            "id": h.thing.id,
            "emoji": h.thing.emoji,
            "en": h.thing.name_en,
            "zh": h.thing.name_zh,
            "score": round(h.score, 4),
        }
        for h in answer.hits
    ]
    said = {
        "by": list(answer.modalities),
        "familiarity": answer.familiarity,
        "strange": list(answer.strange),
        "hits": hits,
    }
    return json.dumps(said, ensure_ascii=False)


def _show(answer: "Answer") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("", "", "English", "中文"):
        table.add_column(column, style="dim" if column == "" else "")
    table.add_column("score", justify="right")
    for place, hit in enumerate(answer.hits, start=1):
        names = (Text(name) for name in (hit.thing.emoji, hit.thing.name_en, hit.thing.name_zh))
        table.add_row(str(place), *names, f"{hit.score:.2f}")
    console = Console()
    for name in answer.strange:
        console.print(f"[bold]This {name} is unlike anything the model learned: what it finds means little.[/]")
    known = ", ".join(f"{name} {score:.2f}" for name, score in answer.familiarity.items())
    console.print(f"Nearest by {' + '.join(answer.modalities)}" + (f"; familiarity: {known}" if known else ""))
    console.print(table)
