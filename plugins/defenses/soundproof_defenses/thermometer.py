"""Thermometer encoding of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Adversary, Defense

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData


@dataclass(frozen=True)
class ThermometerEncoding(Defense):
    """Every value as k binary channels, and the classifier trained on them.

    Channel i of k is 1 when x > i/k (Buckman et al. 2018). The first layer of the classifier is widened to k
    times its channels, and all of it is trained with the model's recipe.
    """

    id: ClassVar[str] = "thermometer"
    adversary: ClassVar[Adversary] = Adversary.BPDA
    training_cost: ClassVar[float] = 1.3
    levels: Annotated[int, Field(ge=2, le=256, description="binary channels k of each value")] = 16

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:
        """A model without gradient descent, or a network whose first layer is none that can be widened."""
        import torch

        from soundproof_defenses._thermometer import first_layers

        if not model.retrainable:
            return f"{model.id} cannot be trained on by gradient descent"
        with torch.device("meta"):
            network = model.build(data_shape, classes)
        try:
            first_layers(network, data_shape[0])
        except ValueError as error:
            return f"thermometer cannot widen {model.id}: {error}"
        return None

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The encoding, then the classifier with more channels."""
        from torch import nn

        from soundproof_defenses._thermometer import Thermometer, widen

        widen(classifier, data_shape[0], self.levels)
        return nn.Sequential(Thermometer(self.levels), classifier)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train everything on codes."""
        trainer.fit(defended, data)
