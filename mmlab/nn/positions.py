"""Where a token stands, as a vector."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from mmlab.types import InputError


def sinusoidal(seq: int, dim: int) -> Float[Tensor, "seq dim"]:
    r"""One wave per pair of features, from fast to slow; needs no training and goes on for ever.

    $$p_{t, 2i} = \sin(t / 10000^{2i/d}), \qquad p_{t, 2i+1} = \cos(t / 10000^{2i/d})$$

    Shape:   ->  (seq, dim), to be added to (batch, seq, dim)
    Units:   t counts positions from 0; the wavelengths run from 2 pi to 10000 * 2 pi positions
    Source:  Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    Parity:  tests/parity/test_attention.py (NumPy, element by element)
    Raises:  InputError when `dim` is odd
    """
    if dim % 2:
        raise InputError(f"sinusoidal positions need an even width, got dim={dim}; add or drop one feature.")
    rates = 10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = torch.arange(seq, dtype=torch.float64)[:, None] * rates
    return rearrange([angles.sin(), angles.cos()], "two t i -> t (i two)").to(torch.get_default_dtype())
