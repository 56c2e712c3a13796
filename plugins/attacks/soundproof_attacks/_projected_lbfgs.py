"""Limited-memory BFGS inside the box [0, 1], for many independent functions at once.

A projected quasi-Newton method with an active set (Bertsekas 1982; Nocedal & Wright 2006, §7.2 and §16.7):
values that sit at the edge of the box and want to leave it are held, the two-loop recursion works on the
others, and the line search bends at the edges. Every row runs its own search: a pass evaluates one trial point
of each row, accepted or not, so rows never wait for each other and a row's result depends on no other row.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Pairs of steps and gradient changes that are remembered (Nocedal & Wright advise 3 to 20).
MEMORY = 10
# Armijo's rule: the share of the linear decrease that a step must bring.
DECREASE = 1e-4
# A row is done when a step promises to lower its function by less than this share, or fails to keep a promise
# below the second: that is within the rounding of a network in float32.
STILL, NOISE = 1e-8, 1e-6
# A step that has shrunk to this is going nowhere.
SHORTEST = 1e-4
# Pairs of less curvature than this would blow the recursion up.
CURVATURE = 1e-8


@dataclass
class _Searches:
    """The rows still searching; all fields are `[m, ...]` and belong together."""

    index: torch.Tensor
    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    directions: torch.Tensor
    steps: torch.Tensor
    history: deque[tuple[torch.Tensor, torch.Tensor]]

    def keep(self, rows: torch.Tensor) -> None:
        """Forget the other rows."""
        for name in ("index", "points", "values", "gradients", "directions", "steps"):
            setattr(self, name, getattr(self, name)[rows])
        self.history = deque(((s[rows], y[rows]) for s, y in self.history), MEMORY)


def minimise(
    function: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    start: torch.Tensor,
    evaluations: int,
) -> torch.Tensor:
    """Minimise each row's function over the box.

    Args:
        function: From rows, int64 `[m]`, and points `[m, D]` to values `[m]`, best in double precision, and
            gradients `[m, D]`. No row is evaluated more than `evaluations` times.
        start: Points inside the box, `[n, D]`.
        evaluations: At least 1.

    Returns:
        The last accepted, hence lowest, point of each row, `[n, D]`.
    """
    ends = start.clone()
    index = torch.arange(len(start), device=start.device)
    values, gradients = function(index, start)
    directions = _directions(start, gradients, ())
    ones = torch.ones(len(start), device=start.device)
    at = _Searches(index, start, values, gradients, directions, ones, deque(maxlen=MEMORY))
    for _ in range(evaluations - 1):
        promise = -_dot(at.gradients, at.directions) / at.values.abs().clamp_min(1.0)
        failed = at.steps < 1
        going = (promise > torch.where(failed, NOISE, STILL)) & (at.steps > SHORTEST)
        if not going.all():
            at.keep(going)
        if not len(at.index):
            break
        _advance(function, at)
        ends[at.index] = at.points
    return ends


def _advance(
    function: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]], at: _Searches
) -> None:
    """Try one point of each row: go there and choose a new direction, or shorten the step."""
    trial = (at.points + at.steps[:, None] * at.directions).clamp(0.0, 1.0)
    values, gradients = function(at.index, trial)
    moved = trial - at.points
    slope = _dot(at.gradients, moved)
    accepted = values <= at.values + DECREASE * slope
    # Where the parabola through what is known now has its minimum, but between a tenth and a half of the step.
    shorter = (-slope / (2 * (values - at.values - slope))).clamp(0.1, 0.5).nan_to_num(0.1).float()
    took = accepted[:, None]
    # A row that stays adds a pair of zeros, which the recursion passes over.
    at.history.append((moved.where(took, 0.0), (gradients - at.gradients).where(took, 0.0)))
    at.points = torch.where(took, trial, at.points)
    at.values = torch.where(accepted, values, at.values)
    at.gradients = torch.where(took, gradients, at.gradients)
    at.directions = torch.where(took, _directions(at.points, at.gradients, at.history), at.directions)
    at.steps = torch.where(accepted, 1.0, at.steps * shorter)


def _directions(
    points: torch.Tensor, gradients: torch.Tensor, history: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> torch.Tensor:
    """The quasi-Newton direction among the values that are free to move (Nocedal & Wright, Algorithm 7.4)."""
    free = ~((points <= 0) & (gradients > 0) | (points >= 1) & (gradients < 0))
    result: torch.Tensor = gradients * free
    # Without curvature to go by, the first step has length 1 at most.
    scale = (1 / result.norm(dim=1)).clamp_max(1.0)
    seen = torch.zeros_like(scale, dtype=torch.bool)
    pairs = []
    for s, y in reversed(history):
        curvature, square = _dot(s, y * free), _dot(y, y * free)
        valid = curvature > CURVATURE * square
        inverse = torch.where(valid, 1 / curvature, 0.0)
        scale = torch.where(valid & ~seen, curvature / square, scale)
        seen |= valid
        weight = inverse * _dot(s, result)
        result = result - weight[:, None] * (y * free)
        pairs.append((s, y, inverse, weight))
    result = result * scale[:, None]
    for s, y, inverse, weight in reversed(pairs):
        result = result + (weight - inverse * _dot(y, result))[:, None] * (s * free)
    return -result


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    products: torch.Tensor = (a * b).sum(dim=1)
    return products
