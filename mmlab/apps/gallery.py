"""The vectors of all things that a search looks through, kept beside the model so that they are made once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from einops import reduce
from jaxtyping import Float, Int8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import normalize

from mmlab.datasets.emoji import LANGUAGES, TEST_STYLES, EmojiData
from mmlab.models import checkpoint
from mmlab.models.joint import JointEmbedder
from mmlab.types import InputError

FILE = "gallery.safetensors"
STYLE = TEST_STYLES["near"]  # pictures that the shipped model never saw


def name_vectors(model: JointEmbedder, data: EmojiData) -> Float[Tensor, "things dim"]:
    """Of each thing the mean of its English and its Chinese name's z, of unit length: one place for both languages."""
    names = [thing.name(language) for language in LANGUAGES for thing in data.things]
    z = model.encode(text=names)["text"]
    return normalize(reduce(z, "(language thing) dim -> thing dim", "mean", language=len(LANGUAGES)), dim=-1)


def picture_vectors(model: JointEmbedder, data: EmojiData, *, style: str = STYLE) -> Float[Tensor, "things dim"]:
    """Of each thing the z of its picture in one style; zero where that team never drew it."""
    pictures = data.images(style)
    here = [i for i, thing in enumerate(data.things) if thing.id in pictures]
    z = model.encode(image=[pictures[data.things[i].id] for i in here])["image"]
    vectors = torch.zeros(len(data), model.dim).to(z)
    vectors[here] = z
    return vectors


# What a thing can be found by. The first is what a search looks through unless told otherwise.
TARGETS: dict[str, Callable[[JointEmbedder, EmojiData], Tensor]] = {"text": name_vectors, "image": picture_vectors}


def gallery(
    model: JointEmbedder, data: EmojiData, targets: Iterable[str], *, folder: Path | None = None
) -> dict[str, Float[Tensor, "things dim"]]:
    """The vectors for each target: from the file in `folder` where it was made of this model and these data, else made now.

    Raises:  InputError for an unknown target and for a damaged file
    """
    targets = tuple(targets)
    unknown = set(targets) - set(TARGETS)
    if unknown or not targets:
        raise InputError(f"A search looks through {' or '.join(TARGETS)}, got {', '.join(unknown) or 'neither'}.")
    kept = {} if folder is None else read_gallery(model, data, folder)
    return {name: kept[name] if name in kept else TARGETS[name](model, data) for name in targets}


def write_gallery(model: JointEmbedder, data: EmojiData, folder: str | Path) -> Path:
    """Make the vectors for every target and keep them in the checkpoint folder, with the hashes of what made them.

    `model` has to be the one that `from_pretrained(folder)` gives: the weights that were saved, rounded as they are.
    """
    vectors = {name: in_bytes(make(model, data)) for name, make in TARGETS.items()}
    path = Path(folder) / FILE
    save_file(vectors, path, metadata={"made_of": json.dumps(origin(model, data), sort_keys=True)})
    checkpoint.seal(folder, FILE)
    return path


def in_bytes(vectors: Float[Tensor, "things dim"]) -> Int8[Tensor, "things dim"]:
    """Each vector scaled so that its largest number is 127, and rounded: its direction stays."""
    largest = vectors.abs().amax(dim=1, keepdim=True).clamp(min=1e-12)
    return (127 * vectors / largest).round().to(torch.int8)


def read_gallery(model: JointEmbedder, data: EmojiData, folder: str | Path) -> dict[str, Tensor]:
    """What `write_gallery` kept; empty where there is no file, or where it was made of other weights or other data."""
    path = Path(folder) / FILE
    if not path.is_file():
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            made_of = json.loads((file.metadata() or {}).get("made_of", "null"))
            if made_of != origin(model, data):
                return {}
            return {name: normalize(file.get_tensor(name).float(), dim=-1) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"{path}: expected the vectors of all things, could not read them ({error}); delete it."
        ) from error


def origin(model: JointEmbedder, data: EmojiData) -> dict[str, str]:
    """The sha256 of all that decides the vectors: the weights, the names, the pictures."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        weights.update(name.encode())
        weights.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    names = json.dumps([(thing.id, thing.name_en, thing.name_zh) for thing in data.things])
    pictures = hashlib.sha256((data.root / "images.parquet").read_bytes())
    return {
        "weights": weights.hexdigest(),
        "names": hashlib.sha256(names.encode()).hexdigest(),
        "pictures": pictures.hexdigest(),
        "style": STYLE,
    }
