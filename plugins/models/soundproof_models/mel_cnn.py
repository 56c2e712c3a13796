"""The plain convolutional network for mel pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn

_STAGES = 3


@dataclass(frozen=True)
class MelCnn(Model):
    """Three convolutions with pooling, then two dense layers.

    The network made for mel pictures of speakers: 3×3 convolutions with 32, 64 and 128 maps without padding,
    each pooled by 2, a dense layer of 128 units, dropout. 6,974,785 parameters for 3×128×256 and one output.
    Inputs are standardised by the training part's mean and deviation, which adds no parameters: pictures that
    fill a small part of [0, 1] would not train otherwise. Published: pictures zoomed by up to 20 % either way in
    training (`zoom`), sheared by up to 0.2 degrees, which moves no pixel by half of one, and flipped in time.
    """

    id: ClassVar[str] = "mel-cnn"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"width": 32, "dropout": 0.5, "zoom": 0.2}}
    recipe: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=3e-3)
    width: Annotated[int, Field(ge=1, description="maps of the first convolution")] = 32
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of dense units dropped in training")] = 0.5
    zoom: Annotated[
        float, Field(ge=0, lt=1, description="pictures are stretched by up to this share either way in training")
    ] = 0.0

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Pictures too small for three unpadded convolutions with pooling."""
        sides = [_side(length) for length in shape[1:]]
        if min(sides) < 1:
            return f"mel-cnn needs pictures of at least 22×22, not {shape[1]}×{shape[2]}"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        from torch import nn

        from soundproof_models._zoom import RandomZoom

        widths = [self.width * 2**stage for stage in range(_STAGES)]
        layers: list[nn.Module] = [RandomZoom(self.zoom), nn.BatchNorm2d(shape[0], affine=False)]
        for channels, maps in zip([shape[0], *widths], widths, strict=False):
            layers += [nn.Conv2d(channels, maps, 3), nn.ReLU(), nn.MaxPool2d(2)]
        flat = widths[-1] * _side(shape[1]) * _side(shape[2])
        dense = [
            nn.Flatten(),
            nn.Linear(flat, 128),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(128, classes),
        ]
        return nn.Sequential(*layers, *dense)


def _side(length: int) -> int:
    """Length that the three stages leave of a side of the picture."""
    for _ in range(_STAGES):
        length = (length - 2) // 2
    return length
