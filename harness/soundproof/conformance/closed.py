"""Classifiers about which checks know something: closed forms, and a small network that is the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

# Below every logit that inputs in the box can have.
_NEVER = -1e4


class Hyperplane(nn.Module):
    """Two classes on either side of a hyperplane through the middle of the box.

    Logits ±s·w·(x − ½) with ‖w‖₂ = 1, computed from s·x + b, as a network would that works on another range. Two
    further classes are out of reach: some losses want four.
    """

    def __init__(self, dimension: int, scale: float = 1.0, offset: float = 0.0) -> None:
        super().__init__()
        weight = torch.randn(dimension, generator=torch.Generator().manual_seed(3))
        self.weight = nn.Parameter(weight / weight.norm(), requires_grad=False)
        self.scale, self.offset = scale, offset

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, 4]`."""
        mapped = inputs.flatten(1) * self.scale + self.offset
        side = (mapped - self.offset - self.scale / 2) @ self.weight
        never = torch.full_like(side, _NEVER)
        return torch.stack([side, -side, never, never], dim=1)

    def distance(self, inputs: torch.Tensor) -> torch.Tensor:
        """From each input to the hyperplane, in l2, `[n]`."""
        return ((inputs.flatten(1) - 0.5) @ self.weight).abs()


class Flat(nn.Module):
    """Always class 0, with gradients that are exactly zero."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.arange(classes, 0, -1).float(), requires_grad=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, classes]`."""
        return self.logits + 0 * inputs.flatten(1).sum(dim=1, keepdim=True)


class Smooth(nn.Module):
    """A network of two dense layers with smooth gradients everywhere, for inputs of any shape."""

    def __init__(self, shape: Sequence[int], classes: int = 4) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        size = int(torch.tensor(shape).prod())
        self.first = nn.Parameter(torch.randn(size, 16, generator=generator) / size**0.5, requires_grad=False)
        self.second = nn.Parameter(torch.randn(16, classes, generator=generator), requires_grad=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, classes]`."""
        return ((inputs.flatten(1) - 0.5) @ self.first * 4).tanh() @ self.second
