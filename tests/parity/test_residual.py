"""ResidualBlock against the basic layer of transformers' ResNet: float64, everything re-randomised."""

import pytest
import torch
from transformers.models.resnet.modeling_resnet import ResNetBasicLayer

from mmlab.nn.residual import ResidualBlock


def randomise(module: torch.nn.Module, generator: torch.Generator) -> None:
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator, dtype=value.dtype) + 0.1 * ("running_var" in name))


@pytest.mark.parametrize(
    ("channels", "out", "stride", "training"), [(6, 6, 1, True), (6, 6, 1, False), (4, 8, 2, False)]
)
def test_equals_resnet_basic_layer(channels: int, out: int, stride: int, training: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    ours = ResidualBlock(channels, out=out, stride=(stride, stride)).double()
    theirs = ResNetBasicLayer(channels, out, stride=stride).double()
    randomise(ours, generator)
    first, second = theirs.layer
    pairs = [(ours.conv1, first.convolution), (ours.norm1, first.normalization)]
    pairs += [(ours.conv2, second.convolution), (ours.norm2, second.normalization)]
    for mine, other in pairs:
        other.load_state_dict(mine.state_dict())
    if (channels, stride) != (out, 1):  # their shortcut is normalised, ours is not: make theirs the identity
        theirs.shortcut.convolution.load_state_dict(ours.shortcut.state_dict())
        theirs.shortcut.normalization.eps = 0.0
    ours.train(training), theirs.train(training)
    x = torch.randn(3, channels, 7, 7, generator=generator, dtype=torch.float64).requires_grad_()
    twin = x.detach().clone().requires_grad_()
    mine, other = ours(x), theirs(twin)
    weight = torch.randn(mine.shape, generator=generator, dtype=torch.float64)
    (mine * weight).sum().backward()
    (other * weight).sum().backward()
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)
    torch.testing.assert_close(x.grad, twin.grad, rtol=0, atol=1e-10)
