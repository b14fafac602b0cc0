"""The grader's side of the zygotes: starts them, asks for children, and starts another when one has died."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mmlab.types import InputError

BOX = Path(__file__).parent / "box"
BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from box.start import main; main()"
FORKS = sys.platform == "linux"  # macOS has fork, but its libraries do not survive one
START_SECONDS = 120
LOADED = {"numpy", "torch", "einops", "scipy", "matplotlib"}
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")  # no secret of the grader's environment is among these


class Gone(Exception):
    """The zygote died, or does not answer."""


@dataclass(frozen=True)
class Limits:
    """What one child may use.

    Units:   bytes; seconds of the processor are stated by the exercise
    """

    memory: int = 2**30
    file_size: int = 2**24
    output: int = 2**16
    folder: int = 2**26


@dataclass
class Started:
    """A child that runs: its folder, its pipes on the grader's side, and its process id."""

    pid: int
    folder: Path
    request: IO[bytes]
    result: IO[bytes]
    output: IO[bytes]
    status: IO[bytes] | None = None
    process: subprocess.Popen | None = None

    def kill(self) -> None:
        """The child and all that it started."""
        if self.process is not None:
            self.process.kill()
        for end in (os.killpg, os.kill) if os.name == "posix" else ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)

    def ended(self) -> int:
        """The exit status; negative, the signal that ended it.

        Raises:  Gone when the zygote died before it could tell
        """
        if self.process is not None:
            return self.process.wait()
        line = self.status.readline()
        if not line:
            raise Gone
        return json.loads(line)["exit"]

    def close(self) -> None:
        """Tidies up; each other pipe is closed by the thread that uses it, so that no thread meets its number again."""
        if self.status is not None:
            self.status.close()
        if self.process is not None:
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Starter(ABC):
    """Starts children in which the modules of `preload` are loaded; one thread of the grader uses it at a time."""

    def __init__(self, *, preload: tuple[str, ...], forbidden: tuple[str, ...], grader: tuple[str, ...]) -> None:
        self.config = {"preload": preload, "forbidden": forbidden, "grader": grader}
        self.box: Path | None = None

    @abstractmethod
    def child(self, job: dict, *, uid: int | None = None) -> Started:
        """One child, waiting for its request.

        Raises:  Gone
        """

    def make_box(self) -> Path:
        self.box = Path(tempfile.mkdtemp(prefix="mmlab-box-"))
        self.box.chmod(0o711)
        shutil.copytree(BOX, self.box / "box", ignore=shutil.ignore_patterns("__pycache__"))
        (self.box / "tmp").mkdir(mode=0o711)
        return self.box

    def folder(self, uid: int | None) -> Path:
        """The child's own folder."""
        folder = Path(tempfile.mkdtemp(dir=self.box / "tmp"))
        if uid is not None:
            os.chown(folder, uid, uid)
        return folder

    def stop(self) -> None:
        if self.box is not None:
            shutil.rmtree(self.box, ignore_errors=True)
        self.box = None


class Zygote(Starter):
    """One process that forks the children; one that died is started again."""

    process: subprocess.Popen | None = None

    def child(self, job: dict, *, uid: int | None = None) -> Started:
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self.start()
        folder = self.folder(uid)
        pairs = [os.pipe() for _ in range(4)]
        theirs = [pairs[0][0], *(write for _, write in pairs[1:])]
        ours = [os.fdopen(pairs[0][1], "wb"), *(os.fdopen(read, "rb", buffering=0) for read, _ in pairs[1:3])]
        ours.append(os.fdopen(pairs[3][0], "rb"))
        try:
            socket.send_fds(self.control, [json.dumps({**job, "folder": str(folder), "uid": uid}).encode()], theirs)
            for fd in theirs:
                os.close(fd)
            line = ours[3].readline()
            if not line:
                raise Gone
        except (OSError, Gone) as error:
            for file in ours:
                file.close()
            self.stop()
            raise Gone from error
        return Started(json.loads(line)["pid"], folder, *ours)

    def start(self) -> None:
        box = self.make_box()
        self.control, theirs = socket.socketpair()
        with theirs:
            config = {**self.config, "box": str(box), "control": theirs.fileno()}
            self.process = _python(box, config, pass_fds=(theirs.fileno(),))
        self.control.settimeout(START_SECONDS)
        try:
            json.loads(self.control.makefile("rb").readline())
        except (OSError, ValueError) as error:
            self.stop()
            raise Gone from error

    def stop(self) -> None:
        """Ends the zygote and with it its children."""
        if self.process is not None:
            self.control.close()  # it then ends by itself
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        super().stop()


class Alone(Starter):
    """Where the system does not fork: a fresh Python for each child, slower and with fewer limits."""

    def child(self, job: dict, *, uid: int | None = None) -> Started:
        box = self.make_box() if self.box is None else self.box
        folder, pipe = self.folder(uid), subprocess.PIPE
        config = {**self.config, "box": str(box), "control": None, "job": {**job, "folder": str(folder), "uid": uid}}
        own = {"start_new_session": True} if os.name == "posix" else {}
        process = _python(box, config, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, **own)
        return Started(process.pid, folder, process.stdin, process.stdout, process.stderr, process=process)


def _python(box: Path, config: dict, **how: object) -> subprocess.Popen:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | ENVIRONMENT
    how = {"stdin": subprocess.DEVNULL, **how}
    return subprocess.Popen(
        [sys.executable, "-I", "-c", BOOT, str(box), json.dumps(config)], env=environment, cwd=box, **how
    )


class Pool:
    """One zygote for each set of modules that exercises allow, so that none lies in a child that may not have it."""

    def __init__(self, *, forbidden: Iterable[str] = (), grader: Iterable[Path] = (), fork: bool = FORKS) -> None:
        self.forbidden, self.fork = tuple(sorted(set(forbidden))), fork
        self.grader = tuple(str(path) for path in grader)
        self.starters: dict[tuple[str, ...], Starter] = {}

    def starter(self, modules: Iterable[str]) -> Starter:
        """What starts children that have these modules loaded; NumPy and einops, which are light, always are."""
        preload = tuple(sorted({"numpy", "einops", *modules}))
        if preload not in self.starters:
            tops = {name.partition(".")[0] for name in preload}
            forbidden = tuple(name for name in self.forbidden if name.partition(".")[0] in tops)
            kind = Zygote if self.fork else Alone
            self.starters[preload] = kind(preload=preload, forbidden=forbidden, grader=self.grader)
        return self.starters[preload]

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for starter in self.starters.values():
            starter.stop()


def preloaded(allowed: Iterable[str]) -> tuple[str, ...]:
    """What a zygote loads for an exercise: what it allows, except parts of mmlab, which are the child's own affair."""
    names = [name for name in allowed if name.partition(".")[0] != "mmlab"]
    tops = {name.partition(".")[0] for name in names}
    unknown = sorted(tops - sys.stdlib_module_names - LOADED)
    if unknown:
        raise InputError(f"An exercise allows {unknown[0]}; the grader loads only {', '.join(sorted(LOADED))}.")
    return tuple(name for name in names if name.partition(".")[0] in LOADED - {"numpy"})
