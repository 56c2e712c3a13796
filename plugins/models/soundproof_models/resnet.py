"""Residual networks of the ImageNet kind, from torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResNet18(Model):
    """ResNet-18 of torchvision, first and last layer fitted to the data.

    He et al. 2016, Table 1. 11,175,370 parameters for one channel and ten classes.
    """

    id: ClassVar[str] = "resnet18"
    recipe: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=2e-3)

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        from torch import nn
        from torchvision.models import resnet18

        network: nn.Module = resnet18(weights=None, num_classes=classes)
        network.conv1 = nn.Conv2d(shape[0], 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        return network
