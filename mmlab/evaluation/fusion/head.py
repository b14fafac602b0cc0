"""What is trained on frozen vectors: a projection per modality, an operator, and a head on top."""

from math import ceil

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from mmlab.fusion import FUSIONS, MissingEmbedding, ModalityDropout
from mmlab.projection import LinearProjection
from mmlab.types import InputError

WIDTH = 128  # what every operator gives, and takes unless it stands in NARROW
SMALL = 48  # the same of the heads that ship
NARROW = {"bilinear": {2: 32, 3: 24}, "tensor": {2: 32, 3: 12}}  # at most, by modalities; as the authors of TFN do
HEADS = ("linear", "mlp")
SMALLEST = 32  # hidden units that the largest operator has left in table B
DROPOUT = 0.3
TOLERANCE = 0.05


class FusionHead(nn.Module):
    r"""The article's form: project each modality, fuse, answer.

    $$\mathrm{answer} = H\big(F(W_t^\top z_t,\ W_i^\top z_i,\ W_a^\top z_a)\big)$$

    with H linear (table A) or a network of one hidden layer (table B).

    Shape:   z_m (batch, dim) for each modality m  ->  (batch, answers)
    """

    def __init__(
        self,
        operator: str,
        *,
        modalities: tuple[str, ...],
        dim: int,
        answers: int,
        hidden: int | None = None,
        width: int = WIDTH,
        dropout: bool = False,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        narrow = NARROW.get(operator, {}).get(len(modalities))
        taken = width if narrow is None else min(narrow, width // 2)
        self.projections = nn.ModuleDict({name: LinearProjection(dim, out=taken) for name in modalities})
        fusion = FUSIONS[operator](dict.fromkeys(modalities, taken), out=width)
        if dropout:
            inside = fusion if fusion.allows_missing else MissingEmbedding(fusion)
            fusion = ModalityDropout(inside, rate=DROPOUT, generator=generator)
        self.fusion = fusion
        if hidden is None:
            self.head: nn.Module = nn.Linear(width, answers)
        else:
            self.head = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, answers))

    def forward(
        self,
        *,
        text: Float[Tensor, "batch dim"] | None = None,
        image: Float[Tensor, "batch dim"] | None = None,
        audio: Float[Tensor, "batch dim"] | None = None,
    ) -> Float[Tensor, "batch answers"]:
        given = {"text": text, "image": image, "audio": audio}
        return self.head(self.fusion(**{m: self.projections[m](z) for m, z in given.items() if z is not None}))

    @torch.no_grad()
    def start_from(self, basis: Float[Tensor, "dim dim"]) -> None:
        """Let every projection begin at the same leading directions of the space, scaled to entries of about 1.

        The same for all operators and modalities: what is alike in the joint space is alike where the operator starts.
        """
        for projection in self.projections.values():
            projection.W.copy_(basis[:, : projection.out] * len(basis) ** 0.5)


def principal(z: Float[Tensor, "n dim"]) -> Float[Tensor, "dim dim"]:
    """The directions in which the vectors vary most, as columns, the first the most important."""
    return torch.linalg.svd((z - z.mean(dim=0)).double(), full_matrices=True)[2].T.float()


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def matched_hidden(
    operators: list[str], *, modalities: tuple[str, ...], dim: int, answers: int, dropout: bool = False
) -> dict[str, int]:
    """Hidden units that bring every operator to the size of the largest with `SMALLEST` of them, within 5 %.

    Raises:  InputError when the sizes end more than 5 % apart
    """

    def size(operator: str, hidden: int) -> int:
        with torch.device("meta"):
            made = FusionHead(operator, modalities=modalities, dim=dim, answers=answers, hidden=hidden, dropout=dropout)
        return parameters(made)

    target, unit = max(size(operator, SMALLEST) for operator in operators), WIDTH + 1 + answers
    found = {name: SMALLEST + ceil((target - size(name, SMALLEST)) / unit - 0.5) for name in operators}
    for name, hidden in found.items():
        off = size(name, hidden) / target - 1
        if abs(off) > TOLERANCE:
            raise InputError(f"{name} ends {off:+.1%} from the target of {target} parameters; change WIDTH or NARROW.")
    return found
