"""From the data to the checkpoint folder: tokenizer, corpus, training, snapshots, familiarity, weights on disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from mmlab.datasets.emoji import LANGUAGES, TRAIN_STYLES, VALIDATION_STYLES, EmojiData, Thing, decode_audio
from mmlab.models.checkpoint import sha256
from mmlab.models.familiarity import Familiarity
from mmlab.models.joint import JointEmbedder
from mmlab.preprocessing import Tokenizer
from mmlab.training.align import SECONDS, AlignModule, Snapshots, estimate, train
from mmlab.training.corpus import Corpus
from mmlab.training.recipe import AlignRecipe
from mmlab.types import MODALITIES

SNAPSHOT_THINGS, SNAPSHOT_AXES = 240, 16
# Tuned on validation style and voices with a model that had not seen them (`mmlab train align --tuning`).
FUSION_WEIGHTS = {"text": 1.0, "image": 1.0, "audio": 1.0}


def train_tokenizer(data: EmojiData, *, vocab: int) -> Tokenizer:
    """The tokenizer of the course, from every name and keyword in both languages."""
    texts = [text for t in data.things for text in (t.name_en, t.name_zh, *t.keywords_en, *t.keywords_zh)]
    return Tokenizer.train(texts, vocab=vocab)


@dataclass
class SpaceLog:
    """Keeps where a fixed set of things lies in the space while it forms.

    Shape:  each snapshot (3, things, dim), modalities in the order of MODALITIES
    """

    data: EmojiData
    folder: Path
    things: list[Thing] = field(init=False)

    def __post_init__(self) -> None:
        train_things = self.data.split("train")
        self.things = train_things[:: max(1, len(train_things) // SNAPSHOT_THINGS)][:SNAPSHOT_THINGS]
        pictures = self.data.images(TRAIN_STYLES[0])
        clips = self.data.clips(split="train", language="en", engine="flite").to_pylist()
        sound = {row["thing"]: row["audio"]["bytes"] for row in reversed(clips)}
        self.things = [t for t in self.things if t.id in pictures and t.id in sound]
        self.raw = {
            "text": [t.name_en for t in self.things],
            "image": [pictures[t.id] for t in self.things],
            "audio": [decode_audio(sound[t.id]) for t in self.things],
        }
        self.folder.mkdir(parents=True, exist_ok=True)

    def take(self, step: int, model: JointEmbedder) -> None:
        z = model.encode(**self.raw)
        save_file(
            {"z": torch.stack([z[name] for name in MODALITIES]).half().cpu()}, self.folder / f"{step:06d}.safetensors"
        )

    def export(self, path: Path) -> None:
        """All snapshots in one file, on the first principal axes of the last: (moments, 3, things, axes)."""
        files = sorted(self.folder.glob("*.safetensors"))
        z = torch.stack([load_file(file)["z"].float() for file in files])
        last = z[-1].flatten(0, 1)
        axes = torch.linalg.svd(last - last.mean(0), full_matrices=False).Vh[:SNAPSHOT_AXES]
        steps = torch.tensor([int(file.stem) for file in files])
        coordinates = ((z - last.mean(0)) @ axes.T).half().contiguous()
        save_file({"coordinates": coordinates, "steps": steps}, path, {"things": " ".join(t.id for t in self.things)})


def train_align(
    recipe: AlignRecipe,
    *,
    run: Path,
    data: EmojiData | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> JointEmbedder:
    """`mmlab train align`: trains (or resumes) the recipe in `run`, after saying how long it will take."""
    data = EmojiData.load() if data is None else data
    tokenizer = train_tokenizer(data, vocab=recipe.vocab)
    things = spread(data.split("train"), recipe.things)
    corpus = Corpus.from_data(data, tuning=recipe.tuning, things=things)
    seconds = estimate(AlignModule(recipe, tokenizer), corpus)
    minutes = recipe.steps * seconds / 60
    say(f"{len(corpus)} things, {recipe.steps} steps of {seconds:.2f} s each: about {minutes:.0f} minutes.")
    log = SpaceLog(data, run / "snapshots")
    watch = Snapshots(recipe.steps, count=20, take=log.take)
    model = train(recipe, corpus, tokenizer, run=run, callbacks=(watch,), progress=progress)
    log.take(recipe.steps, model)
    say(f"Trained in {json.loads((run / SECONDS).read_text()) / 60:.1f} minutes.")
    return model


def spread(things: Sequence[Thing], count: int | None) -> list[Thing]:
    """`count` of the things, spread evenly over their order; all of them for None."""
    if count is None or count >= len(things):
        return list(things)
    return [things[i] for i in np.linspace(0, len(things) - 1, count).round().astype(int)]


def finish(model: JointEmbedder, recipe: AlignRecipe, data: EmojiData, *, run: Path, folder: Path) -> JointEmbedder:
    """What a checkpoint needs beside its weights: fusion weights, familiarity, snapshots; saved in half precision."""
    model.weights.copy_(torch.tensor([FUSION_WEIGHTS[name] for name in MODALITIES]))
    model.familiarity.update(fit_familiarity(model, data))
    notes = {
        "recipe": recipe.to_dict(),
        "made_from": {"data_sha256": sha256(data.root / "SHA256SUMS")},
        "training": {"seconds": json.loads((run / SECONDS).read_text()), "machine": machine()},
    }
    model.save_pretrained(folder, dtype=torch.float16, **notes)
    SpaceLog(data, run / "snapshots").export(folder / "snapshots.safetensors")
    return JointEmbedder.from_pretrained(folder)


def machine() -> str:
    """The processor that this runs on, in words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} threads of a CPU with {torch.backends.cpu.get_cpu_capability()}"


def fit_familiarity(model: JointEmbedder, data: EmojiData) -> dict[str, Familiarity]:
    """One `Familiarity` per modality: learned on training things, calibrated on the zero-shot things.

    The zero-shot things are new to the model, in styles and voices that it knows: an input no stranger than these is
    called familiar. Test styles and voices have no part in it.
    """
    learned, held = known_inputs(data, split="train"), known_inputs(data, split="zero_shot")
    names = model.encode(text=[thing.name(language) for language in LANGUAGES for thing in data.things])["text"]
    gallery = normalize(names.view(len(LANGUAGES), len(data), -1).mean(0), dim=-1)
    parts = {}
    for name in MODALITIES:
        x, z = model.features(**{name: learned[name]})[name]
        held_x, held_z = model.features(**{name: held[name]})[name]
        part = Familiarity(x.shape[1], out=z.shape[1], items=len(gallery))
        parts[name] = part.fit(x, gallery=gallery, held_x=held_x, held_z=held_z)
    return parts


def known_inputs(data: EmojiData, *, split: str) -> dict[str, list]:
    """Names, pictures and clips of the things of a split, in styles and voices that may be trained on."""
    ids = {thing.id for thing in data.split(split)}
    rows = data.clips(split=("train", "validation")).to_pylist()
    styles = TRAIN_STYLES + VALIDATION_STYLES
    return {
        "text": [t.name(language) for t in data.split(split) for language in LANGUAGES],
        "image": [picture for style in styles for key, picture in data.images(style).items() if key in ids],
        "audio": [decode_audio(row["audio"]["bytes"]) for row in rows if row["thing"] in ids],
    }
