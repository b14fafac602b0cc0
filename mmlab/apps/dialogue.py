"""Talking with the chat model about pictures and sounds, turn by turn."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmlab.apps.bubbles import as_html
from mmlab.apps.media import WORDS, Medium, open_image, open_sound, several
from mmlab.apps.streaming import Pieces, iterate
from mmlab.apps.transcript import Exchange, as_text, read_transcript, write_transcript
from mmlab.apps.wording import check_question, language_of, notice
from mmlab.models.chat import MultimodalChat
from mmlab.types import InputError

MEMORY = 6  # exchanges, the present one included: the course's model never saw a longer dialogue
MOST = {"image": 2, "audio": 1}  # of one question, as in the dialogues that it learned
SETTINGS = ("temperature", "top_p", "seed", "memory", "trust", "cut")
Heard = Callable[[str], Any]


class Conversation:
    """A dialogue with memory: what was shown and heard stays, and later questions may be about it.

    `say` gives a reply, `stream` the same piece by piece. A picture or sound unlike anything learned is said to be so,
    and kept from the model; with `trust=True` the model answers about it. Else it is asked this question as if nothing
    had come before, so that it declines, and does not answer about an older picture. Later questions skip the stranger, and
    the other of two pictures with it.
    Whatever is refused leaves the conversation as it was. The model is given the last `memory` exchanges.

    Raises:  InputError for a question or an input that cannot be used, and while another question is being answered
    """

    def __init__(
        self,
        model: MultimodalChat,
        *,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        memory: int = MEMORY,
        trust: bool = False,
        cut: bool = False,
    ) -> None:
        if memory < 1:
            raise InputError(
                f"A conversation remembers at least the present question, got memory={memory}; give 1 or more."
            )
        _check_sampling(temperature, top_p)
        self.model, self.exchanges = model, []
        self.temperature, self.top_p, self.seed = temperature, top_p, seed
        self.memory, self.trust, self.cut = memory, trust, cut
        self._stop, self._busy = threading.Event(), threading.Lock()

    # ---- talking ----

    def say(self, text: str, *, image: Any = None, audio: Any = None, on_text: Heard | None = None) -> str:
        """The reply to a question about up to two pictures and a sound, new or shown before.

        Pictures and sounds are paths, bytes of files, PIL pictures or arrays, one or a list. `on_text` is called with
        each piece of the reply as it comes.
        """
        with self._turn():
            return self._answer(self._asked(text, image, audio), on_text or _nobody).reply

    def stream(self, text: str, *, image: Any = None, audio: Any = None) -> Iterator[str]:
        """The same reply, piece by piece. Who leaves off iterating stops it; refusals come at the first piece."""
        return iterate(lambda on_text: self.say(text, image=image, audio=audio, on_text=on_text), self.stop)

    def open(self, *, image: Any = None, audio: Any = None) -> Medium:
        """A picture or a sound, checked and sensed for a question to come: `say` takes what this gives."""
        source = audio if image is None else image
        if isinstance(source, Medium):
            return source
        return self._sensed(open_sound(source, cut=self.cut) if image is None else open_image(source))

    def retry(
        self, *, temperature: float | None = None, top_p: float | None = None, on_text: Heard | None = None
    ) -> str:
        """Another reply to the last question, in place of the one that was given.

        At temperature 0 the same reply comes again, unless it was stopped; a higher one draws.
        """
        with self._turn():
            if not self.exchanges:
                raise InputError("Nothing has been asked yet, so there is nothing to try again; ask a question first.")
            last = self.exchanges[-1]
            asked = replace(last, attempt=last.attempt + 1)
            return self._answer(asked, on_text or _nobody, again=True, temperature=temperature, top_p=top_p).reply

    def stop(self) -> bool:
        """End the reply that is being given, from another thread; what was said so far stays. False where none was."""
        busy = self._busy.locked()
        self._stop.set()
        return busy

    def clear(self) -> None:
        """Forget everything that was said, shown and heard."""
        with self._turn():
            self.exchanges = []

    # ---- what was said ----

    def transcript(self) -> str:
        """The conversation as text."""
        return as_text(self.exchanges)

    def save(self, path: str | Path) -> Path:
        """Into a folder, or a .json file; the pictures and sounds lie beside the .json, whose path comes back."""
        return write_transcript(path, self.exchanges, {name: getattr(self, name) for name in SETTINGS})

    @classmethod
    def load(cls, path: str | Path, model: MultimodalChat, **settings: Any) -> "Conversation":
        """A conversation that was saved, ready for its next question; `settings` override those that were saved."""
        exchanges, saved = read_transcript(path)
        if unknown := set(saved) - set(SETTINGS):
            raise InputError(f"{path}: this conversation has settings that are not known here: {', '.join(unknown)}.")
        try:
            made = cls(model, **{**saved, **settings})
        except TypeError as error:
            raise InputError(f"{path}: a setting of this conversation is no number; save it again.") from error
        made.exchanges = [replace(one, media=tuple(map(made._sensed, one.media))) for one in exchanges]
        return made

    def _repr_html_(self) -> str:
        return as_html(self.exchanges, remembered=self.memory)

    def __repr__(self) -> str:
        return f"Conversation of {len(self.exchanges)} questions"

    # ---- inside ----

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One question at a time."""
        if not self._busy.acquire(blocking=False):
            raise InputError("The last question is still being answered; wait for the reply, or call stop() first.")
        self._stop.clear()
        try:
            yield
        finally:
            self._busy.release()

    def _asked(self, text: str, image: Any, audio: Any) -> Exchange:
        """The question with its media, checked and sensed; nothing of the conversation has changed yet."""
        text = check_question(text)
        given = {"image": several(image), "audio": several(audio)}
        for modality, many in given.items():
            check_count(modality, len(many))
        media = [self.open(**{name: one}) for name, many in given.items() for one in many]
        before = self.exchanges[-1].language if self.exchanges else "en"
        return Exchange(text, language_of(text, otherwise=before), tuple(media))

    def _sensed(self, medium: Medium) -> Medium:
        """What the encoders make of a picture or a sound, once: how familiar it is, and what the chat model reads."""
        name, joint, known = medium.modality, self.model.joint, None
        if name in joint.familiarity:
            known = joint.familiar(**{name: [medium.raw]})[name].item()
        [soft] = self.model.see(**{"images" if name == "image" else name: [medium.raw]})
        return replace(medium, familiarity=known, soft=soft)

    def _answer(self, asked: Exchange, on_text: Heard, *, again: bool = False, **sampling: float | None) -> Exchange:
        """The exchange with its answer, at the end of the conversation; until then nothing of it has changed."""
        before = self.exchanges[:-1] if again else self.exchanges
        chosen = {"temperature": self.temperature, "top_p": self.top_p}
        chosen |= {name: value for name, value in sampling.items() if value is not None}
        _check_sampling(**chosen)
        how = {"language": asked.language, "trusted": self.trust, "pictures": len(asked.of("image"))}
        asked = replace(asked, notice=notice(asked.strange, **how))
        if asked.notice:
            on_text(asked.notice + asked.gap)
        answer = self.model.generate(
            self._messages([*before, asked]),
            streamer=Pieces(self.model.tokenizer, on_text),
            stop=self._stop.is_set,
            seed=self.seed + 1_000 * len(before) + asked.attempt,
            **chosen,
        )
        done = replace(asked, answer=answer, stopped=self._stop.is_set())
        self.exchanges = [*before, done]
        return done

    def _messages(self, exchanges: list[Exchange]) -> list[dict[str, Any]]:
        """What the model is given: the last exchanges, and of what was shown and heard what it may see.

        Of two pictures of which one is strange it sees neither: the other would be called the first.
        """
        messages = []
        asked_alone = exchanges[-1].strange and not self.trust
        for one in exchanges[-1 if asked_alone else -self.memory :]:
            hidden = () if self.trust else one.strange
            soft = {name: [] if name in hidden else [m.soft for m in one.of(name)] for name in MOST}
            messages.append({"role": "user", "text": one.question, "images": soft["image"], "audio": soft["audio"]})
            messages.append({"role": "assistant", "text": one.answer})
        return messages[:-1]


def check_count(modality: str, count: int) -> None:
    if count > (most := MOST[modality]):
        several = f"{most} {WORDS[modality]}{'s' * (most > 1)}"
        raise InputError(f"One question takes at most {several}, got {count}; ask in two turns.")


def _nobody(text: str) -> None:
    """Hears the pieces of a reply when nobody else does."""


def _check_sampling(temperature: float, top_p: float) -> None:
    if not 0 <= temperature <= 5:
        raise InputError(f"A temperature lies between 0 (always the likeliest word) and 5, got {temperature}; try 0.7.")
    if not 0 < top_p <= 1:
        raise InputError(f"top_p lies above 0 and at most at 1 (all words), got {top_p}; try 0.9.")
