"""The standard image networks as torchvision builds them, first and last layer fitted to the data."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof import Recipe
from soundproof_models._torchvision import TorchvisionNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


@dataclass(frozen=True)
class AlexNet(TorchvisionNetwork):
    """AlexNet of torchvision: the one-tower variant.

    Krizhevsky 2014 (arXiv 1404.5997). 57,029,322 parameters for one channel and ten classes.
    """

    id: ClassVar[str] = "alexnet"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {"weights": "imagenet"},
        "002": {"weights": "imagenet"},
    }
    from_scratch: ClassVar[Recipe] = Recipe(epochs=30, learning_rate=2e-4)
    published: ClassVar[str] = "AlexNet_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "features.0"
    smallest: ClassVar[int] = 63

    @property
    def new(self) -> Sequence[str]:
        """The last layer."""
        return ("classifier.6",)

    def network(self, classes: int) -> nn.Module:
        """Five convolutions, three dense layers."""
        from torchvision.models import alexnet

        return alexnet(weights=None, num_classes=classes)  # type: ignore[no-any-return]

    def initialise(self, network: nn.Module) -> None:
        """He et al.'s: with torch's default a signal fades on its way through a network without normalisation."""
        from soundproof_models._adaptation import initialise

        initialise(network)


@dataclass(frozen=True)
class GoogLeNet(TorchvisionNetwork):
    """GoogLeNet of torchvision: Inception v1 with batch normalisation, without auxiliary heads.

    Szegedy et al. 2015, Table 1, with 3×3 kernels in the "5×5" branches as torchvision has them. 5,603,882
    parameters for one channel and ten classes.
    """

    id: ClassVar[str] = "googlenet"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {"weights": "imagenet"},
        "002": {"weights": "imagenet"},
    }
    published: ClassVar[str] = "GoogLeNet_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "conv1.conv"
    smallest: ClassVar[int] = 15

    def network(self, classes: int) -> nn.Module:
        """Nine Inception blocks."""
        from torchvision.models import googlenet

        return googlenet(  # type: ignore[no-any-return]
            weights=None, num_classes=classes, aux_logits=False, init_weights=False
        )

    def initialise(self, network: nn.Module) -> None:
        """He et al.'s."""
        from soundproof_models._adaptation import initialise

        initialise(network)

    def standard(self, channels: int) -> tuple[Sequence[float], Sequence[float]]:
        """These weights were trained on [-1, 1]."""
        return [0.5] * channels, [0.5] * channels


@dataclass(frozen=True)
class ResNet18(TorchvisionNetwork):
    """ResNet-18 of torchvision.

    He et al. 2016, Table 1. 11,175,370 parameters for one channel and ten classes.
    """

    id: ClassVar[str] = "resnet18"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {"weights": "imagenet"},
        "002": {"weights": "imagenet"},
    }
    published: ClassVar[str] = "ResNet18_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "conv1"

    def network(self, classes: int) -> nn.Module:
        """Eight basic blocks."""
        from torchvision.models import resnet18

        return resnet18(weights=None, num_classes=classes)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ResNet34(TorchvisionNetwork):
    """ResNet-34 of torchvision.

    He et al. 2016, Table 1. 21,283,530 parameters for one channel and ten classes.
    """

    id: ClassVar[str] = "resnet34"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"001": {"weights": "imagenet"}}
    published: ClassVar[str] = "ResNet34_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "conv1"

    def network(self, classes: int) -> nn.Module:
        """Sixteen basic blocks."""
        from torchvision.models import resnet34

        return resnet34(weights=None, num_classes=classes)  # type: ignore[no-any-return]
