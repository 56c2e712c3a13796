"""Gradients of two losses, at the clips and at random points of the ball around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from soundproof.victim.goal import margin

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined
    from soundproof.victim.metered import Victim

_CLIPS, _LEAST = 64, 4


def gradients(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """Largest entry of each clip's gradient, the smaller of two points, float32 `[m]`; NaN where it is NaN.

    `loss`: of the cross-entropy, which iterative attacks climb; `margin`: of the difference between the rival's
    logit and the label's in units of the logits' span, which saturates no softmax and overflows at no scale.
    `span`: of the logits of the clean clip.
    """
    if not examined.differentiable:
        return {}
    count = examined.allowance.clips(4, min(_CLIPS, len(examined)), _LEAST)
    rows = torch.arange(count, device=examined.clean.device)
    draw = torch.rand(examined.clean[rows].shape, generator=examined.generator("start"), device=rows.device) - 0.5
    ball = examined.ball(rows)
    start = ball.project(examined.clean[rows] + ball.scaled(0.5).ascent(draw), examined.clean[rows])
    with torch.no_grad():
        logits = examined.module(examined.clean[rows]).double()
    examined.spent.queries += count
    found: dict[str, list[torch.Tensor]] = {"loss": [], "margin": []}
    for images in (examined.clean[rows], start):
        victim = examined.victim(rows)
        for name, sizes in found.items():
            sizes.append(_size(victim, images, scaled=name == "margin"))
        examined.paid(victim)
    return {
        "rows": rows.cpu().numpy(),
        "span": (logits.amax(dim=1) - logits.amin(dim=1)).cpu().numpy(),
        **{name: torch.stack(sizes).amax(dim=0).cpu().numpy() for name, sizes in found.items()},
    }


def _size(victim: Victim, images: torch.Tensor, *, scaled: bool) -> torch.Tensor:
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        logits = victim(images)
        if not logits.requires_grad:
            return torch.zeros(len(images), device=images.device)
        if scaled:
            span = (logits.amax(dim=1) - logits.amin(dim=1)).detach()
            weight = 1 / span.clamp(1e-38, 1e38)
            values = (margin(logits, victim.labels), weight)
        else:
            values = (victim.goal.loss(logits), torch.ones(len(images), device=images.device))
    (gradient,) = torch.autograd.grad(values[0], images, values[1], materialize_grads=True)
    return gradient.flatten(1).abs().amax(dim=1)
