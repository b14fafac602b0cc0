"""The house's one law (who may import whom), and what keeps `import mmlab` light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmlab.paths import ROOT

PACKAGE = ROOT / "mmlab"

# A module imports only from lower levels. Siblings on one level do not import each other; files of one package may.
# `cli` stands above `bench`, because it is what starts it.
LEVELS = {
    "types": 0, "paths": 0, "assets": 0,
    "nn": 1, "preprocessing": 1, "figures": 1, "testing": 1,
    "encoders": 2, "projection": 2, "fusion": 2, "objectives": 2, "metrics": 2,
    "datasets": 3, "models": 3,
    "apps": 4, "training": 4,
    "evaluation": 5, "grading": 5, "notebooks": 5,
    "widgets": 6,
    "bench": 7,
    "cli": 8,
}  # fmt: skip
ANYWHERE = {"torch", "numpy", "einops", "jaxtyping"}
THIRD_PARTY = {
    "assets": {"cffsubr", "fontTools", "pyarrow"},  # only the recipe of the font
    "preprocessing": {"tokenizers", "PIL", "soundfile", "scipy"},  # scipy resamples
    "figures": {"matplotlib"},
    "testing": {"matplotlib", "beartype"},  # figures as text, types that have no shapes
    "encoders": {"transformers", "PIL", "scipy"},  # a raw picture is a PIL image; some models hear at 48 kHz
    "metrics": {"torchmetrics", "sacrebleu"},
    "datasets": {"datasets", "pyarrow", "PIL", "soundfile", "scipy"},  # scipy finds patches of one colour
    "datasets.build": {"fontTools", "resvg_py", "scipy"},  # remaking the data from its sources
    "models": {"transformers", "safetensors", "scipy"},  # the eigenvectors of two matrices at once
    "apps": {"faiss", "safetensors", "PIL"},  # a stored gallery; a page that shows pictures
    "training": {"lightning", "safetensors"},  # a stored snapshot
    "evaluation": {"PIL"},  # pictures on their way into a model
    "grading": {"nbformat"},
    "notebooks": {"nbformat", "nbclient", "PIL", "oxipng"},  # stored figures are made small
    "widgets": {"ipywidgets", "anywidget", "traitlets", "umap", "IPython", "PIL", "matplotlib"},
    "bench": {"nbformat", "typer", "rich", "playwright"},  # a browser for the widgets
    "cli": {"typer", "rich"},
}
HEAVY = ("torch", "transformers", "lightning", "ipywidgets", "umap", "datasets", "matplotlib", "faiss", "scipy", "PIL")


def modules() -> Iterator[tuple[str, Path]]:
    """Dotted name and file of each module; a package's `__init__` goes by the package's name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path) -> Iterator[str]:
    """Everything that a module imports, at its top or inside a function, as absolute dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            yield from ([f"{source}.{alias.name}" for alias in node.names] if source == "mmlab" else [source])


def breaches(name: str, found: str) -> str | None:
    """Why the module `name` may not import `found`, or None where it may."""
    parts, own = found.split("."), name.split(".")[1] if "." in name else ""
    if parts[0] == "mmlab":
        other = parts[1] if len(parts) > 1 else ""
        if other in ("", "__version__") or other == own:
            return None
        if other not in LEVELS or own not in LEVELS:
            return f"{name} imports {found}: give both a level in this test"
        low, high = LEVELS[other], LEVELS[own]
        return None if low < high else f"{name} (level {high}) imports {found} (level {low})"
    if parts[0] in sys.stdlib_module_names or parts[0] in ANYWHERE:
        return None
    inside = [package for package in THIRD_PARTY if f"{name}.".startswith(f"mmlab.{package}.")]
    if any(parts[0] in THIRD_PARTY[package] for package in inside):
        return None
    return f"{name} imports {parts[0]}, which the table does not give to it"


def test_a_module_imports_from_lower_levels_only() -> None:
    found = [breach for name, path in modules() for line in imports(name, path) if (breach := breaches(name, line))]
    assert not found, "\n".join(sorted(set(found)))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mmlab.encoders.text", "mmlab.fusion"),  # siblings
        ("mmlab.nn.block", "mmlab.models.joint"),  # upwards
        ("mmlab.fusion.late", "transformers"),  # not in the table
        ("mmlab.datasets.emoji", "resvg_py"),  # only the recipe of the data may
        ("mmlab.somewhere", "mmlab.types"),  # a module without a level
    ],
)
def test_the_law_knows_a_breach(name: str, found: str) -> None:
    assert breaches(name, found) is not None


@pytest.mark.parametrize(
    ("name", "found"),
    [("mmlab.fusion.late", "mmlab.fusion.base"), ("mmlab.cli.bench", "mmlab.bench"), ("mmlab.nn.mel", "torch.nn")],
)
def test_the_law_lets_through_what_it_should(name: str, found: str) -> None:
    assert breaches(name, found) is None


def test_every_module_has_a_level() -> None:
    top = {name.split(".")[1] for name, _ in modules() if "." in name}
    assert top <= LEVELS.keys(), f"give a level to {sorted(top - LEVELS.keys())}"


def test_the_front_door_imports_lazily() -> None:
    """`mmlab/__init__.py` names its modules as strings, so that the law has nothing to say about it."""
    assert all(not line.startswith("mmlab") for line in imports("mmlab", PACKAGE / "__init__.py"))


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after running `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", ["mmlab", "mmlab.cli", "mmlab.figures", "mmlab.testing"])
def test_import_stays_light(name: str) -> None:
    assert not loaded_after(f"import {name}; dir({name})") & set(HEAVY)


def test_using_a_model_loads_no_other_framework() -> None:
    assert not loaded_after("import mmlab; mmlab.JointEmbedder, mmlab.seed(0)") & {"lightning", "ipywidgets", "umap"}


def test_every_name_at_the_front_door_opens() -> None:
    import mmlab

    assert all(getattr(mmlab, name) is not None for name in mmlab.__all__)
    with pytest.raises(AttributeError, match="mmlab has no 'nothing'; it offers"):
        mmlab.nothing  # noqa: B018
