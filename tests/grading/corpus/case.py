"""What a submission of the corpus is, and how its file is made."""

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.grading.toy import ENTRIES, RIGHT, STUBS, notebook

# How a solution gets at an import that no list guards; what it finds there is another matter.
TOOLS = 'imp = __builtins__["__import__"].__globals__["builtins"].__import__\n'


@dataclass(frozen=True)
class Case:
    """A submission: solutions by exercise, a change of the notebook (or its bytes), and the points that it deserves."""

    name: str
    points: float
    solutions: dict[str, str] = field(default_factory=lambda: dict(RIGHT))
    change: Callable[[dict], dict | bytes] = lambda book: book
    suffix: str = ".ipynb"

    def bytes(self) -> bytes:
        made = self.change(notebook(self.solutions))
        return made if isinstance(made, bytes) else json.dumps(made, ensure_ascii=False).encode()


def all_of(source: str) -> dict[str, str]:
    """The same source in every solution cell; ENTRY stands for the name of its function."""
    return {id: source.replace("ENTRY", entry) for id, entry in ENTRIES.items()}


def only(id: str, source: str, others: dict[str, str] = RIGHT) -> dict[str, str]:
    """One odd cell; the others are right (or stubs)."""
    return {**others, id: source}


def gated(body: str) -> dict[str, str]:
    """Solutions that are right if an exploit works, and give nothing else: full marks would mean that it worked."""
    exploit = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return {
        id: f"{TOOLS}def exploit():\n{exploit}\n\ntry:\n    won = bool(exploit())\nexcept BaseException:\n    won = False\n"
        f"{RIGHT[id]}\nif not won:\n    def {entry}(*given, **named):\n        return None\n"
        for id, entry in ENTRIES.items()
    }


def first(body: str) -> dict[str, str]:
    """A deed in the first cell, which gives nothing; the other two are right: 6 points, whatever it does."""
    deed = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return only("99.1", f"{TOOLS}def patchify(image, size):\n{deed}\n")


NOTHING = dict(STUBS)
