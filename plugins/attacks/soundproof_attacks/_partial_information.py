"""The walk of the partial-information attack, from an example of the target towards the clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch.nn.functional import cross_entropy

from soundproof import Ball, Norm, Victim, column, target_margin
from soundproof_attacks._nes import estimate
from soundproof_attacks._search import likely_wrong, query


@dataclass(frozen=True)
class Rules:
    """Rules of a walk: the parameters of `Pia`, which describes them.

    Attributes:
        trials: Lengths that one step may try.
    """

    steps: int
    samples: int
    sigma: float
    momentum: float
    start: float
    decay: float
    largest_step: float
    smallest_step: float
    trials: int
    top: int


class Walk:
    """State of the walks: where each clip's example stands (Ilyas et al. 2018, partial-information setting).

    A clip is anchored if it started from an example that the victim takes for the target. Its ε shrinks from
    there, while the target stays among the top classes. A clip for which the batch holds no such example
    starts at itself, and lowers the loss within the final ε.

    Attributes:
        images: `[n, ...]`.
        epsilon: The l∞ ball that each image is in, `[n]`.
        met: Whether the goal is met there, bool `[n]`.
        spent: Steps that each clip has taken so far, int64 `[n]`.
    """

    def __init__(self, rules: Rules, victim: Victim, generator: torch.Generator) -> None:
        self.rules, self.victim, self.generator = rules, victim, generator
        clean = victim.clean
        logits = query(victim, clean)
        targets = victim.goal.targets
        self.targets = likely_wrong(logits, victim.labels, 1)[:, 0] if targets is None else targets
        certainty = torch.stack(
            [target_margin(logits, torch.full_like(self.targets, k)) for k in range(logits.shape[1])]
        )
        starts = Ball(Norm.LINF, rules.start).project(clean[certainty[self.targets].argmax(dim=1)], clean)
        logits = query(victim, starts)
        self.anchored = self._ranks(logits, self.targets)
        self.images = torch.where(column(self.anchored, clean), starts, clean)
        self.epsilon = torch.where(self.anchored, rules.start, 0.0)
        self.met = victim.goal.met(logits) & self.anchored
        self.loss = torch.full_like(self.epsilon, torch.inf)
        self.velocity = torch.zeros_like(clean)
        self.rate = torch.full_like(self.epsilon, rules.largest_step)
        self.spent = torch.zeros_like(self.targets)

    def shrink(self, radius: float | torch.Tensor, share: float = 1.0) -> None:
        """Walk until each clip meets its goal within ε ≤ `radius`, or its steps are spent.

        An anchored clip walks inwards whatever the radius is, so that all its steps are for the first. A clip
        that started at itself is held inside the radius, and would have none left for a larger one.

        Args:
            radius: In l∞; one number, or one a clip, `[n]`. Not smaller than it was before.
            share: Of its steps that a clip which is not anchored may have taken in all.
        """
        rules = self.rules
        goal = torch.as_tensor(radius, dtype=self.epsilon.dtype, device=self.epsilon.device).expand_as(
            self.epsilon
        )
        limit = torch.where(self.anchored, rules.steps, int(rules.steps * share))
        self.epsilon = torch.where(self.anchored, self.epsilon, goal)
        for _ in range(rules.steps):
            arrived = self.met & (self.epsilon <= goal)
            rows = (~arrived & (self.spent < limit)).nonzero()[:, 0]
            if not len(rows):
                break
            self.spent[rows] += 1
            twice = rows.repeat(2)
            loss = partial(_loss, self.victim.select(twice), self.targets[twice])
            gradient = estimate(loss, self.images[rows], rules.samples, rules.sigma, self.generator)
            self.velocity[rows] = rules.momentum * self.velocity[rows] + (1 - rules.momentum) * gradient
            for _ in range(rules.trials):
                rows = self._try(rows, goal)
                if not len(rows):
                    break

    def _try(self, rows: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Try one step of each clip, and tell which clips should try a shorter one."""
        rules, rate = self.rules, self.rate[rows]
        view, anchored, targets = self.victim.select(rows), self.anchored[rows], self.targets[rows]
        # The shortest step is tried without shrinking, to gain ground for the next.
        last = rate <= rules.smallest_step
        smaller = torch.maximum(self.epsilon[rows] - rules.decay, goal[rows])
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
        self.rate[rows] = changed.clamp(rules.smallest_step, rules.largest_step)
        return rows[~good & ~last]

    def _ranks(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Whether the target is among the top classes, bool `[n]`."""
        top = logits.topk(min(self.rules.top, logits.shape[1]), dim=1).indices
        return (top == targets[:, None]).any(dim=1)


def _loss(victim: Victim, targets: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return cross_entropy(query(victim, images), targets, reduction="none")
