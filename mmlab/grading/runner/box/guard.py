"""What a submission may import and use: the modules that its exercise allows, and of these nothing that is forbidden.

The sentences are for honest learners. What a guard inside one process cannot hold, the fence and the fact that nothing
worth stealing is in the process do.
"""

import builtins
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

HARMLESS = {  # parts of the standard library that no exercise asks to write; they may be imported in each
    "abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "decimal", "enum", "fractions", "functools",
    "heapq", "itertools", "math", "numbers", "operator", "pprint", "random", "re", "string", "textwrap", "time", "types",
    "typing", "warnings", "__future__",
}  # fmt: skip
HANDY = {  # the names under which the lessons know them
    "numpy": {"np": "numpy", "numpy": "numpy"},
    "math": {"math": "math"},
    "torch": {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "Tensor": "torch:Tensor"},
    "einops": {name: f"einops:{name}" for name in ("rearrange", "reduce", "repeat", "einsum")} | {"einops": "einops"},
}
PROCESS_EVENTS = ("os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.kill", "subprocess.", "pty.")


class Blocker:
    """The first finder: a package that was not loaded before the submission came is not there."""

    def __init__(self, tops: Iterable[str]) -> None:
        self.tops = frozenset(tops) | set(sys.stdlib_module_names)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        top = name.partition(".")[0]
        if top not in self.tops or top == "mmlab":
            raise ModuleNotFoundError(f"{name} is not available in this exercise", name=name)


def allowed(name: str, names: Iterable[str]) -> bool:
    """Whether a dotted module may be imported: it, or a package around it, is on the list."""
    parts = name.split(".")
    return any(".".join(parts[:n]) in names for n in range(1, len(parts) + 1))


def guarded_import(names: tuple[str, ...]) -> Callable[..., ModuleType]:
    """An `__import__` that knows the list; libraries keep the real one."""
    real, listed = builtins.__import__, frozenset(names) | HARMLESS

    def guarded(name: str, spaces: Any = None, own: Any = None, fromlist: Any = (), level: int = 0) -> ModuleType:
        full = [f"{name}.{item}" for item in fromlist or ()]
        if level or not (allowed(name, listed) or (full and all(allowed(item, listed) for item in full))):
            raise ImportError(f"{name} may not be imported in this exercise; allowed are {', '.join(sorted(names))}")
        return real(name, spaces, own, fromlist, level)

    return guarded


def namespace(names: tuple[str, ...]) -> dict[str, Any]:
    """Where a solution runs: the names that the lessons have imported before it, and guarded builtins."""
    space: dict[str, Any] = {"__name__": "solution"}
    for top in names:
        for name, target in HANDY.get(top, {}).items():
            module, _, attribute = target.partition(":")
            space[name] = getattr(sys.modules[module], attribute) if attribute else sys.modules[module]
    space["__builtins__"] = {**vars(builtins), "__import__": guarded_import(names)}
    return space


def aliases(dotted: Iterable[str]) -> dict[str, list[tuple[Any, str]]]:
    """Every place in which a forbidden thing can be found: all modules that hold the same object under any name."""
    found: dict[str, list[tuple[Any, str]]] = {}
    wanted: dict[int, str] = {}
    for name in dotted:
        owner, _, last = name.rpartition(".")
        thing = _resolve(owner)
        if thing is not None and hasattr(thing, last):
            wanted[id(getattr(thing, last))] = name
            found[name] = [(thing, last)]
            for more in map(sys.modules.get, ("torch", "torch._C", "torch._C._VariableFunctions")):
                if more is not None and hasattr(more, last):
                    found[name].append((more, last))
    for module in list(sys.modules.values()) if wanted else []:
        if isinstance(module, ModuleType):
            for attribute, value in list(vars(module).items()):
                if id(value) in wanted:
                    found[wanted[id(value)]].append((module, attribute))
    return found


def forbid(places: dict[str, list[tuple[Any, str]]], names: Iterable[str]) -> None:
    """Puts something that raises in place of each forbidden thing."""
    for name in names:
        for owner, attribute in places.get(name, []):
            try:
                setattr(owner, attribute, _refusal(name))
            except (AttributeError, TypeError):
                continue  # a built-in type holds it; its modules do not
        packet = getattr(getattr(sys.modules.get("torch"), "ops", None), "aten", None)
        if packet is not None and name.startswith("torch."):
            setattr(packet, name.rpartition(".")[2], _refusal(name))


def refuse_events(folders: tuple[str, ...]) -> None:
    """A hook that cannot be taken off again: no new process, no connection, no file of the grader.

    It stands also where the system itself can forbid none of these.
    """

    def hook(event: str, arguments: tuple) -> None:
        if event.startswith(PROCESS_EVENTS) or event in ("socket.connect", "socket.bind", "ctypes.dlopen"):
            raise PermissionError(f"{event} is not possible while grading")
        if event in ("open", "os.listdir", "os.scandir", "import") and arguments:
            path = arguments[0].decode(errors="replace") if isinstance(arguments[0], bytes) else arguments[0]
            if isinstance(path, str) and path.startswith(folders):
                raise PermissionError("the grader's files cannot be read while grading")

    sys.addaudithook(hook)


def _refusal(name: str) -> Callable[..., Any]:
    def refused(*_: Any, **__: Any) -> Any:
        raise PermissionError(f"{name} may not be used in this exercise: it is what is asked for")

    return refused


def _resolve(dotted: str) -> Any:
    parts = dotted.split(".")
    thing = sys.modules.get(parts[0])
    for part in parts[1:]:
        thing = getattr(thing, part, None)
    return thing
