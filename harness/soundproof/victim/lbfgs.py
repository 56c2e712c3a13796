"""Limited-memory BFGS inside a box, for many independent functions at once.

A projected quasi-Newton method with an active set (Bertsekas 1982; Nocedal & Wright 2006, §7.2 and §16.7):
values that sit at a bound and want to leave the box are held, the two-loop recursion works on the others, and the
line search bends at the bounds. Every row runs a search of its own: curvature, step length and stopping are its
own, and a pass evaluates one trial point of each row that still searches, accepted or not, so that no row waits
for another and what is found for a row depends on no other row.

SciPy's L-BFGS-B takes one function at a time, and cannot share a batch; `torch.optim.LBFGS` takes a batch for one
problem and knows no bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

# Pairs of steps and gradient changes that are remembered (Nocedal & Wright advise 3 to 20).
MEMORY = 10
# Armijo's rule: the share of the linear decrease that a step must bring.
DECREASE = 1e-4
# A row is done when a step promises to lower its function by less than the first, or fails to keep a promise below
# the second: shares of the value, in units of its rounding.
STILL, NOISE = 0.1, 10.0
# A step that has shrunk to this share of its direction leads nowhere.
SHORTEST = 1e-4
# Pairs of less curvature than this would blow the recursion up.
CURVATURE = 1e-8


class Minima(NamedTuple):
    """Minima at which the searches ended.

    Attributes:
        points: The lowest point of each row, `[n, D]`.
        values: The functions there, `[n]`.
    """

    points: torch.Tensor
    values: torch.Tensor


def lbfgs_minimise(
    function: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    start: torch.Tensor,
    evaluations: int,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    memory: int = MEMORY,
    rounding: float | None = None,
) -> Minima:
    """Minimise each row's function over the box.

    A row ends early where nothing that its precision resolves is left to gain, or nothing is found along its
    direction.

    Args:
        function: From rows, int64 `[m]`, and points `[m, D]` to values `[m]`, best in double precision, and
            gradients `[m, D]`. No row is evaluated more than `evaluations` times, and none outside of the box.
        start: Points inside the box, `[n, D]`.
        evaluations: At least 1.
        low: Lower bound of every value.
        high: Upper bound of every value.
        memory: Pairs of steps and gradient changes that are remembered; two batches of points each.
        rounding: Relative error of the values; by default that of the points' type.

    Raises:
        ValueError: There is nothing to evaluate or to remember, or nothing between the bounds.
    """
    if evaluations < 1 or memory < 1:
        raise ValueError(f"evaluations = {evaluations} and memory = {memory} must be at least 1")
    if not low < high:
        raise ValueError(f"low = {low} must be below high = {high}")
    box = _Box(low, high)
    rows = torch.arange(len(start), device=start.device)
    values, gradients = function(rows, start)
    ends = Minima(start.clone(), values.clone())
    curvature = _Curvature(start, memory)
    resolved = torch.finfo(start.dtype).eps if rounding is None else rounding
    at = _Searches.begin(rows, start, values, gradients, curvature, box)
    for _ in range(evaluations - 1):
        going = at.going(resolved)
        if not going.all():
            at.put_into(ends, ~going)
            at.keep(going)
        if not len(at.rows):
            break
        _advance(function, at, curvature, box)
    at.put_into(ends, slice(None))
    return ends


@dataclass(frozen=True)
class _Box:
    low: float
    high: float

    def project(self, points: torch.Tensor) -> torch.Tensor:
        return points.clamp(self.low, self.high)

    def free(self, points: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
        """Mask of the values that may move, bool `[m, D]`: all but those at a bound that want to leave the box."""
        return ~((points <= self.low) & (gradients > 0) | (points >= self.high) & (gradients < 0))


@dataclass
class _Searches:
    """The rows that still search; all fields are `[m, …]` and belong together.

    Attributes:
        rows: Which they are.
        points: The lowest so far, with its values and gradients.
        directions: Along which the next points are tried, at a share `steps` of their length.
    """

    rows: torch.Tensor
    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    directions: torch.Tensor
    steps: torch.Tensor

    @classmethod
    def begin(
        cls,
        rows: torch.Tensor,
        points: torch.Tensor,
        values: torch.Tensor,
        gradients: torch.Tensor,
        curvature: _Curvature,
        box: _Box,
    ) -> _Searches:
        directions = curvature.directions(rows, gradients, box.free(points, gradients))
        steps = torch.ones(len(points), dtype=points.dtype, device=points.device)
        return cls(rows, points, values, gradients, directions, steps)

    def going(self, rounding: float) -> torch.Tensor:
        """Mask of the rows that have something left to gain, bool `[m]`."""
        promise = -_dot(self.gradients, self.directions) / self.values.abs().clamp_min(1.0)
        least = rounding * torch.where(self.steps < 1, NOISE, STILL)
        return (promise > least) & (self.steps > SHORTEST)

    def put_into(self, ends: Minima, which: torch.Tensor | slice) -> None:
        ends.points[self.rows[which]] = self.points[which]
        ends.values[self.rows[which]] = self.values[which]

    def keep(self, which: torch.Tensor) -> None:
        """Forget the other rows, one field after the other, so that no two are held twice."""
        for name in vars(self):
            setattr(self, name, getattr(self, name)[which])


def _advance(
    function: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    at: _Searches,
    curvature: _Curvature,
    box: _Box,
) -> None:
    """Try one point of each row: go there and choose a new direction, or shorten the step."""
    trial = box.project(at.points + at.steps[:, None] * at.directions)
    values, gradients = function(at.rows, trial)
    moved = trial - at.points
    slope = _dot(at.gradients, moved)
    accepted = values <= at.values + DECREASE * slope
    # Where the parabola through what is known now has its minimum, but between a tenth and a half of the step.
    shorter = (-slope / (2 * (values - at.values - slope))).clamp(0.1, 0.5).nan_to_num(0.1).to(at.steps.dtype)
    curvature.store(at.rows, moved, gradients - at.gradients, accepted)
    took = accepted[:, None]
    at.points = torch.where(took, trial, at.points)
    at.values = torch.where(accepted, values, at.values)
    at.gradients = torch.where(took, gradients, at.gradients)
    del trial, moved, gradients
    turned = curvature.directions(at.rows, at.gradients, box.free(at.points, at.gradients))
    at.directions = torch.where(took, turned, at.directions)
    at.steps = torch.where(accepted, 1.0, at.steps * shorter)


class _Curvature:
    """The last pairs of steps and gradient changes of every row, in rings: the oldest makes way for a new one.

    Pairs that are not there yet are zeros, which the recursion passes over.
    """

    def __init__(self, like: torch.Tensor, memory: int) -> None:
        # Memory comes first, so that a pair of all rows lies together.
        self._steps = like.new_zeros(memory, *like.shape)
        self._changes = torch.zeros_like(self._steps)
        self._next = torch.zeros(len(like), dtype=torch.int64, device=like.device)
        self._most = 0  # pairs that any row can have by now

    def store(
        self, rows: torch.Tensor, steps: torch.Tensor, changes: torch.Tensor, accepted: torch.Tensor
    ) -> None:
        """Remember the pairs of the rows that moved; the others keep theirs."""
        self._most = min(self._most + 1, len(self._steps))
        place, took = self._next[rows], accepted[:, None]
        self._steps[place, rows] = torch.where(took, steps, self._steps[place, rows])
        self._changes[place, rows] = torch.where(took, changes, self._changes[place, rows])
        self._next[rows] = torch.where(accepted, (place + 1) % len(self._steps), place)

    def directions(self, rows: torch.Tensor, gradients: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
        """The quasi-Newton direction among the values that are free to move (Nocedal & Wright, Algorithm 7.4)."""
        result: torch.Tensor = gradients * free
        # Without curvature to go by, the first step has length 1 at most.
        scale = (1 / result.norm(dim=1)).clamp_max(1.0)
        seen = torch.zeros_like(rows, dtype=torch.bool)
        used = []
        for age in range(1, self._most + 1):
            place = (self._next[rows] - age) % len(self._steps)
            steps, changes = self._steps[place, rows], self._changes[place, rows].mul_(free)
            product, square = _dot(steps, changes), _dot(changes, changes)
            valid = product > CURVATURE * square
            inverse = torch.where(valid, 1 / product, 0.0)
            scale = torch.where(valid & ~seen, product / square, scale)
            seen |= valid
            weight = inverse * _dot(steps, result)
            result = result - weight[:, None] * changes
            used.append((place, inverse, weight))
        result = result * scale[:, None]
        for place, inverse, weight in reversed(used):
            steps, changes = self._steps[place, rows].mul_(free), self._changes[place, rows]
            # The result is zero where a value is held, so that the changes need not be.
            result = result + (weight - inverse * _dot(changes, result))[:, None] * steps
        return -result


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    products: torch.Tensor = (a * b).sum(dim=1)
    return products
