"""`mmlab grade`: what was handed in, judged apart from the grader, and told in every form."""

from pathlib import Path
from typing import Annotated

import typer


def grade(
    submissions: Annotated[
        list[Path],
        typer.Argument(metavar="SUBMISSION...", help="Notebooks, or folders with one learner's notebooks each."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the reports go; a run that was cut off goes on there.")
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="BEGIN", help="Only exercises or lessons that begin so; may be repeated."),
    ] = None,
    hidden: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder with private checks of your own.")
    ] = None,
    isolate: Annotated[
        str, typer.Option(metavar="LEVEL", help="process; user (as root: marks that count); container (your own).")
    ] = "process",
    min_score: Annotated[
        float | None, typer.Option(help="Exit with status 1 where a submission has fewer points.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Submissions at a time; 0: one for each core.")] = 0,
    seed: Annotated[
        str | None, typer.Option(help="Draw the inputs of an earlier run again; by default a new secret.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No line for each submission.")] = False,
) -> None:
    """Grade submissions: only the solution cells are read, and each runs alone, with limits.

    A file for --hidden holds CHECKS = {"04_1.2": (Check(...),)}, with Check and what it needs from mmlab.grading.exercise.

    Exit status: 0 graded, 1 below --min-score, 2 the grader failed.
    """
    from mmlab.grading.reports import append_step_summary, write_reports
    from mmlab.grading.runner import Options
    from mmlab.grading.runner import grade as run
    from mmlab.types import InputError

    options = Options(only=tuple(only or ()), hidden=hidden, seed=seed, isolate=isolate, workers=workers)
    try:
        report = run(submissions, out, options=options, say=_quiet if quiet else _say)
        write_reports(report, out)
        append_step_summary(report)
    except InputError:
        raise  # a sentence and status 2
    except Exception as error:  # whatever it was: 1 would say that somebody has too few points
        typer.echo(f"The grader failed: {error or type(error).__name__}", err=True)
        raise typer.Exit(2) from error
    scores = [row["score"] for row in report["submissions"]]
    level = report["isolation"]
    typer.echo(f"{len(scores)} graded in {report['seconds']:g} s; the reports are in {out}.")
    unread = [row["name"] for row in report["submissions"] if row["status"] == "unreadable"]
    if unread:
        typer.echo(
            f"Could not be read: {len(unread)} of them ({', '.join(unread[:5])}{', ...' if unread[5:] else ''})."
        )
    official = "official" if level["official"] else "not official"
    typer.echo(f"Isolation: {level['level']}, marks are {official}. Seed: {report['seed']}")
    if level["missing"]:
        typer.echo(f"Missing on this machine: {', '.join(level['missing'])}.")
    if min_score is not None and min(scores) < min_score:
        raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(line)


def _quiet(line: str) -> None:
    pass
