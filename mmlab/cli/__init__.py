"""The command `mmlab`: one file of this package for each command; what it does lies in the levels below.

A command imports what it needs when it runs, so that `mmlab --help` answers at once.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import mmlab
from mmlab.cli.bench import app as bench
from mmlab.cli.chat import chat
from mmlab.cli.course import app as course
from mmlab.cli.data import app as data
from mmlab.cli.demo import demo
from mmlab.cli.doctor import doctor
from mmlab.cli.embed import embed
from mmlab.cli.eval import app as evaluation
from mmlab.cli.grade import grade
from mmlab.cli.lab import lab
from mmlab.cli.search import search
from mmlab.cli.train import app as train


class Sentences(TyperGroup):
    """Turns an InputError into its sentence and exit status 2; any other error stays a traceback: it is a bug."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ValueError as error:
            from mmlab.types import InputError

            if not isinstance(error, InputError):
                raise
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=Sentences, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(asked: bool) -> bool:
    if asked:
        typer.echo(f"mmlab {mmlab.__version__}")
        raise typer.Exit
    return asked


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """A hands-on course in multimodal language models, and the lab kit behind it."""


# The table of contents.
COMMANDS = {"lab": lab, "demo": demo, "embed": embed, "search": search, "chat": chat, "doctor": doctor, "grade": grade}
GROUPS = {"train": train, "eval": evaluation, "bench": bench, "data": data, "course": course}

for _name, _command in COMMANDS.items():
    app.command(name=_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
