"""Attempts to read what the grader knows, to reach a ready-made answer, or to harm the grader and other submissions.

A `gated` one would have full marks if its exploit worked; a deed in the `first` cell costs that cell and nothing else.
"""

from mmlab.paths import ROOT
from tests.grading.corpus.case import TOOLS, Case, all_of, first, gated, only
from tests.grading.toy import CONTRAST

TOY = str(ROOT / "tests" / "grading" / "toy.py")
CALL = "c = imp('ctypes')\ncall = c.pythonapi.syscall\nos = imp('os')\n"  # the system, past every hook of Python
X86 = {"fork": 57, "clone": 56, "kill": 62, "ptrace": 101, "vm_readv": 310, "socket": 41, "io_uring": 425, "memfd": 319}
ARM = {
    "fork": 1079,
    "clone": 220,
    "kill": 129,
    "ptrace": 117,
    "vm_readv": 270,
    "socket": 198,
    "io_uring": 425,
    "memfd": 279,
}


def _raw(name: str, arguments: str) -> str:
    return f"{CALL}n = {X86[name]} if os.uname().machine == 'x86_64' else {ARM[name]}\nreturn call(n, {arguments}) >= 0"


def _raw_loop(name: str, arguments: str) -> str:
    return _raw(name, arguments).replace("return", "for _ in range(10_000):\n   ")


READS = {
    "reads the references": f"return open({TOY!r}).read()",
    "reads with torch": f"return imp('torch').from_file({TOY!r}, size=100, dtype=imp('torch').uint8)",
    "reads with numpy": f"return len(imp('numpy').fromfile({TOY!r}, dtype='uint8'))",
    "reads with mmap": f"os = imp('os')\nreturn imp('mmap').mmap(os.open({TOY!r}, os.O_RDONLY), 10, prot=1)",
    "reads the source by linecache": f"return imp('linecache').getlines({TOY!r})",
    "reads through a symbolic link": f"imp('os').symlink({TOY!r}, 'link')\nreturn open('link').read()",
    "reads through a hard link": f"imp('os').link({TOY!r}, 'link')\nreturn open('link').read()",
    "lists the folder of boxes": "return len(imp('os').listdir('../..')) + len(imp('os').listdir('..'))",
    "reads the grader's command line": "return open(f\"/proc/{imp('os').getppid()}/cmdline\").read()",
    "reads the grader's environment": "return imp('os').environ.get('HOME') or open('/proc/1/environ').read()",
    "reads by a raw call": f"{CALL}return call(257, -100, {TOY!r}.encode(), 0, 0) >= 0",
}
RAW = {
    "traces its parent": _raw("ptrace", "16, os.getppid(), 0, 0"),
    "copies its parent's memory": _raw("vm_readv", "os.getppid(), 0, 0, 0, 0, 0"),
    "signals its parent": _raw("kill", "os.getppid(), 0"),
    "opens a socket": _raw("socket", "2, 1, 0"),
    "asks io_uring": _raw("io_uring", "1, c.create_string_buffer(120)"),
    "starts a process by a raw call": _raw("clone", "17, 0, 0, 0, 0"),
}
IMPORTS = {
    "imports the package's answer": "m = imp('mmlab.objectives.contrastive', fromlist=['x'])\nreturn m",
    "imports by importlib": "return imp('importlib').import_module('mmlab.grading.references')",
    "imports after emptying the finders": "s = imp('sys')\ns.meta_path[:] = s.meta_path[1:]\n"
    "return imp('mmlab.nn.attention')",
    "adds to the path": f"s = imp('sys')\ns.path.insert(0, {str(ROOT)!r})\nreturn imp('tests.grading.toy')",
    "loads a file as a module": f"u = imp('importlib.util', fromlist=['x'])\n"
    f"spec = u.spec_from_file_location('toy', {TOY!r})\nm = u.module_from_spec(spec)\nspec.loader.exec_module(m)\nreturn m",
    "runs a program": "return imp('subprocess').run(['true']).returncode == 0",
    "runs a shell": "return imp('os').system('true') == 0",
    "spawns": "return imp('os').posix_spawn('/bin/true', ['true'], {})",
    "connects": "return imp('socket').create_connection(('127.0.0.1', 22), 1)",
    "lifts its limits": "r = imp('resource')\nr.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY,) * 2)\nreturn True",
    "finds expected values in frames": "f = imp('sys')._getframe()\nseen = []\nwhile f:\n"
    "    seen += [k for k in f.f_locals if 'expected' in k or 'answer' in k]\n    f = f.f_back\nreturn seen",
    "finds checks in the collector": "names = ('Check', 'Asked', 'Answers')\n"
    "return [o for o in imp('gc').get_objects() if type(o).__name__ in names]",
}
READY = {
    "attention under its public name": "return F.scaled_dot_product_attention(query, key, value)",
    "attention under its private name": "return torch._C._nn.scaled_dot_product_attention(query, key, value)",
    "attention as an operator": "return torch.ops.aten.scaled_dot_product_attention(query, key, value)",
    "attention by a built name": "return getattr(F, 'scaled_dot_' + 'product_attention')(query, key, value)",
}
DEEDS = {
    "fork bomb": "os = imp('os')\nwhile True:\n    os.fork()",
    "fork bomb by raw calls": _raw_loop("fork", "0") + "\nreturn None",
    "thread bomb": "t = imp('threading')\nw = imp('time')\nfor _ in range(100_000):\n"
    "    t.Thread(target=w.sleep, args=(60,)).start()",
    "kills everything": "os = imp('os')\nfor pid in range(2, 40_000):\n    os.kill(pid, 9)",
    "kills everything by raw calls": f"{CALL}for n in (62, 129):\n    call(n, -1, 9)\nreturn None",
    "stops itself": "os = imp('os')\nos.kill(os.getpid(), 19)",
    "sleeps": "imp('time').sleep(10_000)",
    "fills its folder": "for n in range(10_000):\n    open(f'f{n}', 'wb').write(bytes(2**22))",
    "writes one huge file": "f = open('f', 'wb')\nfor n in range(10_000):\n    f.write(bytes(2**20)); f.flush()",
    "crashes": "imp('ctypes').string_at(0)",
    "recurses to death": "imp('sys').setrecursionlimit(10**9)\ndef f(): return f()\nreturn f()",
    "closes every file": "imp('os').closerange(0, 600)\nreturn None",
    "takes memory bit by bit": "kept = []\nwhile True:\n    kept.append(bytearray(2**24))",
}
LOSS = """n = torch.arange(len(images))
    logits = images @ texts.T
    return (F.cross_entropy(logits, n) + F.cross_entropy(logits.T, n)) / 2
"""
CASES = [
    *(Case(name, 0, gated(body)) for name, body in {**READS, **RAW, **IMPORTS}.items()),
    *(Case(name, 6, only("99.2", f"def attend(query, key, value):\n    {body}")) for name, body in READY.items()),
    *(Case(name, 6, first(body)) for name, body in DEEDS.items()),
    Case("the loss that is asked for", 6, only("99.3", CONTRAST.split("logits")[0] + LOSS)),
    Case("all at once", 0, all_of(f"{TOOLS}imp('os').kill(-1, 9)\nimp('os').fork()\ndef ENTRY(*g, **n): return 0")),
]
