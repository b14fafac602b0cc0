"""`mmlab bench`: timings, ours beside the plain form in the same run."""

import json
from typing import Annotated, Any

import typer

from mmlab.cli.options import DataFolder, open_data

app = typer.Typer(no_args_is_help=True, help="Time what the course times, ours beside the plain form in the same run.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")]


@app.command()
def train(
    rounds: Annotated[int, typer.Option(min=1, help="Timed steps of each variant, in turn.")] = 5,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """A training step of the shipped recipe against the plain 32-bit loop (a minute or two)."""
    from mmlab.bench.train import bench_train

    _give(bench_train(open_data(data), rounds=rounds, say=_say), as_json=as_json)


@app.command()
def fusion(as_json: AsJson = False) -> None:
    """Each fusion operator, forward and backward, against its plainest correct form (some minutes)."""
    from mmlab.bench.fusion import bench_fusion

    _give(bench_fusion(say=_say), as_json=as_json)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _give(results: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(results, indent=2))
