"""Every public name says what it means, and the parts of a docstring come in the house's order."""

import ast
import re
from collections.abc import Iterator

import pytest

from mmlab.paths import ROOT
from tests.unit.test_house import modules

SECTIONS = ("Shape", "Units", "Cost", "Source", "Parity", "Raises")
SECTION = re.compile(rf"^\s*({'|'.join(SECTIONS)}):", re.MULTILINE)
PATH = re.compile(r"tests/[\w/]+\.py")
LINES = 250


def trees() -> Iterator[tuple[str, ast.Module]]:
    return ((name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in modules())


def docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring with the dotted name of its owner."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield f"{name}.{getattr(node, 'name', '')}", text


def faults(text: str) -> list[str]:
    """What is wrong with the order of a docstring."""
    found = [match.group(1) for match in SECTION.finditer(text)]
    first = SECTION.search(text)
    return [
        *(["its sections are out of order"] if found != sorted(found, key=SECTIONS.index) else []),
        *(["a section stands twice"] if len(found) != len(set(found)) else []),
        *(["it begins with a section, not with its meaning"] if SECTION.match(text) else []),
        *(["its formula is not closed"] if text.count("$$") % 2 else []),
        *(["its formula stands after a section"] if first and "$$" in text[first.start() :] else []),
    ]


def test_parts_come_in_order() -> None:
    found = [f"{owner}: {fault}" for owner, text in docstrings() for fault in faults(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A sum.\n\nCost: O(n)\nShape: (n,)", "out of order"),
        ("A sum.\n\nShape: (n,)\nShape: (m,)", "twice"),
        ("Shape: (n,)", "begins with a section"),
        ("A sum. $$a", "not closed"),
        ("A sum.\n\nShape: (n,)\n\n$$a$$", "after a section"),
    ],
)
def test_a_fault_is_seen(text: str, fault: str) -> None:
    assert fault in " ".join(faults(text))


def test_parity_names_tests_that_exist() -> None:
    found = [f"{owner}: {path}" for owner, text in docstrings() for path in PATH.findall(text)]
    missing = [line for line in found if not (ROOT / line.split(": ")[1]).is_file()]
    assert found and not missing, "\n".join(missing)


def test_modules_and_public_classes_have_a_docstring() -> None:
    silent = []
    for name, tree in trees():
        nodes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        silent += [f"{name}.{node.name}" for node in nodes if not ast.get_docstring(node)]
        silent += [name] if not ast.get_docstring(tree) and not name.endswith("__main__") else []
    assert not silent, "\n".join(silent)


def test_no_module_is_longer_than_a_few_screens() -> None:
    lengths = {name: path.read_text(encoding="utf-8").count("\n") for name, path in modules()}
    assert not {name: length for name, length in lengths.items() if length > LINES}
