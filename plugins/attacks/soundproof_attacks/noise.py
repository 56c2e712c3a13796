"""Random noise: the control that every attack has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import Access, BoundedAttack

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Noise(BoundedAttack):
    """One draw of Gaussian noise on the surface of the ball (control).

    It uses neither gradients nor queries. An attack that does no better finds nothing
    (Carlini et al. 2019, §5.5).
    """

    id: ClassVar[str] = "noise"
    radius_per_clip: ClassVar[bool] = True
    access: ClassVar[Access] = Access.CONTROL

    @property
    def planned_gradients(self) -> int:
        """None."""
        return 0

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """Gaussian direction, as long as the ball allows, clipped to the box."""
        import torch

        draw = torch.randn(victim.clean.shape, generator=generator, device=victim.clean.device)
        return ball.project(victim.clean + ball.ascent(draw), victim.clean)
