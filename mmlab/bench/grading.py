"""`mmlab bench grading`: seconds and memory for a class, beside nbgrader and otter on the same functions in the same run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from mmlab.bench.grading_peers import PEERS, Peer
from mmlab.bench.race import Figure
from mmlab.grading.cells import cells
from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.reference import reference_source
from mmlab.types import InputError

IDS = ("04_2.2", "04_3.1", "05_3.1")  # three that compute with torch
ROUNDS = 3
MIB = 2**20
RUN = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); "
RUN += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)"


def bench_grading(
    *, learners: int = 200, few: int = 10, peers: Path | None = None, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Seconds per submission of ours (one worker; then one for each core) and of each peer that `peers` has installed.

    `peers` is the Python of an environment with nbgrader and otter-grader; they grade `few` submissions of the same class.
    The graders take turns, and each time is of whole commands, from start to reports.
    """
    exercises = [EXERCISES[id] for id in IDS]
    with tempfile.TemporaryDirectory(prefix="mmlab-bench-") as name:
        folder = Path(name)
        made = classroom(folder / "class", exercises, learners)
        rivals = [peer(folder / peer.name, peers, exercises, few) for peer in PEERS] if peers is not None else []
        samples: dict[str, list[float]] = {}
        memory = 0.0
        for turn in range(ROUNDS):
            for workers in (1, 0):
                seconds, memory = grade_class(made, folder / f"out-{turn}-{workers}", workers)
                samples.setdefault("ours" if workers else "ours_all_cores", []).append(seconds / learners)
            for rival in rivals:
                samples.setdefault(rival.name, []).append(rival.seconds() / few)
    return told(samples, memory, learners=learners, few=few, rivals=rivals, say=say)


def told(
    samples: dict[str, list[float]],
    memory: float,
    *,
    learners: int,
    few: int,
    rivals: list[Peer],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The figures, each with its interval, and how many times as fast ours is."""
    figures = {name: Figure.of(values) for name, values in samples.items()}
    ours = figures["ours"].value
    results: dict[str, Any] = {
        f"seconds_per_submission_{name}": {**vars(figure), "submissions": few if name in PEER_NAMES else learners}
        for name, figure in figures.items()
    }
    for name, figure in figures.items():
        say(f"{name:15} {figure.value:7.3f} s per submission")
    for rival in rivals:
        results[f"times_as_fast_as_{rival.name}"] = figures[rival.name].value / ours
        results[f"version_of_{rival.name}"] = rival.version
        say(f"{figures[rival.name].value / ours:5.1f} times as fast as {rival.name} {rival.version}")
    results |= {"largest_process_mib": round(memory, 1), "exercises": list(IDS), "cores": os.cpu_count()}
    say(f"the largest process of ours took {memory:.0f} MiB")
    return results


PEER_NAMES = {peer.name for peer in PEERS}


def classroom(folder: Path, exercises: list[Exercise], learners: int) -> list[Path]:
    """Notebooks of a class: two of three are right, every third has one exercise wrong and one not attempted."""
    folder.mkdir(parents=True)
    paths = []
    for number in range(learners):
        sources = solutions(exercises, number)
        book = nbformat.v4.new_notebook()
        for exercise in exercises:
            own = cells(exercise)
            own[1].source = sources[exercise.id]
            book.cells += own
        paths.append(folder / f"learner-{number:03}.ipynb")
        nbformat.write(book, paths[-1])
    return paths


def solutions(exercises: list[Exercise], number: int) -> dict[str, str]:
    """What one learner writes."""
    if number % 3 == 2:
        first, second, third = exercises
        return {first.id: reference_source(first.id), second.id: second.wrong[0].source, third.id: third.stub}
    return {one.id: one.variant if number % 3 else reference_source(one.id) for one in exercises}


def grade_class(paths: list[Path], out: Path, workers: int) -> tuple[float, float]:
    """Seconds of one run of `mmlab grade`, and MiB of its largest process.

    Raises:  InputError where a verdict is wrong: a time without right marks is worth nothing
    """
    command = [sys.executable, "-m", "mmlab.cli", "grade", *map(str, paths), "--out", str(out), "--quiet"]
    command += ["--workers", str(workers), *(word for id in IDS for word in ("--only", id))]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", RUN, *command], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise InputError(f"mmlab grade failed in the race: {done.stderr[-500:]}")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    full = report["max_score"]
    wrong = [row["name"] for i, row in enumerate(report["submissions"]) if (row["score"] == full) == (i % 3 == 2)]
    if wrong:
        raise InputError(
            f"{len(wrong)} submissions have a wrong mark, {wrong[0]} first; mend the grader before timing it."
        )
    scale = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return seconds, int(done.stderr.split()[-1]) * scale / MIB
