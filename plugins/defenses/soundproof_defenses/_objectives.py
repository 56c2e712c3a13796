"""Objectives of adversarial training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from soundproof import Examples, Goal, Objective

if TYPE_CHECKING:
    from soundproof import Recipe
    from soundproof_defenses._inner import InnerAttack

# Clips attacked at once for early stopping; only memory depends on it.
_BATCH = 64
# Deviation of the noise from which TRADES attacks: the divergence has no gradient at the clip itself.
_NUDGE = 1e-3


class AdversarialObjective(Objective):
    """α times the clean loss plus 1 − α times the loss of attacked copies (arXiv 2008.11618, Eq. 14)."""

    def __init__(self, inner: InnerAttack, *, alpha: float, recipe: Recipe | None = None) -> None:
        super().__init__(recipe)
        self._inner = inner
        self._alpha = alpha

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mixed loss of a batch; with α = 0 only attacked copies count."""
        attacked = self._inner.attack(module, inputs, Goal(labels), self._inner.draw(inputs))
        module.train()
        weights = ((self._alpha, inputs), (1 - self._alpha, attacked))
        losses = [weight * self.criterion(module(part), labels) for weight, part in weights if weight > 0]
        return torch.stack(losses).sum()

    def score(self, module: nn.Module, examples: Examples) -> float:
        """Mean of clean and attacked accuracy at the full radius."""
        self._inner.next_epoch()
        parts = zip(torch.split(examples.inputs, _BATCH), torch.split(examples.labels, _BATCH), strict=True)
        attacked = [
            self._inner.attack(module, inputs, Goal(labels), self._inner.bound.ball(inputs))
            for inputs, labels in parts
        ]
        clean = super().score(module, examples)
        return (clean + super().score(module, Examples(torch.cat(attacked), examples.labels))) / 2


class TradesObjective(AdversarialObjective):
    """J(x, l) + β·KL(p(x) ‖ p(x')), x' within the ball as far from p(x) as it gets (Zhang et al. 2019, Eq. 5)."""

    def __init__(self, inner: InnerAttack, *, beta: float, recipe: Recipe | None = None) -> None:
        super().__init__(inner, alpha=1.0, recipe=recipe)
        self._beta = beta

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The clean loss and the divergence of a batch."""
        with torch.no_grad():
            reference = functional.log_softmax(module.eval()(inputs), dim=1)
        ball = self._inner.draw(inputs)
        noise = torch.empty_like(inputs).normal_(std=_NUDGE, generator=self._inner.generator)
        start = (inputs + noise).clamp(0, 1)
        attacked = self._inner.attack(module, start, Divergence(labels, reference=reference), ball)
        attacked = ball.project(attacked, inputs)
        module.train()
        logits = module(inputs)
        clean, moved = functional.log_softmax(logits, dim=1), functional.log_softmax(module(attacked), dim=1)
        return self.criterion(logits, labels) + self._beta * divergence(clean, moved).mean()


@dataclass(frozen=True, eq=False)
class Divergence(Goal):
    """To leave the prediction for the clean clip, whatever the label says.

    Attributes:
        reference: Log-probabilities of the clean clips, `[N, K]`.
    """

    reference: torch.Tensor = field(kw_only=True)

    def select(self, rows: torch.Tensor) -> Divergence:
        """The goal of some clips."""
        return Divergence(self.labels[rows], reference=self.reference[rows])

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """KL(p(x) ‖ p(x')), `[N]`."""
        return divergence(self.reference, functional.log_softmax(logits, dim=1))


def divergence(clean: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """KL(p ‖ q) of log-probabilities `[N, K]`, `[N]`."""
    return functional.kl_div(moved, clean, reduction="none", log_target=True).sum(dim=1)
