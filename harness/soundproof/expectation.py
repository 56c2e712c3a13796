"""Random classifiers, measured and attacked as the mean of several passes."""

from __future__ import annotations

import torch
from torch import nn


class Expectation(nn.Module):
    """A random classifier as the mean of its logits over independent draws.

    What is measured is then nearly the same at every look, and a gradient through it is the expectation over
    transformations that an informed adversary takes (EOT, Athalye et al. 2018).

    Attributes:
        inner: Maps inputs `[n, ...]` to logits `[n, K]`, differently each time.
        draws: Passes of every input.
    """

    def __init__(self, inner: nn.Module, draws: int) -> None:
        super().__init__()
        self.inner = inner
        self.draws = draws

    def repeated(self, inputs: torch.Tensor) -> torch.Tensor:
        """Every input once for each draw, draw after draw, `[draws · n, ...]`."""
        return inputs.repeat(self.draws, *(1,) * (inputs.dim() - 1))

    def mean(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits of repeated inputs `[draws · n, K]` as their means `[n, K]`."""
        return logits.reshape(self.draws, -1, logits.shape[1]).mean(dim=0)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Mean logits `[n, K]`."""
        return self.mean(self.inner(self.repeated(inputs)))
