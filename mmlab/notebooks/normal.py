"""The one form in which a lesson is stored, and what keeps a lesson from being stored at all."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import oxipng
from jaxtyping import Int
from nbformat import NotebookNode
from PIL import Image

from mmlab.notebooks.origin import stale

OUTPUT_LIMIT = 200_000  # characters of one output: a figure of 140 kB as base64
COLOURS = (16, 24, 32, 48, 64, 96, 128)  # of a stored figure
FAINT = 3.0
CODE = np.array([65536, 256, 1])  # a colour as one number
OFTEN, NEAR = 25, 20  # pixels of one colour that a reader can tell from others, and how far it may move in any channel
KEPT_CELL_METADATA = {"tags", "editable", "deletable", "jupyter", "nbgrader", "mmlab"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"
REFUSED = {
    "an absolute path": re.compile(r"(?<![\w.:/<])/(?:home|root|Users|tmp|work|private|var|opt|usr|mnt|srv)/[\w.~]"),
    "a Windows path": re.compile(r"\b[A-Z]:\\\w"),
    "an object address": re.compile(r"\b0x[0-9a-fA-F]{6,}"),
}


def normalise(book: NotebookNode) -> NotebookNode:
    """The notebook without clock, machine, versions, widget state and random ids; doing it twice changes nothing."""
    book = nbformat.from_dict(json.loads(json.dumps(book)))
    kept = {"mmlab": book.metadata["mmlab"]} if "mmlab" in book.metadata else {}
    book.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}, **kept})
    book.nbformat, book.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    count = 0
    for cell in book.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA})
        cell.id = _cell_id(cell, seen)
        if cell.cell_type == "code":
            if cell.execution_count is not None:
                count += 1
                cell.execution_count = count
            cell.outputs = list(_outputs(cell))
    return book


def written(book: NotebookNode) -> str:
    """The text of the file in which the notebook is stored."""
    return nbformat.writes(normalise(book)) + "\n"


def problems(book: NotebookNode) -> list[str]:
    """What keeps a notebook from being committed, a sentence each."""
    found = [f"Its outputs are stale: {name} changed since the run; run `make notebooks`." for name in stale(book)]
    for number, cell in enumerate((c for c in book.cells if c.cell_type == "code"), start=1):
        if not cell.source.strip():
            found.append(f"Code cell {number} is empty; delete it.")
        elif cell.execution_count is None:
            found.append(f"Code cell {number} was stored without a run; run `make notebooks`.")
        for output in cell.outputs:
            found += [f"Code cell {number} {what}" for what in _refused(output)]
    return found


def stored_problems(path: Path) -> list[str]:
    """What is wrong with a lesson as it lies on disk, its form included."""
    text = path.read_text(encoding="utf-8")
    book = nbformat.reads(text, as_version=4)
    untidy = [] if text == written(book) else ["It is not in its normal form; run `make notebooks`."]
    return problems(book) + untidy


def _cell_id(cell: NotebookNode, seen: dict[str, int]) -> str:
    """An id that the source gives, so that it changes only with the source; a repeated source gets a number."""
    name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def _outputs(cell: NotebookNode) -> Iterator[NotebookNode]:
    streams: dict[str, NotebookNode] = {}
    for output in cell.outputs:
        if output.output_type == "stream":
            if output.name in streams:  # nbval joins the streams of one name before it compares, and so do we
                streams[output.name].text += output.text
                continue
            streams[output.name] = output
        elif output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]
        else:
            output.metadata = nbformat.from_dict({})
            if "image/png" in output.data:
                small = in_few_colours(b64decode(output.data["image/png"]))
                output.data["image/png"] = b64encode(small).decode()
                output.data.pop(WIDGET, None)  # it holds a random id; the still beside it is what a reader sees
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
        yield output


def in_few_colours(png: bytes, *, at_most: int = COLOURS[-1]) -> bytes:
    """A figure in a palette, packed as tightly as PNG allows: less than a third of the bytes, and no eye sees it.

    One that has such a palette stays. It is the smallest of COLOURS, up to `at_most`, with which the root mean square
    error stays below FAINT (of 255) and no colour that stands OFTEN moves further than NEAR, else the largest. A colour
    counts by the root of its pixels: else the white ground takes the palette, and two curves get one colour.
    """
    picture = Image.open(BytesIO(png))
    if picture.mode == "P" and len(picture.getcolors()) <= at_most:
        return png
    clear, file = picture.convert("RGBA"), BytesIO()
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    codes, where, pixels = np.unique(np.asarray(flat, dtype=np.int32) @ CODE, return_inverse=True, return_counts=True)
    colours = codes[:, None] // CODE % 256
    swatch = Image.fromarray(np.repeat(colours, np.sqrt(pixels).astype(int), axis=0)[None].astype(np.uint8))
    ground = colours[pixels.argmax()][None]
    for count in (some for some in COLOURS if some <= at_most):
        palette = np.array(swatch.quantize(count, kmeans=2).getpalette()).reshape(-1, 3)
        palette[_nearest(ground, palette)] = ground  # it stays what it is
        chosen = _nearest(colours, palette)
        moved = np.abs(colours - palette[chosen])
        error = (np.square(moved).mean(axis=1) @ pixels / pixels.sum()) ** 0.5
        if error < FAINT and moved[pixels >= OFTEN].max(initial=0) <= NEAR:
            break
    made = Image.fromarray(chosen[where].reshape(flat.height, flat.width).astype(np.uint8), "P")
    made.putpalette(palette.flatten().tolist())
    made.save(file, "PNG")
    how = {"level": 2, "deflate": oxipng.Deflaters.zopfli(5)}  # a second for a figure, and 2 % smaller than libdeflater
    return oxipng.optimize_from_memory(file.getvalue(), **how, color_type_reduction=False, grayscale_reduction=False)


def _nearest(colours: Int[np.ndarray, "n 3"], palette: Int[np.ndarray, "colours 3"]) -> Int[np.ndarray, " n"]:
    """For each colour, (n, 3), the number of the nearest in the palette."""
    return (np.square(palette).sum(axis=1) - 2 * colours @ palette.T).argmin(axis=1)


def _refused(output: NotebookNode) -> Iterator[str]:
    size = len(json.dumps(output, ensure_ascii=False))
    if size > OUTPUT_LIMIT:
        yield f"has an output of {size:,} characters; the limit is {OUTPUT_LIMIT:,}: show less of it."
    data = output.get("data", {})
    if WIDGET in data and "image/png" not in data:
        yield "shows a widget without a still picture, which nobody sees outside a running Lab; give it an image/png."
    texts = [output.get("text", ""), output.get("evalue", "")]
    texts += [v for mime, v in data.items() if isinstance(v, str) and mime not in ("image/png", "image/jpeg")]
    text = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", "\n".join(texts))
    home = {"a home folder": re.compile(re.escape(str(Path.home())) + r"(?!\w)")} if len(Path.home().parts) > 1 else {}
    for what, pattern in {**REFUSED, **home}.items():
        if match := pattern.search(text):
            shown = text[match.start() : match.start() + 40]
            yield f"shows {what}, {shown!r}; print something that is the same everywhere."
