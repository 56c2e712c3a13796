"""Auto-PGD: projected gradient descent with momentum that sets its own step size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import BoundedAttack, Norm

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from soundproof import Ball, Victim

# Croce & Hein 2020, §3.1: the weight of a step against the momentum, the share of steps that have to raise
# the loss, and the checkpoints p₁, p₂ − p₁, what each following interval loses, and the shortest interval.
MOMENTUM = 0.75
PROGRESS = 0.75
FIRST, SHRINK, SHORTEST = 0.22, 0.03, 0.06


def checkpoints(steps: int) -> list[int]:
    """The iterations ⌈p_j·steps⌉ at which the step size is looked at, without 0 (Croce & Hein 2020, §3.1)."""
    places, share, interval = [], FIRST, FIRST
    while share < 1:
        places.append(math.ceil(share * steps))
        interval = max(interval - SHRINK, SHORTEST)
        share += interval
    return sorted(set(places))


@dataclass(frozen=True)
class Apgd(BoundedAttack):
    """Auto-PGD: momentum, and a step size that halves when it stops paying.

    z = P(xₖ + η·∇f), xₖ₊₁ = P(xₖ + 0.75·(z − xₖ) + 0.25·(xₖ − xₖ₋₁)), η = 2ε at first. At each checkpoint a
    clip whose loss rose in fewer than 75 % of the steps, or that found nothing better since its η last stood
    still, halves η and goes back to its best point (Croce & Hein 2020, Algorithm 1). Restarts go through the
    network as one batch; the iterate of the widest margin is returned. Memory: eight batches of images, times
    the restarts.
    """

    id: ClassVar[str] = "apgd"
    norm: Annotated[Norm, Field(description="norm of the step; l∞ steps stay inside the suite's ball")] = Norm.L2
    steps: Annotated[int, Field(ge=2, description="iterations")] = 100
    loss: Annotated[
        Literal["ce", "dlr", "dlr-targets"],
        Field(description="cross-entropy, logit ratio, or the ratio for one likely wrong class a restart"),
    ] = "ce"
    restarts: Annotated[int, Field(ge=1, description="random starts a clip")] = 1
    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = False

    def __post_init__(self) -> None:
        if self.targeted and self.loss == "dlr-targets":
            raise ValueError("a targeted attack has its target already: set loss = 'dlr'")

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
        """One a gradient, one for each last iterate, and one that ranks the classes of `dlr-targets`."""
        return (self.steps + 1) * self.restarts + (self.loss == "dlr-targets")

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """All steps of all restarts; the best iterate of each clip."""
        import torch

        from soundproof_attacks._climb import climb

        rows = torch.arange(len(victim), device=victim.clean.device).repeat(self.restarts)
        ball = ball.inscribed(self.norm, victim.dimension).select(rows)
        objective = self._objective(victim)
        return climb(victim.select(rows), ball, objective, checkpoints(self.steps), self.steps, generator).of_copies(
            self.restarts
        )

    def _objective(self, victim: Victim) -> Callable[[torch.Tensor], torch.Tensor]:
        """The loss to raise, of the logits of all restarts."""
        from soundproof_attacks._losses import dlr, targeted_dlr
        from soundproof_attacks._search import query

        labels = victim.labels.repeat(self.restarts)
        targets = victim.goal.targets
        if self.loss == "ce":
            return victim.select_all(self.restarts).loss
        if self.loss == "dlr-targets":
            ranked = query(victim, victim.clean).scatter(1, victim.labels[:, None], float("-inf"))
            order = ranked.argsort(dim=1, descending=True)[:, :-1]
            aims = order[:, [restart % order.shape[1] for restart in range(self.restarts)]].T.flatten()
            return lambda logits: targeted_dlr(logits, labels, aims)
        if targets is None:
            return lambda logits: dlr(logits, labels)
        aims = targets.repeat(self.restarts)
        return lambda logits: targeted_dlr(logits, labels, aims)
