"""02_1.2: which of the five challenges is it?"""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


STATEMENT = """
Five problems. Which of the five words of multimodal learning names each best? Every word is used once:
`"representation"`, `"translation"`, `"alignment"`, `"fusion"`, `"co-learning"`.

- `a`: A model has never seen a drawing of an axolotl, but it has read its description; it recognises the drawing all
  the same.
- `b`: A clip shows a cook and has a voice-over; find the second in which each spoken ingredient is in the picture.
- `c`: A photograph of a street sign is read aloud for a blind person.
- `d`: Pictures are grids, sounds are waves, words are symbols; make of each a vector that a machine can compute with.
- `e`: In a noisy room, lips and voice together decide whether "ba" or "da" was said.
"""

EXERCISE = Exercise(
    id="02_1.2",
    lesson="02_1_multimodal_learning",
    title="Five problems, five words",
    kind="answer",
    entry="words",
    statement=STATEMENT,
    stub="""
# One word for each letter.
words = {"a": ..., "b": ..., "c": ..., "d": ..., "e": ...}
""",
    checks=tuple(
        Check(f"problem {letter}", 1, _read, f"the word for problem {letter}", Sealed(letter)) for letter in "abcde"
    ),
    hints={
        "value": (
            "Ask of each problem what goes in and what comes out: one modality, several, a place in time, a decision?",
            "Fusion makes one decision from several inputs; translation makes one modality out of another; "
            "alignment says what belongs to what.",
            "In co-learning, what one modality knows helps with another in which there was nothing to learn from.",
        ),
    },
    wrong=(
        Wrong(
            'words = dict(a="representation", b="alignment", c="translation", d="co-learning", e="fusion")',
            3,
            "mistakes learning across modalities for representing one",
        ),
        Wrong(
            'words = dict(a="translation", b="fusion", c="alignment", d="representation", e="co-learning")',
            1,
            "knows only what a representation is",
        ),
    ),
    variant="""
letters = "dcbea"
names = ["Representation", "Translation", "Alignment", "Fusion", "Co-learning"]
words = {letter: name for letter, name in zip(letters, names)}
""",
)
