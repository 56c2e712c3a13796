"""Allowance of the checks: what they may cost beside the attacks that they look after."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Of the gradients that a suite's attacks on a classifier spend; forward rows count by what one costs.
SHARE = 0.15


class TooDearError(Exception):
    """A probe would cost more than is left."""


@dataclass(eq=False)
class Allowance:
    """Gradients that may still be spent, over all clips.

    Attributes:
        left: Backward rows; infinite for a thorough look.
    """

    left: float

    def clips(self, gradients: float, wanted: int, least: int = 1) -> int:
        """How many clips can be afforded, and pay for them.

        Args:
            gradients: Backward rows of each.
            wanted: Clips at most.
            least: Fewer tell nothing.

        Raises:
            TooDearError: Not even the least.
        """
        count = wanted if gradients == 0 or math.isinf(self.left) else min(wanted, int(self.left // gradients))
        if count < min(least, wanted) or (wanted and not count):
            raise TooDearError(
                f"it needs {gradients:g} gradients for each of {least} clips, and the checks have "
                f"{max(0, int(self.left))} left of the {SHARE:.0%} that they may spend: "
                "use [checks] level = 'thorough'"
            )
        self.left -= gradients * count
        return count
