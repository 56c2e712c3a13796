"""The network of `arwaveletcnn`."""

from __future__ import annotations

import torch
from torch import nn

from soundproof_models._haar import HaarPyramid
from soundproof_models._heads import CosineLogits, dense_blocks

_LEVELS = 4
# Keras's; torch's is 1e-5.
_EPS = 1e-3
_EMBEDDING = 2048


class SourceScaling(nn.Module):
    """(255 · x − μ) / σ with the mean and the deviation that x itself, without the factor, has on chosen pictures.

    So it was published, a slip that makes inputs as large as 4300; batch normalisation follows in the network.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def measure(self, images: torch.Tensor) -> None:
        """Take mean and deviation of images `[n, C, H, W]`, one number each."""
        self.mean.copy_(images.mean(dtype=torch.float64))
        self.deviation.copy_((images - self.mean).square().mean(dtype=torch.float64).sqrt())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (255 * images - self.mean) / self.deviation


class ARWaveletNetwork(nn.Module):
    """Four levels of a Haar pyramid that join a stack of convolutions at their resolution.

    Layers have the names of the published table; each is a 3×3 convolution with bias, batch normalisation, ReLU.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        *,
        scaling: nn.Module,
        signed: bool,
        dropout: float,
        momentum: float,
        cosines: bool,
    ) -> None:
        """Build it.

        Args:
            shape: `(C, H, W)` of the images, sides divisible by 32.
            classes: Logits.
            scaling: Of the images, before all else.
            signed: Whether the pyramid keeps the sign of differences.
            dropout: Share of dense units dropped in training.
            momentum: Share of a batch in the running statistics.
            cosines: Whether logits are 30 · cosines, or linear.
        """
        super().__init__()
        channels, height, width = shape
        maps = 4 * channels
        self.scaling = scaling
        self.pyramid = HaarPyramid(_LEVELS, signed=signed)
        self.conv_1 = nn.Sequential(*_convolution(maps, 64), *_convolution(64, 64, stride=2))
        self.conv_a = nn.Sequential(*_convolution(maps, 64))
        self.conv_2 = nn.Sequential(*_convolution(128, 128), *_convolution(128, 128, stride=2))
        self.conv_b = nn.Sequential(*_convolution(maps, 64), *_convolution(64, 128))
        self.conv_3 = nn.Sequential(*_convolution(256, 256), *_convolution(256, 256, stride=2))
        self.conv_c = nn.Sequential(*_convolution(maps, 64), *_convolution(64, 256), *_convolution(256, 256))
        self.conv_4 = nn.Sequential(*_convolution(512, 256), *_convolution(256, 256, stride=2))
        self.conv_5 = nn.Sequential(*_convolution(256, 128))
        self.pool = nn.AvgPool2d(7, stride=1, padding=3, count_include_pad=False)
        flat = 128 * (height // 32) * (width // 32)
        self.dense = nn.Sequential(*dense_blocks(flat, [_EMBEDDING, _EMBEDDING], dropout, eps=_EPS))
        self.head = CosineLogits(_EMBEDDING, classes) if cosines else nn.Linear(_EMBEDDING, classes)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # all have one
            elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
                layer.momentum = momentum

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of images `[n, C, H, W]`."""
        first, second, third, fourth = self.pyramid(self.scaling(images))
        maps = torch.cat([self.conv_1(first), self.conv_a(second)], dim=1)
        maps = torch.cat([self.conv_2(maps), self.conv_b(third)], dim=1)
        maps = torch.cat([self.conv_3(maps), self.conv_c(fourth)], dim=1)
        maps = self.pool(self.conv_5(self.conv_4(maps)))
        logits: torch.Tensor = self.head(self.dense(maps.flatten(1)))
        return logits


def _convolution(channels_in: int, channels: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(channels_in, channels, 3, stride, padding=1)
    return [convolution, nn.BatchNorm2d(channels, eps=_EPS), nn.ReLU()]
