"""Limited-memory BFGS over many clips at once, none of which sees another.

`torch.optim.LBFGS` takes a batch for one problem: curvature pairs, step length and stopping are shared, so what
is found for a clip depends on its neighbours. Here every clip has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 10
# Armijo's constant, and where a search along one direction is given up for steepest descent.
_SUFFICIENT, _SHORTEST = 1e-4, 2.0**-16
_FLAT = 1e-12


def minimise(
    objective: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor, evaluations: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Descend from every start (Nocedal and Wright 2006, algorithms 7.4 and 3.1).

    One evaluation of the batch tries one step of every clip. A clip whose value falls enough moves, stores its
    curvature pair (unless the curvature is not positive) and turns; the others halve their step. So the cost
    is known beforehand, and nothing waits for the device.

    Args:
        objective: Maps points `[n, d]` to values `[n]`, row by row; differentiable.
        start: Where to begin, `[n, d]`.
        evaluations: Forward and backward passes.

    Returns:
        The best points `[n, d]` and their values `[n]`.
    """
    point = start
    value, gradient = _evaluate(objective, point)
    curvature = _Curvature(start)
    direction, step = curvature.direction(gradient), _first_step(gradient)
    for _ in range(evaluations - 1):
        trial = point + step[:, None] * direction
        trial_value, trial_gradient = _evaluate(objective, trial)
        slope = (gradient * direction).sum(dim=1)
        moves = trial_value <= value + _SUFFICIENT * step * slope
        stuck = ~moves & (step <= _SHORTEST)
        curvature.store(trial - point, trial_gradient - gradient, moves)
        curvature.forget(stuck)
        point = torch.where(moves[:, None], trial, point)
        value = torch.where(moves, trial_value, value)
        gradient = torch.where(moves[:, None], trial_gradient, gradient)
        direction = torch.where((moves | stuck)[:, None], curvature.direction(gradient), direction)
        step = torch.where(moves, 1.0, torch.where(stuck, _first_step(gradient), step / 2))
    return point, value


class _Curvature:
    """The last pairs (s, y) of every clip, newest last; a pair that is not there yet has ρ = 0."""

    def __init__(self, like: torch.Tensor) -> None:
        self._steps = like.new_zeros(MEMORY, *like.shape)
        self._changes = torch.zeros_like(self._steps)
        self._rho = like.new_zeros(MEMORY, len(like))
        self._scale = like.new_ones(len(like))

    def store(self, steps: torch.Tensor, changes: torch.Tensor, moves: torch.Tensor) -> None:
        product = (steps * changes).sum(dim=1)
        squares = changes.square().sum(dim=1)
        taken = moves & (product > _FLAT * squares) & (squares > 0)
        self._steps = torch.where(taken[:, None], _pushed(self._steps, steps), self._steps)
        self._changes = torch.where(taken[:, None], _pushed(self._changes, changes), self._changes)
        self._rho = torch.where(taken, _pushed(self._rho, 1 / product), self._rho)
        self._scale = torch.where(taken, product / squares, self._scale)

    def forget(self, clips: torch.Tensor) -> None:
        self._rho = torch.where(clips, 0.0, self._rho)
        self._scale = torch.where(clips, 1.0, self._scale)

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """Minus the gradient, times the inverse Hessian's approximation: the two-loop recursion."""
        left = -gradient
        weights = []
        for rho, step, change in reversed(list(zip(self._rho, self._steps, self._changes, strict=True))):
            weights.append(rho * (step * left).sum(dim=1))
            left = left - weights[-1][:, None] * change
        left = self._scale[:, None] * left
        for rho, step, change in zip(self._rho, self._steps, self._changes, strict=True):
            weight = weights.pop() - rho * (change * left).sum(dim=1)
            left = left + weight[:, None] * step
        return left


def _pushed(history: torch.Tensor, newest: torch.Tensor) -> torch.Tensor:
    return torch.cat([history[1:], newest[None]])


def _first_step(gradient: torch.Tensor) -> torch.Tensor:
    """At most 1 long, as there is no curvature to go by."""
    norms: torch.Tensor = gradient.norm(dim=1)
    return 1 / norms.clamp_min(1.0)


def _evaluate(
    objective: Callable[[torch.Tensor], torch.Tensor], point: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    point = point.detach().requires_grad_()
    with torch.enable_grad():
        values = objective(point)
        (gradient,) = torch.autograd.grad(values.sum(), point)
    return values.detach(), gradient
