"""One solution on its inputs: what came out of each call, with the clock and the processor's time watched from outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmlab.grading.exercise import Exercise
from mmlab.grading.runner.box import wire
from mmlab.grading.runner.pool import Gone, Limits, Pool, preloaded
from mmlab.grading.runner.watch import Watch
from mmlab.grading.values import Call, Outcome, Tensor

SETUP_SECONDS = 10.0
ATTEMPTS = 3  # a zygote may die this often under one solution
HURRY = 4  # once the clock has ended a check, the others get a fraction of the time


@dataclass(frozen=True)
class Group:
    """The calls of one check, in order; when one of them ends the child, the rest of the group is not tried."""

    name: str
    calls: Sequence[Call]


@dataclass(frozen=True)
class Before:
    """An exercise that this one builds on: the source of its solution, and the name that it gives to this one."""

    entry: str
    source: str
    allowed: tuple[str, ...]


@dataclass
class Ran:
    """The outcomes of each group, what was printed, and what was noticed."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    printed: str = ""
    fence: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class Runner:
    """Runs solutions in children of a pool; `uid` is the user that they become, where they become one."""

    pool: Pool
    limits: Limits = field(default_factory=Limits)
    uid: int | None = None

    def run(self, exercise: Exercise, source: str, groups: Sequence[Group], *, before: Sequence[Before] = ()) -> Ran:
        """Every call of every group. A child that ends early costs the group in which it ended, and no other.

        After one that the clock ended, the calls of the others get a quarter of the exercise's seconds.
        """
        ran, gone = Ran(), 0
        left = [group for group in groups if group.calls]
        while left:
            try:
                done = self._child(exercise, source, left, before, ran)
            except Gone:
                gone += 1
                if gone < ATTEMPTS:
                    continue
                ran.notes.append("The process that starts solutions died again and again while this one ran.")
                done = {left[0].name: [Outcome(error="the solution ended the grader's helper")]}
            ran.outcomes |= done
            left = [group for group in left if group.name not in done]
        return ran

    def _child(
        self, exercise: Exercise, source: str, groups: Sequence[Group], before: Sequence[Before], ran: Ran
    ) -> dict[str, list[Outcome]]:
        """Runs the groups in one child until all are done or it ends; the outcomes of whole (or ended) groups."""
        seconds = SETUP_SECONDS + exercise.seconds * sum(len(group.calls) for group in groups)
        job = {"memory": self.limits.memory, "file_size": self.limits.file_size, "cpu": int(seconds) + 1}
        modules = {*exercise.allowed, *(name for one in before for name in one.allowed)}
        child = self.pool.starter(preloaded(modules)).child(job, uid=self.uid)
        watch = Watch(child, self.limits)
        try:
            watch.send(request(exercise, source, groups, before))
            ran.fence = watch.ready()
            late = any(outcome.slow for outcomes in ran.outcomes.values() for outcome in outcomes)
            return collect(groups, watch, seconds=exercise.seconds / (HURRY if late else 1))
        finally:
            watch.end()
            ran.printed = (ran.printed + watch.printed())[: self.limits.output]
            child.close()


def request(exercise: Exercise, source: str, groups: Sequence[Group], before: Sequence[Before]) -> bytes:
    """The frame that tells a child what to do: no expected value, no name of a check."""
    calls, chunks = [], []
    for group in groups:
        for call in group.calls:
            encoder = wire.Encoder(lambda value: value.array if isinstance(value, Tensor) else None)
            calls.append(encoder.value(dict(call.args)))
            chunks += encoder.chunks
    modules = [name for name in exercise.allowed if name.partition(".")[0] == "mmlab"]
    header = {
        "source": source,
        "before": [[one.entry, one.source, one.allowed] for one in before],
        "entry": exercise.entry,
        "kind": exercise.kind,
        "calls": calls,
        "allowed": exercise.allowed,
        "forbidden": exercise.forbidden,
        "modules": modules,
    }
    return wire.frame(header, chunks)


def collect(groups: Sequence[Group], watch: Watch, *, seconds: float) -> dict[str, list[Outcome]]:
    """Reads frame after frame; each belongs to the next call, whatever it says."""
    first = watch.frame(SETUP_SECONDS)
    if first.error or first.missing or first.unfit or first.slow:
        return {group.name: [first] for group in groups}
    done: dict[str, list[Outcome]] = {}
    for group in groups:
        done[group.name] = []
        for _ in group.calls:
            outcome = watch.frame(seconds)
            done[group.name].append(outcome)
            if watch.over:
                return done
    return done
