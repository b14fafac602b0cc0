"""The one learned number of contrastive learning."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmlab.types import InputError


class LogitScale(nn.Module):
    r"""One over the temperature, learned as a logarithm so that it stays positive.

    $$s = \exp(\theta), \qquad \theta_0 = -\ln \tau_0, \qquad \theta \le \ln s_{\max}$$

    Shape:   ->  s (), to be multiplied with cosines
    Source:  Radford et al. 2021, arXiv:2103.00020, section 2.5: tau_0 = 0.07, s_max = 100.
    Parity:  tests/parity/test_objectives.py (transformers CLIPModel)
    Raises:  InputError when the starting temperature is not positive or starts beyond the limit
    """

    def __init__(self, temperature: float | int = 0.07, *, limit: float | int = 100) -> None:
        super().__init__()
        if temperature <= 0 or 1 / temperature > limit:
            raise InputError(
                f"LogitScale needs a temperature of at least 1 / limit = {1 / limit:g}, got {temperature:g}; raise one."
            )
        self.limit = limit
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self) -> Float[Tensor, ""]:
        # As in CLIP the parameter itself is cut, not the result: past a cut result the gradient is zero for ever.
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(self.limit))
        return self.log_scale.exp()
