"""The residual networks that He et al. designed for CIFAR, whose deepest common form is ResNet-56."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn

# Bottleneck blocks a stage: 3 · 18 + 2 = 56 weighted layers.
_BOTTLENECKS = [3, 4, 8, 3]
# Inputs whose shorter side has so many pixels get a stem of stride 2: 4 times cheaper.
_LARGE = 96


@dataclass(frozen=True)
class ResNet56(Model):
    """ResNet-56 of the CIFAR family, and its smaller sisters by `depth` and `width`.

    He et al. 2016, §4.2: a 3×3 stem, three stages of (depth − 2)/6 basic blocks with w, 2w and 4w channels,
    parameter-free shortcuts. 852,730 parameters for one channel and ten classes; 855,482 with projections.

    The form `imagenet` has as many layers in four stages of bottlenecks, and 25,756,618 parameters. Which of the
    two arXiv 2008.11618 means it does not say, and neither has as many parameters as it gives.
    """

    id: ClassVar[str] = "resnet56"
    recipe: ClassVar[Recipe] = Recipe(epochs=30, learning_rate=3e-3)
    depth: Annotated[int, Field(ge=8, description="weighted layers, 6n + 2")] = 56
    width: Annotated[int, Field(ge=1, description="channels of the first stage")] = 16
    stem_stride: Annotated[
        Literal[1, 2] | None,
        Field(description="stride of the stem; by default 2 from 96 pixels upward, else 1"),
    ] = None
    shortcuts: Annotated[
        Literal["padding", "projection"],
        Field(description="shortcuts between stages: zero channels, or 1×1 convolutions"),
    ] = "padding"
    form: Annotated[
        Literal["cifar", "imagenet"],
        Field(description="three stages of basic blocks, or four of bottlenecks, which has no other parameters"),
    ] = "cifar"

    def __post_init__(self) -> None:
        if (self.depth - 2) % 6:
            near = 6 * round((self.depth - 2) / 6) + 2
            raise ValueError(f"depth must be 6n + 2, such as {near}, not {self.depth}")
        if self.form == "imagenet" and replace(self, form="cifar") != type(self)():
            raise ValueError("form 'imagenet' has a fixed depth, width, stem and shortcuts: leave them out")

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        if self.form == "imagenet":
            from torchvision.models.resnet import Bottleneck, ResNet

            from soundproof_models._adaptation import fit_first_layer

            network: nn.Module = ResNet(Bottleneck, _BOTTLENECKS, num_classes=classes)
            fit_first_layer(network, "conv1", shape[0])
            return network
        from soundproof_models._cifar_network import CifarResNet

        return CifarResNet(
            shape[0],
            classes,
            blocks=(self.depth - 2) // 6,
            width=self.width,
            stem_stride=self.stem_stride or (2 if min(shape[1:]) >= _LARGE else 1),
            projected=self.shortcuts == "projection",
        )
