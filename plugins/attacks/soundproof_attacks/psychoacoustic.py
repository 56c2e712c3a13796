"""Perturbations that the clip itself masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import BoundedAttack, Surface
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Psychoacoustic(Aimed, BoundedAttack):
    """Projected gradient descent below the masking threshold of the clip.

    Every step follows the gradient as far as the clip hides it (its short-time spectrum times the energy that the
    masking threshold allows), then holds every bin of the change to the threshold, then projects onto the ball and
    the box. The threshold is that of Qin et al. 2019 (arXiv 1903.10346), who pull changes below it by a penalty;
    Schönherr et al. 2018 (arXiv 1808.05665) scale gradients by it. It works on sound:
    `[budget] domain = "waveform"`.
    """

    id: ClassVar[str] = "psychoacoustic"
    surface: ClassVar[Surface | None] = Surface.WAVEFORM
    radius_per_clip: ClassVar[bool] = True

    steps: Annotated[int, Field(ge=1, description="iterations")] = 40
    step_size: Annotated[
        float | None,
        Field(gt=0, description="length of one step, as a share of the radius; default 2.5 / steps"),
    ] = None
    # Frames that begin elsewhere than those that are held find up to 3 dB more.
    allowance: Annotated[float, Field(description="decibels above the masking threshold that are allowed")] = -3.0

    @property
    def planned_gradients(self) -> int:
        """One a step."""
        return self.steps

    @property
    def planned_queries(self) -> int:
        """Those of the gradients, and a last look."""
        return self.steps + 1

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """All steps; the best iterate of each clip."""
        from soundproof import Best
        from soundproof_attacks._masked import Mask
        from soundproof_attacks._search import query, score

        assert victim.rate is not None
        mask = Mask(2 * victim.clean[:, 0] - 1, victim.rate, self.allowance)
        step = ball.scaled(2.5 / self.steps if self.step_size is None else self.step_size)
        images = victim.clean
        best = Best(images)
        for _ in range(self.steps):
            logits, gradient = victim.gradient(images)
            best.update(images, score(victim.goal, logits))
            moved = images - victim.clean + step.ascent(mask.steered(gradient[:, 0])[:, None])
            # Samples span twice the box.
            hidden = mask.hidden(2 * moved[:, 0])[:, None] / 2
            images = ball.project(victim.clean + hidden, victim.clean)
        best.update(images, score(victim.goal, query(victim, images)))
        return best.images
