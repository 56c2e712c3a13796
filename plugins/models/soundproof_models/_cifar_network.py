"""The residual networks for CIFAR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    import torch


class _Padding(nn.Module):
    """A shortcut without parameters: it subsamples and pads with zero channels (option A)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.extra = channels - channels_in

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        half = self.extra // 2
        sampled = maps[:, :, :: self.stride, :: self.stride]
        return functional.pad(sampled, (0, 0, 0, 0, half, self.extra - half))


def _projection(channels_in: int, channels: int, stride: int) -> nn.Module:
    """A 1×1 convolution where the shape changes (option B)."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 1, stride, bias=False),
        nn.BatchNorm2d(channels),
    )


class _Block(nn.Module):
    """Two 3×3 convolutions around a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int, *, projected: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        shortcut = _projection if projected else _Padding
        same = stride == 1 and channels == channels_in
        self.shortcut = nn.Identity() if same else shortcut(channels_in, channels, stride)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inner = functional.relu(self.bn1(self.conv1(maps)))
        return functional.relu(self.bn2(self.conv2(inner)) + self.shortcut(maps))


class CifarResNet(nn.Module):
    """Stem, three stages, global average pool, linear layer (He et al. 2016, §4.2)."""

    def __init__(
        self, channels: int, classes: int, *, blocks: int, width: int, stem_stride: int, projected: bool = False
    ) -> None:
        """Build it.

        Args:
            channels: Of the input image.
            classes: Logits.
            blocks: A stage; 9 makes ResNet-56.
            width: Channels of the first stage.
            stem_stride: 1 or 2.
            projected: Whether shortcuts between stages are 1×1 convolutions; they have no parameters otherwise.
        """
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, stem_stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        widths = [width] * blocks + [2 * width] * blocks + [4 * width] * blocks
        inputs = [width, *widths[:-1]]
        self.blocks = nn.Sequential(
            *(
                _Block(i, o, stride=2 if o > i else 1, projected=projected)
                for i, o in zip(inputs, widths, strict=True)
            )
        )
        self.head = nn.Linear(4 * width, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[N, K]` of images `[N, C, H, W]`."""
        maps = functional.relu(self.bn(self.stem(images)))
        logits: torch.Tensor = self.head(self.blocks(maps).mean(dim=(2, 3)))
        return logits
