"""Mistakes made by a machine: one small change of a reference each, of the kinds that learners make."""

import ast
import copy
from collections.abc import Callable, Iterator

SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}
SWAPPED |= {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
OTHER_NAMES = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "softmax": "sigmoid",
    "log": "exp",
    "exp": "log",
}
OTHER_NAMES |= {"sqrt": "abs", "argmax": "argmin", "argmin": "argmax", "T": "real", "log_softmax": "softmax"}
AXES = ("axis", "dim")


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each mutant's description and source; no two alike."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    for index, node in enumerate(ast.walk(tree)):
        for what, change in changes(node):
            copied = copy.deepcopy(tree)
            change(list(ast.walk(copied))[index])
            text = ast.unparse(ast.fix_missing_locations(copied))
            if text not in seen:
                seen.add(text)
                yield f"line {getattr(node, 'lineno', 0)}: {what}", text


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    """What can be done wrong at one place."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPPED:
            yield "another sign", lambda own: setattr(own, "op", SWAPPED[type(own.op)]())
        if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            yield "a dropped term", lambda own: _become(own, own.left)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "a dropped minus", lambda own: _become(own, own.operand)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield "another comparison", lambda own: own.ops.__setitem__(0, SWAPPED[type(own.ops[0])]())
    if isinstance(node, ast.keyword) and node.arg in AXES and _whole(node.value) is not None:
        yield "another axis", lambda own: setattr(own, "value", ast.Constant(0 if _whole(own.value) else 1))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "off by one", lambda own: setattr(own, "value", own.value + 1)
    if isinstance(node, ast.Attribute) and node.attr in OTHER_NAMES:
        yield f"{OTHER_NAMES[node.attr]} for {node.attr}", lambda own: setattr(own, "attr", OTHER_NAMES[own.attr])
    if isinstance(node, ast.Return) and node.value is not None:
        yield "a sign", lambda own: setattr(own, "value", ast.UnaryOp(ast.USub(), own.value))
    if isinstance(node, ast.FunctionDef) and node.args.args:
        yield "in place", _in_place


def _in_place(node: ast.FunctionDef) -> None:
    """Adds one to the first argument, where it is an array, before anything else."""
    name = node.args.args[0].arg
    lines = f"try:\n    {name} += 1\n    {name} -= 0\nexcept Exception:\n    pass"
    node.body = [*ast.parse(lines).body, *node.body]


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__


def _whole(node: ast.AST) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None
