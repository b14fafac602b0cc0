"""What the frozen encoders make of the training pictures and clips, kept on disk; percepts drawn from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor
from torch.nn.functional import normalize

from mmlab.datasets.dialogue.colours import NAMES
from mmlab.datasets.dialogue.facts import Facts
from mmlab.datasets.emoji import LANGUAGES, EmojiData, decode_audio, decode_image
from mmlab.encoders import ImageEncoder
from mmlab.models.chat import early_features
from mmlab.models.checkpoint import sha256
from mmlab.models.connectors import Percept
from mmlab.models.fingerprint import fingerprint
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import fit_image, image_tensor
from mmlab.training.augment import PictureAugment, SoundAugment
from mmlab.training.dialogue_recipe import ChatRecipe
from mmlab.types import Inputs

FILE, CHUNK = "percepts.safetensors", 64
NEIGHBOURS = 16  # names near a thing's, towards which half of the pulls go; the others go anywhere
PICTURES, SOUNDS = (0.0, 1.0, 1.4), (0.0, 1.0)  # how much each view is changed, as in alignment; the first is clean
REDRAWN = 3  # views of a picture's colours beside the clean one: moved, and with the dark lines that other teams draw


@dataclass(frozen=True)
class Bank:
    """Vectors of every picture and clip that a recipe may show, in several views, and of every name.

    Shape:   image (pictures, views, d_z), audio (clips, views, d_z), names (things, d_z);
             early (pictures, 1 + REDRAWN, channels)
    """

    pictures: dict[str, int]  # key "thing/style" -> row of image and early
    clips: dict[int, int]  # row of the speech table -> row of audio
    spoken: dict[int, str]  # row of the speech table -> id of the thing it names
    things: dict[str, int]  # id -> row of names
    image: Float[Tensor, "pictures views dim"]
    audio: Float[Tensor, "clips sound_views dim"]
    early: Float[Tensor, "pictures drawings channels"]
    names: Float[Tensor, "things dim"]
    alike: list[Int[Tensor, " _"]]  # rows of pictures whose colour is the same, one list per colour and one for unclear
    colour: Int[Tensor, " pictures"]  # which of these lists a picture is in
    near: Int[Tensor, "things neighbours"]  # the names nearest to each

    def draw(
        self,
        shown: Sequence[tuple[str, int, str]],
        *,
        strict: Bool[Tensor, " n"],
        recipe: ChatRecipe,
        generator: Generator,
    ) -> list[Percept]:
        """A percept for each (modality, its row, id of the thing); a strict one lies nearest to its own name.

        The early features are those of another picture of the same colour, drawn in one of several ways: they may say the
        colour, and nothing else.
        """
        things = torch.tensor([self.things[thing] for _, _, thing in shown])
        bases = []
        for (name, row, _), u, k in zip(
            shown,
            _uniform(len(shown), generator),
            torch.randint(1 << 20, (len(shown), 2), generator=generator),
            strict=True,
        ):
            views = (self.image if name == "image" else self.audio)[row]
            bases.append(None if u < recipe.pseudo else views[int(k[0]) % len(views)])
        base = torch.stack([self.names[t] if b is None else b for t, b in zip(things.tolist(), bases, strict=True)])
        z = self.moved(base, things, strict=strict, recipe=recipe, generator=generator)
        early = self._colours(shown, recipe, generator)
        none = z.new_zeros(0)
        return [Percept(name, none, one, coloured) for (name, _, _), one, coloured in zip(shown, z, early, strict=True)]

    def moved(
        self,
        base: Float[Tensor, "n dim"],
        things: Int[Tensor, " n"],
        *,
        strict: Bool[Tensor, " n"],
        recipe: ChatRecipe,
        generator: Generator,
    ) -> Float[Tensor, "n dim"]:
        """Vectors pulled towards others and blurred, the strict ones only as far as they still lie nearest to their name."""
        n, dim = base.shape
        near = self.near[things, torch.randint(self.near.shape[1], (n,), generator=generator)]
        far = torch.randint(len(self.names), (n,), generator=generator)
        other = self.names[torch.where(_uniform(n, generator) < 0.5, near, far)]
        pull = recipe.pull * _uniform(n, generator)[:, None]
        blur = recipe.blur * _uniform(n, generator)[:, None] * dim**-0.5
        change = pull * other + blur * torch.randn(n, dim, generator=generator)
        z = normalize(base + change, dim=-1)
        for share in (0.5, 0.2):
            wrong = strict & ((z @ self.names.T).argmax(dim=-1) != things)
            z = torch.where(wrong[:, None], normalize(base + share * change, dim=-1), z)
        wrong = strict & ((z @ self.names.T).argmax(dim=-1) != things)
        return torch.where(wrong[:, None], normalize(self.names[things] + 0.2 * change, dim=-1), z)

    def _colours(
        self, shown: Sequence[tuple[str, int, str]], recipe: ChatRecipe, generator: Generator
    ) -> list[Float[Tensor, " channels"]]:
        spread = recipe.early_blur * self.early.std(dim=(0, 1))
        out = []
        for name, row, _ in shown:
            if name != "image":
                out.append(self.early.new_zeros(0))
                continue
            rows = self.alike[int(self.colour[row])]
            twin = rows[torch.randint(len(rows), (1,), generator=generator)]
            way = torch.randint(self.early.shape[1], (1,), generator=generator)
            noise = torch.randn(self.early.shape[2], generator=generator)
            out.append(self.early[twin[0], way[0]] + spread * noise)
        return out


def _uniform(n: int, generator: Generator) -> Float[Tensor, " n"]:
    return torch.rand(n, generator=generator)


def open_bank(
    data: EmojiData, joint: JointEmbedder, *, split: str, seed: int, folder: Path, say: Callable[[str], None]
) -> Bank:
    """The bank of a split of the dialogues, read from `folder` where it was made of the same data and joint space."""
    shown = Facts.of(data).shown(split)
    keys = [key for found in shown.pictures.values() for key in found]
    rows = [row for found in shown.clips.values() for row in found]
    made_from = {
        "joint": fingerprint(joint),
        "data": sha256(data.root / "SHA256SUMS"),
        "split": split,
        "seed": str(seed),
        "redrawn": str(REDRAWN),
    }
    path = folder / FILE
    if not path.is_file() or _metadata(path) != made_from:
        say(f"Encoding {len(keys)} pictures and {len(rows)} clips, once for this run.")
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        save_file(_encode(data, joint, keys, rows, seed=seed), partial, made_from)
        partial.replace(path)
    stored = load_file(path)
    colours = [None if (c := Facts.of(data).colour(key)) is None else NAMES.index(c) for key in keys]
    colour = torch.tensor([len(NAMES) if c is None else c for c in colours])
    return Bank(
        pictures={key: i for i, key in enumerate(keys)},
        clips={row: i for i, row in enumerate(rows)},
        spoken={row: Facts.of(data).heard(row) for row in rows},
        things=dict(data.index),
        alike=[(colour == c).nonzero().flatten() for c in range(len(NAMES) + 1)],
        colour=colour,
        near=neighbours(stored["names"]),
        **stored,
    )


def neighbours(names: Float[Tensor, "things dim"]) -> Int[Tensor, "things neighbours"]:
    """The names that lie nearest to each name, itself left out."""
    scores = (names @ names.T).fill_diagonal_(-2.0)
    return scores.topk(min(NEIGHBOURS, len(names) - 1)).indices


def _metadata(path: Path) -> dict[str, str] | None:
    """What the file was made from; None where it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata()
    except SafetensorError:
        return None


@torch.no_grad()
def _encode(
    data: EmojiData, joint: JointEmbedder, keys: list[str], rows: list[int], *, seed: int
) -> dict[str, Float[Tensor, "..."]]:
    generator = torch.Generator().manual_seed(seed)
    table = data.image_table.select(["thing", "style", "image"]).to_pylist()
    drawn = {f"{row['thing']}/{row['style']}": row["image"]["bytes"] for row in table}
    pixels = image_tensor([fit_image(decode_image(drawn[key])) for key in keys])
    clips = data.speech_table["audio"].take(rows).to_pylist()
    names = joint.encode(text=[t.name(language) for language in LANGUAGES for t in data.things])["text"]
    encoder = joint.encoders["image"]
    return {
        "image": torch.stack([_pictures(joint, pixels, k, generator) for k in PICTURES], dim=1).contiguous(),
        "audio": _sounds(joint, clips, generator),
        "early": _early(encoder, pixels, generator),
        "names": normalize(rearrange(names, "(two n) dim -> two n dim", two=len(LANGUAGES)).mean(dim=0), dim=-1),
    }


def _pictures(joint: JointEmbedder, pixels: Tensor, strength: float, generator: Generator) -> Float[Tensor, "n dim"]:
    change, encoder = PictureAugment(strength=strength), joint.encoders["image"]
    out = []
    for part in pixels.split(CHUNK):
        if strength:
            part = change(part, flippable=torch.zeros(len(part), dtype=torch.bool), generator=generator)
        out.append(normalize(joint.projections["image"](encoder.embed(Inputs(part))), dim=-1))
    return torch.cat(out)


def _early(encoder: ImageEncoder, pixels: Tensor, generator: Generator) -> Float[Tensor, "n drawings channels"]:
    change = PictureAugment()
    views = [pixels] + [
        torch.cat([change.redrawn(part, generator=generator) for part in pixels.split(CHUNK)]) for _ in range(REDRAWN)
    ]
    made = [torch.cat([early_features(encoder, part) for part in view.split(CHUNK)]) for view in views]
    return torch.stack(made, dim=1)


def _sounds(joint: JointEmbedder, clips: list[dict], generator: Generator) -> Float[Tensor, "n views dim"]:
    encoder = joint.encoders["audio"]
    change = SoundAugment(encoder.mel)
    waves = [decode_audio(clip["bytes"]) for clip in clips]
    order = sorted(range(len(waves)), key=lambda i: len(waves[i]))
    out: dict[int, Tensor] = {}
    for start in range(0, len(order), CHUNK):
        part = order[start : start + CHUNK]
        inputs = encoder.preprocess([waves[i] for i in part])
        views = []
        for strength in SOUNDS:
            mel, mask = change(inputs.values, inputs.mask, generator=generator, strength=strength)
            if not strength:
                mel, mask = encoder.mel(inputs.values), encoder.mel.frame_mask(inputs.mask)
            views.append(normalize(joint.projections["audio"](encoder.pool(encoder.from_mel(mel, mask))), dim=-1))
        out |= dict(zip(part, torch.stack(views, dim=1), strict=True))
    return torch.stack([out[i] for i in range(len(waves))])
