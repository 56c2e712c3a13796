"""Parameters that attacks share: what counts as success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from soundproof import Attack

if TYPE_CHECKING:
    import torch

    from soundproof import Goal


@dataclass(frozen=True, kw_only=True)
class Aimed(Attack):
    """An attack that can be told to aim at a random wrong class; without, any wrong class will do."""

    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = False

    @property
    def is_targeted(self) -> bool:
        """As the parameter says."""
        return self.targeted


@dataclass(frozen=True, kw_only=True)
class Confident(Attack):
    """An attack that can be told to go on until the victim is sure of the wrong class.

    For those that stop at, or keep, a success. Both papers ask for it of their basic iterative methods
    (arXiv 2008.11618, §VI: 0.75; arXiv 2007.13703, §IV-C: 0.65).
    """

    confidence: Annotated[
        float, Field(ge=0, lt=1, description="probability of the wrong class from which on it is a success")
    ] = 0.0

    def succeeded(self, goal: Goal, logits: torch.Tensor) -> torch.Tensor:
        """Whether the goal is met with this confidence at logits `[n, K]`, bool `[n]`."""
        sure = logits.softmax(dim=1).amax(dim=1) >= self.confidence
        return goal.met(logits) & sure


@dataclass(frozen=True, kw_only=True)
class AimedByDefault(Aimed):
    """The same of attacks whose papers aim."""

    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = True
