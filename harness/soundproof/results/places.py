"""Places that a ranking settles: which classifiers are better than which, clip by clip (docs/metrics.md §9).

Two classifiers are tried on the same clips, so it is their difference that is drawn again, not each of them: it
often is far better known than either. Recordings are drawn, as for intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics.intervals import DRAWS, LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    # Of one classifier: test clips `[n]` and their outcomes, 1 or 0, by fold and seed.
    Outcomes = Mapping[tuple[int, int], tuple[Array, Array]]

# Fewer recordings that all speak for one side would do so by chance too often: 2 · 0.5⁵ > 0.05 (exact sign test).
_DIFFERING = 6
_SEED = 20080907


def places(classifiers: Sequence[Outcomes], groups: Array) -> list[tuple[int, int]]:
    """First and last place that each classifier may hold.

    Args:
        classifiers: Those that are ranked.
        groups: int `[N]`, the recording of every clip of the data set.
    """
    if not classifiers:
        return []
    better = settled(classifiers, groups)
    first, last = 1 + better.sum(axis=0), len(classifiers) - better.sum(axis=1)
    return [(int(low), int(high)) for low, high in zip(first, last, strict=True)]


def smallest_difference(recordings: Array) -> float:
    """The smallest difference of two shares of the same clips that can be settled, in [0, 1].

    At least six recordings have to differ, all for one side; at best these are the smallest ones. A difference
    that is larger may still be unsettled, where recordings speak for both sides. 1 where there are fewer
    recordings.

    Args:
        recordings: Of every tested clip, `[n]`.
    """
    if not len(recordings):
        return 1.0
    _, counts = np.unique(recordings, return_counts=True)
    if len(counts) < _DIFFERING:
        return 1.0
    return float(np.sort(counts)[:_DIFFERING].sum() / len(recordings))


def settled(classifiers: Sequence[Outcomes], groups: Array) -> npt.NDArray[np.bool_]:
    """Whether the row is better than the column, `[K, K]`: the 95 % interval of their difference is above zero."""
    sums, counts = _by_recording(classifiers, groups)
    drawn = _drawn(sums, counts)
    better = np.zeros((len(classifiers), len(classifiers)), dtype=bool)
    for number in range(len(classifiers)):
        difference = _mean_over_runs(drawn[:, :, [number]] - drawn)
        low = np.quantile(difference, (1 - LEVEL) / 2, axis=0)
        differing = (_difference(sums, counts, number) != 0).sum(axis=0)
        better[number] = (low > 0) & (differing >= _DIFFERING)
    return better


def _by_recording(classifiers: Sequence[Outcomes], groups: Array) -> tuple[Array, Array]:
    """Sums of outcomes and numbers of clips, by fold and seed, recording and classifier: `[R, m, K]`."""
    runs = sorted({run for each in classifiers for run in each})
    tested = np.unique(np.concatenate([clips for each in classifiers for clips, _ in each.values()]))
    recordings = groups[tested]
    # As for intervals: where there is only one recording, its clips are drawn.
    _, member = np.unique(tested if np.ptp(recordings) == 0 else recordings, return_inverse=True)
    shape = (len(runs), int(member.max()) + 1, len(classifiers))
    sums, counts = np.zeros(shape), np.zeros(shape)
    for k, outcomes in enumerate(classifiers):
        for run, (clips, values) in outcomes.items():
            of = member[np.searchsorted(tested, clips)]
            np.add.at(sums[runs.index(run), :, k], of, np.asarray(values, dtype=np.float64))
            np.add.at(counts[runs.index(run), :, k], of, 1.0)
    return sums, counts


def _drawn(sums: Array, counts: Array) -> Array:
    """The share of every fold and seed and classifier in every draw, `[R, DRAWS, K]`; NaN where it has no clip."""
    number = sums.shape[1]
    weights = np.random.default_rng(_SEED).multinomial(number, np.full(number, 1 / number), size=DRAWS)
    above, below = weights.astype(np.float64) @ sums, weights.astype(np.float64) @ counts
    shares: Array = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return shares


def _mean_over_runs(values: Array) -> Array:
    """The mean over folds and seeds that both have, `[R, DRAWS, K]` to `[DRAWS, K]`; 0 where there is none."""
    present = ~np.isnan(values)
    mean: Array = np.where(present, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return mean


def _difference(sums: Array, counts: Array, number: int) -> Array:
    """Lead of a classifier over each, by recording: `[m, K]`."""
    both = (counts > 0) & (counts[:, :, [number]] > 0)
    difference: Array = np.where(both, sums[:, :, [number]] - sums, 0.0).sum(axis=0)
    return difference
