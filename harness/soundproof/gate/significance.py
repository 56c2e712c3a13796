"""Significance of paired differences for the gate: sign flips by recording, and the smallest effect seen.

The test is the one that settles places (`soundproof.results.sign_flips`), with half of the probability of the
observed sum (mid-p, Lancaster 1961), since outcomes are whole numbers and a gate should not sleep. Differences
that are no whole numbers are tested by drawing signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.results import sign_flips

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

ALPHA = 0.05
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
    differing = sums[sums != 0]
    if not len(differing):
        return 1.0
    if two_sided and differing.sum() < 0:
        differing = -differing
    if np.all(differing == np.round(differing)) and np.abs(differing).sum() <= _LONGEST:
        found = sign_flips.tail(differing)
        above = found.above + found.equal / 2
    else:
        above = _drawn_tail(np.abs(differing), float(differing.sum()), draws)
    return min(1.0, 2 * above) if two_sided else above


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

    Args:
        sums: As for `p_value`.
        clips: Over which the mean difference is taken.
        tests: How many the correction is for.
        two_sided: As for `p_value`.
    """
    level = ALPHA / max(1, tests) / (2 if two_sided else 1)
    # The mid-p of k coins that all agree is half of 2⁻ᵏ.
    return sign_flips.detectable(sums, clips, level, sign_flips.fewest(2 * level))
