"""`mmlab train`: make a shipped model again, or one of your own recipe."""

from pathlib import Path
from typing import Annotated

import typer

from mmlab.cli.options import JointFolder

app = typer.Typer(no_args_is_help=True, help="Train a model of the course; says first how long it will take.")


@app.callback()
def main() -> None:
    """Train a model of the course; says first how long it will take."""


@app.command()
def align(
    run: Annotated[Path, typer.Option(help="Folder of checkpoints; a run that was cut off goes on from there.")] = Path(
        "runs/align"
    ),
    out: Annotated[Path | None, typer.Option(help="Where the model goes [default: RUN/model].")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps in which all of it learns [default: the recipe's].")] = None,
    batch: Annotated[int | None, typer.Option(help="Things per step.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    pairs: Annotated[str, typer.Option(help='Modality pairs that attract, such as "text-image,image-audio".')] = "all",
    things: Annotated[int | None, typer.Option(help="Train on so many things only.")] = None,
    tuning: Annotated[bool, typer.Option(help="Hold the validation style and voices out, to compare recipes.")] = False,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
) -> None:
    """Align text, pictures and sounds in one space (the recipe of data/checkpoints/joint)."""
    from mmlab.apps.gallery import write_gallery
    from mmlab.datasets.emoji import EmojiData
    from mmlab.training.recipe import AlignRecipe
    from mmlab.training.shipped import finish, train_align

    sizes = {name: value for name, value in (("steps", steps), ("batch", batch)) if value is not None}
    recipe = AlignRecipe(**sizes, seed=seed, pairs=tuple(pairs.split(",")), things=things, tuning=tuning)
    data = EmojiData.load()
    model = train_align(recipe, run=run, data=data, progress=progress, say=typer.echo)
    folder = run / "model" if out is None else out
    shipped = finish(model, recipe, data, run=run, folder=folder)
    write_gallery(shipped, data, folder)
    typer.echo(f"The model is in {folder}.")


@app.command()
def finish(
    out: Annotated[Path, typer.Option(help="Where the model goes; may be the same folder.")],
    model: Annotated[Path | None, typer.Option(help="A finished joint model [default: the shipped one].")] = None,
) -> None:
    """Make fusion weights and familiarity of a joint model anew; its encoders and projections stay (about a minute)."""
    from mmlab.apps.gallery import write_gallery
    from mmlab.datasets.emoji import EmojiData
    from mmlab.models.joint import SHIPPED
    from mmlab.training.shipped import finish_again

    data = EmojiData.load()
    write_gallery(finish_again(SHIPPED if model is None else model, data, folder=out), data, out)
    typer.echo(f"The model is in {out}.")


@app.command()
def chat(
    run: Annotated[Path, typer.Option(help="Folder of checkpoints; a run that was cut off goes on from there.")] = Path(
        "runs/chat"
    ),
    out: Annotated[Path | None, typer.Option(help="Where the model goes [default: RUN/model].")] = None,
    joint: JointFolder = None,
    connector: Annotated[str, typer.Option(help="tokens (LLaVA's) or fused (the article's one vector).")] = "tokens",
    fusion: Annotated[str | None, typer.Option(help="Vector operator of the connector fused [default: sum].")] = None,
    lm: Annotated[
        str | None, typer.Option(metavar="NAME_OR_FOLDER", help="A causal language model, kept frozen [default: ours].")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the first part [default: the recipe's].")] = None,
    comparing: Annotated[
        int | None, typer.Option(help="Steps of the second, in which ours learns to compare [default: the recipe's].")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Dialogues per step.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    tuning: Annotated[bool, typer.Option(help="Hold the validation style and voices out, to compare recipes.")] = False,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
) -> None:
    """Teach a language model to talk about pictures and sounds (the recipe of data/checkpoints/chat)."""
    from mmlab.datasets.emoji import EmojiData
    from mmlab.models.joint import SHIPPED
    from mmlab.training.dialogue_recipe import ChatRecipe
    from mmlab.training.dialogue_shipped import save_chat, train_chat

    given = {"steps": steps, "comparing": comparing, "batch": batch}
    sizes = {name: value for name, value in given.items() if value is not None}
    recipe = ChatRecipe(**sizes, seed=seed, connector=connector, fusion=fusion, lm=lm, tuning=tuning)
    data, space = EmojiData.load(), SHIPPED if joint is None else joint
    model = train_chat(recipe, run=run, joint=space, data=data, progress=progress, say=typer.echo)
    folder = run / "model" if out is None else out
    save_chat(model, recipe, data, run=run, joint=space, folder=folder)
    typer.echo(f"The model is in {folder}.")
