"""The article's two functions, completed: its signatures, with the picture and sound lines and the W that it leaves out."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from mmlab.encoders import Encoder
from mmlab.encoders.pretrained import PretrainedText
from mmlab.encoders.recipes import Recipe
from mmlab.models.joint import JointEmbedder, load_shipped
from mmlab.preprocessing import load_audio, load_image
from mmlab.projection import LinearProjection
from mmlab.types import MODALITIES, InputError

PENALTIES = tuple(10.0**power for power in range(-4, 3))  # tried for W_t, relative to the mean squared singular value


@runtime_checkable
class Names(Protocol):
    """What a W_t is fitted on: anything with things of a split that have names, such as EmojiData."""

    def split(self, name: str) -> Sequence[Any]: ...


@torch.no_grad()
def get_embedding(
    model: Any, tokenizer: Any, text: Any, image: Any, audio: Any, *, joint: JointEmbedder | None = None
) -> tuple[Float[Tensor, "batch d_t"] | None, Float[Tensor, "batch d_i"] | None, Float[Tensor, "batch d_a"] | None]:
    r"""One vector x_m for each input of each modality; None for a modality that is None.

    $$x_t = \frac{1}{n} \sum_{j=1}^{n} h_j, \quad h = \mathrm{LM}(\text{text}), \qquad
      x_i = E_i(\text{image}), \qquad x_a = E_a(\text{audio})$$

    With a Hugging Face `model` and its `tokenizer`, h is the model's last hidden state, averaged over the real tokens;
    with (None, None) the text goes through the joint model's own encoder. Each input is one item or a list: a string;
    whatever `load_image` takes; whatever `load_audio` takes.

    Shape:   n texts, pictures, sounds -> (n, d_t), (n, d_i), (n, d_a)
    Source:  the article, chapter 5. Differs from it: the article takes `model.get_input_embeddings()`, a look-up that
             gives a token the same vector in every sentence, so that the mean of "dog bites man" is that of "man bites
             dog"; and it adds its (batch, seq, d) to pooled vectors.
    Parity:  tests/unit/test_article.py (transformers' last hidden state, averaged by hand)
    Raises:  InputError for a model without a tokenizer, no input at all, and what the loaders and encoders refuse
    """
    if text is None and image is None and audio is None:
        raise InputError("get_embedding needs at least one of text, image and audio, got none; pass one of them.")
    joint = load_shipped() if joint is None else joint
    raw = {
        "text": None if text is None else [text] if isinstance(text, str) else list(text),
        "image": None if image is None else [load_image(one) for one in _items(image)],
        "audio": None if audio is None else [load_audio(one) for one in _items(audio)],
    }
    encoders: dict[str, Encoder] = {**joint.encoders}
    if text is not None:
        encoders["text"] = _text_encoder(model, tokenizer, joint=joint)
    x_t, x_i, x_a = (None if raw[name] is None else _x(encoders, name, raw[name]) for name in MODALITIES)
    return x_t, x_i, x_a


def get_multi_modal_embedding(
    text_embedding: Float[Tensor, "*rows_t d_t"] | None,
    image_embedding: Float[Tensor, "*rows_i d_i"] | None,
    audio_embedding: Float[Tensor, "*rows_a d_a"] | None,
    *,
    joint: JointEmbedder | None = None,
) -> Float[Tensor, "batch d_z"]:
    r"""The sum of the projections of what is there, in the joint space.

    $$z_m = \frac{W_m^\top x_m}{\lVert W_m^\top x_m \rVert}, \qquad z = \frac{\sum_m w_m z_m}{\lVert \sum_m w_m z_m \rVert}$$

    Normalised twice: each z_m before the sum, so that no modality wins by its scale, and z after it, so that inner
    products are cosines. The w_m are the joint model's. For the article's bare sum, add up
    `joint.projections[m](x_m)`.

    Shape:   x_m (batch, d_m) for each modality m that is not None -> z (batch, d_z)
    Source:  the article, chapter 5. Differs from it: its W are never defined and multiply from the wrong side; here they
             are the joint model's, learned (the default is the shipped checkpoint), and its vectors are normalised.
    Parity:  tests/unit/test_article.py (matrices by hand; equal to JointEmbedder.forward)
    Raises:  InputError for three Nones, for batches that differ, and for an x_m that is not as wide as W_m
    """
    joint = load_shipped() if joint is None else joint
    given = {
        name: x
        for name, x in zip(MODALITIES, (text_embedding, image_embedding, audio_embedding), strict=True)
        if x is not None
    }
    for name, x in given.items():
        _check_width(joint, name, x)
    sizes = {name: len(x) for name, x in given.items()}
    if len(set(sizes.values())) > 1:
        came = ", ".join(f"{size} for {name}" for name, size in sizes.items())
        raise InputError(f"get_multi_modal_embedding needs as many rows of each modality, got {came}; pair them up.")
    return joint.fuse(**{name: normalize(joint.projections[name](x), dim=-1) for name, x in given.items()})


def with_text(joint: JointEmbedder, encoder: PretrainedText, projection: LinearProjection) -> JointEmbedder:
    """The same joint space with another reader of text: `joint` keeps its pictures and sounds, which are shared."""
    encoders = {**joint.encoders, "text": encoder}
    other = JointEmbedder(encoders, dim=joint.dim, weights=dict(zip(MODALITIES, joint.weights.tolist(), strict=True)))
    for name in encoders:
        other.projections[name] = projection if name == "text" else joint.projections[name]
    return other.train(joint.training)


@torch.no_grad()
def fit_text_projection(
    joint: JointEmbedder, encoder: PretrainedText, data: Names, *, languages: Sequence[str] = ("en",)
) -> LinearProjection:
    r"""W_t for a pretrained text model: the matrix that takes its x_t of a name nearest to where `joint` has that name.

    $$W_t = \arg\min_W \sum_g \lVert W^\top x_g - z_g \rVert^2 + \lambda \lVert W \rVert^2
          = V \operatorname{diag}\!\left(\frac{s}{s^2 + \lambda}\right) U^\top Z, \qquad X = U \operatorname{diag}(s) V^\top$$

    over the names of the things that `joint` was trained on, and no others. lambda is the one of PENALTIES that predicts
    names best that were left out of the fit, each in its turn; that needs no second fit:
    $z_g - \hat z_g^{(-g)} = (z_g - \hat z_g) / (1 - H_{gg})$ with $H = X W_\cdot$ as a map of Z.

    Shape:   names -> X (n, d_t), Z (n, d_z) -> W_t (d_t, d_z)
    Cost:    O(n * d_t^2)
    Source:  Hoerl and Kennard 1970 (ridge regression); Allen 1974 (leaving one out in closed form)
    Parity:  tests/unit/test_article.py (sklearn.linear_model.Ridge, fitted again without each name)
    Raises:  InputError when there is no thing to fit on
    """
    names = [thing.name(language) for language in languages for thing in data.split("train")]
    if not names:
        raise InputError("A W_t is fitted on the names of training things, got none; pass data with a train split.")
    x, z = _x({"text": encoder}, "text", names).double(), joint.encode(text=names)["text"].double()
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    best = min((_left_out_error(u, s, z, penalty=p * s.square().mean()), p) for p in PENALTIES)[1]
    shrink = s / (s.square() + best * s.square().mean())
    projection = LinearProjection(encoder.dim, out=joint.dim)
    projection.W.data = (vh.T @ (shrink[:, None] * (u.T @ z))).to(projection.W)
    return projection


def _left_out_error(u: Tensor, s: Tensor, z: Tensor, *, penalty: Tensor) -> float:
    """The mean squared error on names that were left out of the fit, each in its turn."""
    keep = s.square() / (s.square() + penalty)
    leverage = (u.square() * keep).sum(dim=1, keepdim=True)
    return ((z - u @ (keep[:, None] * (u.T @ z))) / (1 - leverage)).square().mean().item()


def _text_encoder(model: Any, tokenizer: Any, *, joint: JointEmbedder) -> Encoder:
    """What reads the text: the joint model's own encoder, or a Hugging Face model averaged over its real tokens."""
    if (model is None) != (tokenizer is None):
        lacking, has = ("model", "tokenizer") if model is None else ("tokenizer", "model")
        raise InputError(f"A {has} came without its {lacking}; pass both, or (None, None) for the joint model's own.")
    own = dict(joint.encoders.items()).get("text")
    if model is None or (isinstance(own, PretrainedText) and own.model is model):
        if own is None:
            raise InputError("This joint model has no text encoder of its own; pass a model and its tokenizer.")
        return own
    reader = model.get_encoder() if model.config.is_encoder_decoder else model.base_model
    training = reader.training  # opening it below sets it to evaluation
    # A copy of the tokenizer, and no freezing: what a caller lends comes back as it was.
    try:
        encoder = PretrainedText(
            reader, processor=deepcopy(tokenizer), recipe=Recipe(), source=model.name_or_path, trainable=True
        )
    finally:
        reader.train(training)
    return encoder.train(training)


def _x(encoders: dict[str, Encoder], name: str, raw: list[Any], *, chunk: int = 128) -> Float[Tensor, "batch dim"]:
    """Pooled x_m in evaluation mode, in float32 whatever the encoder computes in."""
    if name not in encoders:
        raise InputError(f"This joint model has no {name} encoder; leave the {name} out by passing None.")
    encoder = encoders[name]
    training = encoder.training
    encoder.eval()
    try:
        device = next(encoder.parameters()).device
        parts = [encoder.preprocess(raw[i : i + chunk]).to(device) for i in range(0, len(raw), chunk)]
        return torch.cat([encoder.embed(part) for part in parts]).float()
    finally:
        encoder.train(training)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _check_width(joint: JointEmbedder, name: str, x: Tensor) -> None:
    if name not in joint.projections:
        raise InputError(f"This joint model has no W for {name}; pass None for it.")
    wanted = joint.projections[name].dim
    if x.ndim != 2:
        todo = "average its tokens first" if x.ndim == 3 else "give one row per input"
        raise InputError(f"Expected {name} embeddings of shape (batch, {wanted}), got {tuple(x.shape)}; {todo}.")
    if x.shape[1] != wanted:
        todo = (
            "fit a W_t with fit_text_projection and pass joint=with_text(joint, encoder, W_t)" if name == "text" else ""
        )
        raise InputError(
            f"The joint model's W for {name} takes vectors {wanted} wide, got {x.shape[1]}; "
            f"{todo or 'pass what get_embedding gave for this joint model'}."
        )
