"""Significance of paired differences: exact sign flips by recording, Holm's correction, smallest effect seen.

Two runs are tried on the same clips. If nothing changed, a recording's difference is as likely the one way as the
other, so every recording's sign may be flipped: the share of sign patterns whose sum is as large as the one
observed is the p-value (Fisher 1935, §21). Sums of outcomes that are right or wrong have a known distribution,
which is computed; where every recording is one clip that is McNemar's exact test. Half of the probability of the
observed sum itself counts (mid-p, Lancaster 1961), since outcomes are whole numbers.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

ALPHA = 0.05
POWER = 0.8
DRAWS = 20_000
_SEED = 20080907
# Sums of differences above this are drawn: a table of them would be as long.
_LONGEST = 100_000
# Signs held at once.
_AT_ONCE = 4_000_000


def p_value(sums: Array, *, two_sided: bool, draws: int = DRAWS) -> float:
    """The chance of a sum of differences as large as this one if every recording's sign were a coin's.

    Args:
        sums: `[m]`, how much worse each recording became, summed over its clips. Whole numbers get the exact
            distribution, others `draws` draws of signs.
        two_sided: Whether as large the other way counts, too.
        draws: The smallest p-value that can be drawn is 1/(draws + 1).
    """
    sizes = np.abs(sums[sums != 0])
    observed = float(np.sum(sums))
    if two_sided:
        observed = abs(observed)
    if not len(sizes):
        return 1.0
    if np.all(sizes == np.round(sizes)) and sizes.sum() <= _LONGEST:
        above = _mid_tail(tuple(np.sort(sizes).astype(int).tolist()), round(observed))
    else:
        above = _drawn_tail(sizes, observed, draws)
    return min(1.0, 2 * above) if two_sided else above


@lru_cache(maxsize=4096)
def _mid_tail(sizes: tuple[int, ...], observed: int) -> float:
    """P(S > observed) + ½ P(S = observed) of S = Σ ±size, every sign a fair coin."""
    values, counts = np.unique(np.array(sizes), return_counts=True)
    mass = np.ones(1)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        # Of `count` equal sizes j are positive with a binomial chance: they add value · (2j − count).
        heads = np.zeros(2 * value * count + 1)
        heads[:: 2 * value] = _coins(count)
        mass = np.convolve(mass, heads)
    middle = len(mass) // 2
    if observed > middle:
        return 0.0
    at = middle + observed
    return float(mass[at + 1 :].sum() + mass[at] / 2)


@lru_cache(maxsize=4096)
def _coins(count: int) -> Array:
    """The chance of each number of heads of so many fair coins."""
    from scipy.stats import binom

    chances: Array = binom.pmf(np.arange(count + 1), count, 0.5)
    return chances


def _drawn_tail(sizes: Array, observed: float, draws: int) -> float:
    generator = np.random.default_rng(_SEED)
    scale = sizes.max()
    magnitudes, limit = sizes / scale, observed / scale - 1e-9
    reached, step = 0, max(1, _AT_ONCE // len(sizes))
    for start in range(0, draws, step):
        count = min(step, draws - start)
        signs = generator.integers(0, 2, size=(count, len(sizes)), dtype=np.int8) * 2 - 1
        reached += int((signs @ magnitudes >= limit).sum())
    return (reached + 1) / (draws + 1)


def detectable(sums: Array, clips: int, tests: int, *, two_sided: bool) -> float:
    """The smallest effect that one of so many tests finds with a power of 80 %, in units of a clip's difference.

    The noise is that of the differences as they are observed. Where there are hardly any, the effect is the fewest
    recordings that are enough for any test: all of them changed, and all one way.

    Args:
        sums: As for `p_value`.
        clips: Over which the mean difference is taken.
        tests: How many the correction is for.
        two_sided: As for `p_value`.
    """
    level = ALPHA / max(1, tests) / (2 if two_sided else 1)
    normal = NormalDist()
    noise = float(np.sqrt(np.square(sums, dtype=np.float64).sum()))
    # The mid-p of k coins that all agree is 2⁻ᵏ / 2.
    fewest = math.ceil(-math.log2(2 * level))
    size = float(np.abs(sums[sums != 0]).mean()) if np.any(sums) else 1.0
    return max((normal.inv_cdf(1 - level) + normal.inv_cdf(POWER)) * noise, fewest * size) / clips
