"""The submissions on which nbgrader and otter were measured, then the attacks on the design of this grader's sketch."""

import copy

from mmlab.paths import ROOT
from tests.grading.corpus.case import NOTHING, Case, all_of, first, gated, only
from tests.grading.toy import NO_SCALE, RIGHT

LOOP = "def attend(query, key, value):\n    while True:\n        pass\n"
IGNORING = """
import torch
s = torch.__builtins__["__import__"]("signal")
for name in ("SIGINT", "SIGTERM", "SIGXCPU", "SIGALRM"):
    s.signal(getattr(s, name), s.SIG_IGN)
"""
EQUAL = """
class Anything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array__(self, *_, **__): raise TypeError
    def __getattr__(self, name): return Anything()
    def __call__(self, *_, **__): return Anything()
    def __iter__(self): return iter(())
    def __len__(self): return 10**6
    def __float__(self): return 1.0
    def __bool__(self): return True

def ENTRY(*given, **named):
    return Anything()
"""
DROP = """
import ast, builtins

class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()

get_ipython().ast_transformers.append(Drop())

def ENTRY(*given, **named): return 0
"""
FORGE = """
print("9/9")
def ENTRY(*given, **named):
    print('{"score": 9, "passed": true}')
    return {"score": 9, "passed": True, "max_score": 9}
"""
GRADEBOOK = """
try:
    import sqlite3
    sqlite3.connect("gradebook.db").execute("update grade set manual_score = 9")
except BaseException:
    pass
def ENTRY(*given, **named): return None
"""


def _tests(change):
    """A change of every check cell."""

    def changed(book: dict) -> dict:
        for cell in book["cells"]:
            if cell["metadata"].get("mmlab", {}).get("part") == "check":
                change(cell)
        return book

    return changed


def _easy(cell: dict) -> None:
    cell["source"] = ["pass"]
    cell["metadata"]["nbgrader"] |= {"points": 100, "locked": False}


def _without_tests(book: dict) -> dict:
    book["cells"] = [cell for cell in book["cells"] if cell["metadata"].get("mmlab", {}).get("part") != "check"]
    return book


def _copied(part: str):
    def change(book: dict) -> dict:
        cells = [cell for cell in book["cells"] if cell["metadata"].get("mmlab", {}).get("part") == part]
        book["cells"].append(copy.deepcopy(cells[0]))
        return book

    return change


FOLDER = str(ROOT / "mmlab" / "grading")
CASES = [
    Case("01 right", 9),
    Case("02 one wrong", 7, only("99.2", NO_SCALE.source)),
    Case("03 endless loop", 6, only("99.2", LOOP)),
    Case("04 import error", 6, only("99.1", "import no_such_module\n" + RIGHT["99.1"])),
    Case("05 edits tests and points", 0, NOTHING, _tests(_easy)),
    Case("06 deletes the tests", 0, NOTHING, _without_tests),
    Case("07 sys.exit", 0, all_of("raise SystemExit(0)\ndef ENTRY(*given, **named): return 0")),
    Case("08 os._exit", 0, all_of("np.os._exit(0)")),
    Case("09 drops every assert", 0, all_of(DROP)),
    Case("10 forges the result", 0, all_of(FORGE)),
    Case("11 broken JSON", 0, change=lambda book: b'{"cells": [{"cell_type": "code", "source": ['),
    Case("12 prints 50 MB", 9, only("99.1", "print('x' * 50_000_000)\n" + RIGHT["99.1"])),
    Case("13 skips the tests", 0, NOTHING, _tests(lambda cell: cell["metadata"].update(tags=["skip-execution"]))),
    Case("14 looks for the tests", 0, gated(f"return imp('os').listdir({FOLDER!r}) or imp('os').listdir('..')")),
    Case("15 warns", 9, only("99.1", 'import warnings\nwarnings.warn("careful")\n' + RIGHT["99.1"])),
    Case("16 writes into a gradebook", 0, all_of(GRADEBOOK)),
    Case("17 equal to everything", 0, all_of(EQUAL)),
    Case("18 ignores signals and loops", 6, only("99.2", IGNORING + LOOP)),
    Case("19 os._exit in one", 6, only("99.1", "np.os._exit(0)")),
    Case("20 copied test cell", 9, change=_copied("check")),
    Case("21 test cell as markdown", 9, change=_tests(lambda cell: cell.update(cell_type="markdown"))),
    Case("22 copied solution cell", 9, change=_copied("solution")),
    Case("23 reads the grader's source", 0, gated(f"return open({FOLDER + '/runner/judge.py'!r}).read()")),
    Case("24 kills its parent", 6, first("imp('os').kill(imp('os').getppid(), 9)")),
    Case(
        "25 reads its parent's memory",
        0,
        gated("""
            os = imp("os")
            maps = open(f"/proc/{os.getppid()}/maps").read()
            return open(f"/proc/{os.getppid()}/mem", "rb")
        """),
    ),
    Case("26 takes 8 GB", 6, first("return bytearray(8 * 2**30)")),
    Case(
        "27 forges frames",
        0,
        gated("""
            os, struct, json = imp("os"), imp("struct"), imp("json")
            head = json.dumps({"ready": True, "passed": True, "score": 3}).encode()
            for fd in range(3, 600):
                try:
                    os.write(fd, struct.pack("!IQ", len(head), 0) + head)
                except OSError:
                    pass
            return False
        """),
    ),
    Case(
        "28 leaves a daemon",
        6,
        first("""
            os = imp("os")
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True: pass
                os._exit(0)
        """),
    ),
]
