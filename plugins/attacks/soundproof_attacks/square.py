"""Square Attack: random search with squares, from the scores alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Access, BoundedAttack, Norm
from soundproof_attacks._aim import Aimed

if TYPE_CHECKING:
    import torch

    from soundproof import Ball, Victim


@dataclass(frozen=True)
class Square(Aimed, BoundedAttack):
    """Square attack: a random search that redraws one square of the perturbation at a time (black box).

    A square is kept if the score rises: the margin, or for a targeted attack minus the cross-entropy of the
    target. In l∞ a square becomes ±ε in every channel; in l2 a square takes over the norm of another one. The
    share of values in a square falls as the queries are spent (Andriushchenko et al. 2020, Algorithms 1 to 3).
    A clip that meets the goal costs no more queries. No gradients. Memory: nine batches of images.
    """

    id: ClassVar[str] = "square"
    radius_per_clip: ClassVar[bool] = True
    trial: ClassVar = {"queries": 20}
    access: ClassVar[Access] = Access.BLACK_BOX
    norm: Annotated[Norm, Field(description="norm of the search; l∞ stays inside the suite's ball")] = Norm.L2
    queries: Annotated[int, Field(ge=1, description="forward rows a clip at most")] = 1000
    share: Annotated[float, Field(gt=0, le=1, description="share of values in the first squares")] = 0.1

    @property
    def planned_gradients(self) -> int:
        """None."""
        return 0

    @property
    def planned_queries(self) -> int:
        """As the parameter says."""
        return self.queries

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """Propose a square for every clip that still resists, and keep it where it helps."""
        import torch

        from soundproof import column
        from soundproof_attacks._search import query
        from soundproof_attacks._squares import begin, move, share_at

        ball = ball.inscribed(self.norm, victim.dimension)
        clean = _pictures(victim.clean)
        images = begin(ball, clean, generator)
        logits = query(victim, images.reshape(victim.clean.shape))
        values = self._value(victim, logits)
        active = (~victim.goal.met(logits)).nonzero()[:, 0]
        for number in range(self.queries - 1):
            if not len(active):
                break
            share = share_at(self.share, number, self.queries)
            view = victim.select(active)
            proposed = move(ball.select(active), images[active], clean[active], share, generator)
            logits = query(view, proposed.reshape(view.clean.shape))
            value = self._value(view, logits)
            met = view.goal.met(logits)
            better = (value > values[active]) | met
            values[active] = torch.where(better, value, values[active])
            images[active] = torch.where(column(better, proposed), proposed, images[active])
            active = active[~met]
        return images.reshape(victim.clean.shape)

    def _value(self, victim: Victim, logits: torch.Tensor) -> torch.Tensor:
        """Value that the search raises, `[n]`."""
        from soundproof import margin

        return margin(logits, victim.labels) if victim.goal.targets is None else victim.goal.loss(logits)


def _pictures(inputs: torch.Tensor) -> torch.Tensor:
    """Inputs of any domain as pictures `[n, C, H, W]`; waveforms and vectors get height 1."""
    if inputs.dim() == 4:
        return inputs
    return inputs.reshape(len(inputs), 1, 1, -1)
