"""The basic iterative method, in the two forms of Kurakin et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class _Bim(Aimed, BoundedAttack):
    """x₀ = x; xₙ₊₁ = Clip(xₙ + ζ·∇J/‖∇J‖) onto the ball and the box (arXiv 2007.13703, Eq. 5)."""

    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=1, description="iterations within one ball")] = 10
    step_size: Annotated[float, Field(gt=0, description="length of one step ζ, as a share of the radius")] = 0.25

    @property
    def planned_gradients(self) -> int:
        """One a step."""
        return self.steps


@dataclass(frozen=True)
class BimA(_Bim):
    """Basic iterative method that leaves each clip at its first success.

    A step goes ζ along the normalised gradient, then back onto the ball and into the box; a clip that meets
    the goal is finished and costs nothing more (Kurakin et al. 2017; arXiv 2008.11618, Eq. 1).
    """

    id: ClassVar[str] = "bim-a"

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Iterate on the clips that still resist; the pass that gives the gradient also tells who does."""
        import torch

        ball = ball.inscribed(self.norm, victim.dimension)
        step = ball.scaled(self.step_size)
        images = victim.clean.clone()
        active = torch.arange(len(victim), device=images.device)
        for _ in range(self.steps):
            resisting = victim.select(active)
            logits, gradient = resisting.gradient(images[active])
            keep = ~resisting.goal.met(logits)
            active, gradient = active[keep], gradient[keep]
            if not len(active):
                break
            moved = images[active] + step.select(active).ascent(gradient)
            images[active] = ball.select(active).project(moved, victim.clean[active])
        return images


@dataclass(frozen=True)
class BimB(_Bim):
    """Basic iterative method that runs every iteration for every clip.

    A step goes ζ along the normalised gradient, then back onto the ball and into the box
    (Kurakin et al. 2017; arXiv 2008.11618, Eq. 1).
    """

    id: ClassVar[str] = "bim-b"

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """All steps for all clips."""
        ball = ball.inscribed(self.norm, victim.dimension)
        step = ball.scaled(self.step_size)
        images = victim.clean
        for _ in range(self.steps):
            gradient = victim.gradient(images).gradient
            images = ball.project(images + step.ascent(gradient), victim.clean)
        return images
