"""Places that a ranking settles: which classifiers are better than which, clip by clip (docs/metrics.md §9).

Two classifiers are tried on the same clips, so it is their difference that is tested, not each of them: it often
is far better known than either. The test is the paired sign-flip test over recordings: if two classifiers were
alike, the difference on each recording could as well be the opposite. Where every recording is one clip it is
McNemar's exact test. All pairs of a ranking are tested, so their p-values are corrected by Holm's method.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    # Of one classifier: test clips `[n]` and their outcomes, 1 or 0, by fold and seed.
    Outcomes = Mapping[tuple[int, int], tuple[Array, Array]]

# The chance that one order too many is called settled in a whole ranking.
LEVEL = 0.05
# The exact distribution has as many points as differences add up to; beyond this the normal one is as good.
_EXACT = 2_000


def places(classifiers: Sequence[Outcomes], groups: Array) -> tuple[list[tuple[int, int]], list[float]]:
    """First and last place that each classifier may hold, and the p-value of its lead over the next one.

    Args:
        classifiers: Those that are ranked, in their order.
        groups: int `[N]`, the recording of every clip of the data set.
    """
    lead, p = compared(classifiers, groups)
    better = (lead > 0) & (p <= LEVEL)
    first, last = 1 + better.sum(axis=0), len(classifiers) - better.sum(axis=1)
    held = [(int(low), int(high)) for low, high in zip(first, last, strict=True)]
    return held, [*(float(each) for each in np.diagonal(p, 1)), 1.0]


def smallest_difference(recordings: Array, classifiers: int = 2) -> float:
    """The smallest difference of two shares of the same clips that can be settled, in [0, 1].

    So many recordings have to differ, all for one side, that flipping their signs gives a p-value below the level
    after Holm's correction; at best these are the smallest ones. A difference that is larger may still be
    unsettled, where recordings speak for both sides. 1 where there are fewer recordings.

    Args:
        recordings: Of every tested clip, `[n]`.
        classifiers: How many are ranked.
    """
    pairs = max(1, math.comb(classifiers, 2))
    fewest = math.ceil(math.log2(2 * pairs / LEVEL))
    _, counts = np.unique(recordings, return_counts=True)
    if len(counts) < fewest:
        return 1.0
    return float(np.sort(counts)[:fewest].sum() / len(recordings))


def compared(classifiers: Sequence[Outcomes], groups: Array) -> tuple[Array, Array]:
    """Lead of the row over the column in clips, and p-values corrected for the number of pairs, both `[K, K]`.

    Clips count once a fold and seed; those that only one of the two was tried on count for neither.
    """
    number = len(classifiers)
    lead, p = np.zeros((number, number)), np.ones((number, number))
    sums, counts = _by_recording(classifiers, groups)
    upper = np.triu_indices(number, 1)
    for one, other in zip(*upper, strict=True):
        both = (counts[:, :, one] > 0) & (counts[:, :, other] > 0)
        difference = np.where(both, sums[:, :, one] - sums[:, :, other], 0.0).sum(axis=0)
        lead[one, other] = difference.sum()
        p[one, other] = sign_flip(difference)
    p[upper] = holm(p[upper])
    return lead - lead.T, np.minimum(p, p.T)


def sign_flip(differences: Array) -> float:
    """Two-sided p-value of differences `[m]`, whole numbers, when the sign of each is a coin's.

    Exact by the characteristic function of their sum, a product of cosines, up to a total of 2,000; normal beyond.
    """
    sizes = np.abs(differences).astype(np.int64)
    total, seen = int(sizes.sum()), abs(int(differences.sum()))
    if total == 0:
        return 1.0
    if total > _EXACT:
        # Sums are all even or all odd: half a step between two of them is 1.
        return math.erfc(max(0, seen - 1) / math.sqrt(2.0 * float((sizes.astype(np.float64) ** 2).sum())))
    angles = 2 * np.pi * np.arange(2 * total + 1) / (2 * total + 1)
    values, times = np.unique(sizes[sizes > 0], return_counts=True)
    transform = np.prod(np.cos(np.outer(angles, values)) ** times, axis=1)
    masses = np.fft.fft(transform).real / len(angles)  # of the sums 0, 1 … total, -total … -1
    return min(1.0, max(0.0, 2 * float(masses[seen : total + 1].sum()) if seen else 1.0))


def holm(p: Array) -> Array:
    """P-values `[M]` corrected by Holm's method: compared with a level they hold it for all of them together."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _by_recording(classifiers: Sequence[Outcomes], groups: Array) -> tuple[Array, Array]:
    """Sums of outcomes and numbers of clips, by fold and seed, recording and classifier: `[R, m, K]`."""
    runs = sorted({run for each in classifiers for run in each})
    tested = np.unique(np.concatenate([clips for each in classifiers for clips, _ in each.values()]))
    recordings = groups[tested]
    # As for intervals: where there is only one recording, its clips are what is independent.
    _, member = np.unique(tested if np.ptp(recordings) == 0 else recordings, return_inverse=True)
    shape = (len(runs), int(member.max()) + 1, len(classifiers))
    sums, counts = np.zeros(shape), np.zeros(shape)
    for k, outcomes in enumerate(classifiers):
        for run, (clips, values) in outcomes.items():
            of = member[np.searchsorted(tested, clips)]
            np.add.at(sums[runs.index(run), :, k], of, np.asarray(values, dtype=np.float64))
            np.add.at(counts[runs.index(run), :, k], of, 1.0)
    return sums, counts
