"""One descent of Carlini and Wagner's objective, in the variable that keeps images inside the box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from soundproof_attacks._search import score

if TYPE_CHECKING:
    from soundproof import Victim
    from soundproof_attacks._search import Best

# How far inside of ±1 images are put before arctanh, which is infinite there.
SMOOTHING = 0.999999
# A clip is given up when its lowest objective has not fallen to this share of what it was a tenth of the steps
# ago. (The present objective, which the authors' code compares, goes up and down with Adam.)
STALLED = 0.9999
# Adam's decay rates and the term that keeps its division finite (Kingma & Ba 2015, Algorithm 1).
MEAN, SQUARE, FLOOR = 0.9, 0.999, 1e-8


def descend(
    victim: Victim, c: torch.Tensor, kappa: float, steps: int, learning_rate: float, best: Best
) -> torch.Tensor:
    """Adam on ρ for ‖x' − x‖₂² + c·max(−margin, −κ), x' = (tanh ρ + 1)/2, from the clean images.

    Args:
        victim: The clips.
        c: Weight of the margin, `[n]`.
        kappa: The margin of logits that counts as success.
        steps: At most so many; a clip whose objective stalls leaves earlier, whatever the others do.
        learning_rate: Of Adam.
        best: Is offered every success; its value is −‖x' − x‖₂².

    Returns:
        Which clips had a success, bool `[n]`.
    """
    rho = torch.atanh((victim.clean * 2 - 1) * SMOOTHING)
    mean, square = torch.zeros_like(rho), torch.zeros_like(rho)
    succeeded = torch.zeros(len(victim), dtype=torch.bool, device=rho.device)
    lowest, earlier = torch.full((2, len(victim)), torch.inf, device=rho.device)
    active = torch.arange(len(victim), device=rho.device)
    for step in range(1, steps + 1):
        view, variable = victim.select(active), rho[active].requires_grad_()
        with torch.enable_grad():
            images = (variable.tanh() + 1) / 2
            logits = view(images)
            margins = score(view.goal, logits)
            sizes = (images - view.clean).flatten(1).square().sum(dim=1)
            objective = sizes + c[active] * (-margins).clamp_min(-kappa)
        (gradient,) = torch.autograd.grad(objective.sum(), variable)

        success = view.goal.met(logits) & (margins >= kappa)
        succeeded[active] |= success
        best.update(images.detach(), torch.where(success, -sizes, -torch.inf).detach(), active)

        lowest[active] = torch.minimum(lowest[active], objective.detach())
        mean[active] = MEAN * mean[active] + (1 - MEAN) * gradient
        square[active] = SQUARE * square[active] + (1 - SQUARE) * gradient.square()
        scale = (square[active] / (1 - SQUARE**step)).sqrt() + FLOOR
        rho[active] -= learning_rate * mean[active] / (1 - MEAN**step) / scale

        if step % max(1, steps // 10) == 0:
            falling = lowest[active] < STALLED * earlier[active]
            earlier[active] = lowest[active]
            active = active[falling]
            if not len(active):
                break
    return succeeded
