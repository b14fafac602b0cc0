"""How values cross between the grader and a child: frames of JSON and plain bytes, with limits, and never pickle.

A frame is two lengths, a JSON header and the bytes of its arrays, in order. A value in the header is a list that begins
with one letter: n(one), b(ool), i(nt), f(loat), s(tring), l(ist), u (a tuple), d(ict), a(rray), t(ensor), x (unfit).
"""

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

LENGTHS = struct.Struct("!IQ")
HEADER_LIMIT = 2**20
PAYLOAD_LIMIT = 2**26
NODES, DEPTH, DIGITS = 20_000, 16, 1000
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES += ("float16", "float32", "float64", "complex64", "complex128")


class WireError(ValueError):
    """Bytes that are no frame, or a value over a limit."""


class Unfit(ValueError):
    """A value that cannot cross; the text is what it was, in words."""


class Encoder:
    """Turns values into a header and its bytes; `array_of` gives (array, is it a tensor) for tensors of any kind."""

    def __init__(self, array_of: Callable[[Any], np.ndarray | None]) -> None:
        self.array_of = array_of
        self.chunks: list[bytes] = []
        self.size = self.nodes = 0

    def value(self, value: Any, depth: int = 0) -> list:
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES:
            raise Unfit("a value that is nested too deeply or has too many parts")
        kind = type(value)
        if value is None or value is ...:  # a part of an answer that is still to be written
            return ["n"]
        if kind in (bool, int, float, str):
            return self._plain(value, kind)
        if isinstance(value, list):
            return ["l", [self.value(item, depth + 1) for item in list.__iter__(value)]]
        if isinstance(value, tuple):
            return ["u", [self.value(item, depth + 1) for item in tuple.__iter__(value)]]
        if isinstance(value, dict):
            return ["d", [[self._key(k), self.value(v, depth + 1)] for k, v in dict.items(value)]]
        if isinstance(value, np.generic):
            return self.value(value.item(), depth) if value.dtype.kind in "biufU" else self._refuse(kind)
        if isinstance(value, np.ndarray):
            return ["a", self._array(np.array(value, subok=False))]
        array = self.array_of(value)
        return ["t", self._array(array)] if array is not None else self._refuse(kind)

    def _key(self, key: Any) -> list:
        if type(key) is not str:
            raise Unfit("a dict whose keys are not all strings")
        return self._plain(key, str)

    def _plain(self, value: Any, kind: type) -> list:
        if kind is int and value.bit_length() > 3 * DIGITS:
            raise Unfit("a whole number with more than a thousand digits")
        if kind is str and len(value) > HEADER_LIMIT // 8:
            raise Unfit("a text that is too long")
        return [{bool: "b", int: "i", float: "f", str: "s"}[kind], str(value) if kind is int else value]

    def _array(self, array: np.ndarray) -> dict:
        if array.dtype.kind == "f" and array.dtype.name not in DTYPES:
            array = array.astype(np.float64)  # a long double
        if array.dtype.name not in DTYPES:
            raise Unfit(f"an array of {array.dtype.name}")
        if self.size + array.nbytes > PAYLOAD_LIMIT:
            raise Unfit(f"an array of shape {array.shape}, too large to hand in")
        array = np.ascontiguousarray(array).reshape(array.shape)
        self.size += array.nbytes
        self.chunks.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return {"dtype": array.dtype.name, "shape": list(array.shape)}

    def _refuse(self, kind: type) -> list:
        raise Unfit(f"an object of type {kind.__name__[:60]}, not a number, a text, an array or a list of these")


class Decoder:
    """Turns a header and its bytes into values, trusting neither; `tensor` wraps an array that was a tensor."""

    def __init__(self, payload: bytes, tensor: Callable[[np.ndarray], Any]) -> None:
        self.payload, self.tensor = payload, tensor
        self.at = self.nodes = 0

    def value(self, node: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if depth > DEPTH or self.nodes > NODES or not isinstance(node, list) or not node:
            raise WireError("a value that is no value")
        tag, rest = node[0], node[1:]
        if tag == "n" and not rest:
            return None
        if len(rest) != 1:
            raise WireError("a value that is no value")
        return self._tagged(tag, rest[0], depth)

    def _tagged(self, tag: Any, body: Any, depth: int) -> Any:
        kinds = {"b": bool, "f": float, "s": str, "i": str, "l": list, "u": list, "d": list, "a": dict, "t": dict}
        if not isinstance(tag, str) or tag not in kinds or type(body) is not kinds[tag]:
            raise WireError("a value of no known kind")
        if tag in "bfs":
            return body
        if tag == "i":
            if len(body) > DIGITS + 1 or not body.removeprefix("-").isdecimal():
                raise WireError("a whole number that is none")
            return int(body)
        if tag in "lu":
            items = [self.value(item, depth + 1) for item in body]
            return items if tag == "l" else tuple(items)
        if tag == "d":
            return dict(self._pair(pair, depth) for pair in body)
        array = self._array(body)
        return array if tag == "a" else self.tensor(array)

    def _pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise WireError("a dict that is none")
        key = self.value(pair[0], DEPTH)
        if type(key) is not str:
            raise WireError("a key that is no text")
        return key, self.value(pair[1], depth + 1)

    def _array(self, body: dict) -> np.ndarray:
        dtype, shape = body.get("dtype"), body.get("shape")
        sized = isinstance(shape, list) and len(shape) <= 32 and all(type(n) is int and 0 <= n < 2**31 for n in shape)
        if dtype not in DTYPES or not sized:
            raise WireError("an array that is none")
        count = math.prod(shape) * np.dtype(dtype).itemsize
        if count > len(self.payload) - self.at:
            raise WireError("an array with fewer bytes than it says")
        raw = self.payload[self.at : self.at + count]
        self.at += count
        array = np.frombuffer(raw, dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype)
        if dtype == "bool":
            array = np.frombuffer(raw, dtype=np.uint8) != 0  # a byte of 2 is no bool
        return array.reshape(shape)


def frame(header: dict, chunks: list[bytes]) -> bytes:
    """One frame, ready to be written."""
    head, payload = json.dumps(header).encode(), b"".join(chunks)
    if len(head) > HEADER_LIMIT:
        raise Unfit("a value that is too large to hand in")
    return LENGTHS.pack(len(head), len(payload)) + head + payload


def cut(buffer: bytearray) -> tuple[dict, bytes] | None:
    """Takes the first whole frame off a buffer; None while it is not whole."""
    if len(buffer) < LENGTHS.size:
        return None
    head, payload = LENGTHS.unpack_from(buffer)
    if head > HEADER_LIMIT or payload > PAYLOAD_LIMIT:
        raise WireError("a frame over the limit")
    start = LENGTHS.size + head
    if len(buffer) < start + payload:
        return None
    try:
        header = json.loads(buffer[LENGTHS.size : start])
    except (ValueError, RecursionError) as error:
        raise WireError("a frame that is no JSON") from error
    if not isinstance(header, dict):
        raise WireError("a frame that is no object")
    body = bytes(buffer[start : start + payload])
    del buffer[: start + payload]
    return header, body
