"""`mmlab chat`: talk about pictures and sounds, in a loop or with one question."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmlab.cli.options import JointFolder, open_model

if TYPE_CHECKING:
    from mmlab.apps.dialogue import Conversation
    from mmlab.datasets.emoji import EmojiData
    from mmlab.models.chat import MultimodalChat

ChatFolder = Annotated[
    Path | None, typer.Option("--model", metavar="FOLDER", help="A chat checkpoint; without it, the one that ships.")
]
VOICES = {"en": "en-us+f3", "zh": "cmn+f3"}  # of the test split, and of the engine that it hears best
HELP = """\
Write a question in English or Chinese, or:
  /image FILE   show a picture with the next question
  /audio FILE   let a sound be heard with the next question
  /show NAME    show a drawing that came with the course, of one of its things: /show guitar, /show 老虎
  /say NAME     let a voice that came with the course say one of its names
  /retry [T]    answer the last question anew, at temperature T
  /save FILE    save the conversation: a folder, or a .json
  /new          forget everything
  /help         this list
  /quit         leave (so does the end of the input)
Ctrl-C stops a reply."""


def chat(
    question: Annotated[str | None, typer.Argument(metavar="[QUESTION]", help="Ask this and leave; else talk.")] = None,
    image: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A picture for the first question.")] = None,
    audio: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A sound for the first question.")] = None,
    model: ChatFolder = None,
    joint: JointFolder = None,
    lm: Annotated[str | None, typer.Option(metavar="NAME_OR_FOLDER", help="Another causal language model.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0: always the likeliest word; higher: drawn. [0]")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest words of this total share. [1]")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of what is drawn. [0]")] = None,
    load: Annotated[Path | None, typer.Option(metavar="PATH", help="Go on with a saved conversation.")] = None,
    save: Annotated[Path | None, typer.Option(metavar="PATH", help="Save the conversation at the end.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Answer about strange pictures and sounds, too.")] = False,
    cut: Annotated[bool, typer.Option("--cut", help="Keep the first seconds of a sound that is too long.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each reply.")] = False,
) -> None:
    """Talk with the course's model about pictures and sounds.

    It learned drawings and synthetic voices, and answers questions about them in English and Chinese: what it sees and
    hears, whether they agree, colours, kinds, names in the other language. Of anything else it knows nothing.
    """
    from mmlab.apps.dialogue import Conversation
    from mmlab.apps.transcript import saving_place

    if save is not None:
        saving_place(save)
    chosen = {"temperature": temperature, "top_p": top_p, "seed": seed, "trust": trust or None, "cut": cut or None}
    settings = {name: value for name, value in chosen.items() if value is not None}
    opened = open_chat(model, lm, joint)
    talk = Conversation(opened, **settings) if load is None else Conversation.load(load, opened, **settings)
    terminal = Terminal(talk, as_json=as_json)
    for name, files in (("image", image), ("audio", audio)):
        for file in files or ():
            terminal.attach(name, str(file))
    if question is not None:
        terminal.ask(question)
    else:
        terminal.loop()
    if save is not None:
        typer.echo(f"The conversation is in {talk.save(save)}.", err=True)


class Terminal:
    """A conversation at a terminal: reads lines, prints replies as they come."""

    def __init__(self, talk: "Conversation", *, as_json: bool) -> None:
        from rich.console import Console

        self.talk, self.as_json = talk, as_json
        self.out = Console(highlight=False, emoji=False, soft_wrap=True)
        self.ready: dict[str, list[Any]] = {"image": [], "audio": []}
        self.data: EmojiData | None = None  # opened when a thing of it is asked for
        self.commands = {
            "/image": lambda rest: self.attach("image", rest),
            "/audio": lambda rest: self.attach("audio", rest),
            "/show": lambda rest: self.sample("image", rest),
            "/say": lambda rest: self.sample("audio", rest),
            "/retry": self.retry,
            "/save": lambda rest: self.note(f"The conversation is in {self.talk.save(_path(rest))}."),
            "/new": lambda rest: self.new(),
            "/help": lambda rest: self.note(HELP),
        }

    def loop(self) -> None:
        """Read until /quit or the end of the input; what cannot be used is a sentence, and the loop goes on."""
        from mmlab.types import InputError

        typed = sys.stdin.isatty()
        if typed:
            import readline  # noqa: F401  (arrow keys and history)

            self.note("Ask about pictures and sounds in English or Chinese; /help lists what else you can do.")
        while True:
            try:
                line = input("you:   " if typed else "").strip()
            except (EOFError, KeyboardInterrupt):
                return self.note("") if typed else None
            if line == "/quit":
                return None
            try:
                self.take(line)
            except InputError as error:
                typer.echo(str(error), err=True)
            except KeyboardInterrupt:
                self.note("Stopped.")  # a reply that is streamed ends with what it has said

    def take(self, line: str) -> None:
        """One line: a command, a question, or nothing."""
        from mmlab.types import InputError

        word, _, rest = line.partition(" ")
        if word.startswith("/"):
            if word not in self.commands:
                raise InputError(f"{word} is no command here; /help lists what there is.")
            self.commands[word](rest.strip())
        elif line:
            self.ask(line)

    def attach(self, modality: str, file: str) -> None:
        """A picture or a sound for the next question, looked at now, so that what is wrong is said at once."""
        self._attach(modality, _path(file))

    def sample(self, modality: str, name: str) -> None:
        """A drawing or a clip of a thing of the course, in a style or by a voice that the model never met."""
        from mmlab.apps.media import WORDS
        from mmlab.apps.wording import language_of
        from mmlab.datasets.emoji import TEST_STYLES, EmojiData
        from mmlab.types import InputError

        self.data = EmojiData.load() if self.data is None else self.data
        spoken = language_of(name)
        how = {"style": TEST_STYLES["near"]} if modality == "image" else {"voice": VOICES[spoken], "language": spoken}
        found = getattr(self.data.sample(name, **how), modality)
        if found is None:
            raise InputError(f"Of {name!r} the course has no {WORDS[modality]} like that; name another thing.")
        self._attach(modality, found, called=name)

    def _attach(self, modality: str, source: Any, *, called: str = "") -> None:
        from mmlab.apps.dialogue import check_count
        from mmlab.apps.media import WORDS

        check_count(modality, len(self.ready[modality]) + 1)
        medium = self.talk.open(**{modality: source})
        self.ready[modality].append(medium)
        known = "" if medium.familiarity is None else f", familiarity {medium.familiarity:.2f}"
        name = f"of {called!r}" if called else medium.name
        self.note(f"The {WORDS[modality]} {name} comes with the next question{known}.")

    def ask(self, question: str) -> None:
        """Ask with what is ready; it stays ready where the question is refused."""
        self._reply(lambda on_text: self.talk.say(question, **self.ready, on_text=on_text))
        self.ready = {"image": [], "audio": []}

    def retry(self, rest: str) -> None:
        """The last question anew; at temperature 0 the answer cannot change, and that is said."""
        from mmlab.types import InputError

        try:
            temperature = float(rest) if rest else None
        except ValueError as error:
            raise InputError(f"Expected a temperature from 0 to 5, got {rest!r}; try /retry 0.7.") from error
        if temperature is None and self.talk.temperature == 0:
            self.note("At temperature 0 the answer stays the same; /retry 1 draws another.")
        self._reply(lambda on_text: self.talk.retry(temperature=temperature, on_text=on_text))

    def new(self) -> None:
        """Forget everything, what was ready for the next question included."""
        self.talk.clear()
        self.ready = {"image": [], "audio": []}
        self.note("Everything is forgotten.")

    def note(self, text: str) -> None:
        """A line that is not the model's; with --json on stderr, so that the output stays JSON."""
        if self.as_json:
            typer.echo(text, err=True)
        else:
            self.out.print(text, style="dim", markup=False)

    def _reply(self, speak: Any) -> None:
        from mmlab.apps.streaming import iterate

        if self.as_json:
            speak(lambda text: None)
            typer.echo(json.dumps(_row(self.talk), ensure_ascii=False))
            return
        begun = False
        try:
            for piece in iterate(speak, self.talk.stop):
                self.out.print(piece if begun else f"model: {piece}", end="", markup=False)
                begun = True
        except KeyboardInterrupt:
            self.out.print(" … (stopped)", end="", style="dim")
        finally:
            self.out.print("" if begun else "model: (nothing)")


def _row(talk: "Conversation") -> dict[str, Any]:
    """The last exchange as plain data."""
    last = talk.exchanges[-1]
    media = {
        name: [{"file": one.name, "familiarity": one.familiarity, "strange": one.strange} for one in last.of(name)]
        for name in ("image", "audio")
    }
    said = {name: getattr(last, name) for name in ("question", "language", "reply", "answer", "notice", "stopped")}
    return {**said, **media}


def _path(text: str) -> Path:
    """A path as people write it: with quotes around it, or a ~ at its beginning."""
    from mmlab.types import InputError

    text = text.strip("\"' ")
    if not text:
        raise InputError("This command needs the name of a file after it; write one.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"{text}: there is no such home folder; for a file here write ./{text}.") from error


def open_chat(model: Path | None, lm: str | None = None, joint: Path | None = None) -> "MultimodalChat":
    """The chat in a folder, the shipped one, or a new one around another language model."""
    from mmlab.models.chat import MultimodalChat, load_shipped

    space = open_model(joint)[0]
    if model is not None:
        return MultimodalChat.from_pretrained(model, joint=space, lm=lm)
    if lm is None:
        return load_shipped(joint=space)
    typer.echo(f"The connector to {lm} is untrained: it neither sees nor hears before `mmlab train chat`.", err=True)
    return MultimodalChat(lm, joint=space)
