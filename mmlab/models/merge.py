"""The one step by which a picture or a sound enters a language model: its vectors take the places kept for them."""

from jaxtyping import Bool, Float
from torch import Tensor

from mmlab.types import InputError


def merge(
    embeddings: Float[Tensor, "batch seq dim"], soft: Float[Tensor, "soft dim"], where: Bool[Tensor, "batch seq"]
) -> Float[Tensor, "batch seq dim"]:
    r"""Word embeddings, with the k-th soft token at the k-th place that `where` marks, row by row.

    $$h_{b,n} = s_{k(b, n)} \text{ if } w_{b,n} \text{ else } e_{b,n}, \qquad
      k(b, n) = |\{(b', n') < (b, n) : w_{b', n'}\}|$$

    Shape:   embeddings (batch, seq, dim), soft (soft, dim), where (batch, seq) -> (batch, seq, dim)
    Cost:    O(batch * seq * dim)
    Source:  LLaVA, Liu et al. 2023, arXiv:2304.08485
    Parity:  tests/parity/test_llava.py (transformers LlavaForConditionalGeneration)
    Raises:  InputError when the places are not as many as the soft tokens
    """
    places = int(where.sum())
    if places != len(soft):
        raise InputError(
            f"The prompt keeps {places} places for soft tokens, but {len(soft)} were made; build the prompt with the "
            "same connector and the same pictures and sounds."
        )
    return embeddings.masked_scatter(where[..., None], soft.to(embeddings.dtype))
