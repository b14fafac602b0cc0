"""Who looks at what inside the model: attention weights, and what each place adds to a cosine. No widgets here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from PIL import Image
from torch import Tensor, nn

from mmlab.encoders import Encoder, ImageEncoder
from mmlab.fusion import CrossAttentionFusion
from mmlab.models.joint import JointEmbedder
from mmlab.nn.attention import Attention
from mmlab.preprocessing import fit_image
from mmlab.types import MODALITIES, InputError, Inputs, Tokens
from mmlab.widgets.maps import unit

KINDS = ("reads", "agrees", "crosses")
MEAN = -1  # the mean over all heads
ENOUGH = 1e-3  # how far the parts may miss the whole
CORNER = 0.5  # of a cell: strided 3 x 3 convolutions, padded by one pixel, are centred on the corners of the grid


@dataclass(frozen=True)
class Look:
    """Everything that one text, picture and sound show of themselves in a model.

    Shape:   maps[m] one (heads, n, n) a layer; crossing (heads, n, m); pieces[m] (n, dim), whose sum points as z[m] does
    Units:   mel (mels, frames) log energies; a token of the sound stands for `stride` frames; shift in cells of the grid
    """

    words: tuple[str, ...]
    picture: Image.Image | None
    mel: Float32[np.ndarray, "mels frames"] | None
    maps: dict[str, list[np.ndarray]]
    pieces: dict[str, Float[np.ndarray, "n dim"]]
    z: dict[str, Float[np.ndarray, " dim"]]
    crossing: np.ndarray | None = None
    roles: tuple[str, str] = ("", "")  # who asks and who is asked, where there is a crossing
    known: tuple[str, ...] = field(default=())
    shift: float = 0.0  # how far up and left of its cell the patch lies that a token of the picture has seen around it

    def places(self, modality: str) -> int:
        """How many tokens a modality has."""
        return len(self.pieces[modality])

    def shape(self, modality: str) -> tuple[int, int]:
        """Rows and columns in which the tokens lie: a square for a picture, one row for words and sounds."""
        side = round(self.places(modality) ** 0.5)
        return (side, side) if modality == "image" and side**2 == self.places(modality) else (1, self.places(modality))


@dataclass(frozen=True)
class Ask:
    """A question to a `Look`.

    reads    what the token `index` of `asker` reads of its own modality in `layer` and `head`
    agrees   what every place of the other modalities adds to their cosine with `asker` as a whole
    crosses  what the token `index` of the asking modality reads of the other in a token operator
    """

    kind: str = "agrees"
    asker: str = "text"
    index: int = 0
    layer: int = 0
    head: int = MEAN


@torch.no_grad()
def look(
    model: JointEmbedder,
    *,
    text: str | None = None,
    image: Image.Image | None = None,
    audio: Float32[np.ndarray, " samples"] | None = None,
    crossing: tuple[CrossAttentionFusion, str, str] | None = None,
) -> Look:
    """Run the encoders once and keep what they show; `crossing` is an operator with who asks and who is asked.

    Raises:  InputError for nothing to look at, a crossing without its modalities, an encoder that pools unlike the mean
    """
    raw = {m: value for m, value in zip(MODALITIES, (text, image, audio), strict=True) if value is not None}
    if not raw:
        raise InputError("An AttentionView looks at a text, a picture or a sound, got none; give at least one of them.")
    model.eval()
    tokens, maps, inputs = {}, {}, {}
    for m, value in raw.items():
        encoder = model.encoders[m]
        inputs[m] = encoder.preprocess([value])
        tokens[m], maps[m] = watched(encoder, inputs[m])
    pieces = {m: _pieces(model, m, tokens[m]) for m in raw}
    z = {m: unit(rows.sum(axis=0)) for m, rows in pieces.items()}
    crossed, roles = _crossed(crossing, tokens)
    return Look(
        words=_words(model.encoders["text"], text) if text is not None else (),
        picture=fit_image(image) if image is not None else None,
        mel=model.encoders["audio"].mel(inputs["audio"].values)[0].numpy() if audio is not None else None,
        maps={m: [layer[0].numpy() for layer in layers] for m, layers in maps.items() if layers},
        pieces=pieces, z=z, crossing=crossed, roles=roles, known=tuple(raw),
        shift=CORNER if isinstance(model.encoders["image"], ImageEncoder) else 0.0,
    )  # fmt: skip


def watched(encoder: Encoder, inputs: Inputs) -> tuple[Tokens, list[Float[Tensor, "batch heads n m"]]]:
    """The encoder's tokens, and the attention weights of each of its layers on the way to them."""
    calls: list[tuple[Attention, tuple[Any, ...]]] = []
    layers = [part for part in encoder.modules() if isinstance(part, Attention)]
    hooks = [part.register_forward_pre_hook(lambda part, given: calls.append((part, given))) for part in layers]
    try:
        tokens = encoder(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return tokens, [part.weights(*given) for part, given in calls]


def _pieces(model: JointEmbedder, modality: str, tokens: Tokens) -> Float[np.ndarray, "n dim"]:
    r"""What each token adds to the projected vector: pooling and projection are linear, so the parts are exact.

    $$W^\top \frac{\bar h - \mu}{\sigma} = \sum_n \frac{1}{N} W^\top \frac{h_n - \mu}{\sigma}$$
    """
    encoder, project = model.encoders[modality], model.projections[modality]
    alone = Tokens(
        tokens.values[tokens.mask][:, None], tokens.mask[tokens.mask][:, None]
    )  # each token as its own input
    rows = project(encoder.pool(alone)) / len(alone.values)
    whole = project(encoder.pool(tokens))[0]
    if (rows.sum(dim=0) - whole).norm() > ENOUGH * whole.norm():
        raise InputError(
            f"The {modality} encoder pools its tokens in a way that has no exact parts; look at a model of this course."
        )
    return rows.numpy()


def _crossed(
    crossing: tuple[CrossAttentionFusion, str, str] | None, tokens: Mapping[str, Tokens]
) -> tuple[np.ndarray | None, tuple[str, str]]:
    if crossing is None:
        return None, ("", "")
    operator, asker, asked = crossing
    missing = [m for m in (asker, asked) if m not in tokens]
    if missing:
        raise InputError(
            f"The crossing goes from {asker} to {asked}, but there is no {missing[0]} to look at; give one."
        )
    block, query, context = operator.block, tokens[asker], tokens[asked]
    given = block.query_norm(query.values), block.context_norm(context.values), context.mask
    return block.attention.weights(*given)[0].numpy(), (asker, asked)


def answer(seen: Look, ask: Ask) -> dict[str, Float[np.ndarray, " n"]]:
    """Values by modality, one for each token: weights that add up to 1, or parts that add up to a cosine.

    Raises:  InputError for a question that this model or these inputs have no answer to
    """
    answers: dict[str, Callable[[], dict[str, np.ndarray]]] = {
        "reads": lambda: _reads(seen, ask), "agrees": lambda: _agrees(seen, ask), "crosses": lambda: _crosses(seen, ask),
    }  # fmt: skip
    if ask.kind not in answers:
        raise InputError(f"One asks what {', '.join(KINDS)}, got {ask.kind!r}; name one of these.")
    return answers[ask.kind]()


def _reads(seen: Look, ask: Ask) -> dict[str, np.ndarray]:
    layers = seen.maps.get(ask.asker)
    if not layers:
        raise InputError(
            f"The {ask.asker} encoder has no attention to show (the picture's is made of convolutions); ask what agrees."
        )
    if not 0 <= ask.layer < len(layers):
        raise InputError(f"The {ask.asker} encoder has {len(layers)} layers, counted from 0, got {ask.layer}.")
    return {ask.asker: _row(layers[ask.layer], ask)}


def _crosses(seen: Look, ask: Ask) -> dict[str, np.ndarray]:
    if seen.crossing is None:
        raise InputError("There is no token operator here; give one with crossing=(operator, who asks, who is asked).")
    return {seen.roles[1]: _row(seen.crossing, ask)}


def _row(weights: Float[np.ndarray, "heads n m"], ask: Ask) -> Float[np.ndarray, " m"]:
    heads, places, _ = weights.shape
    if not 0 <= ask.index < places:
        raise InputError(f"There are {places} tokens, counted from 0, got {ask.index}; choose one of them.")
    if not MEAN <= ask.head < heads:
        raise InputError(f"There are {heads} heads, counted from 0 ({MEAN}: their mean), got {ask.head}; choose one.")
    return weights[:, ask.index].mean(axis=0) if ask.head == MEAN else weights[ask.head, ask.index]


def _agrees(seen: Look, ask: Ask) -> dict[str, np.ndarray]:
    if ask.asker not in seen.z:
        raise InputError(f"There is no {ask.asker} to look at; ask {', '.join(seen.known)}.")
    others = [m for m in seen.known if m != ask.asker]
    if not others:
        raise InputError("Agreement needs two modalities; give another text, picture or sound.")
    target = seen.z[ask.asker]
    return {m: seen.pieces[m] @ target / np.linalg.norm(seen.pieces[m].sum(axis=0)) for m in others}


def _words(encoder: nn.Module, text: str) -> tuple[str, ...]:
    """The text cut as the tokenizer cuts it; pieces of one character that was cut are shown with it once."""
    coded = encoder.tokenizer.core.encode(text)
    words, end = [], 0
    for token, (start, stop) in zip(coded.tokens, coded.offsets, strict=True):
        piece = text[start:stop].strip() if stop else token
        words.append("·" if stop and start < end else piece or "␣")
        end = max(end, stop)
    return tuple(words)
