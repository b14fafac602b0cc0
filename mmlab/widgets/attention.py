"""AttentionView: who looks at what, laid over the words, the picture and the spectrogram."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from jaxtyping import Float32
from PIL import Image

from mmlab.figures import figure
from mmlab.fusion import CrossAttentionFusion
from mmlab.models.joint import JointEmbedder, load_shipped
from mmlab.types import MODALITIES, InputError
from mmlab.widgets.attention_state import MEAN, Ask, Look, answer, look
from mmlab.widgets.labels import ATTENTION
from mmlab.widgets.media import colourise, data_uri, encode
from mmlab.widgets.still import Still
from mmlab.widgets.view import JS, SMALL, esm, guard, pack

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGNED = "RdBu_r"  # warm adds, blue takes away: told apart with any colour vision
ADDS = "#D55E00"


class Strips(anywidget.AnyWidget):
    """The words, the picture and the spectrogram with values over them; it draws, and says which place was chosen."""

    _esm = esm(*SMALL, "attention.js")
    _css = (JS / "attention.css").read_text(encoding="utf-8")

    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    image_picture = traitlets.Unicode().tag(sync=True)
    audio_picture = traitlets.Unicode().tag(sync=True)
    image_grid = traitlets.List(traitlets.Int(), [1, 1]).tag(sync=True)
    audio_grid = traitlets.List(traitlets.Int(), [1, 1]).tag(sync=True)
    image_shift = traitlets.Float(0.0).tag(sync=True)
    audio_shift = traitlets.Float(0.0).tag(sync=True)
    text_values = traitlets.Bytes().tag(sync=True)
    image_values = traitlets.Bytes().tag(sync=True)
    audio_values = traitlets.Bytes().tag(sync=True)
    asked = traitlets.List(["", -1]).tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict(ATTENTION).tag(sync=True)


class AttentionView(Still, widgets.VBox):
    """Attention of the text's and the sound's encoder by layer and head, and what agrees across modalities.

    The picture's encoder is made of convolutions and has no attention weights. What is laid over the picture is what
    each of its patches adds to the cosine with the text or the sound: parts that add up exactly, because pooling and
    projection are linear. With `crossing=(operator, "text", "image")` the weights of a `CrossAttentionFusion` are shown.

    `view.ask` is the question, `view.values` its answer; `view.put(kind="reads", asker="text", index=1)` asks another.

    Parity:  tests/unit/test_widget_attention.py (Attention.weights block by block; JointEmbedder.encode)
    Raises:  InputError for a question without an answer; the widget shows its sentence and lives on
    """

    def __init__(
        self,
        model: JointEmbedder | None = None,
        *,
        text: str | None = None,
        image: Image.Image | None = None,
        audio: Float32[np.ndarray, " samples"] | None = None,
        crossing: tuple[CrossAttentionFusion, str, str] | None = None,
    ) -> None:
        model = load_shipped() if model is None else model
        self.look = look(model, text=text, image=image, audio=audio, crossing=crossing)
        self.strips, self._quiet = _strips(self.look), False
        options = {_phrase(ask): ask for ask in _questions(self.look)}
        if not options:
            raise InputError("A picture alone shows no attention; give a text or a sound beside it.")
        self.ask = next(iter(options.values()))
        self.question = widgets.Dropdown(
            options=options, description=ATTENTION["question"], layout=widgets.Layout(width="420px")
        )
        self.layer = widgets.IntSlider(
            description=ATTENTION["layer"], min=1, max=1, layout=widgets.Layout(width="220px")
        )
        self.head = widgets.Dropdown(description=ATTENTION["head"], options=[(ATTENTION["mean"], MEAN)])
        super().__init__(
            [
                widgets.HBox([self.question, self.layer, self.head], layout=widgets.Layout(flex_flow="row wrap")),
                self.strips,
            ]
        )
        safe = guard(self.strips)
        for control in (self.question, self.layer, self.head):
            control.observe(safe(self._turned), "value")
        self.strips.on_msg(safe(lambda _, content, __: self._chosen(content)))
        self.put(**_fields(self.ask))

    def __repr__(self) -> str:
        return f"AttentionView({_phrase(self.ask)})"

    def put(self, **changes: Any) -> None:
        """Ask another question: any of kind, asker, index, layer, head (from 0; head -1 is the mean)."""
        ask = replace(self.ask, **changes)
        if ask.kind == "agrees":  # a question about whole vectors: no layer and no head to choose
            ask = replace(ask, layer=0, head=MEAN)
        values = answer(self.look, ask)
        self.ask, self.values = ask, values
        self._show_knobs()
        with self.strips.hold_sync():
            for m in MODALITIES:
                setattr(self.strips, f"{m}_values", pack(values[m].astype(np.float32)) if m in values else b"")
            self.strips.asked = ["", -1] if ask.kind == "agrees" else [_asker(self.look, ask), ask.index]
            self.strips.said = self._said()

    def figure(self) -> "Figure":
        """The present answer as a matplotlib figure."""
        made = figure(1, len(self.look.known), width=4.2 * len(self.look.known), height=3.6, title=_phrase(self.ask))
        for axes, m in zip(made.axes, self.look.known, strict=True):
            _draw(axes, self.look, m, self.values.get(m))
        return made

    def _said(self) -> str:
        """The answer in words."""
        if self.ask.kind == "agrees":
            return "\n".join(
                ATTENTION["adds"].format(word=ATTENTION[m], cosine=values.sum(), asker=ATTENTION[self.ask.asker])
                for m, values in self.values.items()
            )
        [(m, values)] = self.values.items()
        return ATTENTION["sees"].format(place=int(values.argmax()) + 1, word=ATTENTION[m], weight=values.max())

    def _layers(self) -> list[np.ndarray]:
        if self.ask.kind == "crosses" and self.look.crossing is not None:
            return [self.look.crossing]
        return self.look.maps.get(self.ask.asker, []) if self.ask.kind == "reads" else []

    def _show_knobs(self) -> None:
        """Layer and head as far as the present question has them."""
        layers, self._quiet = self._layers(), True
        try:
            heads = len(layers[self.ask.layer]) if layers else 0
            self.layer.max, self.layer.value = max(1, len(layers)), self.ask.layer + 1
            self.head.options = [(ATTENTION["mean"], MEAN), *((str(i + 1), i) for i in range(heads))]
            self.head.value = self.ask.head
            self.layer.disabled, self.head.disabled = len(layers) < 2, not layers
            alike = [
                ask
                for ask in self.question.options.values()
                if (ask.kind, ask.asker) == (self.ask.kind, self.ask.asker)
            ]
            self.question.value = alike[0] if alike else self.question.value
        finally:
            self._quiet = False

    def _turned(self, change: dict[str, Any]) -> None:
        if self._quiet:
            return
        if change["owner"] is self.question:
            self.put(**_fields(change["new"]))
        else:
            self.put(layer=self.layer.value - 1, head=self.head.value)

    def _chosen(self, content: dict[str, Any]) -> None:
        """A word, a patch or a frame was chosen: it asks, where it can."""
        m, index = content.get("modality", ""), content.get("index", 0)
        if content.get("type") != "ask" or m not in self.look.known:
            return
        if m == self.look.roles[0] and (self.ask.kind == "crosses" or m not in self.look.maps):
            self.put(
                kind="crosses", asker=m, index=index, layer=0, head=min(self.ask.head, len(self.look.crossing) - 1)
            )
        else:
            same = self.ask.kind == "reads" and self.ask.asker == m
            self.put(**{"kind": "reads", "asker": m, "index": index} | ({} if same else {"layer": 0, "head": MEAN}))


def _strips(seen: Look) -> Strips:
    picture = "" if seen.picture is None else data_uri(encode(seen.picture))
    spectrum = (
        "" if seen.mel is None else data_uri(encode(Image.fromarray(_shades(seen.mel)), kind="PNG"), mime="image/png")
    )
    grids = {f"{m}_grid": list(seen.shape(m)) for m in ("image", "audio") if m in seen.known}
    shown = {"image_picture": picture, "audio_picture": spectrum, "image_shift": seen.shift}
    return Strips(tokens=list(seen.words), **shown, **grids)


def _shades(mel: Float32[np.ndarray, "mels frames"]) -> np.ndarray:
    """A spectrogram as a picture, low sounds below."""
    span = max(float(mel.max() - mel.min()), 1e-6)
    return colourise(((mel - mel.min()) / span)[::-1].astype(np.float64))


def _questions(seen: Look) -> list[Ask]:
    """What can be asked of these inputs."""
    across = [Ask("agrees", m) for m in seen.known if len(seen.known) > 1]
    within = [Ask("reads", m, index=min(1, seen.places(m) - 1)) for m in seen.known if m in seen.maps]
    return across + within + ([Ask("crosses", seen.roles[0])] if seen.crossing is not None else [])


def _fields(ask: Ask) -> dict[str, Any]:
    return {name: getattr(ask, name) for name in Ask.__dataclass_fields__}


def _asker(seen: Look, ask: Ask) -> str:
    return seen.roles[0] if ask.kind == "crosses" else ask.asker


def _phrase(ask: Ask) -> str:
    return ATTENTION[ask.kind].format(ATTENTION[ask.asker])


def _draw(axes: Any, seen: Look, modality: str, values: np.ndarray | None) -> None:
    """One modality with its values, or as it is where it was not asked about."""
    columns = seen.places(modality)
    axes.set(title=ATTENTION[modality])
    axes.grid(False)
    if modality == "image":
        _draw_picture(axes, seen, values)
    elif values is not None:
        axes.bar(range(columns), values, color=ADDS)
        axes.set(xlabel=ATTENTION["token" if modality == "text" else "frame"], ylabel=ATTENTION["value"])
        if modality == "text":
            axes.set_xticks(range(columns), seen.words, rotation=45, ha="right")
    elif modality == "audio":
        axes.imshow(seen.mel, origin="lower", aspect="auto")
        axes.set(xlabel=ATTENTION["frame"], ylabel=ATTENTION["mel"])
    else:
        axes.axis("off")
        axes.text(0.5, 0.5, " ".join(seen.words), ha="center", wrap=True)


def _draw_picture(axes: Any, seen: Look, values: np.ndarray | None) -> None:
    axes.axis("off")
    if values is None:
        axes.imshow(np.asarray(seen.picture))
        return
    (rows, columns), most, up = seen.shape("image"), float(np.abs(values).max()) or 1.0, seen.shift
    whole = (0, columns, rows, 0)
    axes.imshow(np.asarray(seen.picture.convert("L")), cmap="gray", extent=whole)
    laid = {"cmap": SIGNED, "vmin": -most, "vmax": most, "alpha": 0.6, "extent": (-up, columns - up, rows - up, -up)}
    axes.figure.colorbar(axes.imshow(values.reshape(rows, columns), **laid), ax=axes, shrink=0.7)
    axes.set(xlim=whole[:2], ylim=whole[2:])
