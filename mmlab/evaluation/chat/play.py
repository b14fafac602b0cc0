"""A chat model answers dialogues: what is shown is encoded once, and the model hears its own earlier answers."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mmlab.datasets.dialogue import AUDIO, IMAGE, Dialogue, Facts, Turn
from mmlab.datasets.emoji import EmojiData
from mmlab.models.chat import MultimodalChat
from mmlab.models.connectors import Percept

ROWS = 512  # pictures or clips encoded in one go


class Senses:
    """Percepts of pictures (by key) and clips (by row); each is made once."""

    def __init__(self, chat: MultimodalChat, data: EmojiData) -> None:
        self.chat, self.facts = chat, Facts.of(data)
        self.seen: dict[str, Percept] = {}
        self.heard: dict[int, Percept] = {}

    def take_in(self, turns: Iterable[Turn]) -> None:
        """Encode what these turns show and nobody showed before."""
        turns = list(turns)
        keys = sorted({key for turn in turns for key in turn.images} - self.seen.keys())
        for at in range(0, len(keys), ROWS):
            some = keys[at : at + ROWS]
            found = self.chat.see(images=[self.facts.picture(key) for key in some])
            self.seen |= dict(zip(some, found, strict=True))
        rows = sorted({row for turn in turns for row in turn.clips} - self.heard.keys())
        with ThreadPoolExecutor(2) as pool:
            waves = dict(zip(rows, pool.map(self.facts.sound, rows), strict=True))
        rows.sort(key=lambda row: len(waves[row]))  # alike in length, so that little of the work is padding
        for at in range(0, len(rows), ROWS):
            some = rows[at : at + ROWS]
            self.heard |= dict(zip(some, self.chat.see(audio=[waves[row] for row in some]), strict=True))

    def message(self, turn: Turn) -> dict[str, Any]:
        """A question as the model takes it."""
        return {
            "role": "user",
            "text": turn.question.replace(IMAGE, "").replace(AUDIO, ""),
            "images": [self.seen[key] for key in turn.images],
            "audio": [self.heard[row] for row in turn.clips],
        }

    def conversation(self, turns: Sequence[Turn], answers: Sequence[str]) -> list[dict[str, Any]]:
        """The turns as messages up to the last question, with these answers to the earlier ones."""
        found = []
        for turn, answer in zip(turns, [*answers, None], strict=True):
            found.append(self.message(turn))
            if answer is not None:
                found.append({"role": "assistant", "text": answer})
        return found


def play(senses: Senses, dialogues: Sequence[Dialogue]) -> list[tuple[str, ...]]:
    """The model's answer to every turn of every dialogue, each given its own earlier answers."""
    senses.take_in(turn for dialogue in dialogues for turn in dialogue.turns)
    said: list[list[str]] = [[] for _ in dialogues]
    for at in range(max((len(dialogue.turns) for dialogue in dialogues), default=0)):
        rows = [row for row, dialogue in enumerate(dialogues) if len(dialogue.turns) > at]
        asked = [senses.conversation(dialogues[row].turns[: at + 1], said[row]) for row in rows]
        for row, answer in zip(rows, senses.chat.answer(asked), strict=True):
            said[row].append(answer.strip())
    return [tuple(answers) for answers in said]


def choose(senses: Senses, turns: Sequence[Turn], options: Sequence[Sequence[str]]) -> list[str]:
    """Of the options of each question, asked alone, the one that the model finds likeliest."""
    senses.take_in(turns)
    scores = senses.chat.log_likelihood([senses.conversation([turn], []) for turn in turns], options)
    return [own[int(score.argmax())] for own, score in zip(options, scores, strict=True)]
