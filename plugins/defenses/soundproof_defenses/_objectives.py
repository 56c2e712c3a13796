"""What adversarial training minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof import Ball, Examples, Goal, Norm, Objective, Victim

if TYPE_CHECKING:
    from soundproof import BoundedAttack, Recipe

# Clips attacked at once for early stopping; only memory depends on it.
_BATCH = 64


class AdversarialObjective(Objective):
    """α times the clean loss plus 1 − α times the loss of attacked copies (arXiv 2008.11618, Eq. 14)."""

    def __init__(
        self,
        attack: BoundedAttack,
        generator: torch.Generator,
        *,
        alpha: float,
        radius: float,
        uniform: bool,
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(recipe)
        self._attack = attack
        self._generator = generator
        self._alpha = alpha
        self._radius = radius
        self._uniform = uniform

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mixed loss of a batch; with α = 0 only attacked copies count."""
        radius = torch.full((len(labels),), self._radius, device=inputs.device)
        if self._uniform:
            # 1 − U[0, 1) lies in (0, 1]: a radius of zero would train on clean clips twice.
            radius *= 1 - torch.rand(len(labels), generator=self._generator, device=inputs.device)
        attacked = self._craft(module, inputs, labels, radius)
        module.train()
        weights = ((self._alpha, inputs), (1 - self._alpha, attacked))
        losses = [weight * self.criterion(module(part), labels) for weight, part in weights if weight > 0]
        return torch.stack(losses).sum()

    def score(self, module: nn.Module, examples: Examples) -> float:
        """Mean of clean and attacked accuracy at the full radius."""
        parts = zip(torch.split(examples.inputs, _BATCH), torch.split(examples.labels, _BATCH), strict=True)
        attacked = torch.cat([self._craft(module, *part, self._radius) for part in parts])
        clean = super().score(module, examples)
        return (clean + super().score(module, Examples(attacked, examples.labels))) / 2

    def _craft(
        self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, radius: float | torch.Tensor
    ) -> torch.Tensor:
        """Attacked copies; the victim is in evaluation mode, as it will be when it is attacked in earnest."""
        victim = Victim(module, inputs, Goal(labels), traced=False)
        return self._attack.perturb(victim, Ball(Norm.L2, radius), self._generator).detach()


def reset_weights(module: nn.Module) -> None:
    """Draw every layer's weights anew."""
    for layer in module.modules():
        reset = getattr(layer, "reset_parameters", None)
        if callable(reset):
            reset()
