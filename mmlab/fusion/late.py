"""Late fusion: every modality answers alone, then the answers are averaged."""

from functools import reduce
from operator import add

from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmlab.fusion.base import Fusion


class LateFusion(Fusion):
    r"""Averaged logits: a linear head per modality, and the mean of the answers that are there.

    $$z = \frac{1}{|P|} \sum_{m \in P} \left( W_m^\top z_m + b_m \right)$$

    where P are the modalities present (in that row) and `out` is the number of answers. Averaged logits are a geometric
    mean of the modalities' probabilities. As additive as the sum: the bound in `SumFusion` holds here too.

    Shape:   z_m (batch, d_m) for each modality m  ->  logits (batch, out)
    Cost:    O(batch * out * sum_m d_m)
    Source:  Kittler et al. 1998, "On combining classifiers" (PAMI 20), product rule in the log domain.
    Parity:  tests/parity/test_fusion.py (NumPy)
    """

    allows_missing = True

    def __init__(self, dims: dict[str, int], *, out: int) -> None:
        super().__init__(dims, out=out)
        self.heads = nn.ModuleDict({name: nn.Linear(dim, out) for name, dim in self.dims.items()})

    def fuse(self, given: dict[str, Tensor], keep: Bool[Tensor, "batch given"] | None) -> Float[Tensor, "batch out"]:
        answers = [self.heads[name](z) for name, z in given.items()]
        if keep is None:
            return reduce(add, answers) / len(given)
        total = reduce(add, (answer * keep[:, i, None] for i, answer in enumerate(answers)))
        return total / keep.sum(dim=1, keepdim=True)
