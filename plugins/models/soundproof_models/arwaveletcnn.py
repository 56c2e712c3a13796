"""ARWaveletCNN, made to tell real from spoofed speech."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Model, Optimizer, Recipe, Schedule
from soundproof_models._margin import MARGIN

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData

# Four levels of the pyramid and a convolution of stride 2 below them.
_MULTIPLE = 32


@dataclass(frozen=True)
class ARWaveletCNN(Model):
    """Convolutions fed by all levels of a fixed Haar pyramid, under an additive-margin softmax.

    `scaling = "published"` multiplies inputs by 255, then takes off μ and divides by σ, both measured without that
    factor on the training pictures of the first class (`bonafide`), all channels together.
    """

    id: ClassVar[str] = "arwaveletcnn"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "000": {"head": "margin", "dropout": 0.3, "momentum": 0.01, "scaling": "published"}
    }
    head: Annotated[
        Literal["margin", "softmax"],
        Field(description="30 · cosines with a margin of 0.35 in training, or a linear layer"),
    ] = "margin"
    signed: Annotated[bool, Field(description="keep the sign of the pyramid's differences")] = False
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of dense units dropped in training")] = 0.3
    scaling: Annotated[
        Literal["batch", "published"],
        Field(description="inputs standardised by channel over batches, or (255 x - μ) / σ of the first class"),
    ] = "batch"
    momentum: Annotated[
        float, Field(gt=0, le=1, description="share of a batch in the running statistics; 0.01 as published")
    ] = 0.1

    @property
    def recipe(self) -> Recipe:  # type: ignore[override]  # depends on a parameter
        """One period of the published one; the margin belongs to the head."""
        return Recipe(
            epochs=40,
            batch=128,
            learning_rate=1e-3,
            weight_decay=0.0,
            patience=40,
            optimizer=Optimizer.ADAM,
            schedule=Schedule.COSINE_RESTARTS,
            period=40,
            l1=1e-4,
            margin=MARGIN if self.head == "margin" else 0.0,
            balanced=True,
        )

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Pictures whose sides cannot be halved five times."""
        if any(side % _MULTIPLE for side in shape[1:]):
            return f"arwaveletcnn needs sides divisible by {_MULTIPLE}, not {shape[1]}×{shape[2]}"
        return None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for images `(C, H, W)`."""
        from torch import nn

        from soundproof_models._arwavelet_network import ARWaveletNetwork, SourceScaling

        return ARWaveletNetwork(
            shape,
            classes,
            scaling=nn.BatchNorm2d(shape[0], affine=False) if self.scaling == "batch" else SourceScaling(),
            signed=self.signed,
            dropout=self.dropout,
            momentum=self.momentum,
            cosines=self.head == "margin",
        )

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Measure the published scaling, if it is wanted, then run the recipe.

        Raises:
            ValueError: No training clip is of the first class.
        """
        if self.scaling == "published":
            first = data.train.inputs[data.train.labels == 0]
            if not len(first):
                raise ValueError(
                    "scaling 'published' is measured on training clips: no clip of the first class trains"
                )
            module.get_submodule("scaling").measure(first)  # type: ignore[operator]
        return trainer.fit(module, data)
