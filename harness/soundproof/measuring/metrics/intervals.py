"""95 % intervals by a bootstrap over source recordings.

Clips cut from one recording are not independent, so recordings are drawn, not clips. The draws depend on
nothing but the recordings, which makes intervals reproducible and comparable between rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics.draws import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.statistics import Statistic

DRAWS = 1000
LEVEL = 0.95
RATE = (0.0, 1.0)
# Weights held at once; more draws wait, so that memory stays bounded whatever the number of clips.
_AT_ONCE = 4_000_000
_SEED = 20080907


@dataclass(frozen=True)
class Metric:
    """A number with its 95 % interval and the clips behind it.

    Attributes:
        value: The estimate.
        low: Lower end; equal to `value` where no interval makes sense.
        high: Upper end.
        n: Distinct clips behind the number.
    """

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """As in a row of results; floats keep 6 significant digits, below which they are noise."""
        return {"value": _round(self.value), "low": _round(self.low), "high": _round(self.high), "n": self.n}


@dataclass(frozen=True, eq=False)
class Part:
    """One classifier's share of a number: a statistic of some clips.

    Attributes:
        clips: int `[n]`, rows of the data set's index.
        statistic: Of draws of these clips.
    """

    clips: npt.NDArray[np.integer[Any]]
    statistic: Statistic

    @property
    def value(self) -> float:
        """The plain estimate, of every clip once; NaN where there is none."""
        return float(self.statistic(Draws.once(len(self.clips)))[0])


def estimate(
    parts: Sequence[Part], groups: npt.NDArray[np.integer[Any]], *, bounds: tuple[float, float] | None = None
) -> Metric | None:
    """The mean over parts (folds and seeds) with its interval; None if no part has a value.

    All parts share each draw of recordings, so averaging over folds does not shrink the interval more than
    the clips allow. Where every draw gives the same value at an end of `bounds` (all clips fooled, say), the
    percentile interval has no width; it then gets the exact one-sided bound for m recordings that all agree,
    (1 − 0.95)/2 = p^m (Clopper and Pearson 1934).

    Where all clips come from one recording or speaker, clips are drawn instead: the interval then says how well
    this one is known, and nothing of others.

    Args:
        parts: One entry a classifier.
        groups: int `[N]`, the recording of every clip of the data set.
        bounds: The range of the statistic, e.g. `(0, 1)` for a rate.
    """
    used = [part for part in parts if len(part.clips)]
    if not used:
        return None
    clips = np.unique(np.concatenate([part.clips for part in used]))
    recordings = groups[clips]
    drawn = clips if np.ptp(recordings) == 0 else recordings
    columns = [np.searchsorted(clips, part.clips) for part in used]
    values = [part.value for part in used]
    present = [value for value in values if not np.isnan(value)]
    if not present:
        return None
    draws = np.hstack(
        [
            [part.statistic(draw.select(column)) for part, column in zip(used, columns, strict=True)]
            for draw in _draws(drawn)
        ]
    )
    counts = (~np.isnan(draws)).sum(axis=0)
    means = np.nansum(draws, axis=0)[counts > 0] / counts[counts > 0]
    value = float(np.mean(present))
    low, high = value, value
    if len(means):
        low, high = (float(q) for q in np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    if bounds is not None and len(means) and np.ptp(means) == 0:
        slack = (bounds[1] - bounds[0]) * (1 - ((1 - LEVEL) / 2) ** (1 / len(np.unique(recordings))))
        low = max(bounds[0], value - slack) if value == bounds[1] else low
        high = min(bounds[1], value + slack) if value == bounds[0] else high
    return Metric(value, min(low, value), max(high, value), len(clips))


def known(found: Mapping[str, Metric | None]) -> dict[str, Metric]:
    """The metrics that have any clip behind them."""
    return {name: metric for name, metric in found.items() if metric is not None}


def _draws(recordings: npt.NDArray[np.integer[Any]]) -> Iterator[Draws]:
    """All draws of clips `[n]`, each as often as its recording; some draws at a time."""
    _, member = np.unique(recordings, return_inverse=True)
    counts = _drawn(int(member.max()) + 1)
    step = max(1, _AT_ONCE // len(member))
    for start in range(0, DRAWS, step):
        yield Draws(counts[start : start + step].astype(np.float64), member)


@lru_cache(maxsize=64)
def _drawn(count: int) -> npt.NDArray[np.int16]:
    """Number of times that each of so many recordings is drawn, `[DRAWS, count]`; a few at most."""
    generator = np.random.default_rng(_SEED)
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return drawn.astype(np.int16)


def _round(value: float) -> float:
    return float(f"{value:.6g}")
