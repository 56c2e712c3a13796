"""Adversarial training with any bounded attack."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Defense, Kind, Ref

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Recipe, Trainer, TrainingData
    from soundproof_defenses._inner import InnerAttack
    from soundproof_defenses._objectives import AdversarialObjective


class Draw(StrEnum):
    """The radius of a training example: in (0, radius], radius itself, or rising to it over the epochs."""

    UNIFORM = "uniform"
    FIXED = "fixed"
    RAMP = "ramp"


@dataclass(frozen=True)
class AdversarialTraining(Defense):
    """Training on examples that an attack makes against the weights of the moment.

    J' = α·J(x, l) + (1 − α)·J(x', l), x' recomputed every step (arXiv 2008.11618, Eq. 14; Goodfellow et al.
    2015), or TRADES, J' = J(x, l) + β·KL(p(x) ‖ p(x')), where x' raises the divergence (Zhang et al. 2019).
    Early stopping watches the mean of clean and attacked validation accuracy. The gradients of the inner attack
    are counted apart, those for early stopping included.
    """

    id: ClassVar[str] = "adversarial-training"
    training_cost: ClassVar[float] = 3.0
    attack: Ref = field(default_factory=lambda: Ref(Kind.ATTACK, "fgsm"))
    loss: Annotated[
        Literal["mixed", "trades"], Field(description="clean and attacked cross-entropy, or TRADES")
    ] = "mixed"
    alpha: Annotated[float, Field(ge=0, le=1, description="mixed: weight α of the clean loss")] = 0.5
    beta: Annotated[float, Field(gt=0, description="trades: weight β of the divergence")] = 6.0
    radius: Annotated[float, Field(gt=0, description="largest ‖ε‖₂ of the training examples")] = 3.0
    draw: Annotated[
        Draw,
        Field(description="radius of each clip: uniform in (0, radius], radius itself, or rising to it by epochs"),
    ] = Draw.UNIFORM
    start: Annotated[
        Literal["scratch", "trained"],
        Field(
            description="from new weights with the model's recipe, or on from the trained ones at a tenth of it"
        ),
    ] = "trained"

    def __post_init__(self) -> None:
        unused = {"mixed": "beta", "trades": "alpha"}[self.loss]
        if getattr(self, unused) != getattr(type(self), unused):
            raise ValueError(f"{unused} has no effect when loss = {self.loss!r}: leave it out")

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """A model without gradient descent."""
        return None if model.retrainable else f"{model.id} cannot be trained on by gradient descent"

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train again, on clean and attacked clips.

        Raises:
            ValueError: The inner attack is targeted or has no radius.
        """
        from soundproof import BoundedAttack
        from soundproof_defenses._fresh_weights import reset_weights
        from soundproof_defenses._inner import InnerAttack

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
        inner = InnerAttack(
            attack,
            trainer.generator,
            radius=self.radius,
            draw=self.draw,
            epochs=recipe.epochs,
            spend=trainer.spend,
        )
        trainer.fit(defended, data, self._objective(inner, recipe), recipe)

    def _objective(self, inner: InnerAttack, recipe: Recipe) -> AdversarialObjective:
        from soundproof_defenses._objectives import AdversarialObjective, TradesObjective

        if self.loss == "trades":
            return TradesObjective(inner, beta=self.beta, recipe=recipe)
        return AdversarialObjective(inner, alpha=self.alpha, recipe=recipe)
