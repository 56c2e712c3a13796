"""VGG-16, with either of the papers' heads."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Recipe
from soundproof_models._torchvision import TorchvisionNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

# What five poolings leave of so many pixels is what an unpadded 3×3 convolution needs.
_SMALLEST_CONVOLVED = 96


@dataclass(frozen=True)
class VGG16(TorchvisionNetwork):
    """VGG-16 of torchvision, without batch normalisation.

    Simonyan & Zisserman 2015, configuration D. 134,300,362 parameters for one channel and ten classes. The head
    `convolution` is the one it was compared with ARWaveletCNN under: an unpadded 3×3 convolution to 64 maps,
    global average pool, 512 units, each with batch normalisation, ReLU and dropout, under an l1 of 1e-4.
    """

    id: ClassVar[str] = "vgg16"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "000": {"head": "convolution", "dropout": 0.3},
        "001": {"weights": "imagenet"},
    }
    from_scratch: ClassVar[Recipe] = Recipe(epochs=30, learning_rate=1e-4)
    published: ClassVar[str] = "VGG16_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "features.0"
    smallest: ClassVar[int] = 32
    head: Annotated[
        Literal["dense", "convolution"],
        Field(description="two dense layers of 4096 units, or a convolution and a dense layer of 512"),
    ] = "dense"
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of the head's units dropped in training")] = 0.5

    @property
    def recipe(self) -> Recipe:  # type: ignore[override]  # depends on a parameter
        """The convolutional head is trained with l1 on its kernels."""
        if self.head == "dense":
            return super().recipe
        return replace(super().recipe, l1=1e-4, l1_layers=tuple(self.new))

    @property
    def new(self) -> Sequence[str]:
        """The last layer, or the whole head where it is not torchvision's."""
        return ("classifier.6",) if self.head == "dense" else ("avgpool", "classifier")

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:
        """Pictures that pooling, or the head's convolution, would leave nothing of."""
        if self.head == "convolution" and min(shape[1:]) < _SMALLEST_CONVOLVED:
            return (
                f"vgg16 with head = 'convolution' needs pictures of at least "
                f"{_SMALLEST_CONVOLVED}×{_SMALLEST_CONVOLVED}, not {shape[1]}×{shape[2]}; use head = 'dense'"
            )
        return super().reason_to_skip(shape, classes)

    def network(self, classes: int) -> nn.Module:
        """Thirteen convolutions and the head."""
        from torchvision.models import vgg16

        network: nn.Module = vgg16(weights=None, num_classes=classes, dropout=self.dropout)
        if self.head == "convolution":
            from torch import nn

            from soundproof_models._heads import dense_blocks

            network.avgpool = nn.Sequential(
                nn.Conv2d(512, 64, 3),
                nn.BatchNorm2d(64),
                nn.ReLU(),
                nn.Dropout(self.dropout),
                nn.AdaptiveAvgPool2d(1),
            )
            network.classifier = nn.Sequential(*dense_blocks(64, [512], self.dropout), nn.Linear(512, classes))
        return network
