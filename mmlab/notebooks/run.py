"""Re-executes lessons and writes them back in their normal form, or refuses to.

    python -m mmlab.notebooks [--check] [NAME ...]

runs the lessons (all, or those whose file name starts with a NAME); `--check` runs nothing and says which lessons as
they are stored are not in order.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mmlab.notebooks.normal import normalise, problems, stored_problems, written
from mmlab.notebooks.origin import made_from
from mmlab.paths import NOTEBOOKS, ROOT

CELL_SECONDS = 300
ENVIRONMENT = {  # as in the tests
    "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "MMLAB_PROGRESS": "off",
}  # fmt: skip


def lessons(names: Sequence[str] = (), folder: Path = NOTEBOOKS) -> list[Path]:
    """The course's notebooks in order: all of them, or those whose file name starts with one of the names."""
    found = sorted(folder.glob("*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in found):
            raise SystemExit(f"No lesson starts with {name!r}; there are {', '.join(p.stem for p in found) or 'none'}.")
    return [path for path in found if not names or path.name.startswith(tuple(names))]


def execute(book: NotebookNode, folder: Path = NOTEBOOKS) -> NotebookNode:
    """Runs every cell in a fresh kernel that works in `folder`, and records what the outputs were made from."""
    from nbclient import NotebookClient

    client = NotebookClient(
        book,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # the kernel's own notes on its connection are no part of a lesson
        resources={"metadata": {"path": str(folder)}},
    )
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))  # the package that runs this
    client.execute(env={**os.environ, **ENVIRONMENT, "PYTHONPATH": search})
    book.metadata["mmlab"] = {**book.metadata.get("mmlab", {}), "made_from": made_from(book)}
    return book


def refresh(path: Path) -> list[str]:
    """Executes one lesson and writes it back in its normal form; a lesson with problems is left as it was."""
    book = normalise(execute(nbformat.read(path, as_version=4), path.parent))
    found = problems(book)
    if not found:
        path.write_text(written(book), encoding="utf-8")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m mmlab.notebooks", description="Re-execute and normalise lessons.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="start of a lesson's file name (default: all lessons)")
    parser.add_argument("--check", action="store_true", help="run nothing, say which lessons are not in order")
    options = parser.parse_args(arguments)
    failed = 0
    for path in lessons(options.names):
        start = time.perf_counter()
        found = stored_problems(path) if options.check else refresh(path)
        failed += bool(found)
        seconds = time.perf_counter() - start
        print(f"{path.stem}: {'refused' if found else 'in order'} ({seconds:.1f} s)", flush=True)
        print("".join(f"  {sentence}\n" for sentence in found), end="")
    return 1 if failed else 0
