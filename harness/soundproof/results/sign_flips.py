"""The paired sign-flip test: whether differences could be a coin's, and how large one must be to be found.

Two things are tried on the same clips. If they were alike, a recording's difference would as likely be the one way
as the other, so every recording's sign may be flipped: the share of sign patterns whose sum is as large as the one
observed is the p-value (Fisher 1935, §21). Where every recording is one clip that is McNemar's exact test.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

# How often an effect is to be found that is called detectable.
POWER = 0.8


class Tail(NamedTuple):
    """Chances of sums of differences whose signs are fair coins.

    Attributes:
        above: Of a sum above the observed one.
        equal: Of exactly that sum.
    """

    above: float
    equal: float


def tail(differences: Array) -> Tail:
    """The upper tail of Σ ±d at Σ d, for whole d `[m]`, exact to rounding.

    The characteristic function of the sum is a product of cosines; its Fourier transform holds the chances of all.
    """
    sizes, observed = np.abs(differences).astype(np.int64), int(np.sum(differences))
    total = int(sizes.sum())
    angles = 2 * np.pi * np.arange(2 * total + 1) / (2 * total + 1)
    values, times = np.unique(sizes[sizes > 0], return_counts=True)
    transform = np.prod(np.cos(np.outer(angles, values)) ** times, axis=1)
    masses = np.fft.fft(transform).real / len(angles)  # of the sums 0, 1 … total, -total … -1
    at_least = float(masses[abs(observed) : total + 1].sum())
    equal = float(masses[abs(observed)])
    above = at_least - equal if observed >= 0 else 1.0 - at_least
    return Tail(min(1.0, max(0.0, above)), min(1.0, max(0.0, equal)))


def detectable(differences: Array, outcomes: int, level: float, fewest: int) -> float:
    """The smallest mean difference that a test finds with a power of 80 %, in the unit of one outcome.

    The noise is that of the differences as they are observed. Where there are hardly any, the effect is the fewest
    recordings that are enough for the test, all one way.

    Args:
        differences: `[m]`, of recordings, summed over their outcomes.
        outcomes: Over which the mean is taken.
        level: One-sided level of the test, after any correction.
        fewest: Recordings that have to agree for a p-value below that level.
    """
    normal = NormalDist()
    noise = float(np.sqrt(np.square(differences, dtype=np.float64).sum()))
    size = float(np.abs(differences[differences != 0]).mean()) if np.any(differences) else 1.0
    return max((normal.inv_cdf(1 - level) + normal.inv_cdf(POWER)) * noise, fewest * size) / outcomes


def fewest(level: float) -> int:
    """Differences of one sign that the one-sided test needs at least: all of k agree with a chance of 2⁻ᵏ."""
    return math.ceil(-math.log2(level))
