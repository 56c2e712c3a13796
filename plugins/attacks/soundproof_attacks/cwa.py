"""The l2 attack of Carlini and Wagner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import MinimumNormAttack

if TYPE_CHECKING:
    import torch

    from soundproof import Victim


@dataclass(frozen=True)
class Cwa(MinimumNormAttack):
    """Carlini and Wagner's l2 attack: Adam on ‖x' − x‖₂² + c·g(x'), c found by bisection for each clip.

    x' = (tanh ρ + 1)/2 keeps the box; g = max(max_{i≠l'} Z_i − Z_l', −κ) targeted and
    max(Z_l − max_{i≠l} Z_i, −κ) otherwise (Carlini & Wagner 2017, §V, §VI-A). c grows tenfold until it
    succeeds and is then bisected; the smallest success of all steps is returned. A clip leaves a descent when
    its own objective has not fallen by 0.01 % over a tenth of the steps. With `prune`, changes where the
    gradient is negligible are taken back if the clip stays fooled (arXiv 2008.11618, §II).
    Memory: fifteen batches of images.
    """

    id: ClassVar[str] = "cwa"
    search_steps: Annotated[int, Field(ge=1, description="values of c that are tried, one descent each")] = 9
    steps: Annotated[int, Field(ge=1, description="Adam steps of one descent at most")] = 200
    learning_rate: Annotated[float, Field(gt=0, description="of Adam, on ρ")] = 0.01
    initial_c: Annotated[float, Field(gt=0, description="the first c")] = 1e-3
    kappa: Annotated[float, Field(ge=0, description="margin of logits that counts as success κ")] = 0.0
    prune: Annotated[
        float, Field(ge=0, lt=1, description="take back changes below this share of the largest gradient; 0: none")
    ] = 0.0
    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = True

    @property
    def is_targeted(self) -> bool:
        """As the parameter says."""
        return self.targeted

    @property
    def planned_gradients(self) -> int:
        """One a step of every descent, and one to prune."""
        return self.search_steps * self.steps + (self.prune > 0)

    @property
    def planned_queries(self) -> int:
        """One a gradient, and one that checks what was pruned."""
        return self.planned_gradients + (self.prune > 0)

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """One descent for each c; the smallest success of each clip."""
        import torch

        from soundproof_attacks._search import Best
        from soundproof_attacks._tanh_descent import descend

        best = Best(victim.clean)
        c = torch.full((len(victim),), self.initial_c, device=victim.clean.device)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.search_steps):
            succeeded = descend(victim, c, self.kappa, self.steps, self.learning_rate, best)
            high = torch.where(succeeded, torch.minimum(high, c), high)
            low = torch.where(succeeded, low, torch.maximum(low, c))
            c = torch.where(high.isinf(), c * 10, (low + high) / 2)
        return self._pruned(victim, best.images) if self.prune else best.images

    def _pruned(self, victim: Victim, images: torch.Tensor) -> torch.Tensor:
        """The images without the changes whose gradient is negligible, where they still succeed."""
        import torch

        from soundproof import column
        from soundproof_attacks._search import query, score

        slope = victim.gradient(images).gradient.abs()
        matters = slope > self.prune * column(slope.flatten(1).amax(dim=1), slope)
        sparser = torch.where(matters, images, victim.clean)
        logits = query(victim, sparser)
        succeeds = victim.goal.met(logits) & (score(victim.goal, logits) >= self.kappa)
        return torch.where(column(succeeds, images), sparser, images)
