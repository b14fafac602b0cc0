"""`mmlab course`: what a teacher hands out."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Hand the course out to learners.")


@app.callback()
def course() -> None:
    """Hand the course out to learners."""


@app.command()
def release(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier release.")],
) -> None:
    """Make the learners' course: lessons with stubs, the package without references, and a workflow that grades.

    The folder is all that a learner needs; push it as a template repository, or zip it.
    """
    from mmlab.grading.release import release as make

    made = make(folder, say=typer.echo)
    typer.echo(f"The learners' course is in {folder}: {made} lessons. Its README says how to start and to hand in.")
