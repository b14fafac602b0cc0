"""The recipe of the shipped chat, as one frozen object: what it says is what is trained."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from mmlab.types import InputError


@dataclass(frozen=True)
class ChatRecipe:
    """Everything that decides a run: data, model, noise, stages, schedule. Two runs of one recipe on one machine are equal.

    The stages: the language model learns the words of the dialogues without seeing or hearing anything ("text", for
    the share `text` of the steps); the connector learns to speak to it ("connector", share `connect`); then both ("all").
    A language model that is not ours (`lm`) stays as it is in all of them. What ships has only the last: its connector
    begins with the names of things (`remember`), so it has something to say from the first step.

    For the share `naming` of the steps it is asked for the name of one picture or sound, `crowd` of them a step; until the
    share `single` it answers single questions of every kind; then come whole dialogues.

    Then our own language model learns to compare, in `comparing` steps more at the rate `comparing_lr`. Heads of its first
    layer are set to see what is alike (`see_alike`), one of the second to see the same word (`see_same`). Of every four
    steps one asks half of `crowd` questions for which two things shown or named have to be compared, one asks whole
    dialogues in which two words have to (`is_it`), one half of `crowd` of every kind, and one any dialogues. Without
    this, which of two pictures is named stayed at chance, and so it did where these heads were set before the first step:
    they were unlearned while soft tokens did not yet stand for names. And a verdict often contradicted the kind that was
    said before it; after single questions of `is_it` it did so in conversations only. With `distract`, what comes beside a
    question in the other modality is mostly a distractor there: without, it gave the answer away in three of four cases.

    A percept of a thing is one of its own views (clean, or changed as in alignment), or with the chance `pseudo` its
    name's vector z_t pulled towards other things and blurred, as CapDec (Nukrai et al. 2022, arXiv:2211.00575) trains on
    texts alone. `pull` and `blur` are the most of each; `early_blur` blurs the standardised early features.
    """

    steps: int = 2400
    batch: int = 48
    crowd: int = 128
    seed: int = 0
    lr: float = 1.0e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    ema: float = 0.995
    text: float = 0.0
    connect: float = 0.0
    naming: float = 0.12
    single: float = 0.5
    connector: str = "tokens"
    fusion: str | None = None
    hidden: int = 512
    vocab: int = 1500
    width: int = 192
    layers: int = 4
    heads: int = 6
    mlp: int = 512
    dialogues: int = 30_000
    pseudo: float = 0.5
    pull: float = 0.7
    blur: float = 0.8
    early_blur: float = 0.2
    comparing: int = 4800
    comparing_lr: float = 5.0e-4
    distract: bool = True
    lm: str | None = None
    tuning: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.seed < 0:
            got = f"{self.steps}, {self.batch} and {self.seed}"
            raise InputError(f"A recipe needs at least 1 step, 1 dialogue a step and a seed from 0, got {got}.")
        if self.comparing < 0:
            raise InputError(f"The second part has 0 steps (none of it) or more, got {self.comparing}; choose so many.")
        if self.fusion is not None and self.connector != "fused":
            raise InputError(
                f"Only the connector 'fused' has a vector operator, got {self.connector!r} with {self.fusion!r}."
            )

    @property
    def words(self) -> int:
        """Steps of the first stage: none for a language model that has learned its words already."""
        return 0 if self.lm else round(self.text * self.steps)

    @property
    def first(self) -> int:
        """Steps that ask for names only."""
        return round(self.naming * self.steps)

    @property
    def lessons(self) -> int:
        """Steps that show single questions, before whole dialogues come."""
        return round(self.single * self.steps)

    @property
    def compares(self) -> bool:
        """Whether a second part follows; it begins with the last weights of the first, not with their average."""
        return self.lm is None and self.comparing > 0

    @property
    def second(self) -> "ChatRecipe":
        """The part in which it learns to compare, as a recipe of its own."""
        return replace(self, steps=self.comparing, lr=self.comparing_lr, text=0.0, connect=0.0, comparing=0)

    def stage(self, step: int) -> str:
        """What is trained at this step."""
        if step < self.words:
            return "text"
        return "connector" if self.lm or step < round((self.text + self.connect) * self.steps) else "all"

    @property
    def options(self) -> dict[str, Any]:
        """What `MultimodalChat` is told of the connector."""
        fusion = {} if self.fusion is None else {"fusion": self.fusion}
        return {"connector": self.connector, "hidden": self.hidden, **fusion}

    @property
    def sizes(self) -> dict[str, int]:
        """What `MultimodalChat.untrained` is told of the language model."""
        return {name: getattr(self, name) for name in ("vocab", "width", "layers", "heads", "mlp", "seed")}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
