"""The network of `digit-resnet`."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from soundproof_models._adaptation import fit_first_layer

# Keras's; torch's is 1e-5.
_EPS = 1e-3


class DigitNetwork(ResNet):  # type: ignore[misc]  # torchvision has no types
    """ResNet-18 of torchvision with biases, and with its stages in the open."""

    def __init__(self, channels: int, classes: int, *, momentum: float) -> None:
        """Build it.

        Args:
            channels: Of the images.
            classes: Logits.
            momentum: Share of a batch in the running statistics.
        """
        normalisation = partial(nn.BatchNorm2d, eps=_EPS, momentum=momentum)
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=classes, norm_layer=normalisation)
        fit_first_layer(self, "conv1", channels)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))

    def stages(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Maps `[n, 64 · 2^s, ⌈H / 2^(s + 2)⌉, …]` that the stages s = 0 … 3 make of images `[n, C, H, W]`."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        found = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
            found.append(maps)
        return found

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of images `[n, C, H, W]`."""
        logits: torch.Tensor = self.fc(self.avgpool(self.stages(images)[-1]).flatten(1))
        return logits
