"""The partial-information attack with gradients estimated from scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Access, BoundedAttack, Norm
from soundproof_attacks._aim import AimedByDefault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch

    from soundproof import Ball, Victim
    from soundproof_attacks._partial_information import Rules


@dataclass(frozen=True)
class Pia(AimedByDefault, BoundedAttack):
    """Partial-information attack with gradients estimated from scores (black box).

    It starts from an example of the target class, held within ε of the clip, and alternates
    x' ← clip_{x,ε}(x' − η·sign g) with shrinking ε, halving η until the target stays among the top k classes; g is
    the NES estimate from n queries, with momentum (Ilyas et al. 2018; arXiv 2008.11618, §VI). It ends
    when the goal is met within the suite's ball. The example is the clip of the same batch that the victim
    takes for the target with the widest margin; where there is none, the clip itself is the start, and g
    lowers the target's cross-entropy within the ball. Untargeted, the target is the most likely wrong class.
    No gradients. Memory: seventeen batches of images.
    """

    id: ClassVar[str] = "pia"
    radius_per_clip: ClassVar[bool] = True
    trial: ClassVar = {"steps": 3, "samples": 4, "start": 0.1}
    # arXiv 2008.11618, §VI; its search for the variance of the estimate is read as these three σ.
    presets: ClassVar = {
        "001": {
            "steps": 500,
            "decay": 0.001,
            "smallest_step": 0.001,
            "largest_step": 0.6,
            "sigma": [1e-4, 1e-3, 1e-2],
            "targeted": True,
        }
    }
    access: ClassVar[Access] = Access.BLACK_BOX
    steps: Annotated[int, Field(ge=1, description="estimates of the gradient at most, over all radii")] = 500
    samples: Annotated[int, Field(ge=2, description="queries of one estimate n, even")] = 50
    sigma: Annotated[float, Field(gt=0, description="length of a probe per value σ")] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1, description="weight of earlier estimates")] = 0.9
    start: Annotated[float, Field(gt=0, le=1, description="the first ε, in l∞")] = 0.5
    decay: Annotated[float, Field(gt=0, description="what an accepted step takes off ε")] = 1e-3
    largest_step: Annotated[float, Field(gt=0, description="longest step η, in l∞")] = 0.6
    smallest_step: Annotated[float, Field(gt=0, description="shortest step η, in l∞")] = 1e-3
    top: Annotated[int, Field(ge=1, description="classes k among which the target has to stay")] = 1

    def __post_init__(self) -> None:
        if self.samples % 2:
            raise ValueError(f"samples = {self.samples} must be even: probes come in pairs")
        if self.smallest_step > self.largest_step:
            raise ValueError(f"smallest_step = {self.smallest_step} exceeds largest_step = {self.largest_step}")

    @property
    def trials(self) -> int:
        """Step lengths between the largest and the smallest, by halving."""
        return math.ceil(math.log2(self.largest_step / self.smallest_step)) + 1

    @property
    def planned_gradients(self) -> int:
        """None."""
        return 0

    @property
    def planned_queries(self) -> int:
        """Every estimate and every trial of a step, the clean image and the start."""
        return self.steps * (self.samples + self.trials) + 2

    def ladder_queries(self, rungs: int) -> int:  # noqa: ARG002 - one walk serves every radius
        """Those of one run."""
        return self.planned_queries

    @property
    def rules(self) -> Rules:
        """The parameters of a walk."""
        from soundproof_attacks._partial_information import Rules

        return Rules(
            steps=self.steps,
            samples=self.samples,
            sigma=self.sigma,
            momentum=self.momentum,
            start=self.start,
            decay=self.decay,
            largest_step=self.largest_step,
            smallest_step=self.smallest_step,
            trials=self.trials,
            top=self.top,
        )

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """Walk until the clips are fooled inside the ball."""
        return next(self.climb(victim, [ball], generator))

    def climb(self, victim: Victim, balls: Iterable[Ball], generator: torch.Generator) -> Iterator[torch.Tensor]:
        """One walk for all radii: who is inside a small ball has nothing to do for a larger one.

        A clip that started at itself spends an even share of its steps in each ball.
        """
        from soundproof_attacks._partial_information import Walk

        walk, rungs = Walk(self.rules, victim, generator), tuple(balls)
        for number, ball in enumerate(rungs, start=1):
            radius = ball.inscribed(Norm.LINF, victim.dimension).radius
            walk.shrink(radius, share=number / len(rungs))
            yield ball.project(walk.images, victim.clean)
