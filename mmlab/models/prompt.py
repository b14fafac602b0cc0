"""A conversation as token ids: who speaks, the places kept for pictures and sounds, and which words are the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from mmlab.models.connectors import Percept, Turn
from mmlab.models.language import ASSISTANT, AUDIO, END, IMAGE, USER
from mmlab.types import InputError

Message = Mapping[str, Any]  # role "user" or "assistant", text, images and audio (lists, may be left out)
PLACES = {"image": IMAGE, "audio": AUDIO}
CACHED = 65_536  # texts whose ids are kept: dialogues repeat theirs


@dataclass(frozen=True)
class Format:
    """How a language model is told who speaks: ids before the first question, before an answer, between the two turns."""

    opening: tuple[int, ...]
    reply: tuple[int, ...]
    following: tuple[int, ...]  # its first id ends an answer

    @property
    def end(self) -> int:
        return self.following[0]


@dataclass(frozen=True)
class Prompts:
    """Prompts as one tensor, padded on one side.

    Shape:   ids, mask, places, answers (batch, seq); turns: the percepts that fill the places, in order
    """

    ids: Int[Tensor, "batch seq"]
    mask: Bool[Tensor, "batch seq"]
    places: Bool[Tensor, "batch seq"]
    answers: Bool[Tensor, "batch seq"]
    turns: tuple[Turn, ...]

    def to(self, device: torch.device | str) -> "Prompts":
        """The same prompts there; percepts stay where they are, a connector takes them to its own device."""
        tensors = {name: getattr(self, name).to(device) for name in ("ids", "mask", "places", "answers")}
        return replace(self, **tensors)


@dataclass(frozen=True)
class Prompt:
    """The ids of a conversation; `answers` marks the ids that the model should say, `turns` holds what fills its places."""

    ids: tuple[int, ...]
    answers: tuple[bool, ...]
    turns: tuple[tuple[Percept, ...], ...]

    def __len__(self) -> int:
        return len(self.ids)


def own_format(tokenizer: Any) -> Format:
    """The marks of our own tokenizer."""
    user, assistant, end = tokenizer.convert_tokens_to_ids([USER, ASSISTANT, END])
    return Format((user,), (assistant,), (end, user))


def foreign_format(tokenizer: Any, *, name: str) -> Format:
    """The chat template of a tokenizer where it has one, else the words "User:" and "Assistant:"."""
    if tokenizer.eos_token_id is None:
        raise InputError(f"The tokenizer of {name} has no end token; set eos_token and save it again.")
    if tokenizer.chat_template is not None:
        pieces = _template_pieces(tokenizer)
    else:
        start = tokenizer.bos_token or ""
        pieces = f"{start}User: ", "\nAssistant: ", f"{tokenizer.eos_token}\nUser: "
    return Format(*(tuple(tokenizer.encode(piece, add_special_tokens=False)) for piece in pieces))


def _template_pieces(tokenizer: Any) -> tuple[str, str, str]:
    """What a chat template writes before the first question, before an answer, and between an answer and a question."""
    first, answer, second = "FIRSTQUESTION", "FIRSTANSWER", "SECONDQUESTION"
    said = [("user", first), ("assistant", answer), ("user", second)]
    text = tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in said], tokenize=False, add_generation_prompt=True
    )
    opening, rest = text.split(first)
    _, rest = rest.split(answer)
    following, reply = rest.split(second)
    return opening, reply, following


class Prompter:
    """Conversations to prompts, for one tokenizer, format and connector (whose `slots` says how many places to keep)."""

    def __init__(self, tokenizer: Any, form: Format, slots: Callable[[Sequence[str]], list[str]]) -> None:
        self.tokenizer, self.form, self.slots = tokenizer, form, slots
        self.places = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in PLACES.items()}
        self.ids = lru_cache(CACHED)(self._ids)

    def _ids(self, text: str) -> tuple[int, ...]:
        """Ids of a text in which the marks of the format are letters like others: nobody can type another's turn."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def __call__(self, messages: Sequence[Message]) -> Prompt:
        """The prompt of a conversation; one that ends with a question ends with the mark of an answer.

        Raises:  InputError where questions and answers do not alternate, beginning with a question
        """
        roles = [message["role"] for message in messages]
        if not roles or any(role != ("user", "assistant")[i % 2] for i, role in enumerate(roles)):
            raise InputError(
                f"A conversation is user, assistant, user, ... in turn, got {', '.join(roles) or 'no message'}; begin "
                "with a question of the user."
            )
        ids: list[int] = []
        answers: list[bool] = []
        turns: list[tuple[Percept, ...]] = []
        for i, message in enumerate(messages):
            if message["role"] == "user":
                turns.append((*message.get("images", ()), *message.get("audio", ())))
                part = [*(self.form.following if i else self.form.opening), *self._question(message["text"], turns[-1])]
                part += self.form.reply
                answers += [bool(i) and at == 0 for at in range(len(part))]  # the end of the answer before it
            else:
                part = list(self.ids(message["text"]))
                answers += [True] * len(part)
            ids += part
        if roles[-1] == "assistant":
            ids.append(self.form.end)
            answers.append(True)
        return Prompt(tuple(ids), tuple(answers), tuple(turns))

    def batch(self, prompts: Sequence[Prompt], *, left: bool = False, multiple: int = 1) -> Prompts:
        """Prompts as tensors; padded on the left where an answer is to follow, else on the right.

        Their common length is a multiple of `multiple`: a processor that prepares a product for each new shape meets few.
        """
        length = -(-max(map(len, prompts)) // multiple) * multiple
        rows = []
        for prompt in prompts:
            fill = [(self.form.end, False, False)] * (length - len(prompt))
            real = [(i, True, answer) for i, answer in zip(prompt.ids, prompt.answers, strict=True)]
            rows.append(fill + real if left else real + fill)
        ids, mask, answers = torch.tensor(rows).unbind(-1)
        places = torch.isin(ids, torch.tensor(list(self.places.values()))) & mask.bool()
        turns = tuple(turn for prompt in prompts for turn in prompt.turns)
        return Prompts(ids, mask.bool(), places, answers.bool(), turns)

    def _question(self, text: str, turn: Sequence[Percept]) -> list[int]:
        """The words, then the places, whatever placeholders the text was written with: right before the answer."""
        for mark in PLACES.values():
            text = text.replace(mark, "")
        places = [self.places[name] for name in self.slots([percept.modality for percept in turn])]
        return [*self.ids(text.strip()), *places]
