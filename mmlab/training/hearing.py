"""The second part of the joint training: the sound encoder goes on learning, in a space that stands still."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy, normalize

from mmlab.models.joint import JointEmbedder
from mmlab.objectives import LogitScale
from mmlab.training.align import AlignData
from mmlab.training.augment import SoundAugment
from mmlab.training.corpus import Corpus, Draw
from mmlab.training.loop import claim, fit_recipe, one_cycle
from mmlab.training.recipe import AlignRecipe
from mmlab.types import Inputs


class HearingModule(L.LightningModule):
    r"""Each sound must find the place of its thing among the places of all: its names' and its drawings'.

    $$L = -\frac{1}{V B} \sum_{v, i}
        \ln \frac{e^{s \langle z_i, p^{(v)}_i \rangle}}{\sum_j e^{s \langle z_i, p^{(v)}_j \rangle}}$$

    The places p stay where the first part put them, so all of them fit in every step: a sound is told from each other
    thing, where in the first part it was told from those of its batch.

    Shape:   places (views, things, dim), rows of unit length; a step's Draw of `batch` things -> scalar loss
    Source:  one direction of InfoNCE, van den Oord et al. 2018, arXiv:1807.03748; a locked tower as in LiT, Zhai et al.
             2022, arXiv:2111.07991
    """

    def __init__(self, model: JointEmbedder, recipe: AlignRecipe, places: Float[Tensor, "views things dim"]) -> None:
        super().__init__()
        self.recipe = recipe
        self.encoder, self.projection = model.encoders["audio"], model.projections["audio"]
        self.encoder.to(memory_format=torch.channels_last)
        self.scale = LogitScale()
        self.sounds = SoundAugment(self.encoder.mel)
        self.register_buffer("places", places, persistent=False)

    def on_train_batch_start(self, batch: Draw, batch_idx: int) -> None:
        torch.manual_seed(self._step_seed())

    def training_step(self, draw: Draw, batch_idx: int) -> Tensor:
        loss = self.loss(draw, torch.Generator(self.device).manual_seed(self._step_seed()))
        self.log("loss", loss.detach(), prog_bar=True)
        return loss

    def loss(self, draw: Draw, generator: torch.Generator) -> Float[Tensor, ""]:
        """The loss of one draw, its sounds changed as much as they ever are."""
        wave, kept = draw.sound.to(self.places.device), draw.sound_mask.to(self.places.device)
        mel, mask = self.sounds(wave, kept, generator=generator)
        with sdpa_kernel(SDPBackend.MATH):  # faster than the fused kernel over a few dozen tokens on a CPU
            z = self.projection(self.encoder.pool(self.encoder.from_mel(mel, mask)))
        logits = self.scale() * normalize(z.float(), dim=-1) @ self.places.mT
        wanted = draw.things.to(self.places.device).expand(len(logits), -1)
        return cross_entropy(logits.flatten(0, 1), wanted.flatten())

    def _step_seed(self) -> int:
        return self.recipe.seed * 1_000_003 + self.global_step

    def configure_optimizers(self) -> dict[str, Any]:
        return one_cycle(self.parameters(), self.recipe)


@torch.no_grad()
def places_of(model: JointEmbedder, corpus: Corpus, recipe: AlignRecipe) -> Float[Tensor, "views things dim"]:
    """Where the things of a corpus lie by their names in each language and by their drawings, the mean of these.

    Only views that the recipe's pairs tie to sounds are there; without such a pair there are none.
    """
    found = []
    for language in ("en", "zh"):
        if recipe.attracts(f"text-{language}", "audio"):
            found.append(model.encode(text=[thing.name(language) for thing in corpus.things])["text"])
    if recipe.attracts("image-a", "audio"):
        drawn = torch.cat([model.project("image", Inputs(part.float() / 255)) for part in corpus.pixels.split(128)])
        rows = [[row for team in teams.values() for row in team.values()] for teams in corpus.by_team]
        found.append(normalize(torch.stack([drawn[own].mean(0) for own in rows]), dim=-1))
    return torch.stack(found) if found else torch.empty(0, len(corpus), model.dim)


def hear(
    model: JointEmbedder,
    recipe: AlignRecipe,
    corpus: Corpus,
    *,
    run: Path,
    every: int = 100,
    progress: bool = True,
) -> JointEmbedder:
    """Train the sound encoder and its projection in the folder `run`, resuming where it can; the rest stays as it is."""
    claim(run, recipe)
    module = HearingModule(model, recipe, places_of(model, corpus, recipe))
    fit_recipe(module.train(), AlignData(corpus, recipe), recipe, run=run, every=every, progress=progress)
    return model.eval()
