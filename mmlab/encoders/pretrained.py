"""Any Hugging Face text, image or audio model behind the interface of our encoders; frozen unless asked otherwise."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import gcd
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from scipy.signal import resample_poly
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.encoders import hub
from mmlab.encoders.base import Encoder
from mmlab.encoders.hearing import EARS
from mmlab.encoders.recipes import Recipe, tokens_of
from mmlab.preprocessing import MIN_SECONDS, SAMPLE_RATE
from mmlab.types import InputError, Inputs, Tokens

# These families count positions from behind the padding id, so that the last ones of the table are out of reach.
_POSITIONS_AFTER_PADDING = frozenset({"roberta", "xlm-roberta", "camembert", "clap_text_model"})


class Pretrained(Encoder, ABC):
    """What the three wrappers share: opening, freezing, and pooling as the model's authors pool.

    `dim` is the width of the pooled embedding; the tokens are wider or narrower where the model projects after pooling
    (CLIP, SigLIP text, CLAP). A frozen encoder stays in evaluation mode, whatever `train()` says.
    """

    reads: ClassVar[str]

    def __init__(
        self, model: nn.Module, *, processor: Any, recipe: Recipe, source: str, trainable: bool = False
    ) -> None:
        super().__init__(modality=self.reads, dim=recipe.width(model.config))
        self.model = model
        self.processor = processor
        self.recipe = recipe
        self.trainable = trainable
        self.config = {"source": source}
        if not trainable:
            self.requires_grad_(False)
        self.eval()

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, *, trainable: bool = False) -> "Pretrained":
        """Open a folder that `save_pretrained` wrote, or a model of the Hugging Face hub by its name.

        Raises:  InputError where the folder is missing or no model folder, the hub cannot be reached, the model reads
                 another modality, or a weight is missing, misshapen or pickled
        """
        source = hub.locate(name_or_folder)
        config = hub.open_config(source)
        recipe = hub.choose(config, modality=cls.reads, source=source)
        return cls._open(source, recipe=recipe, trainable=trainable)

    @classmethod
    def _open(cls, source: str, *, recipe: Recipe, trainable: bool) -> "Pretrained":
        processor = hub.open_processor(source, modality=cls.reads)
        model = hub.open_model(source, recipe=recipe)
        return cls(model, processor=processor, recipe=recipe, source=source, trainable=trainable)

    def train(self, mode: bool = True) -> "Pretrained":
        return super().train(mode and self.trainable)

    def pool(self, tokens: Tokens) -> Float[Tensor, "batch dim"]:
        """One embedding per input, pooled as the recipe says."""
        pooled = super().pool(tokens) if self.recipe.pool is None else self.recipe.pool(self.model, tokens)
        return normalize(pooled, dim=-1) if self.recipe.unit else pooled

    @abstractmethod
    def _check(self, item: Any) -> None:
        """An InputError where this raw input cannot be used."""

    def _checked(self, raw: Sequence[Any]) -> list[Any]:
        if isinstance(raw, str) or len(raw) == 0:
            raise InputError(
                f"{type(self).__name__} needs a list of at least one {self.reads}, got {raw!r}; pass a list."
            )
        for item in raw:
            self._check(item)
        return list(raw)


class PretrainedText(Pretrained):
    """A text model of the Hugging Face kind: BERT, sentence models such as MiniLM, the text half of CLIP, SigLIP, CLAP.

    Shape:   values (batch, seq) token ids -> Tokens (batch, seq, hidden) -> pooled (batch, dim)
    Cost:    that of the model
    Source:  https://huggingface.co/docs/transformers
    Parity:  tests/unit/test_pretrained.py (the features that transformers itself gives; mean pooling by hand)
    Raises:  InputError for an empty text and for one longer than the model takes
    """

    reads = "text"

    def __init__(
        self,
        model: nn.Module,
        *,
        processor: Any,
        recipe: Recipe,
        source: str,
        trainable: bool = False,
        longest: int | None = None,
    ) -> None:
        super().__init__(model, processor=processor, recipe=recipe, source=source, trainable=trainable)
        if processor.pad_token is None and processor.eos_token is None:
            raise InputError(f"The tokenizer of {source!r} has no padding token; set pad_token and save it again.")
        processor.pad_token = processor.pad_token or processor.eos_token  # the mask hides it: any token will do
        processor.padding_side = "right"
        self.longest = min(processor.model_max_length, longest or processor.model_max_length, self._positions())

    @classmethod
    def _open(cls, source: str, *, recipe: Recipe, trainable: bool) -> "Pretrained":
        recipe, longest = hub.as_sentence_model(recipe, source=source)
        processor = hub.open_processor(source, modality=cls.reads)
        model = hub.open_model(source, recipe=recipe)
        return cls(model, processor=processor, recipe=recipe, source=source, trainable=trainable, longest=longest)

    def _positions(self) -> int:
        config = self.model.config.to_dict()
        positions = config.get("max_position_embeddings") or self.processor.model_max_length  # none: relative positions
        return positions - (config["pad_token_id"] + 1 if config["model_type"] in _POSITIONS_AFTER_PADDING else 0)

    def _check(self, item: Any) -> None:
        if not isinstance(item, str) or not item.strip():
            raise InputError(f"PretrainedText needs texts with at least one character, got {item!r}; leave it out.")

    def preprocess(self, raw: Sequence[Any]) -> Inputs:
        ids = self.processor(self._checked(raw), verbose=False)["input_ids"]
        for text, row in zip(raw, ids, strict=True):
            if len(row) > self.longest:
                raise InputError(
                    f"This model takes {self.longest} tokens, got {len(row)} in the text that begins {text[:30]!r}; "
                    "shorten it or split it."
                )
        how = {"padding": "max_length", "max_length": self.longest} if self.recipe.fixed else {"padding": True}
        padded = self.processor.pad({"input_ids": ids}, return_attention_mask=True, return_tensors="pt", **how)
        mask = padded["attention_mask"].bool()
        return Inputs(padded["input_ids"], torch.ones_like(mask) if self.recipe.fixed else mask)

    def forward(self, inputs: Inputs) -> Tokens:
        hidden = self.model(input_ids=inputs.values, attention_mask=inputs.mask.long()).last_hidden_state
        return Tokens(hidden, inputs.mask)


class PretrainedImage(Pretrained):
    """A picture model of the Hugging Face kind: ViT, DINOv2, ResNet, the image half of CLIP and SigLIP.

    Shape:   values (batch, 3, height, width), scaled as the model's processor does -> Tokens (batch, seq, hidden)
             -> pooled (batch, dim)
    Cost:    that of the model
    Source:  https://huggingface.co/docs/transformers
    Parity:  tests/unit/test_pretrained.py (the features that transformers itself gives)
    Raises:  InputError for what is no RGB picture
    """

    reads = "image"

    def _check(self, item: Any) -> None:
        if not isinstance(item, Image.Image) or item.mode != "RGB":
            got = f"a picture of mode {item.mode}" if isinstance(item, Image.Image) else type(item).__name__
            raise InputError(f"PretrainedImage needs RGB pictures of PIL, got {got}; open it with load_image.")

    def preprocess(self, raw: Sequence[Any]) -> Inputs:
        return Inputs(self.processor(images=self._checked(raw), return_tensors="pt")["pixel_values"])

    def forward(self, inputs: Inputs) -> Tokens:
        values = tokens_of(self.model(pixel_values=inputs.values.to(self.model.dtype)).last_hidden_state)
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))


class PretrainedAudio(Pretrained):
    """A sound model of the Hugging Face kind: Whisper (its encoder), CLAP, Wav2Vec2, HuBERT, WavLM, AST.

    Shape:   values as the model's extractor makes them (waveforms or spectrograms) -> Tokens (batch, seq, hidden)
             -> pooled (batch, dim)
    Units:   raw waveforms at 16 kHz, resampled to the rate of the extractor (48 kHz for CLAP)
    Cost:    that of the model; Whisper hears 30 s whatever the length
    Source:  https://huggingface.co/docs/transformers
    Parity:  tests/unit/test_pretrained.py (the features that transformers itself gives)
    Raises:  InputError for what is no finite mono waveform, and for one too short or longer than the model takes
    """

    reads = "audio"

    def __init__(
        self, model: nn.Module, *, processor: Any, recipe: Recipe, source: str, trainable: bool = False
    ) -> None:
        super().__init__(model, processor=processor, recipe=recipe, source=source, trainable=trainable)
        self.ear = EARS[model.config.model_type]

    def _check(self, item: Any) -> None:
        if not isinstance(item, np.ndarray) or item.ndim != 1 or not np.isfinite(item).all():
            raise InputError(
                "PretrainedAudio needs mono waveforms at 16 kHz, arrays of one axis without NaN, got "
                f"{getattr(item, 'shape', type(item).__name__)}; open the sound with load_audio."
            )
        seconds, longest = len(item) / SAMPLE_RATE, self.ear.longest(self.processor)
        if not MIN_SECONDS <= seconds <= longest:
            raise InputError(
                f"This model takes sounds of {MIN_SECONDS} to {longest:g} seconds, got {seconds:.2f}; "
                "cut it or leave it out."
            )

    def preprocess(self, raw: Sequence[Any]) -> Inputs:
        rate = self.processor.sampling_rate
        common = gcd(rate, SAMPLE_RATE)
        up, down = rate // common, SAMPLE_RATE // common
        waves = [item if up == down else resample_poly(item, up, down) for item in self._checked(raw)]
        return self.ear.read(self.processor, [np.asarray(wave, dtype=np.float32) for wave in waves])

    def forward(self, inputs: Inputs) -> Tokens:
        return self.ear.hear(self.model, Inputs(inputs.values.to(self.model.dtype), inputs.mask))
