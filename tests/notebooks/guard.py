"""Hooks for the run of the lessons: of a cell that was stored without outputs nbval silently compares nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from nbval.plugin import IPyNbCell

FLOOR = 5  # cells of a lesson whose stored outputs must be compared
COMPARED, SILENT, UNCHECKED, UNRUN = "compared", "silent", "unchecked", "unrun"
PROPERTY = "lesson cell"


def kind(*, check: bool, skip: bool, execution_count: int | None, outputs: Iterable[Any]) -> str:
    """What nbval does with a cell beyond running it; a silent one has no output, and must go on having none."""
    if skip or not check:
        return UNCHECKED
    if execution_count is None:
        return UNRUN
    return COMPARED if list(outputs) else SILENT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, IPyNbCell):
            found = kind(
                check=item.options["check"],
                skip=item.options["skip"],
                execution_count=item.cell.execution_count,
                outputs=item.cell.outputs,
            )
            item.user_properties.append((PROPERTY, found))
            if found == UNRUN:
                item.runtest = _refuse


def _refuse() -> None:
    pytest.fail("stored without outputs, nothing would be compared; run `make notebooks`", pytrace=False)


def _lessons(config: pytest.Config) -> tuple[dict[str, Counter], dict[str, float]]:
    """Kinds of cells that ran and seconds they took, by lesson, from the reports of all workers."""
    kinds: dict[str, Counter] = defaultdict(Counter)
    seconds: dict[str, float] = defaultdict(float)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for reports in reporter.stats.values() if reporter else ():
        for report in reports:
            found = dict(getattr(report, "user_properties", ())).get(PROPERTY)
            if found is not None and report.when == "call":
                name = report.nodeid.split("::")[0]
                kinds[name][found] += 1
                seconds[name] += report.duration
    return kinds, seconds


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    kinds, seconds = _lessons(config)
    if kinds:
        terminalreporter.section("lessons")
    for name, counts in sorted(kinds.items()):
        low = f"; at least {FLOOR} must be" if counts[COMPARED] < FLOOR else ""
        line = f"{name}: compared {counts[COMPARED]} of {sum(counts.values())} cells in {seconds[name]:.0f} s{low}"
        terminalreporter.line(line, red=bool(low))


def pytest_sessionfinish(session: pytest.Session) -> None:
    kinds, _ = _lessons(session.config)
    if session.exitstatus == pytest.ExitCode.OK and any(counts[COMPARED] < FLOOR for counts in kinds.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
