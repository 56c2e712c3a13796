"""One descent of Carlini and Wagner's objective, inside the box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from soundproof import Ball, Norm, column
from soundproof_attacks._search import differentiate, score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof import Best, Victim

# How far inside of ±1 images are put before arctanh, which is infinite there.
SMOOTHING = 0.999999
# A clip is given up when its lowest objective has not fallen to this share of what it was a tenth of the steps
# ago. (The present objective, which the authors' code compares, goes up and down with Adam.)
STALLED = 0.9999
# Adam's decay rates and the term that keeps its division finite (Kingma & Ba 2015, Algorithm 1).
MEAN, SQUARE, FLOOR = 0.9, 0.999, 1e-8
l2 = Ball(Norm.L2, 0.0)


class Tanh:
    """x' = (tanh ρ + 1)/2, which is flat where x' is 0 or 1."""

    def variable(self, clean: torch.Tensor) -> torch.Tensor:
        """Variable that the descent moves, of clean images."""
        return torch.atanh((clean * 2 - 1) * SMOOTHING)

    def images(self, variable: torch.Tensor) -> torch.Tensor:
        """The images of a variable, which may be changed in place."""
        return (variable.tanh() + 1) / 2

    def derivative(self, images: torch.Tensor) -> torch.Tensor:
        """Of the images with respect to the variable."""
        return 2 * images * (1 - images)


class Projection:
    """The variable is the image, clipped after each step."""

    def variable(self, clean: torch.Tensor) -> torch.Tensor:
        """Variable that the descent moves, of clean images."""
        return clean.clone()

    def images(self, variable: torch.Tensor) -> torch.Tensor:
        """The images of a variable, which may be changed in place."""
        return variable.clamp_(0.0, 1.0)

    def derivative(self, images: torch.Tensor) -> torch.Tensor:
        """Of the images with respect to the variable."""
        return torch.ones(1, *images.shape[1:], dtype=images.dtype, device=images.device)


BOXES: Mapping[str, Tanh | Projection] = {"tanh": Tanh(), "projection": Projection()}


@dataclass(frozen=True, eq=False)
class Start:
    """The clean clips, where every descent begins, and the margin to first order around them.

    Attributes:
        box: How images are kept inside the box.
        variable: Of the clean clips, `[n, ...]`.
        margins: How far the goal is met, `[n]`.
        slope: Of the margins with respect to the images, `[n, ...]`.
    """

    box: Tanh | Projection
    variable: torch.Tensor
    margins: torch.Tensor
    slope: torch.Tensor

    @classmethod
    def of(cls, victim: Victim, box: str, best: Best) -> Start:
        """One gradient a clip; a clip that meets the goal as it is, is the best there is."""
        logits, margins, slope = differentiate(victim, victim.clean, partial(score, victim.goal))
        best.update(victim.clean, torch.where(victim.goal.met(logits), 0.0, -torch.inf))
        return cls(BOXES[box], BOXES[box].variable(victim.clean), margins, slope)

    def smallest_c(self, kappa: float) -> torch.Tensor:
        """The c whose minimiser just reaches the margin κ if the margin is linear, 2·gap/‖slope‖², `[n]`.

        Infinite where the slope is zero.
        """
        return 2 * self._gap(kappa) / l2.sizes(self.slope).square()

    def rate(self, kappa: float) -> torch.Tensor:
        """The rate at which one step of Adam moves images as far as the linear margin κ is away, `[n]`.

        Adam's first step moves every value of the variable by its rate. Infinite where the slope is zero.
        """
        distance = self._gap(kappa) / l2.sizes(self.slope)
        return distance / l2.sizes(self.box.derivative(self.box.images(self.variable)))

    def _gap(self, kappa: float) -> torch.Tensor:
        return (kappa - self.margins).clamp_min(torch.finfo(self.margins.dtype).tiny)


@dataclass(frozen=True)
class Pace:
    """Adam's rate over a descent.

    Attributes:
        first: Of each clip, `[n]`.
        last: The share of it that is left at the end; in between it falls linearly.
    """

    first: torch.Tensor
    last: float

    def at(self, share: float) -> torch.Tensor:
        """After a share of the steps, `[n]`."""
        return self.first * (1 + (self.last - 1) * share)


def descend(
    victim: Victim, start: Start, c: torch.Tensor, kappa: float, steps: int, pace: Pace, best: Best
) -> torch.Tensor:
    """Adam for ‖x' − x‖₂² + c·max(κ − margin, 0), from the clean images.

    Args:
        victim: The clips.
        start: Their clean images; the pass there is paid for already.
        c: Weight of the margin, `[n]`.
        kappa: The margin of logits that counts as success.
        steps: At most so many points, the start included; a clip whose objective stalls leaves earlier, whatever
            the others do.
        pace: Of Adam.
        best: Is offered every success; its value is −‖x' − x‖₂².

    Returns:
        Which clips had a success, bool `[n]`.
    """
    succeeded = torch.zeros(len(victim), dtype=torch.bool, device=c.device)
    active = torch.arange(len(victim), device=c.device)
    # What follows belongs to the clips that are still active, and shrinks with them.
    view, variable, slope, rate = victim, start.variable.clone(), start.slope, pace.first
    mean, square = torch.zeros_like(variable), torch.zeros_like(variable)
    images, missing = start.box.images(variable), (kappa - start.margins).clamp_min(0.0)
    lowest, earlier = c * missing, torch.full_like(c, torch.inf)
    for step in range(1, steps):
        pull = column(torch.where(missing > 0, c, 0.0), slope)
        gradient = (images - view.clean).mul_(2).sub_(pull * slope).mul_(start.box.derivative(images))
        mean.lerp_(gradient, 1 - MEAN)
        square.mul_(SQUARE).addcmul_(gradient, gradient, value=1 - SQUARE)
        scale = torch.div(square, 1 - SQUARE**step, out=gradient).sqrt_().add_(FLOOR)
        now = Pace(rate, pace.last).at((step - 1) / steps) / (1 - MEAN**step)
        variable.addcdiv_(column(now, mean) * mean, scale, value=-1)
        del gradient, scale

        images = start.box.images(variable)
        logits, margins, slope = differentiate(view, images, partial(score, view.goal))
        missing = (kappa - margins).clamp_min(0.0)
        sizes = (images - view.clean).flatten(1).square().sum(dim=1)
        success = view.goal.met(logits) & (margins >= kappa)
        succeeded[active] |= success
        best.update(images, torch.where(success, -sizes, -torch.inf), active)

        lowest = torch.minimum(lowest, sizes + c * missing)
        if step % max(1, steps // 10) == 0:
            falling = lowest < STALLED * earlier
            earlier = lowest
            if not falling.all():
                active, view = active[falling], view.select(falling)
                if not len(active):
                    break
                c, rate, lowest, earlier, missing = (of[falling] for of in (c, rate, lowest, earlier, missing))
                # One after the other, so that no more than one of them is held twice.
                variable = variable[falling]
                mean = mean[falling]
                square = square[falling]
                images = images[falling]
                slope = slope[falling]
    return succeeded
