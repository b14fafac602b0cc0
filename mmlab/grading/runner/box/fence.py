"""What the system can forbid a child: files (Landlock), calls (seccomp), network and memory. Linux; elsewhere, limits.

Each function says whether it took hold. What really holds is measured by a probe that runs as a submission would.
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys
import sysconfig

EPERM, ENOSYS = 1, 38
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
CLONE_THREAD, CLONE_NEWNET, CLONE_NEWUSER = 0x10000, 0x40000000, 0x10000000
NO_NEW_PRIVILEGES, PARENT_DEATH, DUMPABLE, SUBREAPER = 38, 1, 4, 36

# Number of a call on x86_64 and on aarch64 (None: it has none there).
CALLS = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setrlimit": (160, 164), "setpriority": (141, 140), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsmount": (432, 432), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "kexec_load": (246, 104), "swapon": (167, 224), "iopl": (172, None), "ioperm": (173, None),
}  # fmt: skip
MACHINES = {
    "x86_64": (0, 0xC000003E, 56, 302),
    "aarch64": (1, 0xC00000B7, 220, 261),
}  # column, audit id, clone, prlimit
CLONE3 = 435

READ_FILE, READ_DIR = 1 << 2, 1 << 3
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> bool:
    """One setting of this process; False where the system has no such call."""
    return sys.platform == "linux" and _libc().prctl(option, value, 0, 0, 0) == 0


def forbid_calls() -> bool:
    """No new process, no program, no socket, no signal to others, no look into them, no looser limit; threads may be."""
    machine = MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    column, audit, clone, prlimit = machine
    no = ERRNO | EPERM
    program = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, audit), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    if column == 0:
        program += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, no)]  # the x32 numbers
    for numbers in CALLS.values():
        if numbers[column] is not None:
            program += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, no)]
    program += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERRNO | ENOSYS)]  # the C library then uses clone
    program += [(EQUAL, 0, 4, clone), (LOAD, 0, 0, 16), (ANY_BIT, 1, 0, CLONE_THREAD), (RETURN, 0, 0, no)]
    program += [(RETURN, 0, 0, ALLOW)]
    program += [(EQUAL, 0, 5, prlimit), (LOAD, 0, 0, 32), (EQUAL, 0, 2, 0), (LOAD, 0, 0, 36), (EQUAL, 1, 0, 0)]
    program += [(RETURN, 0, 0, no), (RETURN, 0, 0, ALLOW)]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    return prctl(NO_NEW_PRIVILEGES, 1) and _libc().prctl(22, 2, ctypes.c_char_p(fprog), 0, 0) == 0


class Files:
    """The files that a child may read, opened once in the zygote; everything else is out of its reach."""

    def __init__(self, tops: set[str]) -> None:
        self.version = _libc().syscall(LANDLOCK_CREATE, None, 0, 1) if sys.platform == "linux" else -1
        self.opened: list[tuple[int, bool]] = []
        for path in readable(tops) if self.version >= 1 else []:
            with contextlib.suppress(OSError):
                self.opened.append((os.open(path, os.O_PATH | os.O_CLOEXEC), os.path.isdir(path)))

    def forbid_others(self, own: str) -> bool:
        """From here on: reading of those files, writing in the child's own folder, nothing else."""
        if self.version < 1:
            return False
        libc = _libc()
        every = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(self.version, 16)) - 1
        attributes = struct.pack("QQQ", every, 3, 3)[: {1: 8, 2: 8, 3: 8, 4: 16, 5: 16}.get(self.version, 24)]
        ruleset = libc.syscall(LANDLOCK_CREATE, ctypes.c_char_p(attributes), len(attributes), 0)
        if ruleset < 0:
            return False
        folder = os.open(own, os.O_PATH)
        rules = [(fd, READ_FILE | READ_DIR if whole else READ_FILE) for fd, whole in self.opened]
        for fd, access in [*rules, (folder, every & ~1 & ~(1 << 15))]:
            rule = struct.pack("=Qi", access, fd)
            if libc.syscall(LANDLOCK_ADD, ruleset, 1, ctypes.c_char_p(rule), 0) != 0:
                return False
        held = prctl(NO_NEW_PRIVILEGES, 1) and libc.syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0
        for fd in (ruleset, folder, *(fd for fd, _ in self.opened)):
            os.close(fd)
        return held


def readable(tops: set[str]) -> list[str]:
    """The standard library, the packages that are loaded already, and the system's shared libraries."""
    paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    inside = [os.path.join(path, name) for path in paths if os.path.isdir(path) for name in os.listdir(path)]
    found = [path for path in inside if os.path.basename(path) not in ("site-packages", "dist-packages")]
    for top in sorted(tops):
        file = getattr(sys.modules.get(top), "__file__", None)
        if file:
            folder = os.path.dirname(file) if os.path.basename(file).startswith("__init__.") else file
            found += [folder, f"{folder}.libs"]
    triplet = sysconfig.get_config_var("MULTIARCH") or ""
    found += [f"/usr/lib/{triplet}", f"/lib/{triplet}"] if triplet else []
    return [*found, "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]


def leave_network() -> bool:
    """A network of its own, with nothing in it, for this process and all that it starts."""
    if sys.platform != "linux":
        return False
    return any(_libc().unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWNET | CLONE_NEWUSER))


def limit(*, memory: int, seconds: int, file_size: int, processes: int | None) -> None:
    """The limits that every POSIX system knows; memory counts on top of what is loaded already."""
    try:
        import resource
    except ImportError:  # Windows
        return
    loaded = 0
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        loaded = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    wanted = {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": file_size, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 512}
    wanted |= {"RLIMIT_AS": loaded + memory} if loaded else {}
    wanted |= {"RLIMIT_NPROC": processes} if processes is not None else {}
    for name, value in wanted.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
