"""The iteration of Auto-PGD (Croce & Hein 2020, Algorithm 1), for a batch whose rows adapt independently."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from soundproof import Ball, Best, Victim, column
from soundproof_attacks._search import differentiate, draw_in, query, score

if TYPE_CHECKING:
    from collections.abc import Callable

# The paper's constants: the weight of a step against the momentum, and the share of steps that have to raise
# the loss; the first checkpoint, what each interval after it loses, and the shortest, as shares of the steps.
MOMENTUM, PROGRESS = 0.75, 0.75
FIRST, SHRINK, SHORTEST = 0.22, 0.03, 0.06


def checkpoints(steps: int) -> list[int]:
    """The iterations ⌈p_j·steps⌉ at which the step size is looked at, p₀ = 0 left out."""
    places, share, interval = [], FIRST, FIRST
    while share < 1:
        places.append(math.ceil(round(share * steps, 6)))  # 0.41 · 100 is 41, not a hair more
        interval = max(interval - SHRINK, SHORTEST)
        share += interval
    return sorted(set(places))


class StepSize:
    """Each row's step size η, which starts at twice the radius and halves when it stops paying."""

    def __init__(self, ball: Ball, rows: int, device: torch.device) -> None:
        self.norm = ball.norm
        self.length = 2 * torch.as_tensor(ball.radius, device=device).expand(rows).clone()
        self._raised = torch.zeros(rows, dtype=torch.int64, device=device)
        self._previous = torch.full((rows,), torch.inf, device=device)
        self._highest_then = torch.full((rows,), -torch.inf, device=device)
        self._halved = torch.zeros(rows, dtype=torch.bool, device=device)
        self._checked = 0

    def watch(self, values: torch.Tensor) -> None:
        """Note the loss of the present iterate."""
        self._raised += values > self._previous
        self._previous = values

    def check(self, step: int, highest: torch.Tensor) -> torch.Tensor:
        """Halve η where a checkpoint finds no progress, and tell where, bool `[n]`.

        Args:
            step: The present iteration.
            highest: The highest loss so far; the rows that halve go back to it.
        """
        few = self._raised < PROGRESS * (step - self._checked)
        stuck = ~self._halved & (highest <= self._highest_then)
        self._halved = few | stuck
        self.length = torch.where(self._halved, self.length / 2, self.length)
        self._previous = torch.where(self._halved, highest, self._previous)
        self._raised.zero_()
        self._highest_then, self._checked = highest.clone(), step
        return self._halved

    def along(self, gradient: torch.Tensor) -> torch.Tensor:
        """The step of length η."""
        return Ball(self.norm, self.length).ascent(gradient)


def climb(
    victim: Victim,
    ball: Ball,
    objective: Callable[[torch.Tensor], torch.Tensor],
    steps: int,
    generator: torch.Generator,
) -> Best:
    """Raise an objective of the logits within the ball, from a random point of it.

    Returns:
        For each row of the victim the iterate that meets the goal by the widest margin.
    """
    clean, checks = victim.clean, checkpoints(steps)
    images = before = draw_in(ball, clean, generator)
    best, summit = Best(images), Best(images)
    slope = torch.zeros_like(images)
    size = StepSize(ball, len(images), images.device)
    for step in range(steps):
        logits, values, gradient = differentiate(victim, images, objective)
        best.update(images, score(victim.goal, logits))
        slope = torch.where(column(values > summit.values, images), gradient, slope)
        summit.update(images, values)
        size.watch(values)
        if step in checks:
            back = column(size.check(step, summit.values), images)
            images = torch.where(back, summit.images, images)
            gradient = torch.where(back, slope, gradient)
        target = ball.project(images + size.along(gradient), clean)
        if step:
            moved = images + MOMENTUM * (target - images) + (1 - MOMENTUM) * (images - before)
            target = ball.project(moved, clean)
        before, images = images, target
    best.update(images, score(victim.goal, query(victim, images)))
    return best
