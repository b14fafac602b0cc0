"""`mmlab bench chat`: how soon a reply begins, how fast it goes on, and what it costs beside the bare language model."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

import torch

from mmlab.apps.dialogue import Conversation
from mmlab.apps.streaming import Pieces
from mmlab.bench.race import Figure, race
from mmlab.datasets.emoji import EmojiData, decode_audio
from mmlab.models.chat import MultimodalChat

QUESTION, ANSWER = "What do you see?", "I see: elephant."
TURNS = 5  # of the conversation in which decoding is timed
STYLE = "twemoji"


def bench_chat(
    chat: MultimodalChat,
    data: EmojiData,
    *,
    rounds: int = 15,
    tokens: int = 32,
    seconds: float = 20.0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Milliseconds to the first token, tokens per second, and how many times as long as the bare model ours takes.

    The bare model decodes as many tokens after a prompt as long, without pictures, sounds or streaming. One thread, and
    processor time, so that other work on the machine is not counted; the first token also by the clock.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        processor, clock = _first(chat, _samples(data, count=rounds + 1))
        messages = chat.encoded(_conversation(list(_samples(data, count=TURNS))))
        [alone, _] = race(_pair(chat, messages, tokens=1), seconds=seconds / 4)
        ours, bare = race(_pair(chat, messages, tokens=tokens), seconds=seconds)
    finally:
        torch.set_num_threads(threads)
    figures = {
        "first_token_ms": Figure.of([1e3 * value for value in processor]),
        "first_token_clock_ms": Figure.of([1e3 * value for value in clock]),
        "tokens_per_second": Figure.of([(tokens - 1) / (value - median(alone)) for value in ours]),
        "ratio_to_bare": Figure.of([a / b for a, b in zip(ours, bare, strict=True)]),
    }
    for name, one in figures.items():
        say(f"{name:20} {one.value:8.2f}  ({one.low:.2f} to {one.high:.2f}, n = {one.n})")
    sizes = {"prompt_tokens": len(chat.prompt(messages)), "new_tokens": tokens, "threads": 1}
    weights = sum(p.numel() for p in chat.lm.parameters())
    return {**{name: asdict(one) for name, one in figures.items()}, **sizes, "parameters": weights}


def _samples(data: EmojiData, *, count: int) -> Iterator[tuple[Any, Any]]:
    """Pictures and sounds of things that have both."""
    pictures = data.images(STYLE)
    spoken = {row["thing"]: row["audio"]["bytes"] for row in data.clips(split="test", language="en").to_pylist()}
    both = [thing for thing in pictures if thing in spoken]
    return ((pictures[thing], decode_audio(spoken[thing])) for thing in both[:count])


def _message(sample: tuple[Any, Any]) -> dict[str, Any]:
    return {"role": "user", "text": QUESTION, "images": [sample[0]], "audio": [sample[1]]}


def _conversation(samples: list[tuple[Any, Any]]) -> list[dict[str, Any]]:
    """As many questions, each answered but the last."""
    asked = [part for sample in samples for part in (_message(sample), {"role": "assistant", "text": ANSWER})]
    return asked[:-1]


def _first(chat: MultimodalChat, samples: Iterator[tuple[Any, Any]]) -> tuple[list[float], list[float]]:
    """Seconds from a question with a new picture and a new sound to its first token: of the processor, of the clock.

    All that a conversation does is in them: reading, encoding, judging how familiar both are, the prompt. The first
    sample warms up.
    """
    processor, clock = [], []
    for image, audio in samples:
        talk = Conversation(chat, trust=True)
        began = time.process_time(), time.perf_counter()
        seen, heard = talk.open(image=image).soft, talk.open(audio=audio).soft
        chat.generate([_message((seen, heard))], streamer=Pieces(chat.tokenizer, _nobody), max_new_tokens=1)
        processor.append(time.process_time() - began[0])
        clock.append(time.perf_counter() - began[1])
    return processor[1:], clock[1:]


def _pair(chat: MultimodalChat, messages: list[dict[str, Any]], *, tokens: int) -> list[Callable[[], object]]:
    """Ours and the bare model, each saying exactly so many tokens after a prompt of the same length."""
    ids = torch.zeros(1, len(chat.prompt(messages)), dtype=torch.long) + chat.form.reply[0]
    settings = chat.lm.generation_config

    def ours() -> None:
        settings.min_new_tokens = tokens
        chat.generate(messages, streamer=Pieces(chat.tokenizer, _nobody), max_new_tokens=tokens)
        settings.min_new_tokens = None

    def bare() -> None:
        how = {"eos_token_id": chat.form.end, "pad_token_id": chat.form.end, "do_sample": False}
        mask = torch.ones_like(ids)
        chat.lm.generate(input_ids=ids, attention_mask=mask, min_new_tokens=tokens, max_new_tokens=tokens, **how)

    return [ours, bare]


def _nobody(text: str) -> None:
    """Hears the pieces of a reply."""
