"""Random classifiers, measured and attacked as the mean of several passes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    @staticmethod
    @contextlib.contextmanager
    def same_draws(device: torch.device) -> Iterator[None]:
        """Within this block the draws are always the same, so that an unchanged batch is judged alike."""
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(0)
            yield

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Mean logits `[n, K]`."""
        return self.mean(self.inner(self.repeated(inputs)))
