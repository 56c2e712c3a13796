"""Base of gradient attacks with random starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Restarted(Aimed, BoundedAttack):
    """Steps within a ball, from several random starts; all restarts of all clips are one batch."""

    radius_per_clip: ClassVar[bool] = True
    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=1, description="iterations")] = 40
    restarts: Annotated[int, Field(ge=1, description="random starts a clip")] = 1

    @property
    def planned_gradients(self) -> int:
        """One a step and restart."""
        return self.steps * self.restarts

    @property
    def planned_queries(self) -> int:
        """One a gradient, and one for each last iterate."""
        return (self.steps + 1) * self.restarts

    def stack(self, victim: Victim, ball: Ball) -> tuple[Victim, Ball]:
        """All clips `restarts` times over, and the ball of each in the norm of the step."""
        import torch

        rows = torch.arange(len(victim), device=victim.clean.device).repeat(self.restarts)
        return victim.select(rows), ball.inscribed(self.norm, victim.dimension).select(rows)
