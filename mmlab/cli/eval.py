"""`mmlab eval`: every figure that the course states, made again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mmlab.cli.options import DataFolder, JointFolder, ModelFolder, open_data

app = typer.Typer(no_args_is_help=True, help="Make the figures that the course states, again.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the figures as another training's: cards show the spread.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Also write the JSON object here.")]


@app.command()
def joint(
    model: ModelFolder = None,
    data: DataFolder = None,
    split: Annotated[str, typer.Option(help='"test", or "validation" for a model trained with --tuning.')] = "test",
    baselines: Annotated[bool, typer.Option(help="Nearest pixels, nearest mel and text alone as well.")] = True,
    card: Annotated[bool, typer.Option("--card", help="Write the model card beside the weights.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Note this look at the test in data/results/joint.")] = False,
    keep: Keep = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Retrieval between text, pictures and speech, on unseen styles and voices (about a minute)."""
    from mmlab.evaluation.card import write_card
    from mmlab.evaluation.report import as_table, evaluate_checkpoint, keep_seed
    from mmlab.models.joint import SHIPPED

    _check_kept(keep, model, split)
    if card and split != "test":
        raise typer.BadParameter(f"--card states the test: expected no other --split, got {split}.")
    folder, opened = SHIPPED if model is None else model, open_data(data)
    results = evaluate_checkpoint(folder, opened, split=split, with_baselines=baselines, log=log, say=_say)
    if keep:
        keep_seed(folder, results)
    _give(results, as_table(results), as_json=as_json, out=out)
    if card:
        write_card(folder, results)


@app.command()
def weights(model: ModelFolder = None, data: DataFolder = None, as_json: AsJson = False, out: Out = None) -> None:
    """Tune the weights of the sum on validation, with a model that was trained with --tuning."""
    from mmlab.cli.options import open_model
    from mmlab.evaluation.fusion_weights import tune_weights

    found = tune_weights(open_model(model)[0], open_data(data))
    _give(found, f"weights {found['weights']}", as_json=as_json, out=out)


@app.command()
def picture(
    out: Annotated[Path, typer.Argument(dir_okay=False, help="A PNG file.")],
    model: ModelFolder = None,
    data: DataFolder = None,
    widget: Annotated[bool, typer.Option("--widget", help="FusionLab in a real JupyterLab; needs Chromium.")] = False,
) -> None:
    """Draw five questions and what they find, or with --widget what FusionLab looks like (the pictures of the README)."""
    from mmlab.notebooks.normal import in_few_colours

    if widget:
        from mmlab.bench.look import widget_picture

        drawn = widget_picture()
    else:
        from mmlab.cli.options import open_model
        from mmlab.evaluation.picture import space_picture
        from mmlab.figures import png

        drawn = png(space_picture(open_model(model)[0], open_data(data)))
    out.write_bytes(in_few_colours(drawn, at_most=32 if widget else 48))
    typer.echo(f"The picture is in {out}.")


@app.command()
def scaling(
    run: Annotated[Path, typer.Option(help="Folder of the sweep; one that was cut off goes on from there.")] = Path(
        "runs/scaling"
    ),
    steps: Annotated[int, typer.Option(help="Optimiser steps of each point.")] = 400,
    data: DataFolder = None,
    ship: Annotated[bool, typer.Option("--ship", help="Write the results into data/, where they ship.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Accuracy against things, parameters and pairs of modalities (some minutes a point)."""
    from mmlab.evaluation.scaling import as_table
    from mmlab.evaluation.scaling import scaling as sweep
    from mmlab.paths import DATA

    shipped = DATA / "results" / "scaling" / "results.json" if ship else None
    results = sweep(open_data(data), run=run, steps=steps, progress=not as_json, say=_say)
    _give(results, as_table(results), as_json=as_json, out=out, shipped=shipped)


@app.command()
def fusion(
    model: ModelFolder = None,
    data: DataFolder = None,
    run: Annotated[Path, typer.Option(help="Folder of the run; one that was cut off goes on from there.")] = Path(
        "runs/fusion"
    ),
    seeds: Annotated[int, typer.Option(help="Trainings of each head; five or more give an interval.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="One seed and a short budget, to try; ships nothing.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Write results and heads into data/, where they ship.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Fusion operators under one linear head and under equal MLP heads, on four tasks (twenty minutes to two hours)."""
    from mmlab.evaluation.fusion import as_tables, compare_checkpoint
    from mmlab.evaluation.fusion.store import SHIPPED as HEADS
    from mmlab.models.joint import SHIPPED
    from mmlab.paths import DATA

    if quick and ship:
        raise typer.BadParameter("--quick tries and --ship states: expected one of them, got both; drop one.")
    results = compare_checkpoint(
        SHIPPED if model is None else model, open_data(data), run=run, seeds=seeds, quick=quick,
        heads=HEADS if ship else None, say=_say, track=_track,
    )  # fmt: skip
    shipped = DATA / "results" / "fusion" / "results.json" if ship else None
    figures = {name: figure for name, figure in results.items() if name != "made_from"}
    _give(results, as_tables(figures), as_json=as_json, out=out, shipped=shipped)


@app.command(name="map")
def widget_map(model: ModelFolder = None, data: DataFolder = None) -> None:
    """The maps that the widgets show: vectors of one voice, and a UMAP of names, pictures and sounds (some minutes)."""
    from mmlab.cli.options import open_model
    from mmlab.widgets.points import Shelf
    from mmlab.widgets.shipped_map import make_map

    made = make_map(Shelf(open_model(model)[0], open_data(data)))
    typer.echo(f"The map is in {made}, {made.stat().st_size / 1000:.0f} kB.")


@app.command()
def chat(
    model: ModelFolder = None,
    joint: JointFolder = None,
    data: DataFolder = None,
    split: Annotated[str, typer.Option(help='"test", or "validation" for a model trained with --tuning.')] = "test",
    count: Annotated[int | None, typer.Option(help="Questions of each kind; without it, 1,024.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="64 questions of each kind, to try; ships nothing.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Note this look at the test in data/results/chat.")] = False,
    keep: Keep = False,
    card: Annotated[bool, typer.Option("--card", help="Write the model card beside the weights.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Write the results into data/, where they ship.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Answers of the dialogue model, word for word, on unseen styles, voices and phrasings; and what they rest on."""
    from mmlab.evaluation.chat import FULL, QUICK, RESULTS, as_tables, evaluate_checkpoint, keep_seed, write_card
    from mmlab.models.chat import SHIPPED
    from mmlab.models.joint import SHIPPED as JOINT

    _check_kept(keep, model, split if count is None and not quick else "a part of it")
    folder, joint = SHIPPED if model is None else model, JOINT if joint is None else joint
    if ship or card:
        _check_stated(folder, whole=not quick and count is None and split == "test")
    wanted, opened = (QUICK if quick else FULL) if count is None else count, open_data(data)
    results = evaluate_checkpoint(folder, opened, joint=joint, split=split, count=wanted, log=log, say=_say)
    if keep:
        keep_seed(folder, results)
    _give(results, as_tables(results), as_json=as_json, out=out, shipped=RESULTS / "results.json" if ship else None)
    if card:
        write_card(folder, results, opened)


def _check_kept(keep: bool, model: Path | None, split: str) -> None:
    if keep and (model is None or split != "test"):
        raise typer.BadParameter(
            "--keep is for another training, judged on the whole test: expected --model and nothing that shortens it, got "
            f"{'no model' if model is None else split}."
        )


def _check_stated(folder: Path, *, whole: bool) -> None:
    from mmlab.models.checkpoint import read_config

    if not whole:
        raise typer.BadParameter(
            "What is stated is the test at full size: expected no --quick, --count, other --split."
        )
    if read_config(folder, model_type="mmlab-chat")["lm"] is None:
        raise typer.BadParameter("Stated is our own language model: expected a chat with it, got one made with --lm.")


def _track(items: Sequence[Any]) -> Any:
    """A progress bar on the error stream, so that --json stays one object."""
    from rich.console import Console
    from rich.progress import track

    return track(items, description="heads", console=Console(stderr=True))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _give(results: dict[str, Any], table: str, *, as_json: bool, out: Path | None, shipped: Path | None = None) -> None:
    for path in filter(None, (out, shipped)):
        path.parent.mkdir(parents=True, exist_ok=True)
        without_blanks = json.dumps(results, ensure_ascii=False, separators=(",", ":"))
        path.write_text(without_blanks + "\n", encoding="utf-8")
    typer.echo(json.dumps(results, ensure_ascii=False, indent=2) if as_json else table)
