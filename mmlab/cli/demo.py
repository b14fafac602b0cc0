"""`mmlab demo`: a tour of the joint space on samples that ship with the course."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmlab.cli.options import DataFolder, ModelFolder, open_data, open_model

if TYPE_CHECKING:
    from mmlab.apps.demo import Stop


def demo(
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("mmlab-demo.html"),
    seed: Annotated[int | None, typer.Option(min=0, help="Draw other things by chance.")] = None,
    model: ModelFolder = None,
    data: DataFolder = None,
) -> None:
    """Take a tour of the joint space on shipped samples.

    A word finds a picture, a picture and a sound find their names, alone and together under noise. It ends in an HTML
    page with the pictures and the sounds.
    """
    from rich.console import Console

    from mmlab.apps.demo import draw_things, make_tour
    from mmlab.apps.page import check_out, write_page
    from mmlab.apps.search import Search

    check_out(out)
    joint, folder = open_model(model)
    things = open_data(data)
    names, pictures = (Search(joint, things, targets=(name,), folder=folder) for name in ("text", "image"))
    parts = make_tour(names, pictures, draw_things(things, seed=seed))
    console = Console(highlight=False, emoji=False)
    for number, part in enumerate(parts, start=1):
        console.print(f"\n{number} {part.title}", style="bold")
        console.print(part.intro, style="dim", soft_wrap=True)
        for stop in part.stops:
            console.print(_line(stop), markup=False, soft_wrap=True)
    write_page(out, parts, things)
    typer.echo(f"\nThe same with pictures and sounds: {out} (open it in a browser).")


def _line(stop: "Stop") -> str:
    from mmlab.apps.page import verdict

    found = ", ".join(f"{hit.thing.emoji} {hit.thing.name_en} {hit.score:.2f}" for hit in stop.answer.hits[:3])
    return f"  {stop.query.said} → {found}\n    {verdict(stop)}"
