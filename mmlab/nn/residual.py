"""The residual convolution block that the picture and sound encoders share."""

from jaxtyping import Bool, Float
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    r"""Two 3x3 convolutions and a shortcut, each normalised over the batch.

    $$y = \mathrm{relu}\big(\mathrm{BN}(K_2 * \mathrm{relu}(\mathrm{BN}(K_1 * x))) + s(x)\big)$$

    where the shortcut s is the identity, or a strided 1x1 convolution where the size changes.

    Columns that are False in `keep` count as outside the picture: what they hold never reaches a kept column.

    Shape:   x (batch, channels, height, width), keep (batch, w) -> y (batch, out, h, w), h and w shrunk by the stride
    Cost:    O(batch * out * (channels + out) * 9 * height * width / stride^2)
    Source:  He et al. 2016, arXiv:1512.03385. Differs: no normalisation in the shortcut.
    Parity:  tests/parity/test_residual.py (transformers ResNetBasicLayer)
    """

    def __init__(self, channels: int, *, out: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        same = stride == (1, 1) and channels == out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, out, 1, stride=stride, bias=False)

    def forward(
        self, x: Float[Tensor, "batch channels height width"], keep: Bool[Tensor, "batch w"] | None = None
    ) -> Float[Tensor, "batch out h w"]:
        inner = blank(self.relu(self.norm1(self.conv1(x))), keep)
        return blank(self.relu(self.norm2(self.conv2(inner)) + self.shortcut(x)), keep)


def blank(
    x: Float[Tensor, "batch channels height width"], keep: Bool[Tensor, "batch width"] | None
) -> Float[Tensor, "batch channels height width"]:
    """Zero in the columns that are not kept, as beyond the edge of a picture."""
    return x if keep is None else x.masked_fill(~keep[:, None, None, :], 0.0)
