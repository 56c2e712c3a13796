"""Adversarial training with any bounded attack."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Defense, Kind, Ref

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Trainer, TrainingData


@dataclass(frozen=True)
class AdversarialTraining(Defense):
    """Training on examples that an attack makes against the weights of the moment.

    J' = α·J(x, l) + (1 − α)·J(x', l), x' recomputed every step (arXiv 2008.11618, Eq. 14; Goodfellow et al.
    2015). Early stopping watches the mean of clean and attacked validation accuracy.
    """

    id: ClassVar[str] = "adversarial-training"
    training_cost: ClassVar[float] = 3.0
    attack: Ref = field(default_factory=lambda: Ref(Kind.ATTACK, "fgsm"))
    alpha: Annotated[float, Field(ge=0, le=1, description="weight α of the clean loss")] = 0.5
    radius: Annotated[float, Field(gt=0, description="largest ‖ε‖₂ of the training examples")] = 3.0
    draw: Annotated[
        Literal["uniform", "fixed"],
        Field(description="radius of each clip: uniform in (0, radius], or radius itself"),
    ] = "uniform"
    start: Annotated[
        Literal["scratch", "trained"],
        Field(
            description="from new weights with the model's recipe, or on from the trained ones at a tenth of it"
        ),
    ] = "trained"

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train again, on clean and attacked clips."""
        from soundproof import BoundedAttack
        from soundproof_defenses._objectives import AdversarialObjective, reset_weights

        attack = trainer.component(self.attack)
        if not isinstance(attack, BoundedAttack) or attack.is_targeted:
            raise ValueError(
                f"adversarial-training needs an untargeted attack with a radius; {self.attack.id!r} is none"
            )
        recipe = trainer.recipe
        if self.start == "scratch":
            reset_weights(defended)
        else:
            recipe = dataclasses.replace(recipe, learning_rate=recipe.learning_rate / 10)
        objective = AdversarialObjective(
            attack,
            trainer.generator,
            alpha=self.alpha,
            radius=self.radius,
            uniform=self.draw == "uniform",
            recipe=recipe,
        )
        trainer.fit(defended, data, objective, recipe)
