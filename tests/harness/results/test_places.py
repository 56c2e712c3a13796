"""Places that clips settle, against SciPy's tests and against what must hold by logic."""

import numpy as np
import pytest
from scipy import stats

from soundproof.results.places import LEVEL, compared, holm, sign_flip, standing

GROUPS = np.repeat(np.arange(30), 2)


def outcomes(*right, run=(0, 0)):
    return {run: (np.arange(len(right)), np.array(right, dtype=bool))}


def held(classifiers):
    return list(standing(classifiers, GROUPS).places)


def differences(rng, recordings, largest):
    return rng.integers(-largest, largest + 1, recordings)


@pytest.mark.parametrize("seed", range(6))
def test_sign_flips_are_those_of_scipy(seed):
    """SciPy turns every combination of signs."""
    found = differences(np.random.default_rng(seed), 9, 3)
    expected = stats.permutation_test(
        (found,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    ).pvalue
    assert sign_flip(found) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("gained", "lost"), [(1, 0), (5, 0), (6, 0), (9, 2), (30, 14)])
def test_single_clips_are_mcnemars_exact_test(gained, lost):
    found = np.repeat([1, -1, 0], [gained, lost, 20])
    assert sign_flip(found) == pytest.approx(stats.binomtest(gained, gained + lost).pvalue, abs=1e-12)


def test_many_differences_are_normal():
    exact = stats.binomtest(1060, 2050).pvalue
    assert sign_flip(np.repeat([1, -1], [1060, 990])) == pytest.approx(exact, rel=0.02)


def test_no_difference_says_nothing():
    assert sign_flip(np.zeros(9)) == 1.0


def test_holm_is_the_step_down_of_bonferroni():
    """The smallest times their number, the next times one less, never falling."""
    assert holm(np.array([0.04, 0.01, 0.03, 0.5])) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm(np.array([0.01, 0.04, 0.03, 0.005, 1.0])) == pytest.approx([0.04, 0.09, 0.09, 0.025, 1.0])
    assert holm(np.array([])).tolist() == []


def test_alike_classifiers_are_rarely_told_apart():
    """The order of ten coins that toss alike: one settled pair at most in twenty rankings, as a rule."""
    rng = np.random.default_rng(1)
    rankings = [[outcomes(*(rng.random(60) < 0.5)) for _ in range(10)] for _ in range(100)]
    assert sum((compared(each, GROUPS).p <= LEVEL).any() for each in rankings) <= 9


def test_paired_differences_settle_what_intervals_do_not():
    """Seven recordings more of thirty: their intervals overlap, and the difference is never below zero."""
    one, other = np.zeros(60, bool), np.zeros(60, bool)
    one[:34], other[:20] = True, True
    assert held([outcomes(*one), outcomes(*other)]) == [(1, 1), (2, 2)]


def test_a_few_recordings_settle_nothing():
    """Five that all speak for one side come by chance once in sixteen times."""
    one, other = np.ones(60, bool), np.ones(60, bool)
    other[:10] = False
    assert held([outcomes(*one), outcomes(*other)]) == [(1, 2), (1, 2)]


def test_places_count_who_is_settled_better_and_worse():
    levels = [50, 48, 30, 0]
    classifiers = [outcomes(*(np.arange(60) < level)) for level in levels]
    assert held(classifiers) == [(1, 2), (1, 2), (3, 3), (4, 4)]


def test_equal_classifiers_share_all_places():
    assert held([outcomes(*[False] * 60)] * 4) == [(1, 4)] * 4
    assert list(standing([outcomes(*[True] * 60)], GROUPS).places) == [(1, 1)]


def test_clips_of_one_recording_are_one_voice():
    one, other = np.ones(60, bool), np.ones(60, bool)
    other[:8] = False
    assert held([outcomes(*one), outcomes(*other)]) == [(1, 2), (1, 2)]
    assert list(standing([outcomes(*one), outcomes(*other)], np.arange(60)).places) == [(1, 1), (2, 2)]
    # A single recording: its clips are all there is to draw.
    assert list(standing([outcomes(*one), outcomes(*other)], np.zeros(60, int)).places) == [(1, 1), (2, 2)]


def test_folds_and_seeds_add_up():
    """Better in one fold by as much as worse in the other: nothing is settled."""
    up, down = np.arange(30) < 25, np.arange(30) < 5
    one = {(0, 0): (np.arange(30), up), (1, 0): (np.arange(30, 60), down)}
    other = {(0, 0): (np.arange(30), down), (1, 0): (np.arange(30, 60), up)}
    assert list(standing([one, other], GROUPS).places) == [(1, 2), (1, 2)]
    twice = {(0, 0): (np.arange(30), up), (1, 0): (np.arange(30, 60), up)}
    assert list(standing([twice, other], GROUPS).places) == [(1, 1), (2, 2)]


def tossed(rng, share, recordings, takes):
    """Outcomes whose clips stand and fall with their recording."""
    return np.repeat(rng.random(recordings) < share, takes)


@pytest.mark.parametrize("takes", [1, 3])
def test_what_is_called_detectable_is_told_apart_four_times_in_five(takes):
    """Two classifiers whose shares are so far apart, drawn anew each time; 600 draws tell 80 % to 5 points."""
    rng, recordings = np.random.default_rng(5), 300
    groups = np.repeat(np.arange(recordings), takes)

    def stood(lead):
        return standing([outcomes(*tossed(rng, share, recordings, takes)) for share in (0.5 + lead, 0.5)], groups)

    apart = np.mean([stood(0.1).detectable for _ in range(50)])
    settled = np.mean([stood(apart).places == ((1, 1), (2, 2)) for _ in range(600)])
    assert settled == pytest.approx(0.8, abs=0.05)


def test_where_nothing_differs_as_many_recordings_must_as_the_test_needs():
    """Six of thirty all one way come by chance once in 32 times, five once in 16."""
    alike = [outcomes(*[True] * 60)] * 2
    assert standing(alike, GROUPS).detectable == pytest.approx(6 / 60)
    one, other = np.ones(60, bool), np.ones(60, bool)
    other[0:12:2] = False
    assert held([outcomes(*one), outcomes(*other)]) == [(1, 1), (2, 2)]


def test_a_classifier_alone_is_compared_with_nobody():
    assert standing([outcomes(*[True] * 60)], GROUPS).detectable is None
