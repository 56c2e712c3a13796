"""YAMNet with a head for other classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Model, Recipe

if TYPE_CHECKING:
    from torch import nn

    from soundproof import TrainingData

# Mel bands and frames of a patch.
_PATCH = (64, 96)


@dataclass(frozen=True)
class YAMNet(Model):
    """YAMNet's MobileNetV1 on log-mel patches, and two dense layers on the maximum over a clip's patches.

    tensorflow/models, research/audioset/yamnet: 3,195,456 parameters without its own last layer. The head, 512 and
    128 units, is that of a study of speaker identification (590,593 parameters for one output). It reads what
    `yamnet-patch` makes, one patch a channel, and gives YAMNet the log-mel values it was trained with.

    `weights` names a file with the trained network, safetensors or torch, under the names of torch_audioset's
    yamnet.pth (`layer1.fused.conv.weight`, …, `layer14.pointwise_conv.bn.running_var`); others in it are ignored.
    The backbone is then fixed, batch statistics included. Without a file all of it trains from random weights,
    which flags every number.

    Published: the head alone, Adam 1e-3, 32 clips a step, 10 epochs.
    """

    id: ClassVar[str] = "yamnet"
    recipe: ClassVar[Recipe] = Recipe(epochs=25, learning_rate=1e-3)
    weights: Annotated[
        str | None,
        Field(min_length=1, description="file of trained weights, safetensors or torch; none starts at random"),
    ] = None

    @property
    def flags(self) -> tuple[str, ...]:
        """`random-start` without trained weights."""
        return () if self.weights else ("random-start",)

    @property
    def files(self) -> tuple[Path, ...]:
        """The file of weights."""
        return (Path(self.weights),) if self.weights else ()

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Anything but YAMNet's patches."""
        if shape[1:] != _PATCH:
            return f"yamnet reads patches of 64 bands and 96 frames (yamnet-patch), not {shape[1]}×{shape[2]}"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002 - any number of patches
        """A network with random weights for patches `(P, 64, 96)`; `prepare` loads the trained ones."""
        from soundproof_models._yamnet import PatchClassifier

        return PatchClassifier(classes, frozen=self.weights is not None)

    def prepare(self, module: nn.Module, data: TrainingData) -> None:  # noqa: ARG002
        """Load the backbone, if there is a file.

        Raises:
            SoundproofError: The file is not a safetensors or torch file of this network's weights.
        """
        if self.weights:
            from soundproof_models._yamnet import load_backbone

            load_backbone(module.get_submodule("backbone"), Path(self.weights))
