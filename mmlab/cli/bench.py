"""`mmlab bench`: timings, ours beside the plain form in the same run."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mmlab.cli.chat import ChatFolder, open_chat
from mmlab.cli.options import DataFolder, JointFolder, ModelFolder, open_data, open_model

app = typer.Typer(no_args_is_help=True, help="Time what the course times, ours beside the plain form in the same run.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the JSON here, with the processor's name.")
]


@app.command()
def train(
    rounds: Annotated[int, typer.Option(min=1, help="Timed steps of each variant, in turn.")] = 5,
    data: DataFolder = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """A training step of the shipped recipe against the plain 32-bit loop (a minute or two)."""
    from mmlab.bench.train import bench_train

    _give(bench_train(open_data(data), rounds=rounds, say=_say), as_json=as_json, out=out)


@app.command()
def embed(model: ModelFolder = None, data: DataFolder = None, as_json: AsJson = False, out: Out = None) -> None:
    """A thousand texts, pictures and sounds to vectors (a minute)."""
    from mmlab.bench.embed import bench_embed

    _give(bench_embed(open_model(model)[0], open_data(data), say=_say), as_json=as_json, out=out)


@app.command()
def fusion(as_json: AsJson = False) -> None:
    """Each fusion operator, forward and backward, against its plainest correct form (some minutes)."""
    from mmlab.bench.fusion import bench_fusion

    _give(bench_fusion(say=_say), as_json=as_json)


@app.command()
def chat(
    model: ChatFolder = None,
    joint: JointFolder = None,
    data: DataFolder = None,
    rounds: Annotated[int, typer.Option(min=2, help="Questions for the time to the first token.")] = 15,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The first token of a reply, tokens per second, and ours beside the bare language model (half a minute)."""
    from mmlab.bench.chat import bench_chat

    _give(bench_chat(open_chat(model, joint=joint), open_data(data), rounds=rounds, say=_say), as_json=as_json, out=out)


@app.command()
def widgets(
    rounds: Annotated[int, typer.Option(min=3, help="Moves of the slider, of each form.")] = 15,
    as_json: AsJson = False,
) -> None:
    """The widgets in a real JupyterLab: from a key to the painted picture, matplotlib beside it (two minutes)."""
    from mmlab.bench.widgets import bench_widgets

    _give(bench_widgets(rounds=rounds, say=_say), as_json=as_json)


@app.command()
def grading(
    learners: Annotated[int, typer.Option(min=3, help="Submissions of the class.")] = 200,
    few: Annotated[int, typer.Option(min=3, help="Submissions that each of the slower peers grades.")] = 10,
    peers: Annotated[
        Path | None, typer.Option(metavar="PYTHON", help="The Python of an environment with nbgrader and otter-grader.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seconds for each submission of a class, beside nbgrader and otter (some minutes)."""
    from mmlab.bench.grading import bench_grading

    _give(bench_grading(learners=learners, few=few, peers=peers, say=_say), as_json=as_json)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _give(results: dict[str, Any], *, as_json: bool, out: Path | None = None) -> None:
    if out is not None:
        import torch

        noted = {**results, "processor": torch.backends.cpu.get_cpu_capability()}
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(noted, separators=(",", ":")) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(results, indent=2))
