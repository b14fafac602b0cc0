"""A child seen from outside: its frames as they come whole, its output drained, its time and its folder watched."""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from mmlab.grading.runner.box import wire
from mmlab.grading.runner.pool import Limits, Started
from mmlab.grading.values import Outcome, Tensor

TICK = 0.05  # seconds between looks at the processor's time
PATIENCE = 4  # a call may take so many times its limit by the clock, for the machine may be busy
READY_SECONDS = 60.0  # a child that is no fork loads torch first
WAITING = 64  # pieces that a child may be ahead of the grader
ENDED = {-9: "was killed, most likely over its memory", -11: "crashed (segmentation fault)", -24: "used up its time"}


class BrokenBoxError(RuntimeError):
    """The grader itself failed: a child could not be prepared for a solution."""


class Watch:
    """A child seen from outside: its frames as they come whole, its output drained, its time and folder watched."""

    def __init__(self, child: Started, limits: Limits) -> None:
        self.child, self.limits = child, limits
        self.over = False
        self.buffer, self.output = bytearray(), bytearray()
        self.arrived: queue.Queue[bytes] = queue.Queue(WAITING)
        self.readers = [
            threading.Thread(target=self._read, args=(child.result, self._arrive), daemon=True),
            threading.Thread(target=self._read, args=(child.output, self._keep), daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def send(self, framed: bytes) -> None:
        """Hands the request in; a child that does not read it has ended."""

        def write() -> None:
            with contextlib.suppress(OSError), self.child.request as pipe:
                pipe.write(framed)

        threading.Thread(target=write, daemon=True).start()

    def ready(self) -> dict[str, bool]:
        """Waits until the child has put its fence up, and says what took hold; nothing of the solution has run before.

        Raises:  BrokenBoxError when it could not: the fault is not the solution's
        """
        outcome = self.frame(READY_SECONDS)
        if outcome.error or outcome.slow:
            raise BrokenBoxError(f"A child could not be prepared: {outcome.error or 'no answer'}. {self.printed()}")
        return outcome.value

    def frame(self, seconds: float) -> Outcome:
        """The next frame as an outcome; after `over` there is none."""
        began = looked = time.monotonic()
        used = processor_seconds(self.child.pid)
        while True:
            try:
                cut = wire.cut(self.buffer)
            except wire.WireError as error:
                return self._end(Outcome(error=f"the solution wrote into the grader's pipe ({error})"))
            if cut is not None:
                return self._outcome(*cut)
            with contextlib.suppress(queue.Empty):
                piece = self.arrived.get(timeout=TICK)
                if not piece:
                    return self._end(self._ended())
                self.buffer += piece
            if time.monotonic() - looked < TICK:
                continue
            looked = time.monotonic()
            if looked - began > PATIENCE * seconds + 1 or processor_seconds(self.child.pid) - used > seconds:
                return self._end(Outcome(slow=True))
            if folder_size(self.child.folder) > self.limits.folder:
                return self._end(Outcome(error="the solution wrote too much into its folder"))

    def end(self) -> None:
        """Nothing more is wanted of the child."""
        self.over = True
        self.child.kill()

    def printed(self) -> str:
        self.readers[1].join(1)
        return bytes(self.output).decode("utf-8", "replace")

    def _outcome(self, header: dict, payload: bytes) -> Outcome:
        try:
            value = wire.Decoder(payload, Tensor).value(header["value"]) if "value" in header else None
        except (wire.WireError, ValueError, RecursionError) as error:
            return self._end(Outcome(error=f"the solution wrote into the grader's pipe ({error})"))
        changed = header.get("changed", [])
        names = [name for name in changed if isinstance(name, str)] if isinstance(changed, list) else []
        unfit, error = str(header.get("unfit", ""))[:300], str(header.get("error", ""))[:400]
        missing = header.get("missing") is True
        if "value" not in header and not header.get("ready") and not (unfit or error or missing):
            error = "no value came"
        return Outcome(value=value, missing=missing, error=error, changed=tuple(names), unfit=unfit)

    def _end(self, outcome: Outcome) -> Outcome:
        self.end()
        return outcome

    def _ended(self) -> Outcome:
        status = self.child.ended()
        if status == -24:
            return Outcome(slow=True)
        how = ENDED.get(
            status, f"ended the process (exit status {status})" if status >= 0 else f"died of signal {-status}"
        )
        return Outcome(error=f"the solution {how}")

    def _read(self, pipe: IO[bytes], put: Callable[[bytes], None]) -> None:
        with pipe, contextlib.suppress(OSError):
            while piece := pipe.read(65536):
                put(piece)
        put(b"")

    def _arrive(self, piece: bytes) -> None:
        while not self.over:
            with contextlib.suppress(queue.Full):
                return self.arrived.put(piece, timeout=TICK)

    def _keep(self, piece: bytes) -> None:
        self.output += piece[: self.limits.output - len(self.output)]


def processor_seconds(pid: int) -> float:
    """Seconds of the processor that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def folder_size(folder: Path) -> int:
    """Bytes in a child's folder; each entry counts as a block at least."""

    def sizes(path: Path) -> Iterator[int]:
        with contextlib.suppress(OSError):
            for entry in os.scandir(path):
                if entry.is_dir(follow_symlinks=False):
                    yield from sizes(Path(entry.path))
                else:
                    yield max(entry.stat(follow_symlinks=False).st_size, 4096)

    return sum(sizes(folder))
