"""The attacker who expects a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from pydantic import Field

from soundproof import BoundedAttack, Kind, Ref, Surface
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Channel, Victim

_ROOM = Ref(Kind.CHANNEL, "room")


@dataclass(frozen=True)
class EotPgd(Aimed, BoundedAttack):
    """Projected gradient descent on the mean over random draws of a channel, and over no channel.

    Expectation over transformation (Athalye et al. 2018, arXiv 1707.07397): every step plays the iterate through
    so many draws of the channel and follows the mean of their gradients and of its own. Every pass is counted. A
    channel without gradients is passed backwards as if it changed nothing (BPDA). It works on sound:
    `[budget] domain = "waveform"`.

    Attributes:
        channel: What the sound is expected to be played through.
    """

    id: ClassVar[str] = "eot-pgd"
    surface: ClassVar[Surface | None] = Surface.WAVEFORM
    radius_per_clip: ClassVar[bool] = True

    channel: Ref = _ROOM
    steps: Annotated[int, Field(ge=1, description="iterations")] = 40
    draws: Annotated[int, Field(ge=1, description="draws of the channel a step")] = 4
    step_size: Annotated[
        float | None,
        Field(gt=0, description="length of one step, as a share of the radius; default 2.5 / steps"),
    ] = None

    @property
    def planned_gradients(self) -> int:
        """Of the iterate and of each draw, a step."""
        return self.steps * (1 + self.draws)

    @property
    def planned_queries(self) -> int:
        """Those of the gradients, and a last look."""
        return self.planned_gradients + 1 + self.draws

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """All steps; of each clip the iterate with the best mean margin over the draws."""
        import torch

        from soundproof import Best
        from soundproof_attacks._search import query, score

        device = victim.clean.device
        stacked = victim.select(torch.arange(len(victim), device=device).repeat(1 + self.draws))
        chance = torch.Generator().manual_seed(
            int(torch.randint(2**62, (), generator=generator, device=device).item())
        )
        step = ball.scaled(2.5 / self.steps if self.step_size is None else self.step_size)
        images = victim.clean
        best = Best(images)

        def margins(logits: torch.Tensor) -> torch.Tensor:
            return score(stacked.goal, logits).view(1 + self.draws, -1).mean(0)

        for _ in range(self.steps):
            leaf = images.detach().requires_grad_()
            with torch.enable_grad():
                heard = self._heard(leaf, victim, chance)
            logits, gradients = stacked.gradient(heard.detach())
            best.update(images, margins(logits))
            (gradient,) = torch.autograd.grad(heard, leaf, gradients)
            images = ball.project(images + step.ascent(gradient), victim.clean)
        best.update(images, margins(query(stacked, self._heard(images, victim, chance))))
        return best.images

    def _heard(self, images: torch.Tensor, victim: Victim, chance: torch.Generator) -> torch.Tensor:
        """The images `[n, 1, T]` themselves, then each draw's, `[n · (1 + draws), 1, T]`."""
        import torch

        assert victim.rate is not None
        channel, sounds = cast("Channel", self.channel.component), 2 * images[:, 0] - 1
        draws = [images]
        for _ in range(self.draws):
            arrived = channel.carry(sounds, victim.rate, chance).to(sounds)
            if not channel.differentiable:
                arrived = sounds + (arrived - sounds).detach()
            draws.append(((arrived + 1) / 2)[:, None])
        return torch.cat(draws)
