"""Objective of the student of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from soundproof import Objective

if TYPE_CHECKING:
    from soundproof import Recipe


class Scale(nn.Module):
    """Multiplies by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values of any shape, multiplied."""
        return values * self.factor


class SoftLabels(Objective):
    """The cross-entropy between softmax(Z/T) and a teacher's probabilities (Papernot et al. 2016, Eq. 10).

    Soft labels stand in for the recipe's label smoothing and margin.
    """

    def __init__(self, teacher: nn.Module, temperature: float, recipe: Recipe | None = None) -> None:
        super().__init__(recipe)
        self._teacher = teacher
        self._temperature = temperature

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """The mean cross-entropy of a batch."""
        with torch.no_grad():
            soft = functional.softmax(self._teacher(inputs), dim=1)
        return functional.cross_entropy(module(inputs) / self._temperature, soft)
