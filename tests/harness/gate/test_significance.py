"""P-values against enumeration, scipy and McNemar's test; corrections against the definition."""

import itertools

import numpy as np
import pytest
from scipy import stats

from soundproof.gate.significance import ALPHA, detectable, p_value
from soundproof.results.sign_flips import POWER


def enumerated(sums):
    """P(S > observed) + ½ P(S = observed) over all sign patterns."""
    sums = np.asarray(sums)
    each = np.array([np.dot(signs, sums) for signs in itertools.product((-1, 1), repeat=len(sums))])
    return (each > sums.sum()).mean() + (each == sums.sum()).mean() / 2


@pytest.mark.parametrize(
    "sums", [[1, 1, 1, -1], [3, -1, 2, 2, 1], [5], [1] * 9, [2, 0, -2, 4, 0, 1], [-3, -1, -1]], ids=str
)
def test_whole_sums_are_enumerated(sums):
    assert p_value(np.array(sums, float), two_sided=False) == pytest.approx(enumerated(sums), abs=1e-12)


@pytest.mark.parametrize(("worse", "better"), [(12, 36), (36, 12), (5, 5), (8, 0), (40, 21)])
def test_single_clips_are_mcnemar_s_mid_p(worse, better):
    """Fagerland, Lydersen and Laake 2013: the exact two-sided test minus the probability of the table itself."""
    sums = np.array([1.0] * worse + [-1.0] * better + [0.0] * 300)
    least, number = min(worse, better), worse + better
    exact = 2 * stats.binom.cdf(least, number, 0.5) - stats.binom.pmf(least, number, 0.5)
    assert p_value(sums, two_sided=True) == pytest.approx(min(1, exact), rel=1e-9)


def test_other_sums_are_drawn_as_scipy_does():
    sums = np.random.default_rng(0).normal(0.5, 1, 12)
    expected = stats.permutation_test((sums,), np.sum, permutation_type="samples", alternative="greater").pvalue
    assert p_value(sums, two_sided=False) == pytest.approx(expected, abs=0.01)
    assert p_value(sums, two_sided=True) == pytest.approx(2 * expected, abs=0.02)
    assert p_value(-sums, two_sided=False) == pytest.approx(1 - expected, abs=0.01)
    assert p_value(sums, two_sided=False) == p_value(sums, two_sided=False), "the draws are seeded"


def test_nothing_that_differs_is_no_evidence():
    assert p_value(np.zeros(9), two_sided=False) == 1
    assert p_value(np.zeros(0), two_sided=True) == 1


def test_recordings_are_the_unit_not_their_clips():
    """Ten clips that fall together with their recording are one coin, not ten."""
    together, alone = np.array([10.0, 10.0]), np.ones(20)
    assert p_value(together, two_sided=False) == pytest.approx(1 / 8)
    assert p_value(alone, two_sided=False) < 1e-6


def test_the_detectable_effect_is_found_so_often():
    generator = np.random.default_rng(1)
    clips, tests, change = 400, 10, 0.12
    noise = generator.choice([0.0, 1.0, -1.0], p=[1 - change, change / 2, change / 2], size=(800, clips))
    effect = detectable(noise[0], clips, tests, two_sided=False)
    # Every draw's zero-mean noise, with clips turned until the mean difference is the effect.
    planted = np.where((noise == -1) & (generator.random(noise.shape) < effect / change), 1.0, noise)
    assert planted.mean() == pytest.approx(effect, abs=0.003)
    found = np.mean([p_value(sums, two_sided=False) < ALPHA / tests for sums in planted])
    assert found == pytest.approx(POWER, abs=0.07)


def test_where_nothing_flips_the_effect_is_as_many_recordings_as_a_test_needs():
    least = round(detectable(np.zeros(60), 120, 40, two_sided=False) * 120)
    assert (
        p_value(np.ones(least), two_sided=False) * 40 <= ALPHA < p_value(np.ones(least - 1), two_sided=False) * 40
    )
