"""What a FusionLab is set to: frozen values, changes that give new ones, and a history to walk in."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from mmlab.fusion import FUSIONS
from mmlab.types import MODALITIES, InputError

DIRECT = ("sum", "weighted_sum", "mean", "max")  # act in the joint space as it is; the others need trained heads
KINDS = ("thing", "typed", "upload")
LIMITS = {"weight": (0.0, 3.0), "noise": (0.0, 0.98), "temperature": (0.005, 1.0)}
NOTCH = {"weight": 0.05, "noise": 0.02}  # of the sliders
TOGETHER = 1.0  # seconds within which changes of one knob are one step of the history
DEPTH = 200  # steps that a history keeps


@dataclass(frozen=True)
class Channel:
    """One modality of the lab: what comes in, whether it counts, how loudly, and under how much noise.

    `kind` says how to read `value`: a thing's id, words that were typed, or the name of an uploaded file. `form` is the
    language, the style or the voice in which a thing shows itself.

    Units:   noise is the share of what comes in that is noise: of the power of a picture or sound, of a text's letters
    """

    kind: str
    value: str
    form: str = ""
    on: bool = True
    weight: float = 1.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"An input is one of {', '.join(KINDS)}, got {self.kind!r}; name one of these.")
        _check("weight", self.weight)
        _check("noise", self.noise)


@dataclass(frozen=True)
class FusionState:
    """Everything that decides what a FusionLab shows; `seed` fixes the noise."""

    text: Channel
    image: Channel
    audio: Channel
    operator: str = "weighted_sum"
    temperature: float = 0.05
    normalise: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.operator not in FUSIONS:
            raise InputError(
                f"A fusion operator is one of {', '.join(FUSIONS)}, got {self.operator!r}; name one of these."
            )
        _check("temperature", self.temperature)

    def channel(self, modality: str) -> Channel:
        return getattr(self, modality)

    @property
    def on(self) -> tuple[str, ...]:
        """The modalities that are switched on, in the order of MODALITIES."""
        return tuple(name for name in MODALITIES if self.channel(name).on)

    def weight(self, modality: str) -> float:
        """How loudly a modality speaks: the sum, by its definition, gives all of them one voice."""
        return 1.0 if self.operator == "sum" else self.channel(modality).weight

    def change(self, knob: str, value: Any) -> "FusionState":
        """A state in which one knob stands elsewhere: "operator", "image.weight", ..."""
        owner, _, name = knob.rpartition(".")
        known = {f.name for f in fields(Channel if owner else FusionState)} - ({"kind"} if owner else set(MODALITIES))
        if owner not in ("", *MODALITIES) or name not in known:
            raise InputError(
                f'A knob is named like "operator" or "image.weight", got {knob!r}; name one that is there.'
            )
        return replace(self, **({owner: replace(self.channel(owner), **{name: value})} if owner else {name: value}))

    def choose(self, modality: str, kind: str, value: str, form: str = "") -> "FusionState":
        """A state in which a modality reads another input, at the weight and the noise that it had."""
        return replace(self, **{modality: replace(self.channel(modality), kind=kind, value=value, form=form)})


@dataclass(frozen=True)
class History:
    """States gone through and states undone; changes of the same knob in quick succession count as one step."""

    present: FusionState
    past: tuple[FusionState, ...] = ()
    future: tuple[FusionState, ...] = ()
    start: FusionState | None = None  # where a reset leads; the first state
    knob: str = field(default="", compare=False)
    at: float = field(default=0.0, compare=False)

    def change(self, state: FusionState, *, knob: str = "", at: float = 0.0) -> "History":
        """The state becomes the present one; `at` is the time in seconds at which `knob` was turned."""
        if state == self.present:
            return self
        one_move = bool(knob) and knob == self.knob and 0 <= at - self.at < TOGETHER
        past = self.past if one_move else (*self.past, self.present)[-DEPTH:]
        return History(state, past, (), self._first(), knob, at)

    def undo(self) -> "History":
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future), self._first())

    def redo(self) -> "History":
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:], self._first())

    def reset(self) -> "History":
        """Back to the first state; this too can be undone."""
        return replace(self.change(self._first()), knob="")

    @property
    def before(self) -> FusionState:
        """The state before the latest move: what changes are measured against."""
        return self.past[-1] if self.past else self.present

    def _first(self) -> FusionState:
        return self.present if self.start is None else self.start


def _check(name: str, value: float) -> None:
    low, high = LIMITS[name]
    if not low <= value <= high:  # NaN is refused too
        raise InputError(f"The {name} goes from {low:g} to {high:g}, got {value!r}; choose one in this range.")
