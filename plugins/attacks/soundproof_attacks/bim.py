"""The basic iterative method, in the two forms of Kurakin et al. 2017."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import BoundedAttack, Norm
from soundproof_attacks._aim import Aimed, Confident

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


# Of arXiv 2008.11618, §VI: in l2, ζ one grey level of 255. Of arXiv 2007.13703: l∞ and any wrong class by its
# §II-C; Eq. 5 prints ζ = ε, with which the second step could only go back. Neither says how many iterations.
_SALLO = {"norm": "l2", "targeted": True, "step_size": 1 / 255, "step_unit": "value"}
_ESMAEILPOUR = {"norm": "linf", "targeted": False, "step_size": 0.25, "step_unit": "radius"}


@dataclass(frozen=True)
class _Bim(Aimed, BoundedAttack):
    """x₀ = x; xₙ₊₁ = Clip(xₙ + ζ·∇J/‖∇J‖) onto the ball and the box (arXiv 2007.13703, Eq. 5)."""

    radius_per_clip: ClassVar[bool] = True
    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=1, description="iterations within one ball")] = 10
    step_size: Annotated[float, Field(gt=0, description="length of one step ζ, in `step_unit`")] = 0.25
    step_unit: Annotated[
        Literal["radius", "value"],
        Field(description="what ζ = 1 is: the ball's radius, or each value of the input by the width of the box"),
    ] = "radius"

    @property
    def planned_gradients(self) -> int:
        """One a step."""
        return self.steps

    def _step(self, ball: Ball, dimension: int) -> Ball:
        """The ball that a step goes to the surface of.

        In l2 a step that moves each value by ζ is ζ·√D long.
        """
        if self.step_unit == "radius":
            return ball.scaled(self.step_size)
        return replace(ball, radius=self.step_size * (dimension**0.5 if ball.norm is Norm.L2 else 1.0))


@dataclass(frozen=True)
class BimA(_Bim, Confident):
    """Basic iterative method that leaves each clip at its first success.

    A step goes ζ along the normalised gradient, then back onto the ball and into the box; a clip that meets
    the goal, with the confidence asked for, is finished and costs nothing more (Kurakin et al. 2017; arXiv
    2008.11618, Eq. 1).
    """

    id: ClassVar[str] = "bim-a"
    presets: ClassVar = {
        "001": {**_SALLO, "confidence": 0.75},
        "002": {**_ESMAEILPOUR, "confidence": 0.65},
    }

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Iterate on the clips that still resist; the pass that gives the gradient also tells who does."""
        import torch

        ball = ball.inscribed(self.norm, victim.dimension)
        step = self._step(ball, victim.dimension)
        images = victim.clean.clone()
        active = torch.arange(len(victim), device=images.device)
        for _ in range(self.steps):
            resisting = victim.select(active)
            logits, gradient = resisting.gradient(images[active])
            keep = ~self.succeeded(resisting.goal, logits)
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
    presets: ClassVar = {"001": _SALLO, "002": _ESMAEILPOUR}

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """All steps for all clips."""
        ball = ball.inscribed(self.norm, victim.dimension)
        step = self._step(ball, victim.dimension)
        images = victim.clean
        for _ in range(self.steps):
            gradient = victim.gradient(images).gradient
            images = ball.project(images + step.ascent(gradient), victim.clean)
        return images
