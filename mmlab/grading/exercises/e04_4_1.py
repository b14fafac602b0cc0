"""04_4.1: trace a dialogue turn, tensor by tensor, in the head."""

import numpy as np

from mmlab.grading.compare import Sealed
from mmlab.grading.exercise import Call, Check, Exercise, Wrong


def _read(rng: np.random.Generator) -> list[Call]:
    return [Call()]


PARTS = (
    ("z", "the fused vector"),
    ("soft", "the soft tokens"),
    ("inputs", "what the language model reads"),
    ("logits", "what it says at each position"),
    ("first_word", "where the reply begins"),
    ("length", "the sequence after six words"),
)

STATEMENT = """
One turn of the article's dialogue, batch of one. A picture and a spoken word are encoded to $x_i$ (256 wide) and
$x_a$ (192 wide), projected to $d_z = 100$ and added. A linear **connector** makes **4** soft tokens of the width of
the language model, 320, out of the fused vector. The prompt has 20 tokens; 4 of them are placeholders, at positions 2
to 5 (counted from 0), at which the soft tokens are spliced in. The vocabulary has 5,000 tokens.

Write down the shapes as lists, batch first:

- `z`: the fused vector; `soft`: the soft tokens; `inputs`: the embeddings that the language model reads; `logits`:
  its output;
- `first_word`: the position (counted from 0) whose logits give the first word of the reply;
- `length`: how many positions the sequence has when six tokens have been written, all six included.
"""

EXERCISE = Exercise(
    id="04_4.1",
    lesson="04_4_case_dialogue",
    title="One turn, tensor by tensor",
    kind="prediction",
    entry="trace",
    statement=STATEMENT,
    stub="""
trace = {
    "z": ...,
    "soft": ...,
    "inputs": ...,
    "logits": ...,
    "first_word": ...,
    "length": ...,
}
""",
    checks=tuple(Check(name, 1, _read, about, Sealed(name)) for name, about in PARTS),
    hints={
        "value": (
            "The soft tokens take the places of the placeholders: the sequence does not grow.",
            "Every position gives logits over the whole vocabulary, also those where a soft token stands.",
            "The logits at a position speak about the next one; the reply begins after the last token of the prompt.",
        ),
    },
    wrong=(
        Wrong(
            "trace = dict(z=[1, 100], soft=[1, 4, 320], inputs=[1, 24, 320], logits=[1, 24, 5000], first_word=24,"
            " length=30)",
            2,
            "appends the soft tokens to the prompt instead of putting them in the placeholders' places",
        ),
        Wrong(
            "trace = dict(z=[1, 448], soft=[1, 4, 320], inputs=[1, 20, 320], logits=[1, 5000], first_word=20, "
            "length=26)",
            3,
            "concatenates where the article adds, and is one position off at the reply",
        ),
    ),
    variant="""
prompt, soft, width, words = 20, 4, 320, 5000
trace = {"z": (1, 100), "soft": (1, soft, width), "inputs": (1, prompt, width), "logits": (1, prompt, words)}
trace |= {"first_word": prompt - 1, "length": prompt + 6}
""",
)
