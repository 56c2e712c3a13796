"""Projected gradient descent with random restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Norm

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Pgd(BoundedAttack):
    """Projected gradient descent from random points of the ball.

    xₙ₊₁ = P(xₙ + ζ·∇J/‖∇J‖₂) in l2 and P(xₙ + ζ·sign ∇J) in l∞, P the projection onto the ball and the box
    (Madry et al. 2018, §2.1). All restarts go through the network as one batch. Of all iterates of all
    restarts of a clip, the one that meets the goal by the widest margin is returned, which costs one more
    query a restart. Memory: nine batches of images, times the restarts.
    """

    id: ClassVar[str] = "pgd"
    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=1, description="iterations")] = 40
    step_size: Annotated[
        float | None,
        Field(gt=0, description="length of one step ζ, as a share of the radius; default 2.5 / steps"),
    ] = None
    random_start: Annotated[bool, Field(description="begin anywhere in the ball instead of at the clip")] = True
    restarts: Annotated[int, Field(ge=1, description="random starts a clip")] = 1
    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = False

    def __post_init__(self) -> None:
        if self.restarts > 1 and not self.random_start:
            raise ValueError("restarts from the clip itself are all the same: set random_start or restarts = 1")

    @property
    def is_targeted(self) -> bool:
        """As the parameter says."""
        return self.targeted

    @property
    def planned_gradients(self) -> int:
        """One a step and restart."""
        return self.steps * self.restarts

    @property
    def planned_queries(self) -> int:
        """One a gradient, and one for each last iterate."""
        return (self.steps + 1) * self.restarts

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """All steps of all restarts; the best iterate of each clip."""
        import torch

        from soundproof_attacks._search import Best, draw_in, query, score

        rows = torch.arange(len(victim), device=victim.clean.device).repeat(self.restarts)
        stacked = victim.select(rows)
        ball = ball.inscribed(self.norm, victim.dimension).select(rows)
        # 2.5 radii in all: from any start to any point of the ball, and some (Madry et al. 2018).
        step = ball.scaled(2.5 / self.steps if self.step_size is None else self.step_size)
        images = draw_in(ball, stacked.clean, generator) if self.random_start else stacked.clean
        best = Best(images)
        for _ in range(self.steps):
            logits, gradient = stacked.gradient(images)
            best.update(images, score(stacked.goal, logits))
            images = ball.project(images + step.ascent(gradient), stacked.clean)
        best.update(images, score(stacked.goal, query(stacked, images)))
        return best.of_copies(self.restarts)
