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

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with some of the rows."""
        self.length, self._raised, self._previous = self.length[rows], self._raised[rows], self._previous[rows]
        self._highest_then, self._halved = self._highest_then[rows], self._halved[rows]


class Climb:
    """The iterates of a batch, whose rows may leave one by one.

    Attributes:
        images: The present iterates, `[n, ...]`.
        summit: Of each row the iterate of the highest objective.
    """

    def __init__(self, ball: Ball, start: torch.Tensor, steps: int) -> None:
        self.images = self._before = start
        self.summit = Best(start)
        self._slope = torch.zeros_like(start)
        self._ball, self._size = ball, StepSize(ball, len(start), start.device)
        self._checks, self._step = checkpoints(steps), 0

    def step(self, values: torch.Tensor, gradient: torch.Tensor, clean: torch.Tensor) -> None:
        """Move on from images of these objective values `[n]` and gradients."""
        images = self.images
        self._slope = torch.where(column(values > self.summit.values, images), gradient, self._slope)
        self.summit.update(images, values)
        self._size.watch(values)
        if self._step in self._checks:
            back = column(self._size.check(self._step, self.summit.values), images)
            images = torch.where(back, self.summit.images, images)
            gradient = torch.where(back, self._slope, gradient)
        target = self._ball.project(images + self._size.along(gradient), clean)
        if self._step:
            moved = images + MOMENTUM * (target - images) + (1 - MOMENTUM) * (images - self._before)
            target = self._ball.project(moved, clean)
        self._before, self.images = images, target
        self._step += 1

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with some of the rows, int64."""
        self.images, self._before, self._slope = self.images[rows], self._before[rows], self._slope[rows]
        self.summit.images, self.summit.values = self.summit.images[rows], self.summit.values[rows]
        self._ball = self._ball.select(rows)
        self._size.keep(rows)


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
    climb = Climb(ball, draw_in(ball, victim.clean, generator), steps)
    best = Best(climb.images)
    for _ in range(steps):
        logits, values, gradient = differentiate(victim, climb.images, objective)
        best.update(climb.images, score(victim.goal, logits))
        climb.step(values, gradient, victim.clean)
    best.update(climb.images, score(victim.goal, query(victim, climb.images)))
    return best


def climb_until_met(
    victim: Victim,
    ball: Ball,
    objective: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    steps: int,
    generator: torch.Generator,
) -> Best:
    """The same, except that a row that meets the goal is done and costs nothing more.

    Args:
        victim: The clips, each once.
        ball: Around them.
        objective: Of logits `[m, K]` and of which rows of the victim they are, int64 `[m]`.
        steps: At most.
        generator: Draws the starts.

    Returns:
        For each row the iterate of the highest score; it meets the goal where that is positive.
    """
    active = torch.arange(len(victim), device=victim.clean.device)
    climb = Climb(ball, draw_in(ball, victim.clean, generator), steps)
    best = Best(climb.images)
    for _ in range(steps):
        view, rows = victim.select(active), active
        logits, values, gradient = differentiate(view, climb.images, lambda z: objective(z, rows))  # noqa: B023
        best.update(climb.images, score(view.goal, logits), active)
        resisting = (~view.goal.met(logits)).nonzero()[:, 0]
        if len(resisting) < len(active):
            active, values, gradient = active[resisting], values[resisting], gradient[resisting]
            climb.keep(resisting)
        if not len(active):
            return best
        climb.step(values, gradient, victim.clean[active])
    view = victim.select(active)
    best.update(climb.images, score(view.goal, query(view, climb.images)), active)
    return best
