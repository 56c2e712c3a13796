"""Formats of numbers for people, and their positions on a small scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from soundproof.boards.measures import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof.measuring.metrics.intervals import Metric


def written(value: float, unit: Unit) -> str:
    """A number in its unit: percent with one decimal, areas with three, lengths with three digits."""
    if unit is Unit.SHARE:
        return f"{100 * value:.1f}"
    if unit is Unit.AREA:
        return f"{value:.3f}"
    if unit is Unit.RATIO:
        return f"{value:.2f}"
    if unit is Unit.COUNT:
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    return _digits(value)


def interval(metric: Metric, unit: Unit) -> str:
    """The 95 % interval: `81.2–88.9`, or `-1.2 to 3.4`; empty where it has no width."""
    if metric.low == metric.high:
        return ""
    dash = " to " if metric.low < 0 else "–"
    return f"{written(metric.low, unit)}{dash}{written(metric.high, unit)}"


def heading(title: str, unit: Unit) -> str:
    """A title with its unit, where it has one."""
    return f"{title}\u00a0%" if unit is Unit.SHARE else title


class Scale:
    """Positions of a column's numbers, 0 to 100: shares and areas as they are, the rest up to the largest."""

    def __init__(self, unit: Unit, metrics: Iterable[Metric]) -> None:
        self._logarithmic = unit is Unit.COUNT
        fixed = unit in (Unit.SHARE, Unit.AREA)
        self._top = 1.0 if fixed else self._length(max((metric.high for metric in metrics), default=0.0))

    def __call__(self, value: float) -> float:
        """Position of a value."""
        if self._top <= 0:
            return 0.0
        return round(100 * min(1.0, max(0.0, self._length(value) / self._top)), 1)

    def _length(self, value: float) -> float:
        return math.log10(1 + max(0.0, value)) if self._logarithmic else value


def _digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
