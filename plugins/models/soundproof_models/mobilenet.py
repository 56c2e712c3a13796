"""MobileNetV2 with a hidden layer before the logits."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof_models._torchvision import TorchvisionNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

# Submodules of `features` before the last inverted residual and the final convolution.
_EARLY = 17


@dataclass(frozen=True)
class MobileNetV2(TorchvisionNetwork):
    """MobileNetV2 of torchvision with a head of 256 units.

    Sandler et al. 2018, Table 2: 2,223,872 parameters for three channels. The head is that of a study of speaker
    identification: global average pool, 256 units, ReLU, dropout (328,193 parameters for one output). Published
    there: ImageNet weights with all but the last layers frozen, Adam 1e-3, 32 clips a step, 10 epochs.
    """

    id: ClassVar[str] = "mobilenetv2"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"weights": "imagenet", "trained": "last-block", "dropout": 0.5}
    }
    published: ClassVar[str] = "MobileNet_V2_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "features.0.0"
    trained: Annotated[
        Literal["all", "last-block"] | None,
        Field(
            description="what trains beside the head; by default the last block of ImageNet's weights, else all"
        ),
    ] = None
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of the head's units dropped in training")] = 0.5

    def __post_init__(self) -> None:
        if self.trained == "last-block" and self.weights == "none":
            raise ValueError("trained = 'last-block' would freeze random weights: use weights = 'imagenet'")

    @property
    def new(self) -> Sequence[str]:
        """The head."""
        return ("classifier",)

    @property
    def frozen(self) -> Sequence[str]:
        """All but the last inverted residual and the final convolution."""
        return () if self.trained == "all" else tuple(f"features.{number}" for number in range(_EARLY))

    def network(self, classes: int) -> nn.Module:
        """Seventeen inverted residuals and the head."""
        from torch import nn
        from torchvision.models import mobilenet_v2

        network: nn.Module = mobilenet_v2(weights=None, num_classes=classes)
        network.classifier = nn.Sequential(
            nn.Linear(1280, 256), nn.ReLU(), nn.Dropout(self.dropout), nn.Linear(256, classes)
        )
        return network
