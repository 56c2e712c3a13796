"""Rules of a gate: by how much each metric may get worse, and which way is worse."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a suite without a table `[gate]` is held to.
DEFAULTS: Mapping[str, Any] = {"accuracy": {"tolerance": 0.01}, "robust_accuracy": {"tolerance": 0.01}}
# A share that falls this far fails the gate whatever the test says: with few clips no test ever would.
HARD = 0.2


class Direction(StrEnum):
    """Direction of a change for the better; any change is one for the worse under `both`.

    Robust accuracy under fixed attacks is watched both ways: a rise may mean that the attack broke.
    """

    HIGHER = "higher"
    LOWER = "lower"
    BOTH = "both"

    def worsening(self, change: float) -> float:
        """How much worse a metric became that changed by so much; negative if it became better."""
        return {Direction.HIGHER: -change, Direction.LOWER: change, Direction.BOTH: abs(change)}[self]


# Those that are not named are watched both ways: they depend on the attack as much as on the classifier.
_DIRECTIONS: Mapping[str, Direction] = {
    **dict.fromkeys(("accuracy", "precision", "recall", "f1", "roc_auc"), Direction.HIGHER),
    **dict.fromkeys(("eer", "drop"), Direction.LOWER),
}
_UNBOUNDED = frozenset({"gradients", "queries", "l2", "epsilon_ratio"})


@dataclass(frozen=True)
class Rule:
    """Rule for one metric.

    Attributes:
        tolerance: What it may become worse by, in its own units; more fails if it is significant.
        hard: What it may become worse by at most, significant or not; None is no limit.
        direction: Which way is better.
    """

    tolerance: float
    hard: float | None
    direction: Direction


def rules_of(table: Mapping[str, Any]) -> dict[str, Rule]:
    """The rules of a suite's checked table `[gate]`, by metric; an empty table stands for the defaults."""
    return {name: _rule(name, given) for name, given in (table or DEFAULTS).items()}


def _rule(metric: str, table: Mapping[str, Any]) -> Rule:
    tolerance = float(table["tolerance"])
    hard = table.get("hard", None if metric in _UNBOUNDED else max(HARD, tolerance))
    direction = Direction(table.get("direction", _DIRECTIONS.get(metric, Direction.BOTH)))
    return Rule(tolerance, hard, direction)
