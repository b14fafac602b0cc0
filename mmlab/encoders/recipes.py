"""How each family of Hugging Face models is opened and pooled: the table behind `pretrained.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from mmlab.types import Tokens

Pool = Callable[[nn.Module, Tokens], Tensor]


@dataclass(frozen=True)
class Recipe:
    """One family of models.

    `opens` is the class of transformers that holds just the wanted half; `pool` turns its tokens into one embedding
    (None: the mean of the real tokens); `width` reads the size of that embedding from the config; `unit` scales it to
    length one, where the authors do; `fixed` says that the model was trained on padding as if it were content, so
    that texts are always padded to the full length and every token counts as real.
    """

    opens: str = "AutoModel"
    pool: Pool | None = None
    width: Callable[[Any], int] = lambda config: config.hidden_size
    unit: bool = False
    fixed: bool = False


def first(model: nn.Module, tokens: Tokens) -> Float[Tensor, "batch dim"]:
    """The first token: [CLS]."""
    return tokens.values[:, 0]


def last(model: nn.Module, tokens: Tokens) -> Float[Tensor, "batch dim"]:
    """The last real token: the end-of-text token of CLIP and of causal models."""
    positions = torch.arange(tokens.mask.shape[1], device=tokens.mask.device)
    final = (tokens.mask * positions).argmax(dim=1)
    return tokens.values[torch.arange(len(final), device=final.device), final]


def largest(model: nn.Module, tokens: Tokens) -> Float[Tensor, "batch dim"]:
    """The largest value of each coordinate over the real tokens."""
    hidden = tokens.values.masked_fill(~tokens.mask[..., None], -torch.inf)
    return reduce(hidden, "batch seq dim -> batch dim", "max")


def _ast(model: nn.Module, tokens: Tokens) -> Tensor:
    """The mean of the class token and the distillation token, as in AST, arXiv:2104.01778."""
    return reduce(tokens.values[:, :2], "batch seq dim -> batch dim", "mean")


def _clip_text(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.text_projection(last(model, tokens))


def _clip_image(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.visual_projection(model.vision_model.post_layernorm(first(model, tokens)))


def _siglip_text(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.head(tokens.values[:, -1])


def _siglip_image(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.head(tokens.values)


def _clap_text(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.text_projection(model.text_model.pooler(tokens.values))


def _clap_audio(model: nn.Module, tokens: Tokens) -> Tensor:
    return model.audio_projection(reduce(tokens.values, "batch seq dim -> batch dim", "mean"))


def tokens_of(hidden: Tensor) -> Float[Tensor, "batch seq dim"]:
    """A last hidden state as a sequence: some image and audio models leave it as a map (batch, dim, height, width)."""
    return rearrange(hidden, "batch dim h w -> batch (h w) dim") if hidden.ndim == 4 else hidden


def _projected(config: Any) -> int:
    return config.projection_dim


CLIP_TEXT = Recipe("CLIPTextModelWithProjection", pool=_clip_text, width=_projected)
CLIP_IMAGE = Recipe("CLIPVisionModelWithProjection", pool=_clip_image, width=_projected)
SIGLIP_TEXT = Recipe("SiglipTextModel", pool=_siglip_text, width=lambda config: config.projection_size, fixed=True)
SIGLIP_IMAGE = Recipe("SiglipVisionModel", pool=_siglip_image)
CLAP_TEXT = Recipe("ClapTextModelWithProjection", pool=_clap_text, width=_projected, unit=True)
CLAP_AUDIO = Recipe("ClapAudioModelWithProjection", pool=_clap_audio, width=_projected, unit=True)
CLASS_TOKEN = Recipe(pool=first)
LAST_MAP = Recipe(width=lambda config: config.hidden_sizes[-1])

# By modality and the `model_type` of the config. A text or image model that is not listed is pooled by the mean of its
# real tokens; a sentence-transformers folder says itself how it is pooled. Sound models differ in what they read, so
# that only those listed can be used (see hearing.py).
RECIPES: dict[str, dict[str, Recipe]] = {
    "text": {
        "clip": CLIP_TEXT,
        "clip_text_model": CLIP_TEXT,
        "siglip": SIGLIP_TEXT,
        "siglip_text_model": SIGLIP_TEXT,
        "clap": CLAP_TEXT,
        "clap_text_model": CLAP_TEXT,
    },
    "image": {
        "clip": CLIP_IMAGE,
        "clip_vision_model": CLIP_IMAGE,
        "siglip": SIGLIP_IMAGE,
        "siglip_vision_model": SIGLIP_IMAGE,
        "vit": CLASS_TOKEN,
        "deit": CLASS_TOKEN,
        "dinov2": CLASS_TOKEN,
        "resnet": LAST_MAP,
        "convnext": LAST_MAP,
    },
    "audio": {
        "clap": CLAP_AUDIO,
        "clap_audio_model": CLAP_AUDIO,
        "whisper": Recipe(),
        "wav2vec2": Recipe(),
        "hubert": Recipe(),
        "wavlm": Recipe(),
        "audio-spectrogram-transformer": Recipe(pool=_ast),
    },
}

POOLS: dict[str, Pool | None] = {
    "mean": None,
    "cls": first,
    "max": largest,
    "lasttoken": last,
}  # of sentence-transformers
