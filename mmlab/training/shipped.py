"""From the data to the checkpoint folder: tokenizer, corpus, training, snapshots, familiarity, weights on disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from mmlab.datasets.emoji import TRAIN_STYLES, EmojiData, Thing, decode_audio
from mmlab.models.checkpoint import read_config, seal, sha256
from mmlab.models.joint import MODEL_TYPE, JointEmbedder
from mmlab.preprocessing import Tokenizer
from mmlab.training.align import AlignModule, Snapshots, estimate, train
from mmlab.training.corpus import Corpus
from mmlab.training.familiar import fit_familiarity
from mmlab.training.hearing import HearingModule, hear
from mmlab.training.loop import SECONDS, claim
from mmlab.training.recipe import AlignRecipe
from mmlab.training.snapshots import FILE, UNIT
from mmlab.types import MODALITIES

SNAPSHOT_THINGS, SNAPSHOT_AXES = 240, 16
# Folders of a run: what its first part ends with, the same while it is written, and the second part.
ALIGNED, UNFINISHED, HEARING = "aligned", "aligned.part", "hearing"
# Found by `mmlab eval weights` on validation styles and voices, with a model of the first part alone that had not seen them
# (`train align --tuning`).
FUSION_WEIGHTS = {"text": 2.3784, "image": 1.0, "audio": 1.4142}


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
        coordinates = (UNIT * (z - last.mean(0)) @ axes.T).round().clamp(-UNIT, UNIT).to(torch.int8)
        save_file({"coordinates": coordinates, "steps": steps}, path, {"things": " ".join(t.id for t in self.things)})


def train_align(
    recipe: AlignRecipe,
    *,
    run: Path,
    data: EmojiData | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> JointEmbedder:
    """`mmlab train align`: trains (or resumes) the recipe in `run`, after saying how long it will take.

    The second part begins with what the first has saved, in half precision: it hears among the very vectors that ship.
    """
    data = EmojiData.load() if data is None else data
    tokenizer = train_tokenizer(data, vocab=recipe.vocab)
    things = spread(data.split("train"), recipe.things)
    corpus = Corpus.from_data(data, tuning=recipe.tuning, things=things)
    listens, places = recipe.second.steps, torch.zeros(1, len(corpus), recipe.dim)
    module = AlignModule(recipe, tokenizer)
    seconds, short = estimate(module, corpus), estimate(HearingModule(module.aligner.model, recipe, places), corpus)
    minutes = (recipe.steps * seconds + listens * short) / 60
    alone = f", then {listens} of {short:.2f} s in which only the sound encoder learns" if listens else ""
    say(f"{len(corpus)} things, {recipe.steps} steps of {seconds:.2f} s each{alone}: about {minutes:.0f} minutes.")
    claim(run, recipe)
    if not (run / ALIGNED).is_dir():
        log = SpaceLog(data, run / "snapshots")
        watch = Snapshots(recipe.steps, count=20, take=log.take)
        model = train(recipe, corpus, tokenizer, run=run, callbacks=(watch,), progress=progress)
        log.take(recipe.steps, model)
        log.export(run / FILE)
        model.save_pretrained(run / UNFINISHED, dtype=torch.float16, training=timed(run))
        (run / UNFINISHED).replace(run / ALIGNED)  # whole or not at all
    model = JointEmbedder.from_pretrained(run / ALIGNED)
    if listens:
        say(f"Now the sound encoder alone learns: {listens} steps.")
        model = hear(model, recipe.second, corpus, run=run / HEARING, progress=progress)
    say(f"Trained in {training_of(run)['seconds'] / 60:.1f} minutes.")
    return model


def training_of(run: Path) -> dict[str, Any]:
    """How long both parts took together, and on what: a run that was moved may have seen two machines."""
    training = read_config(run / ALIGNED, model_type=MODEL_TYPE)["training"]
    if not (run / HEARING / SECONDS).is_file():
        return training
    second = timed(run / HEARING)
    machines = dict.fromkeys((training["machine"], second["machine"]))
    return {"seconds": round(training["seconds"] + second["seconds"], 1), "machine": ", then ".join(machines)}


def timed(run: Path) -> dict[str, Any]:
    """How long the training in this folder took, and on what."""
    return {"seconds": json.loads((run / SECONDS).read_text()), "machine": machine()}


def spread(things: Sequence[Thing], count: int | None) -> list[Thing]:
    """`count` of the things, spread evenly over their order; all of them for None."""
    if count is None or count >= len(things):
        return list(things)
    return [things[i] for i in np.linspace(0, len(things) - 1, count).round().astype(int)]


def finish(model: JointEmbedder, recipe: AlignRecipe, data: EmojiData, *, run: Path, folder: Path) -> JointEmbedder:
    """What a checkpoint needs beside its weights: fusion weights, familiarity, snapshots; saved in half precision."""
    notes = {
        "recipe": recipe.to_dict(),
        "training": training_of(run),
    }
    _complete(model, data, folder=folder, **notes)
    (folder / FILE).write_bytes((run / FILE).read_bytes())
    seal(folder, FILE)
    return JointEmbedder.from_pretrained(folder)


def finish_again(source: Path, data: EmojiData, *, folder: Path) -> JointEmbedder:
    """`mmlab train finish`: a finished checkpoint with fusion weights and familiarity made anew.

    Encoders and projections keep their bits: half precision goes to single and back unharmed.
    """
    model, config = JointEmbedder.from_pretrained(source), read_config(source, model_type=MODEL_TYPE)
    snapshots = (source / FILE).read_bytes()
    _complete(model, data, folder=folder, **{name: config[name] for name in ("recipe", "training")})
    (folder / FILE).write_bytes(snapshots)
    seal(folder, FILE)
    return JointEmbedder.from_pretrained(folder)


def _complete(model: JointEmbedder, data: EmojiData, *, folder: Path, **notes: Any) -> None:
    model.weights.copy_(torch.tensor([FUSION_WEIGHTS[name] for name in MODALITIES]))
    model.familiarity.update(fit_familiarity(model, data))
    made_from = {"data_sha256": sha256(data.root / "SHA256SUMS")}
    model.save_pretrained(folder, dtype=torch.float16, **notes, made_from=made_from)


def machine() -> str:
    """The processor that this runs on, in words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{threads} thread{'s' * (threads != 1)} of a CPU with {torch.backends.cpu.get_cpu_capability()}"
