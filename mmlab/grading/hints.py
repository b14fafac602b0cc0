"""Which hint comes next: the exercise's own for this kind of failure, from gentle to plain, else one for the kind."""

from mmlab.grading.exercise import Exercise

GENERAL = {
    "missing": ("Something was left empty, or a `return` is missing: a function without one gives None.",),
    "names": (
        "The arguments are given by name: keep the parameters' names as the stub has them, and give any that you add a "
        "default.",
    ),
    "error": (
        "Call your function yourself, on the smallest input that you can think of, and read the error from its last "
        "line up.",
    ),
    "slow": (
        "Does a loop never end? Else: a loop over every element is slow in Python; look for one operation on whole "
        "arrays, or for work that repeats.",
    ),
    "in_place": (
        "`x += 1`, `x[0] = 1` and methods that end in `_` change the caller's array; make a new one, `x + 1`, or "
        "copy first.",
    ),
    "type": ("Compare what the statement says the function gives with `type(...)` of what yours gives.",),
    "shape": (
        "Write the shape beside each line of your code as a comment; the first that surprises you is the place.",
    ),
    "dtype": ("Look where the kind of number changes: whole numbers, 32 or 64 bits, True and False.",),
    "axis": ("Try it on an input whose axes all have different lengths; which axis do you sum, sort or cut along?",),
    "sign": ("Look for a minus that is missing, or one too many: a loss is minus a log-likelihood.",),
    "scale": (
        "Everything is off by one factor: a mean in place of a sum, a missing division, another base of the logarithm?",
    ),
    "case": (
        "The usual case works; read the statement again for the special one, and try exactly that input by hand.",
    ),
    "value": ("Work the smallest case on paper and compare each intermediate value with your code's.",),
}


def hints(exercise: Exercise, kind: str) -> tuple[str, ...]:
    """All hints for one kind of failure, in order."""
    return exercise.hints.get(kind) or GENERAL[kind]


def hint(exercise: Exercise, kind: str, attempt: int) -> tuple[str, int, int]:
    """The hint for the given attempt with this failure (0 is the first), its number and how many there are."""
    found = hints(exercise, kind)
    place = attempt % len(found)  # after the last the first again: the next mistake may be another
    return found[place], place + 1, len(found)
