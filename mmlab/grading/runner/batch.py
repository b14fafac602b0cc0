"""A run of the grader: every submission once, on several workers, with a journal; the result is plain data."""

import hashlib
import json
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mmlab
from mmlab.grading import reference
from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.runner.answers import Answers, private_checks
from mmlab.grading.runner.isolation import Isolation, check_level, probe, uid_for
from mmlab.grading.runner.job import Runner
from mmlab.grading.runner.journal import Journal
from mmlab.grading.runner.judge import Judge, total
from mmlab.grading.runner.pool import FORKS, Limits, Pool
from mmlab.grading.runner.submission import Submission, gather, open_submission
from mmlab.types import InputError

SCHEMA = 1
PACKAGE = Path(mmlab.__file__).resolve().parent


@dataclass(frozen=True)
class Options:
    """How a run grades; `only` are beginnings of exercise ids or lessons, `seed` repeats an earlier run's inputs."""

    only: tuple[str, ...] = ()
    hidden: Path | None = None
    seed: str | None = None
    isolate: str = "process"
    workers: int = 0  # 0: one for each core
    limits: Limits = field(default_factory=Limits)
    fork: bool = FORKS


def grade(
    paths: Sequence[Path],
    out: Path,
    *,
    options: Options | None = None,
    exercises: Mapping[str, Exercise] = EXERCISES,
    source_of: Callable[[str], str] = reference.reference_source,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Grades every submission and gives the report as plain data; what was graded before a kill is not done again.

    Raises:  InputError where the request cannot be met
    """
    options = Options() if options is None else options
    check_level(options.isolate)
    chosen = choose(exercises, options.only)
    private = private_checks(options.hidden, chosen) if options.hidden is not None else {}
    submissions = gather(paths)
    key = fingerprint(chosen, private, submissions, options)
    journal = Journal(out, key=key, secret=options.seed or secrets.token_hex(16), total=len(submissions))
    try:
        answers = Answers(chosen, secret=journal.secret, private=private, reference=source_of, known=exercises)
        if journal.resumed:
            say(f"Going on with a run that was cut off: {len(journal.rows)} of {len(submissions)} are graded.")
        began = time.time()
        isolation = _run(submissions, journal, answers, options, say)
        report = {
            "schema": SCHEMA,
            "tool": f"mmlab {mmlab.__version__}",
            "graded": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - began, 2),
            "seed": journal.secret,
            "hidden_checks": answers.whole,
            "isolation": isolation.as_dict(),
            "max_score": total(answers.points(id) for id in chosen),
            "submissions": [journal.rows[submission.name] for submission in submissions],
        }
        journal.finish()
    finally:
        journal.close()
    return report


def choose(exercises: Mapping[str, Exercise], only: Sequence[str]) -> dict[str, Exercise]:
    """The exercises whose id or lesson begins with one of the given texts; all, where none is given."""
    for begin in only:
        if not any(one.id.startswith(begin) or one.lesson.startswith(begin) for one in exercises.values()):
            raise InputError(f"No exercise and no lesson begins with {begin!r}; there are {', '.join(exercises)}.")
    return {
        id: one
        for id, one in exercises.items()
        if not only or one.id.startswith(tuple(only)) or one.lesson.startswith(tuple(only))
    }


def fingerprint(
    exercises: Mapping[str, Exercise], private: Mapping, submissions: Sequence[Submission], options: Options
) -> str:
    """What makes two runs the same one: exercises, private checks, names, and what the points depend on."""
    checks = {id: [[c.name, c.points] for c in (*one.checks, *private.get(id, ()))] for id, one in exercises.items()}
    told = [mmlab.__version__, checks, [one.name for one in submissions], options.seed, options.isolate]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _run(
    submissions: Sequence[Submission], journal: Journal, answers: Answers, options: Options, say: Callable[[str], None]
) -> Isolation:
    """Grades what the journal does not have yet; the first error of the grader itself ends all and is raised."""
    waiting: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    for submission in submissions:
        waiting.put(submission)
    workers = min(options.workers or _cores(), len(submissions))
    found: list[Isolation] = []
    errors: list[BaseException] = []
    lock = threading.Lock()
    secret_files = [journal.path, Path(answers_folder()), *([options.hidden] if options.hidden else [])]

    def work(number: int) -> None:
        forbidden = {name for one in answers.exercises.values() for name in one.forbidden}
        grader = [PACKAGE, journal.path.parent.resolve(), *([options.hidden.resolve()] if options.hidden else [])]
        try:
            with Pool(forbidden=forbidden, grader=grader, fork=options.fork) as pool:
                runner = Runner(pool, limits=options.limits, uid=uid_for(options.isolate, number))
                if number == 0:
                    found.append(probe(runner, options.isolate, secrets=secret_files))
                judge = Judge(answers, runner)
                while not errors and (submission := _next(waiting)) is not None:
                    submission = open_submission(submission, answers.read)
                    if journal.done(submission.name, submission.sha256):
                        continue
                    row = judge.submission(submission)
                    with lock:
                        journal.add(row)
                        say(f"{row['name']}: {row['score']:g} of {row['max_score']:g}. {row['reason']}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found[0]


def answers_folder() -> str:
    """A file that no solution may read."""
    return str(PACKAGE / "grading" / "references" / "__init__.py")


def _next(waiting: "queue.SimpleQueue[Submission]") -> Submission | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
