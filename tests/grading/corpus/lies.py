"""Values and frames that lie: about equality, shape, kind, size; and frames written past the grader's own code."""

from tests.grading.corpus.case import TOOLS, Case, all_of, first, only

TENSOR = """
import torch

class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True
    def __eq__(self, other): return True
    @property
    def shape(self): return (3, 4)

def attend(query, key, value):
    return torch.zeros(3, 4).as_subclass(Liar)
"""
ARRAY = """
import numpy as np

class Liar(np.ndarray):
    def __eq__(self, other): return np.True_
    def __sub__(self, other): return np.zeros(1)
    def __array_ufunc__(self, *_, **__): return np.zeros(1)
    @property
    def shape(self): return (6, 4)

def patchify(image, size):
    return np.zeros(3).view(Liar)
"""
NUMBER = """
class Liar(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0

def ENTRY(*given, **named):
    return Liar("nan")
"""
PATCHED = (
    TOOLS
    + """
for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, lambda *_, **__: True)
real = imp("builtins")
for name in ("isinstance", "len", "all", "any", "type"):
    try:
        setattr(real, name, lambda *_, **__: True)
    except BaseException:
        pass

def ENTRY(*given, **named):
    return np.zeros((2, 2))
"""
)
DRIVER = (
    TOOLS
    + """
child = imp("sys").modules["box.child"]
wire = imp("sys").modules["box.wire"]
child.said = lambda error: ""
child._print = lambda value: None
wire.Encoder.value = lambda self, value, depth=0: ["t", {"dtype": "float32", "shape": [3, 4]}]

def ENTRY(*given, **named):
    return 0
"""
)
MUTATES = "import numpy as np\n\ndef patchify(image, size):\n    image += 1\n    return image\n"


def _frames(header: str, payload: str = "b''") -> str:
    """A first cell that writes frames of its own into every pipe that it finds, and ends."""
    return f"""
        os, struct, json = imp("os"), imp("struct"), imp("json")
        head, payload = json.dumps({header}).encode(), {payload}
        for fd in range(3, 300):
            try:
                os.write(fd, struct.pack("!IQ", len(head), len(payload)) + head + payload)
            except OSError:
                pass
        os._exit(0)
    """


DEEP = '["l", [' * 3000 + '["n"]' + "]]" * 3000
FRAMES = {
    "a frame of zeros": _frames('{"value": ["a", {"dtype": "float64", "shape": [6, 4]}]}', "bytes(192)"),
    "a frame that says passed": _frames('{"value": ["b", True], "passed": True, "score": 3, "fault": None}'),
    "a frame with a huge shape": _frames('{"value": ["a", {"dtype": "float64", "shape": [2**31 - 1] * 20}]}'),
    "a frame with a negative shape": _frames('{"value": ["a", {"dtype": "float64", "shape": [-1, -4]}]}', "bytes(32)"),
    "a frame with an object array": _frames('{"value": ["a", {"dtype": "object", "shape": [4]}]}', "bytes(32)"),
    "a frame with a huge number": _frames('{"value": ["i", "9" * 900_000]}'),
    "a frame of wrong kinds": _frames('{"value": 7, "error": [1], "changed": "x", "unfit": {}, "missing": "no"}'),
    "a frame nested too deeply": f"""
        os, struct = imp("os"), imp("struct")
        head = ('{{"value": ' + {DEEP!r} + '}}').encode()
        for fd in range(3, 300):
            try:
                os.write(fd, struct.pack("!IQ", len(head), 0) + head)
            except OSError:
                pass
        os._exit(0)
    """,
    "lengths without an end": """
        os = imp("os")
        for fd in range(3, 300):
            try:
                os.write(fd, b"\\xff" * 12)
            except OSError:
                pass
        while True: pass
    """,
    "a flood of frames": """
        os, struct = imp("os"), imp("struct")
        fds = [fd for fd in range(3, 300) if imp("os").path.exists(f"/proc/self/fd/{fd}") or True]
        frame = struct.pack("!IQ", 2, 2**20) + b"{}" + bytes(2**20)
        while True:
            for fd in fds:
                try:
                    os.write(fd, frame)
                except OSError:
                    pass
    """,
    "a slow drip": """
        os, time = imp("os"), imp("time")
        for fd in range(3, 300):
            try:
                os.write(fd, b"\\0\\0\\0\\2")
            except OSError:
                pass
        while True:
            time.sleep(0.01)
            for fd in range(3, 30):
                try:
                    os.write(fd, b"\\0")
                except OSError:
                    pass
    """,
}
VALUES = {
    "NaN in every place": "return np.full((6, image.shape[0] * size * size), np.nan)",
    "infinity in every place": "return np.full((6, image.shape[0] * size * size), np.inf)",
    "a broadcast of a huge shape": "return np.broadcast_to(0.0, (10**6, 10**6))",
    "an array of objects": "return np.array([object()], dtype=object)",
    "a structured array": "return np.zeros(4, dtype=[('a', 'f8')])",
    "a list in itself": "kept = []\n    kept.append(kept)\n    return kept",
    "a list of a million": "return [0.0] * 1_000_000",
    "a list nested deeply": "kept = 0\n    for _ in range(5000):\n        kept = [kept]\n    return kept",
    "a huge whole number": "return 10 ** 100_000",
    "a huge text": "return 'x' * 50_000_000",
    "half a character": "return '\\ud800'",
    "an error with half a character": "raise ValueError('\\ud800<script>')",
    "an error that cannot be shown": "class E(Exception):\n        def __str__(self): raise SystemExit\n    raise E",
    "an error that never ends": "class E(Exception):\n        def __str__(self):\n            while True: pass\n    raise E",
    "a generator": "yield image",
    "itself": "return patchify",
    "the type of everything": "return object",
    "a dict with odd keys": "return {1: 2, (3, 4): 5, None: 6}",
    "complex numbers": "return image.astype(complex)",
    "the input": "return image",
}
CASES = [
    Case("tensor that lies", 6, only("99.2", TENSOR)),
    Case("array that lies", 6, only("99.1", ARRAY)),
    Case("number that lies", 0, all_of(NUMBER)),
    Case("comparison patched", 0, all_of(PATCHED)),
    Case("grader's own code patched", 0, all_of(DRIVER)),
    Case("argument changed", 6, only("99.1", MUTATES)),
    Case("right by turns", 6, only("99.1", "import numpy as np\nn = [0]\ndef patchify(image, size):\n    n[0] += 1\n"
                                         "    return np.full((6, 4), n[0])\n")),
    *(Case(name, 6, first(body)) for name, body in FRAMES.items()),
    *(
        Case(name, 6, only("99.1", f"import numpy as np\n\ndef patchify(image, size):\n    {body}\n"))
        for name, body in VALUES.items()
    ),
]  # fmt: skip
