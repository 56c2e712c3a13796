"""Adversarial training with any bounded attack."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Attack, Defense, Kind, Norm, Ref, SizeUnit, Surface
from soundproof_defenses._draw import Draw

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

    from soundproof import Bound, BoundedAttack, Budget, Model, Recipe, Trainer, TrainingData
    from soundproof_defenses._inner import InnerAttack
    from soundproof_defenses._objectives import AdversarialObjective

# What arXiv 2008.11618 leaves open is read as in docs/defenses.md.
_PUBLISHED = {"attack": "fgsm", "radius": 3.0, "norm": "l2", "draw": "uniform", "start": "trained"}


@dataclass(frozen=True)
class AdversarialTraining(Defense):
    """Training on examples that an attack makes against the weights of the moment.

    J' = α·J(x, l) + (1 − α)·J(x', l), x' recomputed every step (arXiv 2008.11618, Eq. 14; Goodfellow et al.
    2015), or TRADES, J' = J(x, l) + β·KL(p(x) ‖ p(x')), where x' raises the divergence (Zhang et al. 2019).
    The ball of x' is the suite's unless parameters say otherwise, and the inner attack steps in its norm. Early
    stopping watches the mean of clean and attacked validation accuracy. The gradients of the inner attack are
    counted apart, those for early stopping included.

    Attributes:
        attack: Makes the examples: any bounded attack without targets.
    """

    id: ClassVar[str] = "adversarial-training"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {**_PUBLISHED, "alpha": 0.5},
        "001-attacked-only": {**_PUBLISHED, "alpha": 0.0},
    }
    attack: Ref = field(default_factory=lambda: Ref(Kind.ATTACK, "pgd", {"steps": 4}))
    loss: Annotated[
        Literal["mixed", "trades"], Field(description="clean and attacked cross-entropy, or TRADES")
    ] = "mixed"
    alpha: Annotated[float, Field(ge=0, le=1, description="mixed: weight α of the clean loss")] = 0.0
    beta: Annotated[float, Field(gt=0, description="trades: weight β of the divergence")] = 6.0
    radius: Annotated[
        float | None, Field(gt=0, description="largest size of training perturbations; by default the suite's")
    ] = None
    unit: Annotated[
        SizeUnit, Field(description="of that size, as in a suite's budget: ‖ε‖, its RMS, ‖ε‖/‖x‖ or dB of SNR")
    ] = "epsilon"
    norm: Annotated[Norm | None, Field(description="of that size; by default the suite's")] = None
    draw: Annotated[
        Draw,
        Field(description="‖ε‖ of each clip: uniform up to its largest, the largest, or rising to it by epochs"),
    ] = Draw.FIXED
    start: Annotated[
        Literal["scratch", "trained"],
        Field(
            description="from new weights with the model's recipe, or on from the trained ones at a tenth of it"
        ),
    ] = "scratch"

    def __post_init__(self) -> None:
        unused = {"mixed": "beta", "trades": "alpha"}[self.loss]
        if getattr(self, unused) != getattr(type(self), unused):
            raise ValueError(f"{unused} has no effect when loss = {self.loss!r}: leave it out")

    @property
    def from_scratch(self) -> bool:
        """Whether it starts from new weights."""
        return self.start == "scratch"

    @property
    def training_cost(self) -> float:  # type: ignore[override]
        """A pass over attacked copies, one over clean clips if they count, ⅔ for each gradient of the attack."""
        attack = self.attack.component
        gradients = attack.planned_gradients if isinstance(attack, Attack) else 1
        clean = 0 if self.loss == "mixed" and self.alpha == 0 else 1
        return 1 + clean + gradients * 2 / 3

    def under(self, budget: Budget) -> Self:
        """With the budget's size and norm where it has none of its own; a size of the sound is none of inputs."""
        norm = self.norm or budget.norm
        if self.radius is not None or budget.domain is Surface.WAVEFORM:
            return dataclasses.replace(self, norm=norm)
        return dataclasses.replace(self, radius=budget.size, unit=budget.unit, norm=norm)

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """A model without gradient descent, or no size."""
        if not model.retrainable:
            return f"{model.id} cannot be trained on by gradient descent"
        if self.radius is None:
            return "adversarial-training changes inputs, and the suite's budget is of waveforms: give it a radius"
        return None

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train again, on clean and attacked clips.

        Raises:
            ValueError: The inner attack is targeted or has no radius, or no budget has told the radius.
        """
        from soundproof_defenses._fresh_weights import reset_weights
        from soundproof_defenses._inner import InnerAttack

        bound = self._bound(data)
        attack = self._attack(trainer, bound.norm)
        recipe = trainer.recipe
        if self.from_scratch:
            reset_weights(defended)
        else:
            recipe = dataclasses.replace(recipe, learning_rate=recipe.learning_rate / 10)
        inner = InnerAttack(
            attack, trainer.generator, bound=bound, draw=self.draw, epochs=recipe.epochs, spend=trainer.spend
        )
        trainer.fit(defended, data, self._objective(inner, recipe), recipe)

    def _bound(self, data: TrainingData) -> Bound:
        from soundproof import Budget, bound_of

        if self.radius is None or self.norm is None:
            raise ValueError("adversarial-training needs a radius and a norm: set them, or call under(budget)")
        size: dict[str, Any] = {self.unit: self.radius}
        return bound_of(Budget(self.norm, **size), data.shape)

    def _attack(self, trainer: Trainer, norm: Norm) -> BoundedAttack:
        """The inner attack; its steps are of the ball's norm unless its own parameters say otherwise."""
        from soundproof import BoundedAttack

        attack = trainer.component(self.attack)
        if not isinstance(attack, BoundedAttack) or attack.is_targeted:
            raise ValueError(
                f"adversarial-training needs an untargeted attack with a radius; {self.attack.id!r} is none"
            )
        by_clip = self.draw == Draw.UNIFORM or self.unit in ("relative", "snr_db")
        if by_clip and not attack.radius_per_clip:
            raise ValueError(
                f"{attack.id!r} takes one radius for all clips: set draw = 'fixed' or 'ramp', and unit = 'epsilon'"
            )
        if "norm" in attack.parameters() and "norm" not in self.attack.parameters:
            return dataclasses.replace(attack, norm=norm)  # type: ignore[type-var]
        return attack

    def _objective(self, inner: InnerAttack, recipe: Recipe) -> AdversarialObjective:
        from soundproof_defenses._objectives import AdversarialObjective, TradesObjective

        if self.loss == "trades":
            return TradesObjective(inner, beta=self.beta, recipe=recipe)
        return AdversarialObjective(inner, alpha=self.alpha, recipe=recipe)
