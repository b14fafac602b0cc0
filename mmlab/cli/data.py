"""`mmlab data`: remake the dataset, check its bytes, say what is in it."""

from pathlib import Path
from typing import Annotated

import typer

from mmlab.cli.options import open_data

app = typer.Typer(no_args_is_help=True, help="Remake the dataset, check its bytes, say what is in it.")
Folder = Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help="Without it, the dataset that ships.")]


@app.command()
def build(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Without it, the dataset that ships is remade.")
    ] = None,
    packages: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder with node_modules; without it, npm fetches the packages."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes draw and speak.")] = 2,
    size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Side of each picture, in a folder of your own [default: 64].")
    ] = None,
) -> None:
    """Remake the dataset from the packages that it is made of (about 10 minutes; not needed to use it)."""
    from mmlab.datasets.build import build
    from mmlab.datasets.emoji import ROOT
    from mmlab.preprocessing import IMAGE_SIZE

    size = IMAGE_SIZE if size is None else size
    if out is None and size != IMAGE_SIZE:
        raise typer.BadParameter(
            f"The dataset that ships has pictures of {IMAGE_SIZE} pixels, got --size {size}; add --out."
        )
    build(ROOT if out is None else out, packages, workers=workers, size=size, say=typer.echo)


@app.command()
def verify(data: Folder = None) -> None:
    """Compare each file of the dataset with its sha256."""
    root = open_data(data).root
    typer.echo(f"{root}: every file is as it shipped.")


@app.command()
def info(data: Folder = None) -> None:
    """Say what the dataset holds: things, pictures by style, clips by voice."""
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    things = open_data(data)
    console = Console()
    splits = Counter(thing.split for thing in things.things)
    size = sum(path.stat().st_size for path in things.root.rglob("*") if path.is_file())
    said = ", ".join(f"{count:,} {split}" for split, count in sorted(splits.items()))
    console.print(f"{things.root}: {size / 1e6:.1f} MB, {len(things):,} things ({said})")
    for title, rows, columns in (
        ("pictures", things.image_table, ("style", "split")),
        ("clips", things.speech_table, ("language", "engine", "voice", "split")),
    ):
        counts = Counter(zip(*(rows[column].to_pylist() for column in columns), strict=True))
        table = Table(*columns, title=f"{len(rows):,} {title}", box=None, pad_edge=False, title_justify="left")
        table.add_column("count", justify="right")
        for key, count in sorted(counts.items(), key=lambda pair: (pair[0][-1], pair[0])):
            table.add_row(*key, f"{count:,}")
        console.print("", table)
