"""Points over seeds: means with 95 % intervals, the two tables, and what they look like."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from mmlab.evaluation.figure import DIGITS, Figure

# Two-sided 97.5 % points of Student's t, by degrees of freedom; beyond, the normal one, which is narrower by < 5 %.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip
CHANCE = {"pair": 0.5, "odd": 0.25}
ADDITIVE = ("sum", "weighted_sum", "concat_linear", "late", "mean")
ADDITIVE_BOUND = 0.75
HEAD_FACTS = ("parameters", "hidden", "lr")  # the weight decay stands beside its lr in the choices of the budget
TABLES = {"linear": "A. One linear head", "mlp": "B. Parameter-matched MLP heads"}


def over_seeds(values: Sequence[float]) -> tuple[float, list[float] | None]:
    r"""The mean, and its Student interval over seeds: mean ± t s / sqrt(n). One seed has no interval.

    It says how far another training (other negatives, other starts) may come out, not how far other things might.
    """
    mean, n = fmean(values), len(values)
    if n < 2:
        return mean, None
    half = (STUDENT[n - 2] if n - 2 < len(STUDENT) else 1.96) * stdev(values) / sqrt(n)
    return mean, [mean - half, mean + half]


def summarise(results: Sequence[dict[str, Any]], *, series: Sequence[str]) -> dict[str, Figure]:
    """A figure for each series of points and each place that it was asked at.

    What its heads are is stated once for a series; how many questions a task has and what chance gets, once for a task.
    A figure holds its value for each seed (accuracy, or R@1 of retrieval); its mean and interval are `over_seeds` of them.
    """
    grouped: dict[str, list[dict[str, Any]]] = {}
    for name, result in zip(series, results, strict=True):
        grouped.setdefault(name, []).append(result)
    figures: dict[str, Figure] = {}
    for name, group in grouped.items():
        figures[name] = {fact: group[0][fact] for fact in HEAD_FACTS if group[0][fact]}
        figures |= {f"{name}.{asked}": _figure(group, asked) for asked in group[0]["shares"]}
        task, asked = group[0]["task"], next(iter(group[0]["shares"].values()))
        figures[task] = {"n": asked["n"]} | ({"chance": CHANCE[task]} if task in CHANCE else {})
    return figures


def _figure(group: list[dict[str, Any]], asked: str) -> Figure:
    values = [result["shares"][asked]["share"] for result in group]
    first = group[0]
    task, linear = first["task"], first["head"] == "linear"
    figure: Figure = {"seeds": [round(value, DIGITS) for value in values]}
    if task == "pair" and linear and first["operator"] in ADDITIVE and not first["alone"]:
        figure["bound"] = ADDITIVE_BOUND
    return figure


def as_tables(figures: dict[str, Figure]) -> str:
    """Markdown: for each kind of head and each task, operators against places."""
    lines = []
    for head, title in TABLES.items():
        lines += [f"## {title}", ""]
        for task in dict.fromkeys(name.split(".")[0] for name in figures):
            lines += [*_table(figures, task, head), ""]
    return "\n".join(lines).rstrip()


def _table(figures: dict[str, Figure], task: str, head: str) -> list[str]:
    names = [name.split(".") for name in figures if name.startswith(f"{task}.{head}.") and name.count(".") == 3]
    rows, columns = (list(dict.fromkeys(name[i] for name in names)) for i in (2, 3))
    if task == "missing":
        columns = [c for c in columns if c.startswith("near")]
    lines = [f"| {task} | parameters | {' | '.join(columns)} | bound |", f"|---|---|{'---|' * len(columns)}---|"]
    for row in rows:
        found = [figures[f"{task}.{head}.{row}.{column}"] for column in columns]
        size, bound = figures[f"{task}.{head}.{row}"]["parameters"], "≤ 75 %" if "bound" in found[0] else ""
        lines.append(f"| {row} | {size:,} | {' | '.join(map(_cell, found))} | {bound} |")
    return lines


def _cell(figure: Figure) -> str:
    value, interval = over_seeds(figure["seeds"])
    half = "" if interval is None else f" ± {100 * (interval[1] - value):.1f}"
    return f"{100 * value:.1f}{half}"
