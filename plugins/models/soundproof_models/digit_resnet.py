"""The classifier of spoken digits that latent recovery was measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class DigitResNet(Model):
    """ResNet-18 whose convolutions have a bias, for STFT pictures of spoken digits.

    The classifier of arXiv 2010.08534: 11,186,442 parameters for three channels and ten digits. There it sees the
    real part of 128 frames of 256 samples, three times; here what the representation gives, in its own channels.
    Published: Adam 1e-3, 64 clips a step, 100 epochs, the epoch of the best validation accuracy (95.41 %, of which
    the published script says that it was measured on training files).

    The network's `stages(images)` gives what its four stages see, for perceptual losses.
    """

    id: ClassVar[str] = "digit-resnet"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"004": {"momentum": 0.01}}
    recipe: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=2e-3)
    momentum: Annotated[
        float, Field(gt=0, le=1, description="share of a batch in the running statistics; 0.01 as published")
    ] = 0.1

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        from soundproof_models._digit_network import DigitNetwork

        return DigitNetwork(shape[0], classes, momentum=self.momentum)
