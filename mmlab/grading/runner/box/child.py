"""One solution, alone: the cell is run, its function is called on each input, and the values go out, frame by frame."""

import ast
import contextlib
import os
import re
import sys
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from . import fence, guard, wire

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
CELL_MAGIC = re.compile(r"\A\s*%%(?:time|timeit|capture)\b.*$", re.MULTILINE)
LINE = 300  # characters of an error


@dataclass(frozen=True)
class Box:
    """What the zygote prepared for its children."""

    files: fence.Files
    tops: frozenset[str]
    places: dict[str, list]
    grader: tuple[str, ...]
    network: bool


def main(box: Box, job: dict, request: BinaryIO, result: BinaryIO) -> None:
    """Reads the request, puts the fence up, runs; whatever happens ends this process."""
    lengths = request.read(wire.LENGTHS.size)
    head, payload = wire.LENGTHS.unpack(lengths)
    header, body = wire.cut(bytearray(lengths + request.read(head + payload)))
    request.close()
    for name in header["modules"]:  # of mmlab, where an exercise allows one
        __import__(name)
    os.chdir(job["folder"])
    fence_up = put_up(box, job, header)
    with contextlib.suppress(BrokenPipeError):
        _give(result, {"ready": True, "value": True}, fence_up)
        _solve(header, body, result)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def put_up(box: Box, job: dict, header: dict) -> dict[str, bool]:
    """Every limit that this system has; says which of the system's own took hold."""
    sys.meta_path.insert(0, guard.Blocker(box.tops))
    guard.forbid(box.places, header["forbidden"])
    uid = job.get("uid")
    fence.limit(memory=job["memory"], seconds=job["cpu"], file_size=job["file_size"], processes=8 if uid else None)
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    fence.prctl(fence.DUMPABLE, 0)
    fence.prctl(fence.PARENT_DEATH, 9)
    files = box.files.forbid_others(job["folder"])
    calls = fence.forbid_calls()
    guard.refuse_events(box.grader)
    return {"files": files, "calls": calls, "network": box.network or calls}


def _solve(header: dict, body: bytes, result: BinaryIO) -> None:
    space = guard.namespace(tuple(header["allowed"]))
    trouble = {}
    try:
        for entry, source, allowed in header["before"]:
            known = {name: space[name] for name, *_ in header["before"] if name in space}
            own = {**guard.namespace(tuple(allowed)), **known}
            with contextlib.suppress(Exception):  # a learner's own may fail; then its name is not there
                exec(compile(plain(source), "<exercise before>", "exec"), own)
                space[entry] = own[entry]
        exec(compile(plain(header["source"]), "<solution>", "exec"), space)
    except NotImplementedError:
        trouble = {"missing": True}
    except BaseException as error:
        trouble = {"error": said(error)}
    found = space.get(header["entry"], ...)
    if not trouble and (found is ... or found is None):
        trouble = {"missing": True}
    elif not trouble and header["kind"] == "function" and not callable(found):
        trouble = {"unfit": f"an object of type {type(found).__name__}, not a function"}
    _give(result, {"ready": True, **trouble}, None)
    if trouble:
        return
    offset = 0
    for number, node in enumerate(header["calls"]):
        decoder = wire.Decoder(body[offset:], tensor)
        before = decoder.value(node)
        offset += decoder.at
        _give(result, *_call(header, found, before, number))


def _call(header: dict, found: Any, arguments: dict, number: int) -> tuple[dict, Any]:
    """One call: the frame's header, and the value where there is one."""
    print_before = {name: _print(value) for name, value in arguments.items()}
    try:
        value = found(**arguments) if header["kind"] == "function" else found
    except NotImplementedError:
        return {"at": number, "missing": True}, None
    except BaseException as error:
        return {"at": number, "error": said(error)}, None
    changed = [name for name, value in arguments.items() if _print(value) != print_before[name]]
    if value is ...:
        return {"at": number, "missing": True}, None
    return {"at": number, "changed": changed, "value": True}, value


def _give(result: BinaryIO, header: dict, value: Any) -> None:
    chunks: list[bytes] = []
    if header.pop("value", False):
        try:
            encoder = wire.Encoder(array_of)
            header["value"] = encoder.value(value)
            chunks = encoder.chunks
            framed = wire.frame(header, chunks)
        except wire.Unfit as error:
            header.pop("value", None)
            header["unfit"], chunks = str(error), []
        except BaseException as error:
            header.pop("value", None)
            header["unfit"], chunks = f"a value that could not be read ({said(error)})", []
        else:
            result.write(framed)
            result.flush()
            return
    result.write(wire.frame(header, chunks))
    result.flush()


def _print(value: Any) -> Any:
    """What an argument holds, to see whether a call changed it; None for what cannot cross."""
    try:
        encoder = wire.Encoder(array_of)
        return encoder.value(value), encoder.chunks
    except Exception:
        return None


def plain(source: str) -> str:
    """The cell as Python: what only a notebook understands is left out where the cell is no Python with it."""
    source = CELL_MAGIC.sub("", source)
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return MAGIC.sub(r"\1pass", source)
    return source


def said(error: BaseException) -> str:
    """An error in one line, with the line of the solution in which it arose."""
    try:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:LINE]
        lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == "<solution>"]
        return f"{text} (line {lines[-1]} of the cell)" if lines else text
    except BaseException:
        return "an error that cannot be shown"


def array_of(value: Any) -> np.ndarray | None:
    """The array of a torch tensor; None for anything else."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return None
    with torch._C.DisableTorchFunctionSubclass():
        value = value.detach().as_subclass(torch.Tensor)
    value = value.cpu().resolve_conj().resolve_neg()
    if value.layout != torch.strided:
        raise wire.Unfit(f"a tensor of layout {value.layout}")
    if value.dtype == torch.bfloat16:
        value = value.float()
    if value.numel() * value.element_size() > wire.PAYLOAD_LIMIT:
        raise wire.Unfit(f"a tensor of shape {tuple(value.shape)}, too large to hand in")
    return value.contiguous().numpy()


def tensor(array: np.ndarray) -> Any:
    return sys.modules["torch"].from_numpy(array)
