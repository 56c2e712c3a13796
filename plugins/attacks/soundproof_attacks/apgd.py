"""Auto-PGD: projected gradient descent with momentum that sets its own step size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof_attacks._restarts import Restarted

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Apgd(Restarted):
    """Auto-PGD: momentum, and a step size that halves when it stops paying.

    z = P(xₖ + η·∇f), xₖ₊₁ = P(xₖ + 0.75·(z − xₖ) + 0.25·(xₖ − xₖ₋₁)), η = 2ε at first. At each checkpoint a
    clip whose loss rose in fewer than 75 % of the steps, or that found nothing better since its η last stood
    still, halves η and goes back to its best point (Croce & Hein 2020, Algorithm 1). Restarts go through the
    network as one batch; the iterate of the widest margin is returned. Memory: fifteen batches of images, times
    the restarts.
    """

    id: ClassVar[str] = "apgd"
    trial: ClassVar = {"steps": 12}
    steps: Annotated[int, Field(ge=2, description="iterations")] = 100
    loss: Annotated[
        Literal["ce", "dlr", "dlr-targets"],
        Field(description="cross-entropy, logit ratio, or the ratio for one likely wrong class a restart"),
    ] = "ce"

    def __post_init__(self) -> None:
        if self.targeted and self.loss == "dlr-targets":
            raise ValueError("a targeted attack has its target already: set loss = 'dlr'")

    @property
    def planned_queries(self) -> int:
        """One a gradient, one for each last iterate, and one that ranks the classes of `dlr-targets`."""
        return super().planned_queries + (self.loss == "dlr-targets")

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """All steps of all restarts; the best iterate of each clip."""
        from soundproof_attacks._autopgd import climb

        stacked, ball = self.stack(victim, ball)
        best = climb(stacked, ball, self._objective(victim, stacked), self.steps, generator)
        return best.of_copies(self.restarts)

    def _objective(self, victim: Victim, stacked: Victim) -> Callable[[torch.Tensor], torch.Tensor]:
        """The loss to raise, of the logits of all restarts."""
        from soundproof_attacks._losses import dlr, targeted_dlr
        from soundproof_attacks._search import likely_wrong, query

        goal = stacked.goal
        if self.loss == "ce":
            return goal.loss
        if self.loss == "dlr-targets":
            order = likely_wrong(query(victim, victim.clean), victim.labels, self.restarts)
            aims = order.repeat(1, -(-self.restarts // order.shape[1]))[:, : self.restarts].T.flatten()
            return lambda logits: targeted_dlr(logits, goal.labels, aims)
        if goal.targets is None:
            return lambda logits: dlr(logits, goal.labels)
        targets = goal.targets
        return lambda logits: targeted_dlr(logits, goal.labels, targets)
