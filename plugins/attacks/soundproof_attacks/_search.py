"""Parts that several attacks share: passes through the victim, the score they raise, and the class they aim at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from soundproof import Ball, Goal, Norm, Victim, column, margin, target_margin

if TYPE_CHECKING:
    from collections.abc import Callable


class Slope(NamedTuple):
    """One forward and backward pass of an objective.

    Attributes:
        logits: `[n, K]`.
        values: Of the objective, `[n]`.
        gradient: Of the values with respect to the images, `[n, ...]`.
    """

    logits: torch.Tensor
    values: torch.Tensor
    gradient: torch.Tensor


def differentiate(
    victim: Victim, images: torch.Tensor, objective: Callable[[torch.Tensor], torch.Tensor]
) -> Slope:
    """Logits, values and gradient of an objective of the logits: one forward, one backward row each."""
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        logits = victim(images)
        values = objective(logits)
    (gradient,) = torch.autograd.grad(values.sum(), images)
    return Slope(logits.detach(), values.detach(), gradient)


def query(victim: Victim, images: torch.Tensor) -> torch.Tensor:
    """Logits `[n, K]`, without a graph."""
    with torch.no_grad():
        logits: torch.Tensor = victim(images)
    return logits


def score(goal: Goal, logits: torch.Tensor) -> torch.Tensor:
    """Score of the goal, `[n]`: the margin of any wrong class, or of the target; positive when it is met."""
    return margin(logits, goal.labels) if goal.targets is None else target_margin(logits, goal.targets)


def likely_wrong(logits: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
    """The most likely wrong classes, most likely first, int64 `[n, min(count, K − 1)]`."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.topk(min(count, logits.shape[1] - 1), dim=1).indices


def aim(victim: Victim) -> torch.Tensor:
    """The class that a targeted method heads for, int64 `[n]`.

    It is the goal's target. An attack that is content with any wrong class heads for the most likely one,
    which costs a query of the clean image.
    """
    if victim.goal.targets is not None:
        return victim.goal.targets
    return likely_wrong(query(victim, victim.clean), victim.labels, 1)[:, 0]


def draw_in(ball: Ball, clean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images drawn from the ball around the clean ones, then clipped to the box, `[n, ...]`.

    In l∞ every value is drawn evenly. In l2 the direction is, and the distance: of the volume of a ball of 16,384
    dimensions next to nothing is below its surface, and a start there spends its first steps on coming back.
    """
    if ball.norm is Norm.LINF:
        draw = torch.rand(clean.shape, generator=generator, device=clean.device) * 2 - 1
        radius = torch.as_tensor(ball.radius, dtype=clean.dtype, device=clean.device)
        return ball.project(clean + draw * (column(radius, clean) if radius.dim() else radius), clean)
    direction = torch.randn(clean.shape, generator=generator, device=clean.device)
    share = torch.rand(len(clean), generator=generator, device=clean.device)
    return ball.project(clean + Ball(ball.norm, ball.radius * share).ascent(direction), clean)
