"""DenseNet-121, with either of the papers' heads."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof_models._margin import MARGIN
from soundproof_models._torchvision import TorchvisionNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from soundproof import Recipe


@dataclass(frozen=True)
class DenseNet121(TorchvisionNetwork):
    """DenseNet-121 of torchvision.

    Huang et al. 2017, Table 1. 6,957,834 parameters for one channel and ten classes. The head `dense` is the one
    it was compared with ARWaveletCNN under: twice 2048 units with batch normalisation, ReLU and dropout, then
    30 · cosines under an additive-margin softmax (13,261,696 parameters for three channels and two classes).
    Published for that head: Adam 1e-3 in cosines of 40 epochs and doubling, 32 clips of each of two classes a
    step, l1 of 1e-4 on the head's kernels.
    """

    id: ClassVar[str] = "densenet121"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"000": {"head": "dense", "dropout": 0.3}}
    published: ClassVar[str] = "DenseNet121_Weights.IMAGENET1K_V1"
    first: ClassVar[str] = "features.conv0"
    smallest: ClassVar[int] = 29
    head: Annotated[
        Literal["linear", "dense"],
        Field(description="one linear layer, or two dense layers of 2048 units and an additive-margin softmax"),
    ] = "linear"
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="share of the dense head's units dropped in training")
    ] = 0.3

    @property
    def recipe(self) -> Recipe:  # type: ignore[override]  # depends on a parameter
        """The dense head is trained with a margin, and with l1 on its kernels."""
        if self.head == "linear":
            return super().recipe
        return replace(super().recipe, margin=MARGIN, l1=1e-4, l1_layers=tuple(self.new))

    @property
    def new(self) -> Sequence[str]:
        """The head."""
        return ("classifier",)

    def network(self, classes: int) -> nn.Module:
        """Four dense blocks and the head."""
        from torchvision.models import densenet121

        network: nn.Module = densenet121(weights=None, num_classes=classes)
        if self.head == "dense":
            from torch import nn

            from soundproof_models._heads import CosineLogits, dense_blocks

            hidden = dense_blocks(1024, [2048, 2048], self.dropout)
            network.classifier = nn.Sequential(*hidden, CosineLogits(2048, classes))
        return network
