"""Backward passes that an informed attacker puts in the place of useless ones (BPDA, Athalye et al. 2018)."""

from __future__ import annotations

from typing import Any

import torch

# Of the logistic curve that stands for a step, with a distance of 1 between steps. A value then feels the next
# step on either side, the nearer one more. Measured: attacks with it fool more than with 2 or 16, with ramps of
# any width, or with the identity (docs/defenses.md).
_STEEPNESS = 6.0


class _Replaced(torch.autograd.Function):
    """Values on the way forward, the gradient of something else on the way back."""

    @staticmethod
    def forward(ctx: Any, stand_in: torch.Tensor, values: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ARG004
        return gradients[0], None


def with_gradient_of(stand_in: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The values, bit for bit, with the gradient of `stand_in`, which has their shape.

    `stand_in + (values - stand_in).detach()`, the straight-through trick, would round them.
    """
    replaced: torch.Tensor = _Replaced.apply(stand_in, values.detach())
    return replaced


def soft_step(distances: torch.Tensor) -> torch.Tensor:
    """Surrogate of the step from 0 to 1 at distance 0 in backward passes, in units of the distance of steps."""
    return torch.sigmoid(_STEEPNESS * distances)
