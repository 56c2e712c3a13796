"""Gradients beside finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from soundproof.types import Norm
from soundproof.victim.ball import Ball, column
from soundproof.victim.goal import margin

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

_CLIPS, _LEAST, _DIRECTIONS = 16, 4, 8
# Steps of the differences, as shares of the radius: what is too short drowns in rounding, what is too long in
# curvature. The best of them counts.
_STEPS = (0.003, 0.03)
# Values that a direction keeps constant side by side, so that it changes more than single values.
_BLOCKS = 8


def directions(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`cosine` between the directional derivatives of s(x; y) that autograd tells and those that are there, `[m]`.

    Over one direction along the gradient and seven smooth random ones; central differences.
    """
    if not examined.differentiable:
        return {}
    count = examined.allowance.clips(1, min(_CLIPS, len(examined)), _LEAST)
    rows = torch.arange(count, device=examined.clean.device)
    victim = examined.victim(rows)
    # Inside of the box, so that clipping has no say.
    images = (victim.clean * 0.9 + 0.05).requires_grad_()
    with torch.enable_grad():
        score = margin(victim(images), victim.labels)
    (gradient,) = torch.autograd.grad(score.sum(), images, allow_unused=True) if score.requires_grad else (None,)
    if gradient is None:
        gradient = torch.zeros_like(images)
    images = images.detach()
    unit = Ball(Norm.L2, 1.0)
    ways = [unit.ascent(gradient), *(unit.ascent(_smooth(examined, images, n)) for n in range(_DIRECTIONS - 1))]
    told = torch.stack([(gradient.double() * way.double()).flatten(1).sum(dim=1) for way in ways])
    best = torch.full((count,), -1.0, dtype=torch.float64, device=images.device)
    ball = examined.ball(rows)
    radius = ball.radius * (victim.dimension**0.5 if ball.norm is Norm.LINF else 1.0)
    reach = radius if isinstance(radius, (int, float)) else column(radius.to(images), images)
    for step in _STEPS:
        there = torch.stack(
            [
                (
                    examined.margins(victim, images + way * (step * reach)).double()
                    - examined.margins(victim, images - way * (step * reach)).double()
                )
                for way in ways
            ]
        )
        best = torch.maximum(best, torch.nn.functional.cosine_similarity(told, there, dim=0, eps=1e-300))
    examined.paid(victim)
    return {"rows": rows.cpu().numpy(), "cosine": best.cpu().numpy()}


def _smooth(examined: Examined, images: torch.Tensor, number: int) -> torch.Tensor:
    """Noise that is constant over blocks of values."""
    flat = images[0].numel()
    coarse = torch.randn(
        len(images), -(-flat // _BLOCKS), generator=examined.generator(f"direction {number}"), device=images.device
    )
    return coarse.repeat_interleave(_BLOCKS, dim=1)[:, :flat].reshape(images.shape)
