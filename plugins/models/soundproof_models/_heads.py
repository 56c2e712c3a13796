"""Last layers that several networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from soundproof_models._margin import SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence


class CosineLogits(nn.Module):
    """Logits 30 · cos of the angles between a vector and one weight vector a class (Wang et al. 2018, Eq. 5).

    The margin of the additive-margin softmax belongs to the loss and is the recipe's.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight vectors anew."""
        nn.init.xavier_uniform_(self.weight)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` in [-30, 30] of vectors `[n, features]`."""
        cosines = functional.linear(functional.normalize(vectors), functional.normalize(self.weight))
        return SCALE * cosines


def dense_blocks(features: int, widths: Sequence[int], dropout: float, *, eps: float = 1e-5) -> list[nn.Module]:
    """Dense layers, each followed by batch normalisation, ReLU and dropout."""
    layers: list[nn.Module] = []
    for before, width in zip([features, *widths], widths, strict=False):
        layers += [nn.Linear(before, width), nn.BatchNorm1d(width, eps=eps), nn.ReLU(), nn.Dropout(dropout)]
    return layers
