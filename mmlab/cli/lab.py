"""`mmlab lab`: the learner's own copy of the lessons, in JupyterLab."""

import os
from pathlib import Path
from typing import Annotated

import typer


def lab(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where your copy of the lessons lies.")] = Path("work"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    port: Annotated[int | None, typer.Option(help="The port of the server; without it, the first free one.")] = None,
    start: Annotated[bool, typer.Option("--start/--no-start", help="Start JupyterLab, or only bring the copy.")] = True,
) -> None:
    """Open the course in JupyterLab, in your own copy of the lessons.

    A later version of the course adds and updates lessons in your copy; what you wrote is never overwritten.
    """
    from mmlab.apps.lab import CONFLICT, jupyter_command, update

    changes = update(folder)
    typer.echo(f"Your copy of the lessons is {folder}: {_counts([change.what for change in changes])}.")
    for change in changes:
        if change.what == CONFLICT:
            typer.echo(f"  {change.name} has a newer version, and you wrote in yours: the newer is {change.beside}.")
    if start:
        command = jupyter_command(folder, browser=browser, port=port)
        typer.echo("Starting JupyterLab; Ctrl+C twice stops it.")
        os.execv(command[0], command)  # in place of this process, so that signals reach Jupyter


def _counts(kinds: list[str]) -> str:
    words = {"kept": "yours", "conflict": "in two versions", "same": "as before"}
    return ", ".join(f"{kinds.count(kind)} {words.get(kind, kind)}" for kind in dict.fromkeys(kinds))
