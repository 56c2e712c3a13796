"""The strongest attack that this package has: an ensemble with early exit of every clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from soundproof import Ball, Best, Victim
    from soundproof_attacks.deepfool import DeepFool

    # Of the clips that resist, their balls, their rows among all, and the randomness: the best of each.
    Stage = Callable[[Victim, Ball, torch.Tensor, torch.Generator], Best]

# Of DeepFool; what it has not found by then it rarely finds.
_DEEPFOOL_STEPS = 20


@dataclass(frozen=True)
class Strongest(Aimed, BoundedAttack):
    """Auto-PGD on two losses, DeepFool and Square in turn, each on the clips that all before it left.

    1. Auto-PGD on the cross-entropy; 2. Auto-PGD on the targeted difference-of-logits ratio, one run for each of
    the likeliest wrong classes; 3. DeepFool, drawn back into the ball; 4. Square attack, which needs no
    gradients. A clip that meets the goal is done, also within a run (AutoAttack, Croce & Hein 2020, which has FAB
    for DeepFool and ends a clip's runs only as a whole). With fewer than four classes the ratio's denominator
    does not exist, and the plain difference of logits takes its place. Of a clip that resists, the iterate of the
    highest score is returned. Memory: eighteen batches of images.
    """

    id: ClassVar[str] = "strongest"
    radius_per_clip: ClassVar[bool] = True
    norm: Annotated[Norm, Field(description="norm of the steps; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=2, description="iterations of each run of Auto-PGD")] = 100
    classes: Annotated[int, Field(ge=1, description="likely wrong classes that are aimed at, a run each")] = 9
    queries: Annotated[int, Field(ge=0, description="forward rows of Square attack; 0 leaves it out")] = 5000

    @property
    def planned_gradients(self) -> int:
        """Of a clip that nothing fools."""
        aims = 1 if self.targeted else self.classes
        return self.steps * (1 + aims) + self._deepfool.planned_gradients

    @property
    def planned_queries(self) -> int:
        """Likewise: one a gradient and last iterate, one that ranks the classes, and the square attack's."""
        aims = 1 if self.targeted else self.classes
        square = self.queries + 1 if self.queries else 0
        return (self.steps + 1) * (1 + aims) + 1 + self._deepfool.planned_queries + 1 + square

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """One stage after the other, on the clips that still resist."""
        from soundproof import Best
        from soundproof_attacks._search import query, score

        ball = ball.inscribed(self.norm, victim.dimension)
        best = Best(victim.clean)
        logits = query(victim, victim.clean)
        best.update(victim.clean, score(victim.goal, logits))
        for stage in (self._cross_entropy, *self._ratios(victim, logits), self._linearised, self._squares):
            rows = (best.values <= 0).nonzero()[:, 0]
            if not len(rows):
                break
            found = stage(victim.select(rows), ball.select(rows), rows, generator)
            best.update(found.images, found.values, rows)
        return best.images

    @property
    def _deepfool(self) -> DeepFool:
        from soundproof_attacks.deepfool import DeepFool

        return DeepFool(norm=self.norm, targeted=self.targeted, steps=_DEEPFOOL_STEPS, candidates=self.classes + 1)

    def _cross_entropy(self, victim: Victim, ball: Ball, rows: torch.Tensor, generator: torch.Generator) -> Best:  # noqa: ARG002
        from soundproof_attacks._autopgd import climb_until_met

        goal = victim.goal
        return climb_until_met(
            victim, ball, lambda logits, left: goal.select(left).loss(logits), self.steps, generator
        )

    def _ratios(self, victim: Victim, logits: torch.Tensor) -> list[Stage]:
        """A stage for each class that is aimed at, the likeliest first."""
        from soundproof_attacks._search import likely_wrong

        if victim.goal.targets is not None:
            return [self._ratio(victim.goal.targets)]
        return [self._ratio(aims) for aims in likely_wrong(logits, victim.labels, self.classes).unbind(dim=1)]

    def _ratio(self, aims: torch.Tensor) -> Stage:
        def stage(victim: Victim, ball: Ball, rows: torch.Tensor, generator: torch.Generator) -> Best:
            from soundproof_attacks._autopgd import climb_until_met
            from soundproof_attacks._losses import gap, targeted_dlr

            labels, targets = victim.labels, aims[rows]

            def objective(logits: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
                loss = targeted_dlr if logits.shape[1] >= 4 else gap
                return loss(logits, labels[left], targets[left])

            return climb_until_met(victim, ball, objective, self.steps, generator)

        return stage

    def _linearised(self, victim: Victim, ball: Ball, rows: torch.Tensor, generator: torch.Generator) -> Best:  # noqa: ARG002
        images = ball.project(self._deepfool.minimise(victim, generator), victim.clean)
        return _looked_at(victim, images)

    def _squares(self, victim: Victim, ball: Ball, rows: torch.Tensor, generator: torch.Generator) -> Best:  # noqa: ARG002
        from soundproof import Best
        from soundproof_attacks.square import Square

        if not self.queries:
            return Best(victim.clean)
        square = Square(norm=self.norm, targeted=self.targeted, queries=self.queries)
        return _looked_at(victim, square.perturb(victim, ball, generator))


def _looked_at(victim: Victim, images: torch.Tensor) -> Best:
    """Images with their scores, for one query each."""
    from soundproof import Best
    from soundproof_attacks._search import query, score

    best = Best(images)
    best.update(images, score(victim.goal, query(victim, images)))
    return best
