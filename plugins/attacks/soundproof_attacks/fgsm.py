"""The fast gradient (sign) method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Fgsm(Aimed, BoundedAttack):
    """One step along the gradient, as long as the ball allows.

    x' = clip(x + ε·sign ∇J) in l∞ and x' = clip(x + ε·∇J/‖∇J‖₂) in l2, J the cross-entropy of the label
    (Goodfellow et al. 2015, Eq. 2.1; arXiv 2007.13703, Eqs. 3 and 4). Targeted: minus the gradient for the
    target. It costs one gradient a clip, whatever the radius.
    """

    id: ClassVar[str] = "fgsm"
    radius_per_clip: ClassVar[bool] = True
    # arXiv 2007.13703, §II-B: Eq. 3 is in l∞, Eq. 4 in l2.
    presets: ClassVar = {"002": {"norm": ["linf", "l2"], "targeted": True}}
    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2

    @property
    def planned_gradients(self) -> int:
        """One."""
        return 1

    def ladder_gradients(self, rungs: int) -> int:  # noqa: ARG002 - the gradient at x serves every radius
        """One."""
        return 1

    def ladder_queries(self, rungs: int) -> int:  # noqa: ARG002 - likewise
        """One."""
        return 1

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """One gradient, one step."""
        return next(self.climb(victim, [ball], generator))

    def climb(
        self,
        victim: Victim,
        balls: Iterable[Ball],
        generator: torch.Generator,  # noqa: ARG002
    ) -> Iterator[torch.Tensor]:
        """One gradient for all radii."""
        gradient = victim.gradient(victim.clean).gradient
        for ball in balls:
            step = ball.inscribed(self.norm, victim.dimension).ascent(gradient)
            yield ball.project(victim.clean + step, victim.clean)
