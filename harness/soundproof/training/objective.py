"""Objectives: the loss that training minimises, the score that early stopping watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from scipy.special import betaincinv
from torch.nn import functional

from soundproof.types import Recipe
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from torch import nn

    from soundproof.types import Examples


class Objective:
    """Cross-entropy and accuracy; subclass it to train differently."""

    def __init__(self, recipe: Recipe | None = None) -> None:
        """Take label smoothing and margin from a recipe; none of either by default."""
        self.recipe = recipe or Recipe()

    def criterion(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean cross-entropy of logits `[n, K]`, with the recipe's label smoothing and margin."""
        if self.recipe.margin:
            logits = logits - self.recipe.margin * functional.one_hot(labels, logits.shape[1])
        return functional.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch; `module` is in training mode and must be left in it."""
        return self.criterion(module(inputs), labels)

    def score(self, module: nn.Module, examples: Examples) -> float:
        """Score of the module on held-out examples; higher is better."""
        return accuracy(module, examples)


class Mixup(Objective):
    """Mixes every batch with a permutation of itself, inputs and labels (Zhang et al. 2018, Eq. 1)."""

    def __init__(self, recipe: Recipe, generator: torch.Generator) -> None:
        """Take α from the recipe.

        Args:
            recipe: Its `mixup` is not 0.
            generator: On the CPU, so that the shares are the same on every device.
        """
        super().__init__(recipe)
        self.generator = generator

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean loss of λ x + (1 - λ) x′ against λ y + (1 - λ) y′, with one λ ~ Beta(α, α) a batch."""
        alpha = self.recipe.mixup
        # torch's beta distribution takes no generator: the inverse of its distribution function does.
        share = float(betaincinv(alpha, alpha, torch.rand((), generator=self.generator).item()))
        others = torch.randperm(len(labels), generator=self.generator).to(labels.device)
        logits = module(torch.lerp(inputs[others], inputs, share))
        return share * self.criterion(logits, labels) + (1 - share) * self.criterion(logits, labels[others])


def accuracy(module: nn.Module, examples: Examples) -> float:
    """Share of examples classified correctly."""
    hits = logits_of(module, examples.inputs).argmax(dim=1) == examples.labels
    return float(hits.float().mean().item())
