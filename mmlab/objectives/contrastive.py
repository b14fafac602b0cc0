"""Contrastive objectives: pure functions of embeddings that say which row belongs to which."""

import torch
from einops import rearrange, reduce
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from mmlab.types import InputError


def info_nce(
    first: Float[Tensor, "batch dim"],
    second: Float[Tensor, "batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    *,
    same: Bool[Tensor, "batch batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""Row i of one view must find row i of the other among the batch, and the other way round.

    $$L(a, b) = -\frac{1}{2B} \sum_i \left[
        \ln \frac{e^{s \langle a_i, b_i \rangle}}{\sum_j e^{s \langle a_i, b_j \rangle}}
        + \ln \frac{e^{s \langle a_i, b_i \rangle}}{\sum_j e^{s \langle a_j, b_i \rangle}} \right]$$

    Pairs (i, j) marked in `same` say the same thing: they leave the sums over j and are no negatives (i = j stays).
    A model that knows nothing has L = ln B, less where pairs are left out.

    Shape:   first, second (batch, dim), rows of unit length; logit_scale s (); same (batch, batch)  ->  ()
    Cost:    O(batch^2 * dim)
    Source:  Radford et al. 2021, arXiv:2103.00020 (CLIP); the loss is van den Oord et al. 2018, arXiv:1807.03748.
    Parity:  tests/parity/test_objectives.py (transformers CLIPModel, NumPy)
    """
    return multi_view_info_nce(torch.stack([first, second]), logit_scale, same=same)


def multi_view_info_nce(
    views: Float[Tensor, "views batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    *,
    same: Bool[Tensor, "batch batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""The mean of InfoNCE over all unordered pairs of views of the same things.

    $$L = \frac{2}{V (V - 1)} \sum_{v < w} L(z^{(v)}, z^{(w)})$$

    Shape:   views (views, batch, dim), rows of unit length; logit_scale (); same (batch, batch)  ->  ()
    Cost:    O(views^2 * batch^2 * dim), as one batched product
    Source:  Tian et al. 2019, arXiv:1906.05849, section 3.3 (the full graph of views), with the loss of `info_nce`.
    Parity:  tests/parity/test_objectives.py (a loop over pairs and rows)
    Raises:  InputError for fewer than two views
    """
    if len(views) < 2:
        raise InputError(f"InfoNCE needs at least two views of each thing, got {len(views)}; stack two or more.")
    left, right = torch.triu_indices(len(views), len(views), 1, device=views.device)
    return _pair_losses(views[left], views[right], logit_scale, same).mean()


def weighted_multi_view_info_nce(
    views: Float[Tensor, "views batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    *,
    weights: Float[Tensor, "views views"],
    same: Bool[Tensor, "batch batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""The weighted mean of InfoNCE over pairs of views: some pairs pull harder, some not at all.

    $$L = \frac{\sum_{v < w} \omega_{v w} L(z^{(v)}, z^{(w)})}{\sum_{v < w} \omega_{v w}}$$

    Shape:   as `multi_view_info_nce`; weights (views, views), of which only the part above the diagonal is read  ->  ()
    Cost:    O(pairs * batch^2 * dim), over the pairs whose weight is not zero
    Source:  ImageBind's star of pairs (arXiv:2305.05665) is one choice of weights, CMC's full graph (1906.05849) one.
    Parity:  tests/parity/test_objectives.py (a loop over pairs and rows)
    Raises:  InputError when no pair above the diagonal has a weight
    """
    left, right = weights.triu(1).nonzero(as_tuple=True)
    if len(left) == 0:
        raise InputError("InfoNCE needs a pair of views with a weight above the diagonal, got none; weigh one pair.")
    omega = weights[left, right].to(views)
    return (omega * _pair_losses(views[left], views[right], logit_scale, same)).sum() / omega.sum()


def anchored_info_nce(
    anchor: Float[Tensor, "batch dim"],
    others: Float[Tensor, "views batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    *,
    same: Bool[Tensor, "batch batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""Every modality is tied to one anchor, the picture, and never to another: they meet through the anchor.

    $$L = \sum_m \left( L_{a \to m} + L_{m \to a} \right) = 2 \sum_m L(a, z_m)$$

    Shape:   anchor (batch, dim), others (views, batch, dim), rows of unit length; logit_scale ()  ->  ()
    Cost:    O(views * batch^2 * dim)
    Source:  Girdhar et al. 2023, arXiv:2305.05665, section 3.2. As in the paper the two directions are added, where
             CLIP (and `info_nce`) takes their mean: hence the factor 2. The paper draws each pair from a data set of
             its own; here the pairs share their anchors.
    Parity:  tests/parity/test_objectives.py (transformers CLIP loss per pair, doubled)
    """
    return 2 * _pair_losses(anchor.expand_as(others), others, logit_scale, same).sum()


def siglip(
    first: Float[Tensor, "batch dim"],
    second: Float[Tensor, "batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    logit_bias: Float[Tensor, ""] | float | int,
    *,
    same: Bool[Tensor, "batch batch"] | None = None,
) -> Float[Tensor, ""]:
    r"""Every pair of the batch is one yes-or-no question: do these two belong together?

    $$L = -\frac{1}{B} \sum_{i, j} \ln \sigma\left( y_{i j} (s \langle a_i, b_j \rangle + \beta) \right),
      \qquad y_{i j} = 1 \text{ if } i = j \text{ else } -1$$

    Pairs marked in `same` are not asked about. The sum runs over B^2 pairs and is divided by B, not by B^2.

    Shape:   first, second (batch, dim), rows of unit length; logit_scale s (), logit_bias beta ()  ->  ()
    Cost:    O(batch^2 * dim)
    Source:  Zhai et al. 2023, arXiv:2303.15343, which starts at s = 10, beta = -10.
    Parity:  tests/parity/test_objectives.py (transformers SiglipModel, NumPy)
    """
    logits = logit_scale * first @ second.T + logit_bias
    match = torch.eye(len(first), dtype=torch.bool, device=first.device)
    losses = -F.logsigmoid(torch.where(match, logits, -logits))
    if same is not None:
        losses = losses.masked_fill(same & ~match, 0.0)
    return losses.sum() / len(first)


def triplet(
    anchor: Float[Tensor, "batch dim"],
    positive: Float[Tensor, "batch dim"],
    negative: Float[Tensor, "batch dim"],
    *,
    margin: float | int = 0.2,
) -> Float[Tensor, ""]:
    r"""The positive must be nearer to the anchor than the negative, by a margin.

    $$L = \frac{1}{B} \sum_i \max\left( 0,\ \mu + \lVert a_i - p_i \rVert^2 - \lVert a_i - n_i \rVert^2 \right)$$

    Shape:   anchor, positive, negative (batch, dim), rows of unit length  ->  ()
    Cost:    O(batch * dim)
    Source:  Schroff et al. 2015, arXiv:1503.03832 (FaceNet), margin 0.2; its mean over the batch instead of its sum.
    Parity:  tests/parity/test_objectives.py (torch triplet_margin_with_distance_loss)
    """
    near = (anchor - positive).square().sum(-1)
    far = (anchor - negative).square().sum(-1)
    return F.relu(margin + near - far).mean()


def _pair_losses(
    left: Float[Tensor, "pairs batch dim"],
    right: Float[Tensor, "pairs batch dim"],
    logit_scale: Float[Tensor, ""] | float | int,
    same: Bool[Tensor, "batch batch"] | None,
) -> Float[Tensor, " pairs"]:
    """`info_nce` of each pair of views: one batched product, then a cross-entropy along each of its two axes."""
    logits = torch.einsum("pid,pjd->pij", logit_scale * left, right)
    if same is not None:
        itself = torch.eye(len(same), dtype=torch.bool, device=same.device)
        logits = logits.masked_fill(same & ~itself, -torch.inf)
    labels = torch.arange(logits.shape[1], device=logits.device).repeat(len(logits))
    losses = [
        F.cross_entropy(rearrange(logits, "p i j -> (p i) j"), labels, reduction="none"),
        F.cross_entropy(rearrange(logits, "p i j -> (p j) i"), labels, reduction="none"),
    ]
    return reduce(losses, "direction (p i) -> p", "mean", p=len(logits))
