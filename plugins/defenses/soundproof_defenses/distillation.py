"""Defensive distillation."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Defense

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData


@dataclass(frozen=True)
class Distillation(Defense):
    """A student of the classifier's soft labels, trained at a temperature and used without it.

    The student minimises the cross-entropy between softmax(Z/T) and the teacher's probabilities, and decides by
    Z (Papernot et al. 2016): its logits are T times as large, and the gradient of the cross-entropy vanishes.
    """

    id: ClassVar[str] = "distillation"
    training_cost: ClassVar[float] = 1.4
    temperature: Annotated[float, Field(gt=0, description="T that logits are divided by in training")] = 20.0

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """A model without gradient descent."""
        return None if model.retrainable else f"{model.id} cannot be trained on by gradient descent"

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The classifier with logits T times as large."""
        from torch import nn

        from soundproof_defenses._distillation import Scale

        return nn.Sequential(classifier, Scale(self.temperature))

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train the student from new weights."""
        from torch import nn

        from soundproof_defenses._distillation import SoftLabels
        from soundproof_defenses._fresh_weights import reset_weights

        assert isinstance(defended, nn.Sequential)
        teacher = copy.deepcopy(defended[0]).requires_grad_(requires_grad=False).eval()
        reset_weights(defended)
        trainer.fit(defended, data, SoftLabels(teacher, self.temperature, trainer.recipe))
