"""`mmlab embed`: a person's own pictures, sounds and texts as vectors of the joint space."""

from pathlib import Path
from typing import Annotated

import typer

from mmlab.cli.options import ModelFolder, open_model

SHOWN = 4  # numbers of a vector that fit a line


def embed(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILES", help="Pictures and sounds.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="A text; may be given several times.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the vectors go: NAME.npz or NAME.jsonl.")] = None,
    cut: Annotated[bool, typer.Option("--cut", help="Keep the first seconds of a sound that is too long.")] = False,
    model: ModelFolder = None,
) -> None:
    """Turn pictures, sounds and texts into vectors.

    One line each is shown; --out keeps the whole vectors in a file. What a file holds decides, not its extension. A
    file that cannot be used gets a sentence and does not stop the others; the exit status is then 1, and 2 when none
    could be used.
    """
    from mmlab.apps.embed import Embedding, check_out, write
    from mmlab.apps.embed import embed as vectors
    from mmlab.types import InputError

    files, texts = files or [], text or []
    if not files and not texts:
        raise InputError("There is nothing to embed; name pictures or sounds, or give a text with --text.")
    if out is not None:
        check_out(out)
    good, bad = [], 0
    for result in vectors(open_model(model)[0], files=files, texts=texts, cut=cut):
        if isinstance(result, Embedding):
            good.append(result)
            typer.echo(_line(result.name, result.modality, result.vector.tolist(), result.familiarity))
        else:
            bad += 1
            typer.echo(result.reason, err=True)
    if out is not None and good:
        write(out, good)
        typer.echo(f"{len(good)} vectors of {len(good[0].vector)} numbers are in {out}.")
    if bad:
        raise typer.Exit(1 if good else 2)


def _line(name: str, modality: str, vector: list[float], familiarity: float | None) -> str:
    from mmlab.models.familiarity import STRANGE

    numbers = " ".join(f"{value:+.3f}" for value in vector[:SHOWN])
    known = "" if familiarity is None else f"  familiarity {familiarity:.2f}"
    strange = " (unlike anything the model learned)" if familiarity is not None and familiarity <= STRANGE else ""
    return f"{name}  {modality}  [{numbers} ... {len(vector)} numbers]{known}{strange}"
