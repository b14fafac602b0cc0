"""Files in every state in which they are handed in: everything in them that can be graded is graded."""

import json

from tests.grading.corpus.case import Case, only
from tests.grading.toy import PATCHIFY, RIGHT, STUBS


def _source(book: dict) -> str:
    return json.dumps(book, ensure_ascii=False)


def _part(cell: dict) -> str:
    return cell["metadata"].get("mmlab", {}).get("part", "")


def _solutions(change):
    def changed(book: dict) -> dict:
        for cell in book["cells"]:
            if _part(cell) == "solution":
                change(cell)
        return book

    return changed


def _old_format(book: dict) -> dict:
    cells = [{**cell, "input": cell.pop("source")} for cell in book["cells"]]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells, "metadata": {}}]}


def _reordered(book: dict) -> dict:
    book["cells"].reverse()
    return book


def _stub_copied_behind(book: dict) -> dict:
    own = [cell for cell in book["cells"] if _part(cell) == "solution"]
    book["cells"] += [{**cell, "source": source} for cell, source in zip(own, STUBS.values(), strict=True)]
    return book


def _emptied_copy_behind(book: dict) -> dict:
    book["cells"] += [{**cell, "source": " \n"} for cell in book["cells"] if _part(cell) == "solution"]
    return book


def _large(book: dict) -> bytes:
    book["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 18_000_000}]
    return _source(book).encode()


def _odd_cells(book: dict) -> dict:
    odd = [None, 7, "text", [], {"cell_type": "code"}, {"cell_type": 3, "source": {"a": 1}, "metadata": []}]
    book["cells"] = [
        *odd,
        *book["cells"],
        {"cell_type": "code", "source": [1, None, "x = 1"], "metadata": {"mmlab": 7}},
    ]
    return book


def _script(book: dict) -> bytes:
    return "\n# %% a solution\n".join(RIGHT.values()).encode()


def _other_course(book: dict) -> dict:
    book["metadata"]["mmlab"] = {"course": "0.0.1"}
    return book


def _only_nbgrader(cell: dict) -> None:
    del cell["metadata"]["mmlab"]


CHINESE = only("99.1", "# 中文注释\n" + PATCHIFY)
CASES = [
    Case("empty", 0, change=lambda book: b""),
    Case("blanks and zeros", 0, change=lambda book: b" \0\0\n"),
    Case("a list", 0, change=lambda book: b"[1, 2]"),
    Case("no cells", 0, change=lambda book: b'{"nbformat": 4}'),
    Case("nested too deeply", 0, change=lambda book: b"[" * 200_000),
    Case("cut off", 0, change=lambda book: _source(book).encode()[:-200]),
    Case("format 3", 9, change=_old_format),
    Case("no format", 9, change=lambda book: {"cells": book["cells"]}),
    Case("cells in reverse", 9, change=_reordered),
    Case("solutions as markdown", 9, change=_solutions(lambda cell: cell.update(cell_type="markdown"))),
    Case("solutions as raw cells", 9, change=_solutions(lambda cell: cell.update(cell_type="raw"))),
    Case("solutions without marks", 9, change=_solutions(lambda cell: cell.update(metadata={}))),
    Case("only nbgrader's marks", 9, change=_solutions(_only_nbgrader)),
    Case("source as one text", 9, change=_solutions(lambda cell: cell.update(source="".join(cell["source"])))),
    Case("stubs copied behind", 9, change=_stub_copied_behind),
    Case("empty copies behind", 9, change=_emptied_copy_behind),
    Case("odd cells", 9, change=_odd_cells),
    Case("large outputs", 9, change=_large),
    Case("one solution missing", 6, {id: source for id, source in RIGHT.items() if id != "99.2"}),
    Case("another version of the course", 9, change=_other_course),
    Case("with a byte order mark", 9, change=lambda book: b"\xef\xbb\xbf" + _source(book).encode()),
    Case("UTF-16", 9, CHINESE, change=lambda book: _source(book).encode("utf-16")),
    Case("GB 18030", 9, CHINESE, change=lambda book: _source(book).encode("gb18030")),
    Case("Latin-1", 9, only("99.1", "# café\n" + PATCHIFY), lambda book: _source(book).encode("latin-1")),
    Case("Windows line ends", 9, change=lambda book: _source(book).replace("\\n", "\\r\\n").encode()),
    Case("a script", 9, change=_script, suffix=".py"),
    Case("a script cut off", 0, change=lambda book: b"def patchify(", suffix=".py"),
    Case("a cell of brackets", 6, only("99.1", "x = " + "(" * 90_000)),
    Case("a cell with a zero", 6, only("99.1", "x = 1\0")),
    Case("a cell too long", 6, only("99.1", PATCHIFY + "#" * 300_000)),
]
