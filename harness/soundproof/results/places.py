"""Places that a ranking settles: which classifiers are better than which, clip by clip (docs/metrics.md §9).

Two classifiers are tried on the same clips, so it is their difference that is tested, not each of them: it often
is far better known than either. The test is the paired sign-flip test over recordings: if two classifiers were
alike, the difference on each recording could as well be the opposite. Where every recording is one clip it is
McNemar's exact test. All pairs of a ranking are tested, so their p-values are corrected by Holm's method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from soundproof.results.sign_flips import detectable, fewest, tail

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


@dataclass(frozen=True)
class Standing:
    """What clips settle of a ranking.

    Attributes:
        places: First and last place that each classifier may hold.
        p: The p-value of each one's lead over the next, corrected for all pairs; 1 for the last.
        detectable: How far two of them must be apart, in [0, 1], to be told apart four times in five: the median
            over all pairs; None for a single classifier.
    """

    places: tuple[tuple[int, int], ...]
    p: tuple[float, ...]
    detectable: float | None


class Compared(NamedTuple):
    """All pairs of a ranking, each `[K, K]`.

    Attributes:
        lead: Of the row over the column, in clips.
        p: Corrected for the number of pairs; 1 on the diagonal.
        detectable: Difference of their shares that the test would find four times in five; NaN on the diagonal.
    """

    lead: Array
    p: Array
    detectable: Array


def standing(classifiers: Sequence[Outcomes], groups: Array) -> Standing:
    """What clips settle of a ranking.

    Args:
        classifiers: Those that are ranked, in their order.
        groups: int `[N]`, the recording of every clip of the data set.
    """
    pairs = compared(classifiers, groups)
    better = (pairs.lead > 0) & (pairs.p <= LEVEL)
    first, last = 1 + better.sum(axis=0), len(classifiers) - better.sum(axis=1)
    upper = pairs.detectable[np.triu_indices(len(classifiers), 1)]
    return Standing(
        places=tuple((int(low), int(high)) for low, high in zip(first, last, strict=True)),
        p=(*(float(each) for each in np.diagonal(pairs.p, 1)), 1.0),
        detectable=float(np.median(upper)) if len(upper) else None,
    )


def compared(classifiers: Sequence[Outcomes], groups: Array) -> Compared:
    """Every classifier against every other.

    Clips count once a fold and seed; those that only one of the two was tried on count for neither.
    """
    number = len(classifiers)
    lead, p, least = np.zeros((number, number)), np.ones((number, number)), np.full((number, number), np.nan)
    level = LEVEL / max(1, math.comb(number, 2)) / 2
    sums, counts = _by_recording(classifiers, groups)
    upper = np.triu_indices(number, 1)
    for one, other in zip(*upper, strict=True):
        both = (counts[:, :, one] > 0) & (counts[:, :, other] > 0)
        difference = np.where(both, sums[:, :, one] - sums[:, :, other], 0.0).sum(axis=0)
        lead[one, other] = difference.sum()
        p[one, other] = sign_flip(difference)
        tried = int(np.where(both, counts[:, :, one], 0.0).sum())
        # More than everything cannot differ; those that share no clip are never told apart.
        least[one, other] = min(1.0, detectable(difference, tried, level, fewest(level))) if tried else 1.0
    p[upper] = holm(p[upper])
    return Compared(lead - lead.T, np.minimum(p, p.T), np.fmin(least, least.T))


def sign_flip(differences: Array) -> float:
    """Two-sided p-value of differences `[m]`, whole numbers, when the sign of each is a coin's.

    Exact up to a total of 2,000, normal beyond.
    """
    sizes = np.abs(differences).astype(np.int64)
    total, seen = int(sizes.sum()), abs(int(differences.sum()))
    if total == 0:
        return 1.0
    if total > _EXACT:
        # Sums are all even or all odd: half a step between two of them is 1.
        return math.erfc(max(0, seen - 1) / math.sqrt(2.0 * float((sizes.astype(np.float64) ** 2).sum())))
    if seen == 0:
        return 1.0
    found = tail(differences if differences.sum() > 0 else -differences)
    return min(1.0, 2 * (found.above + found.equal))


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
