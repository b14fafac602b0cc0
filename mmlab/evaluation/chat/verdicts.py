"""Whether a verdict follows from the kind that the model itself has just said: alone, and in a conversation."""

from collections.abc import Sequence

from mmlab.datasets.dialogue import Dialogue, Facts, Turn, question
from mmlab.datasets.dialogue.answers import follows
from mmlab.evaluation.chat.share import share
from mmlab.evaluation.figure import Figure


def contradictions(name: str, turns: Sequence[Turn], answers: Sequence[str]) -> dict[str, Figure]:
    """`name`: of the answers that say a kind and a verdict, how many give another verdict than follows; none, if none do."""
    verdicts = [follows(said, turn.language, turn.word) for turn, said in zip(turns, answers, strict=True)]
    said = [(verdict, turn.asks_about) for verdict, turn in zip(verdicts, turns, strict=True) if verdict is not None]
    if not said:
        return {}
    return {name: share("contradicted", [not verdict for verdict, _ in said], [thing for _, thing in said])}


def conversations(facts: Facts, turns: Sequence[Turn]) -> list[Dialogue]:
    """The same questions one turn later: first what is shown is asked for by name, then they ask about that."""
    found = []
    for turn in turns:
        shown = {"images": turn.images, "clips": turn.clips}
        common = {"language": turn.language, "phrasing": turn.phrasing}
        first = question(facts, kind="what_hear" if "audio" in turn.decides else "what_see", **shown, **common)
        then = question(facts, kind=turn.kind, form=turn.form, word=turn.word, earlier=[first], **common)
        found.append(Dialogue((first, then)))
    return found
