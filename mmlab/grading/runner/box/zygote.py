"""The process that children are forked from: what exercises allow is loaded once, on one thread, and then it only forks.

It knows no reference, no expected value and no submission. A message asks for one child and brings its pipes; on the
job's own pipe come back the child's process id, and how it ended. When the grader is gone, all end.
"""

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import traceback
from typing import NoReturn

from . import child, fence, guard

PIPES = 4  # request, result, output, status


def serve(control: socket.socket, config: dict) -> None:
    """Forks until the grader hangs up."""
    network = fence.leave_network()
    box = prepare(config, network)
    for option in (fence.SUBREAPER, fence.DUMPABLE):
        fence.prctl(option, int(option == fence.SUBREAPER))
    waker, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps({"ready": os.getpid()}).encode() + b"\n")
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control, waker], [], [])
        if waker in ready:
            waker.recv(4096)
            reap(running)
        if control in ready:
            message, pipes, _, _ = socket.recv_fds(control, 65536, PIPES)
            if not message:
                break
            fork(box, json.loads(message), pipes, running)
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(config["box"], ignore_errors=True)


def prepare(config: dict, network: bool) -> child.Box:
    """Loads what the exercises allow, and uses each once, so that what it loads late is loaded too."""
    for name in config["preload"]:
        __import__(name)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        x = torch.eye(2, requires_grad=True)
        (torch.nn.functional.softmax(x @ x, dim=-1) * torch.arange(2.0)).sum().backward()
        repr(x)
    if "einops" in sys.modules:
        for array in ([] if torch is None else [torch.eye(2)]) + [sys.modules["numpy"].eye(2)]:
            sys.modules["einops"].rearrange(array, "a b -> b a")
    tops = {name.partition(".")[0] for name in list(sys.modules)} - {"box"}
    return child.Box(
        files=fence.Files(tops - set(sys.stdlib_module_names)),
        tops=frozenset(tops),
        places=guard.aliases(config["forbidden"]),
        grader=tuple(config["grader"]),
        network=network,
    )


def fork(box: child.Box, job: dict, pipes: list[int], running: dict[int, int]) -> None:
    request, result, output, status = pipes
    pid = os.fork()
    if pid == 0:
        become(box, job, request, result, output)
    for fd in (request, result, output):
        os.close(fd)
    running[pid] = status
    _tell(status, {"pid": pid})


def become(box: child.Box, job: dict, request: int, result: int, output: int) -> NoReturn:
    """The child's whole life; it never returns into the zygote's code."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        close_others({0, 1, 2, request, result, *(fd for fd, _ in box.files.opened)})
        child.main(box, job, os.fdopen(request, "rb"), os.fdopen(result, "wb"))
    except BaseException:
        traceback.print_exc()  # into the job's output
        sys.stderr.flush()
    finally:
        os._exit(0)


def close_others(kept: set[int]) -> None:
    """Closes what a child inherits beyond its own pipes: the way to the grader above all."""
    folder = "/proc/self/fd"
    for fd in map(int, os.listdir(folder)) if os.path.isdir(folder) else range(3, 4096):
        if fd not in kept:
            with contextlib.suppress(OSError):
                os.close(fd)


def reap(running: dict[int, int]) -> None:
    """Tells how children ended, and ends what they left behind."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            break
        if pid in running:
            pipe = running.pop(pid)
            _tell(pipe, {"exit": os.waitstatus_to_exitcode(status)})
            os.close(pipe)
    for pid in orphans(set(running)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def orphans(known: set[int]) -> list[int]:
    """Children of this process that it did not fork: daemons, which the system hands to it."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split() if int(pid) not in known]
    except OSError:
        return []


def _tell(pipe: int, what: dict) -> None:
    with contextlib.suppress(OSError):
        os.write(pipe, json.dumps(what).encode() + b"\n")
