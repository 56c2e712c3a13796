"""The l2 attack of Carlini and Wagner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import MinimumNormAttack
from soundproof_attacks._aim import AimedByDefault

if TYPE_CHECKING:
    import torch

    from soundproof import Victim
    from soundproof_attacks._descent import Pace, Start

# The first c is so many times the one whose minimiser lies on a linear boundary; a curved one may need more.
HEADROOM = 2.0
# All steps of a descent together could go so many times as far as a linear boundary is away.
PATH = 12.0
# Carlini and Wagner's first c and rate, where the margin has no slope to tell by.
THEIR_C, THEIR_RATE = 1e-3, 0.01
_THEIRS = {"targeted": True, "box": "tanh", "initial_c": THEIR_C, "learning_rate": THEIR_RATE, "kappa": 0.0}


@dataclass(frozen=True)
class Cwa(AimedByDefault, MinimumNormAttack):
    """Carlini and Wagner's l2 attack: Adam on ‖x' − x‖₂² + c·g(x'), c found by bisection for each clip.

    g = max(max_{i≠l'} Z_i − Z_l', −κ) targeted and max(Z_l − max_{i≠l} Z_i, −κ) otherwise
    (Carlini & Wagner 2017, §V, §VI-A). The box is kept by projection or by x' = (tanh ρ + 1)/2 (§V-B), in
    which values at its edges hardly move. c grows tenfold until it succeeds and is then bisected; the smallest
    success of all points is returned. Where c starts, and how fast Adam goes, follow from the slope of the
    margin at the clean clip unless they are given. A clip leaves a descent when its own objective has not
    fallen by 0.01 % over a tenth of the steps. With `prune`, changes where the gradient is negligible are taken
    back if the clip stays fooled (arXiv 2008.11618, §II).
    Memory: thirteen batches of images.
    """

    id: ClassVar[str] = "cwa"
    trial: ClassVar = {"search_steps": 3, "steps": 12, "initial_c": 0.1}
    # arXiv 2008.11618, §VI, which prunes (§II) and does not say from where on; arXiv 2007.13703, §IV-C.
    presets: ClassVar = {
        "001": {**_THEIRS, "search_steps": [1, 3, 5, 7], "steps": [25, 100, 1000, 1500], "prune": 1e-4},
        "002": {**_THEIRS, "search_steps": [1, 3, 7, 9], "steps": [25, 100, 1000, 2000, 5000]},
    }
    search_steps: Annotated[int, Field(ge=1, description="values of c that are tried, one descent each")] = 9
    steps: Annotated[int, Field(ge=2, description="points of one descent at most, the clean clip included")] = 200
    learning_rate: Annotated[
        float | None,
        Field(gt=0, description="of Adam; default: by the linear distance, falling to 0 at the end"),
    ] = None
    initial_c: Annotated[
        float | None, Field(gt=0, description="the first c; default: twice what a linear margin needs")
    ] = None
    box: Annotated[
        Literal["projection", "tanh"],
        Field(description="how the box is kept: clip each step, or x' = (tanh ρ + 1)/2"),
    ] = "projection"
    kappa: Annotated[float, Field(ge=0, description="margin of logits that counts as success κ")] = 0.0
    prune: Annotated[
        float, Field(ge=0, lt=1, description="take back changes below this share of the largest gradient; 0: none")
    ] = 0.0

    @property
    def planned_gradients(self) -> int:
        """One at the clean clip, one a further point of every descent, and one to prune."""
        return 1 + self.search_steps * (self.steps - 1) + (self.prune > 0)

    @property
    def planned_queries(self) -> int:
        """One a gradient, and one that checks what was pruned."""
        return self.planned_gradients + (self.prune > 0)

    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """One descent for each c; the smallest success of each clip."""
        import torch

        from soundproof import Best
        from soundproof_attacks._descent import Start, descend

        best = Best(victim.clean)
        start = Start.of(victim, self.box, best)
        c, pace = self._first_c(start), self._pace(start)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for _ in range(self.search_steps):
            succeeded = descend(victim, start, c, self.kappa, self.steps, pace, best)
            high = torch.where(succeeded, torch.minimum(high, c), high)
            low = torch.where(succeeded, low, torch.maximum(low, c))
            c = torch.where(high.isinf(), c * 10, (low + high) / 2)
        return self._pruned(victim, best.images) if self.prune else best.images

    def _first_c(self, start: Start) -> torch.Tensor:
        import torch

        if self.initial_c is not None:
            return torch.full_like(start.margins, self.initial_c)
        c = HEADROOM * start.smallest_c(self.kappa)
        return torch.where(c.isfinite(), c, THEIR_C)

    def _pace(self, start: Start) -> Pace:
        import torch

        from soundproof_attacks._descent import Pace

        if self.learning_rate is not None:
            return Pace(torch.full_like(start.margins, self.learning_rate), 1.0)
        rate = start.rate(self.kappa) * 2 * PATH / self.steps  # it falls linearly: half of it on average
        return Pace(torch.where(rate.isfinite(), rate, THEIR_RATE), 0.0)

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
