"""Randomised smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Adversary, Defense

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData


@dataclass(frozen=True)
class RandomizedSmoothing(Defense):
    """A vote over Gaussian noise: the class that the classifier gives most often to noisy copies.

    g(x) = argmax_k P(f(x + η) = k), η ~ N(0, σ²I), f trained on noisy clips from new weights (Cohen et al. 2019).
    The protocol `certified` counts the vote and proves a radius. Elsewhere the classifier is the mean of its
    logits over noisy copies, which an informed attacker differentiates. Noisy copies may leave the box.
    """

    id: ClassVar[str] = "randomized-smoothing"
    adversary: ClassVar[Adversary] = Adversary.EOT
    sigma: Annotated[
        float, Field(gt=0, description="standard deviation of the noise on every value, σ; radii grow with it")
    ] = 0.1
    noisy_copies: Annotated[int, Field(ge=2, description="passes of an attacked or tested clip")] = 8

    @property
    def draws(self) -> int:
        """Passes that an attacker averages over."""
        return self.noisy_copies

    @property
    def smoothing(self) -> float:
        """As the parameter says."""
        return self.sigma

    @property
    def from_scratch(self) -> bool:
        """A classifier of clean clips guesses on noisy ones: it starts from new weights."""
        return True

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """A model without gradient descent."""
        return None if model.retrainable else f"{model.id} cannot be trained on by gradient descent"

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The noise, then the classifier."""
        from torch import nn

        from soundproof_defenses._noise import GaussianNoise

        return nn.Sequential(GaussianNoise(self.sigma), classifier)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train on noisy clips."""
        from soundproof_defenses._fresh_weights import reset_weights

        reset_weights(defended)
        trainer.fit(defended, data)
