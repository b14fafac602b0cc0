"""How a chat says something: greedy or sampled, one answer as it comes or many at once, and how likely a given answer is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor

from mmlab.models.prompt import Message, Prompts
from mmlab.types import InputError

CHUNK = 128  # conversations answered at once


def manner(*, temperature: float, top_p: float) -> dict[str, Any]:
    """What `generate` of transformers is told: the likeliest token at temperature 0, else a draw from the top."""
    if temperature < 0 or not 0 < top_p <= 1:
        raise InputError(f"Expected a temperature of 0 or more and top_p in (0, 1], got {temperature} and {top_p}.")
    if temperature == 0:
        return {"do_sample": False}
    return {"do_sample": True, "temperature": float(temperature), "top_p": float(top_p), "top_k": 0}


def control(*, streamer: Any, stop: Callable[[], bool] | None) -> dict[str, Any]:
    """Who is told of each token, and who may end the answer."""
    return {"streamer": streamer, "stopping_criteria": [_Stop(stop)] if stop is not None else []}


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Draws from a seed of their own; without one, from the global state."""
    with torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        yield


@torch.no_grad()
def say(chat: Any, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int, **how: Any) -> list[str]:
    """The next answer in each conversation; `how` goes to `generate` of transformers.

    Raises:  InputError where a conversation is as long as the language model reads
    """
    prompts = chat.prompt.batch([chat.prompt(messages) for messages in conversations], left=True).to(chat.device)
    _check_length(chat, prompts, room=1)
    was_training = chat.training
    chat.eval()
    ids = chat.lm.generate(
        inputs_embeds=chat.embed(prompts),
        attention_mask=prompts.mask.long(),
        max_new_tokens=min(max_new_tokens, chat.longest - prompts.ids.shape[1]),
        eos_token_id=chat.form.end,
        pad_token_id=chat.form.end,
        **how,
    )
    chat.train(was_training)
    return [text.strip() for text in chat.tokenizer.batch_decode(ids, skip_special_tokens=True)]


def answer(chat: Any, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int) -> list[str]:
    """Greedy answers, conversations of like length together."""
    order = sorted(range(len(conversations)), key=lambda i: -len(chat.prompt(conversations[i])))
    said: dict[int, str] = {}
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        texts = say(chat, [conversations[i] for i in rows], max_new_tokens=max_new_tokens, do_sample=False)
        said |= dict(zip(rows, texts, strict=True))
    return [said[i] for i in range(len(conversations))]


@torch.no_grad()
def log_likelihood(
    chat: Any, conversations: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]
) -> list[Float[Tensor, " options"]]:
    """The sum of log p over the tokens of each option and its end, for each conversation."""
    asked = [messages for messages, own in zip(conversations, options, strict=True) for _ in own]
    said = [option for own in options for option in own]
    values: list[Tensor] = []
    for start in range(0, len(asked), CHUNK):
        before = asked[start : start + CHUNK]
        given = said[start : start + CHUNK]
        whole = [[*m, {"role": "assistant", "text": text}] for m, text in zip(before, given, strict=True)]
        prompts = chat.prompt.batch([chat.prompt(messages) for messages in whole]).to(chat.device)
        _check_length(chat, prompts, room=0)
        first = torch.tensor([len(chat.prompt(messages)) for messages in before], device=chat.device)
        places = torch.arange(1, prompts.ids.shape[1], device=chat.device)
        kept = prompts.mask[:, 1:] & (places >= first[:, None])
        every = chat(prompts)[:, :-1].float().log_softmax(dim=-1)
        own = every.gather(-1, prompts.ids[:, 1:, None])[..., 0]
        values += reduce(own * kept, "row seq -> row", "sum").unbind()
    flat = iter(values)
    return [torch.stack([next(flat) for _ in own]) for own in options]


def _check_length(chat: Any, prompts: Prompts, *, room: int) -> None:
    length = prompts.ids.shape[1]
    if length + room > chat.longest:
        raise InputError(
            f"This conversation has {length} tokens, but the language model reads {chat.longest}; begin a new one."
        )


class _Stop:
    """Asks after every token whether to go on, in the way that `generate` of transformers wants to be told."""

    def __init__(self, asked: Callable[[], bool]) -> None:
        self.asked = asked

    def __call__(self, ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return torch.full((len(ids),), bool(self.asked()), device=ids.device)
