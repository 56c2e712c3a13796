"""Norm balls: the arithmetic that every bounded attack shares.

All quantities are taken over all values of one clip, for each clip (row) of a batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from soundproof.types import Norm

if TYPE_CHECKING:
    import torch

# What is divided by when a norm is smaller or zero.
TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Ball:
    """All inputs within `radius` of a clean one, measured in `norm`.

    Attributes:
        norm: l2 or l-infinity.
        radius: Not negative, in units of the input (which spans [0, 1]); one number, or one a row, `[N]`.
    """

    norm: Norm
    radius: float | torch.Tensor

    def inscribed(self, norm: Norm, dimension: int) -> Ball:
        """The largest ball of another norm that lies inside this one, for inputs of `dimension` values."""
        if norm is Norm.LINF and self.norm is Norm.L2:
            return Ball(norm, self.radius / math.sqrt(dimension))
        return Ball(norm, self.radius)

    def scaled(self, factor: float) -> Ball:
        """The ball of the same norm with `factor` times the radius."""
        return replace(self, radius=self.radius * factor)

    def select(self, rows: torch.Tensor) -> Ball:
        """The ball for some rows of the batch."""
        return self if isinstance(self.radius, (int, float)) else replace(self, radius=self.radius[rows])

    def sizes(self, delta: torch.Tensor) -> torch.Tensor:
        """The norm of each row of a perturbation `[N, ...]`, as `[N]`."""
        flat = delta.flatten(1)
        return l2_sizes(flat) if self.norm is Norm.L2 else flat.abs().amax(dim=1)

    def ascent(self, gradient: torch.Tensor) -> torch.Tensor:
        """The step of length `radius` that raises a linear function fastest, from its gradient `[N, ...]`.

        Fast gradient methods step along it: the sign of the gradient for l-infinity, the gradient itself,
        normalised, for l2 (Goodfellow et al. 2015; Miyato et al. 2016). A zero gradient gives a zero step.
        """
        if self.norm is Norm.LINF:
            return gradient.sign() * self._column(gradient)
        # A saturated classifier's gradients are so small that their squares vanish in single precision.
        largest = Ball(Norm.LINF, 0.0).sizes(gradient).clamp_min(TINY)
        direction = gradient / column(largest, gradient)
        sizes = column(l2_sizes(direction), gradient)
        return direction.mul_(self._column(gradient) / sizes.clamp_min(TINY))

    def project(self, images: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        """The images clipped to the box [0, 1], then moved to the nearest point of the ball around `clean`.

        Moving towards `clean`, which is inside the box, cannot leave the box again. In the other order clipping
        would shorten what had just been scaled to the radius. In l2 neither is the nearest point of both.
        """
        delta = images.clamp(0.0, 1.0).sub_(clean)
        radius = self._column(delta)
        if self.norm is Norm.LINF:
            delta.clamp_(-radius, radius)  # type: ignore[arg-type]  # either of both
        else:
            sizes = column(l2_sizes(delta), delta)
            delta.mul_((radius / sizes.clamp_min(TINY)).clamp_max(1.0))
        # Rounding may leave the box by a last digit.
        return delta.add_(clean).clamp_(0.0, 1.0)

    def _column(self, like: torch.Tensor) -> float | torch.Tensor:
        if isinstance(self.radius, (int, float)):
            return self.radius
        return column(self.radius.to(like), like) if self.radius.dim() else self.radius.to(like)


def l2_sizes(values: torch.Tensor) -> torch.Tensor:
    """The l2 norm of each row, `[N]`, to seven digits; the squares of values below 1e-19 vanish.

    torch adds up in a cascade, but computes norms in one go: over 16,384 values that is off by more than the
    1e-6 that a ball is checked to.
    """
    return values.flatten(1).square().sum(dim=1).sqrt()


def column(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Values `[N]` shaped `[N, 1, …]`, so that they multiply the rows of `like` `[N, …]`."""
    return values.reshape(-1, *(1,) * (like.dim() - 1))
