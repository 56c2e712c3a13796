"""Projected gradient descent with random restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof_attacks._restarts import Restarted

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Pgd(Restarted):
    """Projected gradient descent from random points of the ball.

    xₙ₊₁ = P(xₙ + ζ·∇J/‖∇J‖₂) in l2 and P(xₙ + ζ·sign ∇J) in l∞, P the projection onto the ball and the box
    (Madry et al. 2018, §2.1). All restarts go through the network as one batch. Of all iterates of all
    restarts of a clip, the one that meets the goal by the widest margin is returned, which costs one more
    query a restart. Memory: nine batches of images, times the restarts.
    """

    id: ClassVar[str] = "pgd"
    step_size: Annotated[
        float | None,
        Field(gt=0, description="length of one step ζ, as a share of the radius; default 2.5 / steps"),
    ] = None
    random_start: Annotated[bool, Field(description="begin anywhere in the ball instead of at the clip")] = True

    def __post_init__(self) -> None:
        if self.restarts > 1 and not self.random_start:
            raise ValueError("restarts from the clip itself are all the same: set random_start or restarts = 1")

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """All steps of all restarts; the best iterate of each clip."""
        from soundproof import Best
        from soundproof_attacks._search import draw_in, query, score

        stacked, ball = self.stack(victim, ball)
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
