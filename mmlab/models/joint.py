"""The article's f: encode each modality, map each code linearly into one space, add, normalise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from mmlab.encoders import ENCODERS, Encoder
from mmlab.models import checkpoint
from mmlab.models.familiarity import Familiarity
from mmlab.paths import DATA
from mmlab.preprocessing import Tokenizer
from mmlab.projection import LinearProjection
from mmlab.types import MODALITIES, Batch, InputError, Inputs, Sample

MODEL_TYPE = "mmlab-joint"
SHIPPED = DATA / "checkpoints" / "joint"


@dataclass(frozen=True)
class JointOutput:
    """Unit vectors of each modality (None where the batch has none) and of their weighted sum.

    Shape:   text, image, audio, fused (batch, d_z); a row without a modality is zero there
    """

    text: Float[Tensor, "batch dim"] | None
    image: Float[Tensor, "batch dim"] | None
    audio: Float[Tensor, "batch dim"] | None
    fused: Float[Tensor, "batch dim"]


class JointEmbedder(nn.Module):
    r"""Text, picture and sound in one space: encode, pool, project, add.

    $$x_m = \mathrm{pool}(E_m(\text{input}_m)), \qquad z_m = \frac{x_m W_m}{\lVert x_m W_m \rVert}, \qquad
      z = \frac{\sum_m w_m z_m}{\lVert \sum_m w_m z_m \rVert}$$

    Shape:   input of modality m -> x_m (batch, d_m) -> z_m (batch, d_z); any modality may be missing
    Source:  the article's sum of projections; unit vectors as in CLIP, Radford et al. 2021, arXiv:2103.00020. Differs
             from the article: each z_m has unit length, so that no modality wins by its scale alone.
    Parity:  tests/unit/test_joint.py (against the three encoders and matrices by hand)
    Raises:  InputError for a batch without any modality, an unknown modality, or weights of length zero
    """

    def __init__(
        self,
        encoders: dict[str, Encoder],
        *,
        dim: int,
        weights: dict[str, float] | None = None,
        familiarity: dict[str, Familiarity] | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.encoders = nn.ModuleDict({name: encoders[name] for name in MODALITIES if name in encoders})
        self.projections = nn.ModuleDict({name: LinearProjection(e.dim, out=dim) for name, e in self.encoders.items()})
        chosen = [(weights or {}).get(name, 1.0) for name in MODALITIES]
        self.register_buffer("weights", torch.tensor(chosen, dtype=torch.get_default_dtype()))
        self.familiarity = nn.ModuleDict(familiarity or {})

    def project(self, modality: str, inputs: Inputs) -> Float[Tensor, "batch dim"]:
        """z_m, of unit length, of one modality's inputs."""
        return normalize(self.projections[modality](self.encoders[modality].embed(inputs)), dim=-1)

    def fuse(
        self,
        *,
        text: Float[Tensor, "batch dim"] | None = None,
        image: Float[Tensor, "batch dim"] | None = None,
        audio: Float[Tensor, "batch dim"] | None = None,
        weights: dict[str, float] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """The weighted sum of what is there, of unit length; `weights` override the tuned ones."""
        given = {name: z for name, z in zip(MODALITIES, (text, image, audio), strict=True) if z is not None}
        if not given:
            raise InputError("JointEmbedder needs at least one of text, image and audio, got none; pass one of them.")
        own = dict(zip(MODALITIES, self.weights.tolist(), strict=True))
        total = sum((own | (weights or {}))[name] * z for name, z in given.items())
        return normalize(total, dim=-1)

    def forward(self, batch: Batch) -> JointOutput:
        z: dict[str, Tensor | None] = {}
        for column, name in enumerate(MODALITIES):
            inputs = getattr(batch, name)
            if inputs is not None and name not in self.encoders:
                raise InputError(
                    f"This model has no {name} encoder, but the batch has {name}; leave it out of the batch."
                )
            here: Bool[Tensor, " batch"] = batch.present[:, column]
            z[name] = None if inputs is None else self.project(name, inputs) * here[:, None]
        return JointOutput(**z, fused=self.fuse(**z))

    def batch(self, samples: Sequence[Sample]) -> Batch:
        """Samples, each of which may lack modalities, as the tensors that the model takes, where the model is.

        Shape:   present (n, 3); the inputs of a modality (n, ...) as its encoder takes them, zero where it is missing
        Units:   waveforms at 16 kHz
        Raises:  InputError for no sample, a sample without anything, and a modality that no encoder takes
        """
        given = {name: [getattr(one, name) for one in samples] for name in MODALITIES}
        present = torch.tensor([[item is not None for item in items] for items in given.values()], dtype=torch.bool).T
        if not len(present):
            raise InputError("A batch is made of at least one sample, got none; give one or more.")
        if not present.any(dim=1).all():
            came = samples[int(present.sum(dim=1).argmin())]
            raise InputError(f"A sample has a text, a picture or a sound, got one without any ({came}); leave it out.")
        columns = {
            name: self._column(name, given[name], here) for name, here in zip(MODALITIES, present.T, strict=True)
        }
        return Batch(**columns, present=present).to(self.weights.device)

    def _column(self, name: str, items: Sequence[Any], here: Bool[Tensor, " batch"]) -> Inputs | None:
        if not here.any():
            return None
        if name not in self.encoders:
            raise InputError(f"This model has no {name} encoder, but a sample has {name}; leave it out.")
        ready = self.encoders[name].preprocess([item for item in items if item is not None])
        return Inputs(_spread(ready.values, here), None if ready.mask is None else _spread(ready.mask, here))

    def encode(self, *, chunk: int = 128, **raw: Sequence[Any] | None) -> dict[str, Float[Tensor, "n dim"]]:
        """Unit vectors of raw inputs: `text` strings, `image` PIL pictures, `audio` waveforms at 16 kHz."""
        return {name: z for name, (_, z) in self.features(chunk=chunk, **raw).items()}

    def familiar(self, *, chunk: int = 128, **raw: Sequence[Any] | None) -> dict[str, Float[Tensor, " n"]]:
        """How like the learned material each raw input is: a percentile, near 0 for a stranger (see `Familiarity`)."""
        found = self.judge(chunk=chunk, **raw)
        missing = sorted(name for name, (_, known) in found.items() if known is None)
        if missing:
            raise InputError(
                f"This model carries no familiarity for {', '.join(missing)}; fit one with Familiarity.fit."
            )
        return {name: known for name, (_, known) in found.items()}

    def judge(
        self, *, chunk: int = 128, **raw: Sequence[Any] | None
    ) -> dict[str, tuple[Float[Tensor, "n dim"], Float[Tensor, " n"] | None]]:
        """Unit vectors of raw inputs and how familiar each is, in one pass; None where this model cannot judge."""
        found = {}
        for name, (x, z, strangeness) in self._look(raw, chunk=chunk, judged=True).items():
            judges = name in self.familiarity
            found[name] = z, self.familiarity[name].score(x, z, strangeness=strangeness) if judges else None
        return found

    def features(
        self, *, chunk: int = 128, **raw: Sequence[Any] | None
    ) -> dict[str, tuple[Float[Tensor, "n dim"], Float[Tensor, "n out"]]]:
        """Pooled x_m and unit z_m of raw inputs, by modality; in eval mode, without gradients, `chunk` rows at a time."""
        return {name: (x, z) for name, (x, z, _) in self._look(raw, chunk=chunk, judged=False).items()}

    @torch.no_grad()
    def _look(
        self, raw: dict[str, Sequence[Any] | None], *, chunk: int, judged: bool
    ) -> dict[str, tuple[Tensor, Tensor, Tensor | None]]:
        """`features`, and where asked for what the manner of the familiarity says of the inputs."""
        unknown = set(raw) - set(self.encoders)
        if unknown:
            raise InputError(f"JointEmbedder encodes {', '.join(self.encoders)}, got {', '.join(sorted(unknown))}.")
        was_training, device = self.training, self.weights.device
        self.eval()
        out = {}
        for name, items in raw.items():
            if items is None or len(items) == 0:
                continue
            encoder = self.encoders[name]
            judge = self.familiarity[name] if judged and name in self.familiarity else None
            parts = [encoder.preprocess(items[i : i + chunk]).to(device) for i in range(0, len(items), chunk)]
            x = torch.cat([encoder.embed(part) for part in parts])
            if judge is None or judge.manner is None:
                strangeness = None
            else:
                strangeness = torch.cat([judge.manner(part) for part in parts])
            out[name] = x, normalize(self.projections[name](x), dim=-1), strangeness
        self.train(was_training)
        return out

    def save_pretrained(self, folder: str | Path, *, dtype: torch.dtype = torch.float32, **notes: Any) -> None:
        """Weights (safetensors), config and tokenizer in one folder; `notes` go into the config as they are.

        Raises:  InputError for an encoder that is not one of ENCODERS, such as a pretrained one
        """
        foreign = [name for name, encoder in self.encoders.items() if type(encoder) is not ENCODERS[name]]
        if foreign:
            raise InputError(
                f"A joint model is saved with its own encoders, but its {foreign[0]} encoder is a "
                f"{type(self.encoders[foreign[0]]).__name__}; save the joint model that it was put into and the state "
                "of its projection, and put them together again with `with_text`."
            )
        encoders = {name: encoder.config for name, encoder in self.encoders.items()}
        familiar = {name: part.config for name, part in self.familiarity.items()}
        count = sum(p.numel() for p in self.parameters())
        config = {"model_type": MODEL_TYPE, "dim": self.dim, "encoders": encoders, "familiarity": familiar}
        config |= {"parameters": count, **notes}
        checkpoint.write(folder, self, config=config, dtype=dtype)
        if "text" in self.encoders:
            checkpoint.seal(folder, self.encoders["text"].tokenizer.save(folder).name)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "JointEmbedder":
        """Strict: a missing file, a flipped byte, a missing, extra or misshapen weight is an InputError naming it."""
        config = checkpoint.read_config(folder, model_type=MODEL_TYPE)
        with checkpoint.described(folder):
            sizes = dict(config["encoders"])
            if "text" in sizes:
                sizes["text"] = {**sizes["text"], "tokenizer": Tokenizer.load(folder)}
            encoders = {name: ENCODERS[name](**size) for name, size in sizes.items()}
            familiarity = {name: Familiarity(**size) for name, size in config["familiarity"].items()}
            model = cls(encoders, dim=config["dim"], familiarity=familiarity)
        checkpoint.load_weights(folder, model, config=config)
        return model.eval()


def _spread(rows: Tensor, here: Bool[Tensor, " batch"]) -> Tensor:
    """The rows at the places that are True, and zeros at the others."""
    wide = rows.new_zeros(len(here), *rows.shape[1:])
    wide[here] = rows
    return wide


def load_shipped() -> JointEmbedder:
    """The joint space that ships with the course, trained by `mmlab train align`."""
    return JointEmbedder.from_pretrained(SHIPPED)
