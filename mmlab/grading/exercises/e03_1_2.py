"""03_1.2: the weight at which two names tie."""

import numpy as np

from mmlab.grading.exercise import Call, Check, Exercise, Wrong

NAMES = ("picture_shown", "picture_said", "sound_shown", "sound_said")


def _random(rng: np.random.Generator) -> list[Call]:
    calls = []
    for _ in range(4):
        high, low = rng.uniform(0.3, 0.9, size=2), rng.uniform(-0.2, 0.25, size=2)
        values = (high[0], low[0], low[1], high[1])  # each modality prefers its own name
        calls.append(Call({name: float(value) for name, value in zip(NAMES, values, strict=True)}))
    return calls


def _paper(rng: np.random.Generator) -> list[Call]:
    rows = ((0.6, 0.1, 0.1, 0.6), (0.8, 0.2, 0.1, 0.3), (0.5, 0.0, -0.1, 0.9))
    return [Call(dict(zip(NAMES, row, strict=True))) for row in rows]


def _one_sided(rng: np.random.Generator) -> list[Call]:
    rows = ((0.5, 0.1, 0.4, 0.2), (0.1, 0.4, 0.2, 0.6), (0.3, 0.3, 0.3, 0.3), (0.7, 0.2, 0.7, 0.2))
    return [Call(dict(zip(NAMES, row, strict=True))) for row in rows]


STATEMENT = """
The picture shows one thing, the voice says another, and the sum is $(1 - w)\\,z_i + w\\,z_a$. Both names are compared
with it; from the four cosines, of the picture and of the sound with the name that is **shown** and with the name that
is **said**, follows the weight $w$ of the sound at which both names score the same.

Write `tie(picture_shown, picture_said, sound_shown, sound_said)`, which gives that $w$. If there is no such weight
from 0 to 1, or both names score the same at every weight, there is nothing to find: give `None`. Compare with
the figure of the game above: the four cosines are the ends of its two lines, `two[SEEN][0]`, `two[HEARD][0]`,
`two[SEEN][-1]` and `two[HEARD][-1]`, and the lines cross at 0.57.
"""

EXERCISE = Exercise(
    id="03_1.2",
    lesson="03_1_four_steps",
    title="The tie, in closed form",
    entry="tie",
    statement=STATEMENT,
    stub='''
def tie(picture_shown, picture_said, sound_shown, sound_said):
    """The weight of the sound at which both names score the same: four cosines -> a number in [0, 1], or None."""
    raise NotImplementedError  # your code here
''',
    allowed=("math",),
    checks=(
        Check("on paper", 1, _paper, "three cases with easy numbers"),
        Check("random", 1, _random, "each modality prefers its own name, more or less clearly"),
        Check("no tie", 1, _one_sided, "one name ahead at every weight, or both level at every weight", kind="case"),
        Check("fresh", 1, _random, "other cosines", hidden=True),
    ),
    hints={
        "value": (
            "Write down the score of each name as a function of w: two straight lines. Where do they cross?",
            "The picture's lead for the shown name is picture_shown - picture_said; the sound's lead for the said "
            "name is sound_said - sound_shown.",
            "(1 - w) times the first lead equals w times the second.",
        ),
        "sign": ("Which lead did you subtract from which? The weight lies between 0 and 1.",),
        "case": (
            "If both modalities prefer the same name, the crossing lies outside of [0, 1].",
            "If both leads add up to 0 the lines are parallel: they never cross, or they are the same line.",
        ),
        "missing": ("Only where no single weight makes a tie is the answer None.",),
        "error": ("ZeroDivisionError? When is the denominator 0?",),
        "type": ("A number, or None where there is no tie.",),
    },
    wrong=(
        Wrong(
            """
def tie(picture_shown, picture_said, sound_shown, sound_said):
    a, b = picture_shown - picture_said, sound_said - sound_shown
    return b / (a + b)
""",
            0,
            "the weight of the picture, not of the sound",
        ),
        Wrong(
            """
def tie(picture_shown, picture_said, sound_shown, sound_said):
    a, b = picture_shown - picture_said, sound_said - sound_shown
    return a / (a + b)
""",
            3,
            "does not ask whether there is a tie at all",
        ),
        Wrong(
            """
def tie(picture_shown, picture_said, sound_shown, sound_said):
    return picture_shown / (picture_shown + sound_said)
""",
            0,
            "forgets that each modality also says something for the other name",
        ),
    ),
    variant="""
def tie(picture_shown, picture_said, sound_shown, sound_said):
    at_0 = picture_shown - picture_said
    at_1 = sound_shown - sound_said
    slope = at_1 - at_0
    if slope == 0:
        return None
    w = -at_0 / slope
    return w if 0 <= w <= 1 else None
""",
)
