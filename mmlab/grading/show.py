"""How the result of a self-check looks: plain text for a terminal, HTML for a notebook; never the expected values."""

import html
import re
from typing import TYPE_CHECKING

import numpy as np

from mmlab.grading.compare import Judged, Seal
from mmlab.grading.values import Call, Outcome, Tensor, Value, kind_of

if TYPE_CHECKING:
    from mmlab.grading.check import Line, Result

SHORT = 70  # characters of a value that is shown as it is
GREEN, RED, GREY = "#0b6e4f", "#a4243b", "#5f6368"


def as_text(result: "Result") -> str:
    """The result as lines of text."""
    title = f"{result.exercise.id} · {result.exercise.title}"
    if not result.attempted:
        return f"{title}: not attempted yet ({result.exercise.points:g} points)"
    lines = [f"{title}: {result.points:g} of {result.full:g} points"]
    for line in result.lines:
        mark = "✓" if line.failure is None else "✗"
        lines.append(f"  {mark} {line.check.name} ({_points(line)}): {line.check.about}")
        lines += [f"      {name:<9} {words}" for name, words in details(result.exercise.entry, line)]
    return "\n".join([*lines, *filter(None, [_closing(result), result.note])])


def as_html(result: "Result") -> str:
    """The result as a small table; the words are the same as in the text."""
    title = f"{html.escape(result.exercise.id)} · {html.escape(result.exercise.title)}"
    if not result.attempted:
        return f"<p><b>{title}</b>: not attempted yet ({result.exercise.points:g} points)</p>"
    blocks = [f"<p><b>{title}</b>: {result.points:g} of {result.full:g} points</p>"]
    for line in result.lines:
        colour, mark = (GREEN, "✓") if line.failure is None else (RED, "✗")
        about = f"<b>{html.escape(line.check.name)}</b> ({_points(line)}): {html.escape(line.check.about)}"
        rows = "".join(
            f"<tr><td style='color:{GREY};text-align:left;vertical-align:top'>{name}</td>"
            f"<td style='text-align:left'><code>{html.escape(words)}</code></td></tr>"
            for name, words in details(result.exercise.entry, line)
        )
        table = f"<table style='margin:0 0 0 1.5em'>{rows}</table>" if rows else ""
        blocks.append(f"<div><span style='color:{colour}'>{mark}</span> {about}{table}</div>")
    closing = [f"<p>{html.escape(words)}</p>" for words in (_closing(result), result.note) if words]
    return "".join(blocks + closing)


def details(entry: str, line: "Line") -> list[tuple[str, str]]:
    """Of a check that fails: what was tried, what came, what was expected in shape and kind, and what is wrong."""
    if line.failure is None or line.call is None or line.outcome is None:
        return []
    wrong = ("wrong", line.failure.sentence)
    if isinstance(line.expected, Seal) or isinstance(line.check.compare, Judged):
        return [wrong]
    tried = [("tried", _tried(entry, line.call))] if line.call.args else []
    if line.failure.kind == "in_place":
        return [*tried, wrong]
    shown = [("came", _came(line.outcome)), ("expected", kind_of(line.expected))]
    return [*tried, *shown] if line.outcome.error else [*tried, *shown, wrong]


def _points(line: "Line") -> str:
    return f"{line.check.points:g} point" + ("" if line.check.points == 1 else "s")


def _closing(result: "Result") -> str:
    if result.hint:
        return result.hint
    more = result.exercise.points - result.full
    hidden = f" Hidden checks, worth {more:g} more, follow when it is graded." if more else ""
    return f"All checks pass.{hidden}"


def _tried(entry: str, call: Call) -> str:
    return f"{entry}({', '.join(f'{name}={shown(value)}' for name, value in call.args.items())})"


def _came(outcome: Outcome) -> str:
    if outcome.missing:
        return "nothing"
    if outcome.slow:
        return "nothing in time"
    return outcome.error or outcome.unfit or _both(outcome.value)


def _both(value: Value) -> str:
    short, kind = shown(value), kind_of(value)
    return kind if short == kind else f"{kind}: {short}"


def shown(value: Value) -> str:
    """A value itself where it is short, else its kind."""
    array = value.array if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray):
        text = np.array2string(array, precision=4, separator=", ", threshold=12)
        text = re.sub(r"\s+", " ", text)
        name = "tensor" if isinstance(value, Tensor) else "array"
        return f"{name}({text})" if array.size <= 12 and len(text) <= SHORT else _brief(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= SHORT and "array(" not in text else _brief(value)


def _brief(value: Value) -> str:
    """The kind of a value among others in a call."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {shown(each)}" for name, each in value.items()) + "}"
    return kind_of(value).removeprefix("a ")
