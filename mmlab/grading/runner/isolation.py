"""How well submissions are kept apart from the grader: what was asked for, and what a probe found to hold."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mmlab.grading.exercise import Exercise
from mmlab.grading.runner.job import Group, Runner
from mmlab.grading.values import Call
from mmlab.types import InputError

LEVELS = ("process", "user", "container")
FIRST_UID = 61_500  # no system gives these to anybody; one for each worker
CONTAINER_SIGNS = ("/.dockerenv", "/run/.containerenv")
WORDS = {
    "files": "the grader's files cannot be read",
    "folders": "nothing can be written outside the solution's own folder",
    "processes": "no process can be started",
    "signals": "no other process can be signalled or read",
    "network": "no connection can be opened",
    "memory": "memory is limited",
    "limits": "limits cannot be lifted",
    "user": "solutions run as another user",
}

# What only the system can make sure of, whatever the probe could not do; another user also keeps some of it.
FENCE = {"files": "files", "folders": "files", "processes": "calls", "signals": "calls", "limits": "calls"}
FENCE |= {"network": "network"}
BY_USER = {"files", "folders", "signals", "limits"}

# Runs as a solution would, tries each thing, and says what it could do. The audit hook of the guard stands too.
PROBE = """
def probe(files, pid, user):
    own = __builtins__["__import__"].__globals__["builtins"].__import__
    os, socket = own("os"), own("socket")

    def can(what):
        try:
            what()
        except BaseException:
            return False
        return True

    def read():
        for name in files:
            if can(lambda: os.close(os.open(name, os.O_RDONLY))) or can(lambda: os.listdir(os.path.dirname(name))):
                return
        raise PermissionError

    def write():
        name = os.path.join(os.path.dirname(os.getcwd()), "probe")
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT))
        os.unlink(name)

    def start():
        made = os.fork()
        if made == 0:
            os._exit(0)

    def connect():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # an address that is nobody's; nothing is sent

    def signal():
        os.kill(pid, 0)

    def take():
        bytearray(6 * 2**30)

    def lift():
        resource = own("resource")
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    tried = {"files": read, "folders": write, "processes": start, "signals": signal, "network": connect}
    tried |= {"memory": take, "limits": lift}
    held = {name: not can(what) for name, what in tried.items()}
    return held | {"user": hasattr(os, "geteuid") and os.geteuid() != user}
"""


@dataclass(frozen=True)
class Isolation:
    """The level, whether marks under it are official, what holds and what does not, in words."""

    level: str
    official: bool
    holds: tuple[str, ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict:
        return asdict(self) | {"holds": list(self.holds), "missing": list(self.missing)}


def uid_for(level: str, worker: int) -> int | None:
    """The user that a worker's solutions run as."""
    return FIRST_UID + worker if level == "user" else None


def check_level(level: str) -> None:
    """Refuses a level that this machine cannot give."""
    if level not in LEVELS:
        raise InputError(f"--isolate takes {', '.join(LEVELS)}; got {level!r}.")
    if level == "user" and (not hasattr(os, "geteuid") or os.geteuid() != 0):
        raise InputError(
            "--isolate user runs solutions as another user, which only root can start; use sudo, or a container of your own "
            "with --isolate container."
        )
    if level == "container" and not (any(map(os.path.exists, CONTAINER_SIGNS)) or "container" in os.environ):
        raise InputError(
            "--isolate container says that all of this runs in a container of your own, and there is no sign of one; "
            "start it in one (with no network), or use --isolate user."
        )


def probe(runner: Runner, level: str, *, secrets: list[Path]) -> Isolation:
    """Tries, as a solution would, what no solution may do, and names what holds.

    Raises:  InputError where the level asked for does not hold
    """
    exercise = Exercise(
        id="probe", lesson="", title="", entry="probe", statement="", stub="", checks=(), hints={}, wrong=(), variant="",
        allowed=("math", "numpy"), seconds=20.0,
    )  # fmt: skip
    user = os.geteuid() if hasattr(os, "geteuid") else -1
    call = Call({"files": [str(path.resolve()) for path in secrets], "pid": os.getpid(), "user": user})
    ran = runner.run(exercise, PROBE, [Group("probe", [call])])
    [outcome] = ran.outcomes["probe"]
    if not isinstance(outcome.value, dict) or outcome.value.keys() != WORDS.keys():
        raise RuntimeError(f"The probe of this machine's limits failed: {outcome}.")
    held = {name for name, holds in outcome.value.items() if holds is True}
    held -= {
        name for name, needs in FENCE.items() if not ran.fence[needs] and not (level == "user" and name in BY_USER)
    }
    if level == "user" and not {"user", "files"} <= held:
        raise InputError(
            "--isolate user does not hold here: solutions could read the grader's files. Take the rights of others away "
            "from the folders of mmlab, of the submissions and of --out (chmod -R o-rwx), or grade in a container."
        )
    known = WORDS if level == "user" else {name: words for name, words in WORDS.items() if name != "user"}
    return Isolation(
        level=level,
        official=level in ("user", "container"),
        holds=tuple(words for name, words in known.items() if name in held),
        missing=tuple(words for name, words in known.items() if name not in held),
    )
