"""How much of the answers could be guessed: the share of the commonest answer, by kind and language."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from mmlab.datasets.dialogue.types import Dialogue, Turn


def turns(dialogues: Iterable[Dialogue]) -> list[Turn]:
    """All turns, one dialogue after another."""
    return [turn for dialogue in dialogues for turn in dialogue.turns]


def majority_rates(dialogues: Iterable[Dialogue]) -> dict[tuple[str, str], float]:
    """The share of the commonest answer among those to each kind of question in each language."""
    counts: Mapping[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for turn in turns(dialogues):
        counts[turn.kind, turn.language][turn.answer] += 1
    return {key: max(found.values()) / found.total() for key, found in sorted(counts.items())}
