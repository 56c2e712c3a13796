"""Evidence for a claim: what classifiers differ by, clip by clip, with its interval (docs/papers.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics.draws import Draws
from soundproof.measuring.metrics.intervals import estimate
from soundproof.results.means import minus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.results.files import Row

    Array = npt.NDArray[Any]

# Fewer recordings that all speak for one side would do so by chance too often: 2 · 0.5⁵ > 0.05 (exact sign test).
DIFFERING = 6


class Verdict(StrEnum):
    """Verdict on a claim."""

    HOLDS = "holds"
    FAILS = "does not"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """One statement, and what a run says of it.

    Attributes:
        statement: In words.
        verdict: What the interval supports.
        found: The numbers, in words.
        rows: Those that it rests on.
    """

    statement: str
    verdict: Verdict
    found: str
    rows: tuple[Row, ...] = ()


def difference(pairs: Sequence[tuple[Part, Part]], groups: Array) -> tuple[Metric | None, int]:
    """The mean over pairs of first less second, and how many recordings it differs in.

    Both of a pair are drawn together: a recording counts as often in the first as in the second.
    """
    parts = [minus(*pair) for pair in pairs]
    return estimate(parts, groups), _differing(parts, groups)


def above(metric: Metric | None, differing: int, limit: float = 0.0) -> Verdict:
    """Whether a difference is above a limit: its whole interval must lie on one side."""
    if metric is None or differing < DIFFERING:
        return Verdict.UNDECIDED
    if metric.low > limit:
        return Verdict.HOLDS
    return Verdict.FAILS if metric.high <= limit else Verdict.UNDECIDED


def within(metric: Metric | None, differing: int, low: float, high: float) -> Verdict:
    """Whether a number lies in a range: its whole interval must lie inside, or outside."""
    if metric is None or differing < DIFFERING:
        return Verdict.UNDECIDED
    if low <= metric.low and metric.high <= high:
        return Verdict.HOLDS
    return Verdict.FAILS if metric.high < low or metric.low > high else Verdict.UNDECIDED


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on several statements that all have to hold."""
    if Verdict.FAILS in verdicts:
        return Verdict.FAILS
    held = bool(verdicts) and all(verdict is Verdict.HOLDS for verdict in verdicts)
    return Verdict.HOLDS if held else Verdict.UNDECIDED


def recordings(rows: Sequence[Array], groups: Array) -> int:
    """Number of recordings behind clips."""
    return len(np.unique(groups[np.unique(np.concatenate(rows))])) if rows else 0


def _differing(parts: Sequence[Part], groups: Array) -> int:
    """Recordings that, taken alone, differ in any of the pairs."""
    found: set[int] = set()
    for part in parts:
        of = groups[part.clips]
        names, member = np.unique(of, return_inverse=True)
        alone = part.statistic(Draws(np.eye(len(names)), member))
        found |= set(names[np.nan_to_num(alone) != 0].tolist())
    return len(found)
