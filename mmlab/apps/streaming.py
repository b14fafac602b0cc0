"""A reply as it comes: from token ids to pieces of text, and from a callback to an iterator."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

from torch import Tensor

HALF = "\ufffd"  # what an incomplete character decodes to: a Chinese one may be several tokens


class Pieces:
    """What `generate` of a Hugging Face model calls with each new token: `heard` gets the text that came with it.

    A character whose bytes are not all there yet waits for the next token.
    """

    def __init__(self, tokenizer: Any, heard: Callable[[str], Any]) -> None:
        self.tokenizer, self.heard = tokenizer, heard
        self.ids: list[int] = []
        self.text = ""

    def put(self, ids: Tensor) -> None:
        """The next token's id; the first call of a prompt that came as embeddings holds none."""
        self.ids += ids.flatten().tolist()
        text = self.tokenizer.decode(self.ids, skip_special_tokens=True).lstrip()
        if text.startswith(self.text) and not text.endswith(HALF) and len(text) > len(self.text):
            new, self.text = text[len(self.text) :], text
            self.heard(new)

    def end(self) -> None:
        """Called after the last token."""


def iterate(speak: Callable[[Callable[[str], Any]], Any], stop: Callable[[], Any]) -> Iterator[str]:
    """The pieces that `speak` hands to its callback, as an iterator; who leaves off iterating calls `stop`."""
    pieces: SimpleQueue[str | BaseException | None] = SimpleQueue()

    def work() -> None:
        try:
            speak(pieces.put)
            pieces.put(None)
        except BaseException as error:  # raised again where the pieces are read
            pieces.put(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    ended = False
    try:
        while True:
            piece = pieces.get()
            if not isinstance(piece, str):
                ended = True
                if piece is not None:
                    raise piece
                return
            yield piece
    finally:
        if not ended:
            stop()
        worker.join()
