"""04_1.3: the 75 % bound, attacked and understood."""

import numpy as np

from mmlab.grading.compare import Judged, Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Failure, Wrong
from mmlab.grading.values import Value

SAME = ((0, 0), (1, 1))  # (text, picture) that say the same thing


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


def _three_of_four(args: dict[str, Value], got: Value) -> Failure | None:
    parts = [got.get(name) if isinstance(got, dict) else None for name in ("f", "g")]
    if not all(isinstance(part, list | tuple) and len(part) == 2 for part in parts):
        missing = all(part is None for part in parts)
        return Failure("missing" if missing else "type", "The parts 'f' and 'g' are lists of two numbers.")
    if not all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e12 for part in parts for v in part
    ):
        return Failure("type", "The parts 'f' and 'g' are lists of two finite numbers.")
    (f, g) = parts
    right = sum((f[text] + g[picture] > 0) == ((text, picture) in SAME) for text in (0, 1) for picture in (0, 1))
    return None if right >= 3 else Failure("value", f"With these numbers {right} of the 4 pairs are decided rightly.")


STATEMENT = """
Do a text and a picture say the same thing? There are two texts and two pictures, number 0 and number 1; pairs (0, 0)
and (1, 1) match, (0, 1) and (1, 0) do not. A linear reading of the sum $z = z_t + z_i$ scores a pair by
$w^\\top z = f(\\text{text}) + g(\\text{picture})$: one number for the text plus one for the picture. It says "same"
where the score is above 0.

- `f` and `g`: lists of two numbers each (for text 0 and 1, for picture 0 and 1) with which **three** of the four
  pairs are decided rightly;
- `best`: how many of the four are the most that any choice of numbers can decide rightly?
- `why`: which of these shows it?
    - `"A"`: the two scores that must be above 0 add up to $f_0 + f_1 + g_0 + g_1$; so do the two that must not be.
    - `"B"`: there are four pairs and only two numbers for each modality, and four unknowns cannot fit four
      conditions.
    - `"C"`: the sum of two vectors is shorter than both when they disagree, and the threshold cannot see that.
"""

EXERCISE = Exercise(
    id="04_1.3",
    lesson="04_1_projection_and_sum",
    title="What a sum cannot tell: the 75 % bound",
    kind="answer",
    entry="bound",
    statement=STATEMENT,
    stub="""
bound = {
    "f": ...,
    "g": ...,
    "best": ...,
    "why": ...,
}
""",
    checks=(
        Check("three of four", 2, _read, "numbers that decide three pairs rightly", Judged(_three_of_four, like=False)),
        Check("the bound", 1, _read, "the most that is possible", Sealed("best")),
        Check("the reason", 1, _read, "the argument that proves it", Sealed("why")),
    ),
    hints={
        "value": (
            "f and g: give up on one pair, and choose numbers for the other three.",
            "Write the four scores into a table with two rows and two columns; which signs should they have?",
            "Add the two scores of the diagonal; add the other two. What do you notice?",
        ),
        "type": ('"f": [first, second], "g": [first, second]',),
    },
    wrong=(
        Wrong(
            'bound = {"f": [1, -1], "g": [1, -1], "best": 4, "why": "B"}',
            2,
            "finds three of four and believes that the fourth is a matter of better numbers",
        ),
        Wrong(
            'bound = {"f": [0, 0], "g": [0, 0], "best": 3, "why": "C"}',
            1,
            "knows the bound, reaches chance, and gives a reason that is about lengths",
        ),
    ),
    variant='bound = dict(f=(2.0, -3.0), g=(1.0, -2.5), best=3, why="a")',
)
