"""The parameter that attacks of either goal share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from soundproof import Attack


@dataclass(frozen=True, kw_only=True)
class Aimed(Attack):
    """An attack that can be told to aim at a random wrong class; without, any wrong class will do."""

    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = False

    @property
    def is_targeted(self) -> bool:
        """As the parameter says."""
        return self.targeted


@dataclass(frozen=True, kw_only=True)
class AimedByDefault(Aimed):
    """The same of attacks whose papers aim."""

    targeted: Annotated[bool, Field(description="aim at a random wrong class")] = True
