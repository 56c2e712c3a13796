"""The walk of the partial-information attack, from an example of the target towards the clip."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from soundproof import Ball, Norm, Victim, column, target_margin
from soundproof_attacks._nes import estimate
from soundproof_attacks._search import likely_wrong, query

if TYPE_CHECKING:
    from soundproof_attacks.pia import Pia


class Walk:
    """Where each clip's example stands (Ilyas et al. 2018, partial-information setting).

    A clip is anchored if it started from an example that the victim takes for the target. Its ε shrinks from
    there, while the target stays among the top classes. A clip for which the batch holds no such example
    starts at itself, and lowers the loss within the final ε.

    Attributes:
        images: `[n, ...]`.
        epsilon: The l∞ ball that each image is in, `[n]`.
        met: Whether the goal is met there, bool `[n]`.
    """

    def __init__(self, attack: Pia, victim: Victim, generator: torch.Generator) -> None:
        self.attack, self.victim, self.generator = attack, victim, generator
        clean = victim.clean
        logits = query(victim, clean)
        targets = victim.goal.targets
        self.targets = likely_wrong(logits, victim.labels, 1)[:, 0] if targets is None else targets
        certainty = torch.stack(
            [target_margin(logits, torch.full_like(self.targets, k)) for k in range(logits.shape[1])]
        )
        starts = Ball(Norm.LINF, attack.start).project(clean[certainty[self.targets].argmax(dim=1)], clean)
        logits = query(victim, starts)
        self.anchored = self._ranks(logits, self.targets)
        self.images = torch.where(column(self.anchored, clean), starts, clean)
        self.epsilon = torch.where(self.anchored, attack.start, 0.0)
        self.met = victim.goal.met(logits) & self.anchored
        self.loss = torch.full_like(self.epsilon, torch.inf)
        self.velocity = torch.zeros_like(clean)
        self.rate = torch.full_like(self.epsilon, attack.largest_step)

    def shrink(self, radius: float | torch.Tensor) -> None:
        """Walk until each clip meets its goal within ε ≤ `radius`, or its steps are spent."""
        attack = self.attack
        goal = torch.as_tensor(radius, dtype=self.epsilon.dtype, device=self.epsilon.device).expand_as(
            self.epsilon
        )
        self.epsilon = torch.where(self.anchored, self.epsilon, goal)
        for _ in range(attack.steps):
            rows = (~(self.met & (self.epsilon <= goal))).nonzero()[:, 0]
            if not len(rows):
                break
            twice = rows.repeat(2)
            loss = partial(_loss, self.victim.select(twice), self.targets[twice])
            gradient = estimate(loss, self.images[rows], attack.samples, attack.sigma, self.generator)
            self.velocity[rows] = attack.momentum * self.velocity[rows] + (1 - attack.momentum) * gradient
            for _ in range(attack.trials):
                rows = self._try(rows, goal)
                if not len(rows):
                    break

    def _try(self, rows: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Try one step of each clip, and tell which clips should try a shorter one."""
        attack, rate = self.attack, self.rate[rows]
        view, anchored, targets = self.victim.select(rows), self.anchored[rows], self.targets[rows]
        # The shortest step is tried without shrinking, to gain ground for the next.
        last = rate <= attack.smallest_step
        smaller = torch.maximum(self.epsilon[rows] - attack.decay, goal[rows])
        epsilon = torch.where(last | ~anchored, self.epsilon[rows], smaller)
        step = column(rate, view.clean) * self.velocity[rows].sign()
        images = Ball(Norm.LINF, epsilon).project(self.images[rows] - step, view.clean)
        logits = query(view, images)
        loss = cross_entropy(logits, targets, reduction="none")
        good = torch.where(anchored, self._ranks(logits, targets), loss < self.loss[rows])
        self.images[rows] = torch.where(column(good, images), images, self.images[rows])
        self.epsilon[rows] = torch.where(good, epsilon, self.epsilon[rows])
        self.loss[rows] = torch.where(good, loss, self.loss[rows])
        self.met[rows] = torch.where(good, view.goal.met(logits), self.met[rows])
        changed = torch.where(good, 2 * rate, rate / 2)
        self.rate[rows] = changed.clamp(attack.smallest_step, attack.largest_step)
        return rows[~good & ~last]

    def _ranks(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Whether the target is among the top classes, bool `[n]`."""
        top = logits.topk(min(self.attack.top, logits.shape[1]), dim=1).indices
        return (top == targets[:, None]).any(dim=1)


def _loss(victim: Victim, targets: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return cross_entropy(query(victim, images), targets, reduction="none")
