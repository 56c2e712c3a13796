"""The box-constrained L-BFGS attack of Szegedy et al."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import MinimumNormAttack
from soundproof_attacks._aim import AimedByDefault, Confident

if TYPE_CHECKING:
    import torch

    from soundproof import Best, Victim


@dataclass(frozen=True)
class Lbfgs(AimedByDefault, Confident, MinimumNormAttack):
    """Box-constrained L-BFGS on c·‖x' − x‖₂² + J(x', l'), for the largest c that succeeds.

    Each clip halves c until the minimiser reaches the target, or doubles it until it no longer does, and then
    bisects (Szegedy et al. 2014, §4.1; arXiv 2007.13703, §II-A). Each c starts from the minimiser of the one
    before. Untargeted, l' is the most likely wrong class and any wrong class counts. The smallest success of
    all evaluated points is returned. Memory: thirty-seven batches of images, twenty of them the solver's memory.
    """

    id: ClassVar[str] = "lbfgs"
    trial: ClassVar = {"search_steps": 3, "steps": 12}
    # arXiv 2007.13703, §II-A, describes it and gives no budget: these are the defaults.
    presets: ClassVar = {"002": {"targeted": True}}
    search_steps: Annotated[int, Field(ge=1, description="values of c that are tried, one descent each")] = 20
    steps: Annotated[int, Field(ge=1, description="gradients of one descent at most")] = 150
    initial_c: Annotated[float, Field(gt=0, description="the first c")] = 1.0

    @property
    def planned_gradients(self) -> int:
        """Those of every descent; the solver mostly needs a tenth of them."""
        return self.search_steps * self.steps

    @property
    def planned_queries(self) -> int:
        """One a gradient, one for each minimiser, and one that finds the most likely wrong class."""
        return self.search_steps * (self.steps + 1) + 1

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """One descent for each c; the smallest success of each clip."""
        import torch

        from soundproof import Best
        from soundproof_attacks._search import aim, query

        targets, best = aim(victim), Best(victim.clean)
        images = victim.clean
        c = torch.full((len(victim),), self.initial_c, device=images.device)
        works, fails = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.search_steps):
            images = self._descend(victim, images, targets, c, best)
            success = self.succeeded(victim.goal, query(victim, images))
            works = torch.where(success, torch.maximum(works, c), works)
            fails = torch.where(success, fails, torch.minimum(fails, c))
            further = torch.where(success, c * 2, c / 2)
            c = torch.where((works > 0) & fails.isfinite(), (works + fails) / 2, further)
        return best.images

    def _descend(
        self, victim: Victim, start: torch.Tensor, targets: torch.Tensor, c: torch.Tensor, best: Best
    ) -> torch.Tensor:
        """The minimisers for given c, `[n, ...]`."""
        import torch
        from torch.nn.functional import cross_entropy

        from soundproof import column, lbfgs_minimise
        from soundproof_attacks._search import differentiate

        def objective(rows: torch.Tensor, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            view, images = victim.select(rows), points.reshape(-1, *start.shape[1:])
            logits, values, gradient = differentiate(
                view, images, lambda logits: cross_entropy(logits.double(), targets[rows], reduction="none")
            )
            delta = images - view.clean
            sizes = delta.double().flatten(1).square().sum(dim=1)
            best.update(images, torch.where(self.succeeded(view.goal, logits), -sizes, -torch.inf), rows)
            return values + c[rows] * sizes, (gradient + 2 * column(c[rows], delta) * delta).flatten(1)

        minima = lbfgs_minimise(
            objective, start.flatten(1), self.steps, low=0.0, high=1.0, rounding=torch.finfo(torch.float32).eps
        )
        return minima.points.reshape(start.shape)
