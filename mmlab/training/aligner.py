"""One step of alignment, free of any trainer: a draw goes in, five views of each thing are embedded, a loss comes out."""

from itertools import combinations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import normalize

from mmlab.models.joint import JointEmbedder
from mmlab.objectives import LogitScale, weighted_multi_view_info_nce
from mmlab.training.augment import PictureAugment, SoundAugment
from mmlab.training.corpus import Draw
from mmlab.training.recipe import VIEWS, AlignRecipe
from mmlab.types import Inputs


class Aligner(nn.Module):
    """The model in training: encoders, projections, the learned temperature, and the augmentations.

    Shape:   Draw of `batch` things -> scalar loss
    Source:  InfoNCE over every pair of views; pairs as in ImageBind, Girdhar et al. 2023, arXiv:2305.05665
    """

    def __init__(self, model: JointEmbedder, recipe: AlignRecipe) -> None:
        super().__init__()
        self.model, self.recipe = model, recipe
        self.scale = LogitScale()
        self.pictures = PictureAugment(strength=recipe.picture_strength, outline=recipe.outline)
        self.sounds = SoundAugment(model.encoders["audio"].mel)
        weights = torch.zeros(len(VIEWS), len(VIEWS))
        for (i, a), (j, b) in combinations(enumerate(VIEWS), 2):
            pull = recipe.picture_weight if "image" in a + b else 1.0
            weights[i, j] = weights[j, i] = pull * recipe.attracts(a, b)
        self.register_buffer("pair_weights", weights, persistent=False)

    def views(
        self,
        draw: Draw,
        generator: Generator,
        *,
        progress: float = 1.0,
        memory: torch.memory_format = torch.channels_last,
    ) -> Float[Tensor, "views batch dim"]:
        """Unit vectors of every view, in the order of VIEWS; `progress` is the share of the run that is done.

        Sounds are changed little at first: no encoder here ever learned to hear under full noise from the first step.
        """
        device, model = self.pair_weights.device, self.model
        batch = len(draw.things)
        text = model.encoders["text"].preprocess([*draw.texts["en"], *draw.texts["zh"]]).to(device)
        pixels = rearrange(draw.pictures.to(device), "view batch c h w -> (view batch) c h w")
        pixels = self.pictures(pixels, flippable=draw.flippable.to(device).repeat(2), generator=generator)
        strength = min(1.0, progress / self.recipe.sound_ramp)
        wave, kept = draw.sound.to(device), draw.sound_mask.to(device)
        mel, mask = self.sounds(wave, kept, generator=generator, strength=strength)
        image, audio = model.encoders["image"], model.encoders["audio"]
        z_text = model.projections["text"](model.encoders["text"].embed(text))
        z_image = model.projections["image"](image.embed(Inputs(pixels.contiguous(memory_format=memory))))
        z_audio = model.projections["audio"](audio.pool(audio.from_mel(mel, mask)))
        stacked = torch.cat([z_text, z_image, z_audio]).float()
        return rearrange(normalize(stacked, dim=-1), "(views batch) dim -> views batch dim", batch=batch)

    def loss(self, views: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        """InfoNCE over the pairs of views that the recipe names."""
        return weighted_multi_view_info_nce(views, self.scale(), weights=self.pair_weights)

    def forward(self, draw: Draw, generator: Generator, *, progress: float = 1.0) -> Float[Tensor, ""]:
        # Over a few dozen tokens on a CPU the plain product is 5 to 10 times faster than the fused kernel (same numbers).
        with sdpa_kernel(SDPBackend.MATH):
            return self.loss(self.views(draw, generator, progress=progress))
