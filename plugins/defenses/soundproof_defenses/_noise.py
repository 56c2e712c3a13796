"""Gaussian noise in front of a classifier."""

from __future__ import annotations

import torch
from torch import nn


class GaussianNoise(nn.Module):
    """Adds noise of one standard deviation, drawn from torch's global generator at every call."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, ...]` with noise; they may leave [0, 1]."""
        return inputs + self.sigma * torch.randn_like(inputs)
