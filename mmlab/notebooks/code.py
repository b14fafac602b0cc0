"""Compares the code that a lesson teaches with the code that the package runs: syntax trees, docstrings aside."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from mmlab.paths import ROOT

Definition = ast.ClassDef | ast.FunctionDef
MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)


def lesson_code(book: NotebookNode) -> dict[str, Definition]:
    """The classes and functions that a lesson defines at the top level of its cells; the last of a name counts.

    The stubs of exercises are a reader's own to write and do not count.
    """
    found: dict[str, Definition] = {}
    for cell in book.cells:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("solution", False):
            found |= dict(_definitions(ast.parse(MAGIC.sub("#", cell.source))))
    return found


def package_code(folder: Path = ROOT / "mmlab") -> dict[str, list[Definition]]:
    """Every public class and function at the top level of the package's modules, by name.

    Solutions of exercises are none of the code that lessons teach, for they leave them to the reader; nor are the
    functions behind the commands, whose names are the commands'.
    """
    found: dict[str, list[Definition]] = {}
    for path in sorted(path for path in folder.rglob("*.py") if path.parent.name not in ("references", "cli")):
        for name, node in _definitions(ast.parse(path.read_text(encoding="utf-8"))):
            if not name.startswith("_"):
                found.setdefault(name, []).append(node)
    return found


def same_code(a: Definition, b: Definition) -> bool:
    """Whether two definitions are the same program; docstrings, comments and layout do not count."""
    return ast.dump(_without_docstrings(a)) == ast.dump(_without_docstrings(b))


def _definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    return ((node.name, node) for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def _without_docstrings(tree: Definition) -> Definition:
    copy = ast.parse(ast.unparse(tree)).body[0]
    for node in ast.walk(copy):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return copy
