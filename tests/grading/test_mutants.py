"""The checks catch mistakes: every reference, changed in one place, loses points wherever the change changes anything."""

import signal
from collections.abc import Iterator

import numpy as np
import pytest

from mmlab.grading.cross import attempt
from mmlab.grading.exercise import Exercise, inputs
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.reference import build, reference_source
from mmlab.grading.values import Outcome, Tensor
from tests.grading.mutants import mutants

LEAST = 0.95
SECONDS = 2
ROUNDS = 3  # of fresh inputs that may show that a mutant differs
FUNCTIONS = [id for id, exercise in EXERCISES.items() if exercise.kind == "function"]


def stop(*_: object) -> None:
    raise TimeoutError("the mutant runs for ever")


def outcomes(exercise: Exercise, entry: object, secret: str) -> Iterator[tuple]:
    """Check, call and outcome, one after the other; a mutant that does not end is slow."""
    for check in exercise.checks:
        for call in inputs(exercise, check, secret=secret):
            signal.alarm(SECONDS)
            try:
                yield check, call, attempt(entry, call, kind=exercise.kind)
            except TimeoutError:
                yield check, call, Outcome(slow=True)
            finally:
                signal.alarm(0)


def same(a: Outcome, b: Outcome) -> bool:
    """Whether two outcomes are the same to the last digits, without asking the check."""

    def flat(value: object) -> object:
        return value.array if isinstance(value, Tensor) else value

    if (a.missing, bool(a.error), a.slow, a.changed, bool(a.unfit)) != (
        b.missing,
        bool(b.error),
        b.slow,
        b.changed,
        bool(b.unfit),
    ):
        return False
    one, two = flat(a.value), flat(b.value)
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        return one.shape == two.shape and bool(np.allclose(one, two, rtol=1e-6, atol=1e-9, equal_nan=True))
    return repr(one) == repr(two) or (
        isinstance(one, float)
        and isinstance(two, int | float)
        and bool(np.isclose(one, two, rtol=1e-9, equal_nan=True))
    )


def rounds(exercise: Exercise, reference: object) -> list[list[tuple]]:
    """What the reference gives, in several rounds of fresh inputs."""
    return [list(outcomes(exercise, reference, f"round {number}")) for number in range(ROUNDS)]


def judged(exercise: Exercise, right: list[list[tuple]], source: str) -> str:
    """ "caught", "survived", or "same" where fresh inputs show no difference to the reference."""
    try:
        mutant = build(exercise, source)
    except Exception:
        return "caught"
    differs = False
    for number, known in enumerate(right):
        for (check, call, own), (_, _, other) in zip(known, outcomes(exercise, mutant, f"round {number}"), strict=True):
            differs = differs or not same(own, other)
            if check.fault(call, expected=own.value, outcome=other) is not None:
                return "caught"
    return "survived" if differs else "same"


@pytest.mark.audit
def test_nearly_every_mutant_that_matters_is_caught(capsys) -> None:
    signal.signal(signal.SIGALRM, stop)
    caught, survivors, alike = 0, [], 0
    for id in FUNCTIONS:
        exercise, source = EXERCISES[id], reference_source(id)
        right = rounds(exercise, build(exercise, source))
        for what, mutant in mutants(source):
            verdict = judged(exercise, right, mutant)
            caught += verdict == "caught"
            alike += verdict == "same"
            survivors += [f"{id}, {what}"] if verdict == "survived" else []
    share = caught / (caught + len(survivors))
    with capsys.disabled():
        print(f"\n{caught} of {caught + len(survivors)} mutants caught ({share:.1%}); {alike} more change nothing")
        print("".join(f"  survived: {line}\n" for line in survivors), end="")
    assert caught > 10 * len(FUNCTIONS) / 2 and share >= LEAST


def test_mutants_are_of_every_kind() -> None:
    source = "import numpy as np\ndef f(x):\n    y = x.mean(axis=0) - 1\n    return -y / y.sum()\n"
    kinds = {what.split(": ")[1] for what, _ in mutants(source)}
    assert {"another sign", "a dropped term", "another axis", "off by one", "sum for mean", "in place"} <= kinds
    assert "a dropped minus" in kinds


def test_a_mutant_is_told_from_its_reference() -> None:
    exercise = EXERCISES[FUNCTIONS[0]]
    source = reference_source(exercise.id)
    right = rounds(exercise, build(exercise, source))
    assert judged(exercise, right, source) == "same"
    assert judged(exercise, right, f"def {exercise.entry}(**given):\n    return 'no'") == "caught"
