"""A zoo is one visible dict in the family's package, and every final class of the family is in it.

A family is what derives from an abstract torch module: what a reader chooses a member of by name.
"""

import ast
from dataclasses import dataclass
from functools import cache

import pytest

from tests.unit.test_house import modules


@dataclass(frozen=True)
class Entry:
    """A class as it is written: its package, and the names from which it derives."""

    name: str
    package: str
    parents: tuple[str, ...]

    @property
    def abstract(self) -> bool:
        return "ABC" in self.parents


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@cache
def tops() -> list[tuple[str, ast.stmt]]:
    """The statements at the top of every module, each with the package that holds it."""
    return [
        (".".join(name.split(".")[:2]), node)
        for name, path in modules()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    ]


ENTRIES = [
    Entry(node.name, package, tuple(map(name_of, node.bases)))
    for package, node in tops()
    if isinstance(node, ast.ClassDef)
]


def descends(entry: Entry, base: str) -> bool:
    """Whether a class derives from `base`, through others where need be."""
    between = [other for other in ENTRIES if other.name in entry.parents]
    return base in entry.parents or any(descends(other, base) for other in between)


BASES = {entry.name: entry.package for entry in ENTRIES if entry.abstract and "Module" in entry.parents}


@cache
def zoo_members(package: str) -> set[str]:
    """What stands in the upper-case dicts of a package: classes, or names of classes that load late."""
    members: set[str] = set()
    for home, node in tops():
        if home == package and isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name_of(targets[0]).isupper():
                members |= {v.value if isinstance(v, ast.Constant) else name_of(v) for v in node.value.values}
    return members


def family(base: str) -> list[Entry]:
    return [entry for entry in ENTRIES if descends(entry, base)]


def test_the_families_of_the_house_are_found() -> None:
    assert {"Encoder", "Projection", "Fusion", "Connector"} <= set(BASES)


@pytest.mark.parametrize("base", BASES)
def test_every_final_class_of_a_family_is_in_its_zoo(base: str) -> None:
    final = [entry for entry in family(base) if not entry.abstract]
    missing = [entry.name for entry in final if entry.name not in zoo_members(entry.package)]
    assert final, f"{base} has no members"
    assert not missing, f"put {missing} into a zoo of {BASES[base]}"


@pytest.mark.parametrize("base", BASES)
def test_a_class_of_a_family_is_abstract_or_final(base: str) -> None:
    own = {entry.name for entry in family(base)}
    derived_from = {parent for entry in family(base) for parent in entry.parents if parent in own}
    assert all(entry.abstract for entry in ENTRIES if entry.name in derived_from), (
        "only an abstract class is derived from"
    )
