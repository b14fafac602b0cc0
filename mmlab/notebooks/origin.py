"""What the outputs of an executed lesson were made from, as hashes that a test compares."""

import hashlib
import json

from nbformat import NotebookNode

from mmlab.paths import DATA, ROOT


def made_from(book: NotebookNode) -> dict[str, str]:
    """Hashes of the lesson's own code, of the data and of each checkpoint."""
    code = json.dumps([cell.source for cell in book.cells if cell.cell_type == "code"])
    files = [DATA / "emoji" / "SHA256SUMS", *sorted(DATA.glob("checkpoints/*/*.safetensors"))]
    contents = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files if path.exists()}
    contents["code"] = code.encode()
    return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in sorted(contents.items())}


def stale(book: NotebookNode) -> list[str]:
    """Names of the things that changed since the lesson was executed; all of them where it never was."""
    now = made_from(book)
    recorded = book.metadata.get("mmlab", {}).get("made_from")
    if recorded is None:
        return sorted(now)
    return [name for name, value in recorded.items() if now.get(name) != value]
