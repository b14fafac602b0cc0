"""`mmlab eval joint`: every figure that the course states about the joint space.

**Protocol.** Asked about are the things of the training families, in drawing styles and voices that were never seen;
the gallery holds all things, those never seen at all included. The names are the same strings as in training: what is
tested is the drawing and the voice (and for en_to_zh, whether training took). A tie counts against the right answer.
Things whose names are one string (after the tokenizer's normalisation) in a language that the question uses are right
answers for each other; `shared_names` says how many there are. A query whose answer was never drawn or spoken is left
out.

`speech_...` without a voice pools the English voices of the split; `fused_...` adds picture and speech with the model's
own weights, and `..._noisy` puts the speech under white noise as strong as itself. `false_alarm_...` and `flagged_...`
are shares of inputs that are called unlike anything learned: of unseen styles and voices, and of what is neither.
"""

from collections.abc import Callable

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.agreement import gaps, matching
from mmlab.evaluation.figure import Figure
from mmlab.evaluation.fused import fused_figures
from mmlab.evaluation.retrieval import pictures, speech_and_pictures, words, zero_shot
from mmlab.evaluation.space import Space
from mmlab.evaluation.strangers import strangers
from mmlab.models.joint import JointEmbedder


def evaluate_joint(
    model: JointEmbedder,
    data: EmojiData,
    *,
    split: str = "test",
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> dict[str, Figure]:
    """All figures of a model, by name; each a dict with n and an interval.

    With split="validation" the validation styles and voices take the place of the test's ("near" is emojione, "far" its
    line drawings; there is no unseen engine): fair only for a model that was trained with `tuning=True`.

    Cost:    embeds about 13,000 short clips, 2,900 pictures and 2,900 names; under a minute on two cores
    """
    return space_figures(Space(model, data, split=split), seed=seed, say=say)


def space_figures(space: Space, *, seed: int = 0, say: Callable[[str], None] | None = None) -> dict[str, Figure]:
    """`evaluate_joint` for a space that is there already, and keeps what it embeds."""
    found: dict[str, Figure] = {}
    for title, part in PARTS.items():
        if say is not None:
            say(title)
        found |= part(space, seed)
    return found


PARTS: dict[str, Callable[[Space, int], dict[str, Figure]]] = {
    "names and speech": words,
    "names and pictures": pictures,
    "speech and pictures": speech_and_pictures,
    "picture and speech added": fused_figures,
    "do picture and sound agree": matching,
    "things never seen": zero_shot,
    "modality gaps": gaps,
    "what is familiar": strangers,
}
