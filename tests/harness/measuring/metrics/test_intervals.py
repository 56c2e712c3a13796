"""Intervals: width, coverage, clustering and degenerate cases."""

import numpy as np
import pytest
from scipy import stats

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part, estimate


def rate(values, groups, bounds=(0, 1)):
    return estimate([Part(np.arange(len(values)), statistics.mean(values))], np.asarray(groups), bounds=bounds)


def test_a_rate_of_independent_clips_has_the_binomial_width():
    values = np.arange(400) % 4 == 0
    found = rate(values, np.arange(400))
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert found.value == 0.25
    assert found.n == 400
    assert found.low == pytest.approx(0.25 - half, abs=0.006)
    assert found.high == pytest.approx(0.25 + half, abs=0.006)


def test_clips_of_one_recording_count_as_one():
    values = np.repeat(np.arange(100) % 4 == 0, 4)
    clustered, independent = rate(values, np.arange(400) // 4), rate(values, np.arange(400))
    assert clustered.value == independent.value
    ratio = (clustered.high - clustered.low) / (independent.high - independent.low)
    assert ratio == pytest.approx(2, rel=0.15), "four equal copies carry the information of one"


def test_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        found = rate(generator.random(150) < 0.7, np.arange(150))
        inside += found.low <= 0.7 <= found.high
    assert inside / 300 > stats.binom(300, 0.95).ppf(0.001) / 300 - 0.02


@pytest.mark.parametrize("recordings", [5, 30])
def test_unanimous_clips_get_the_exact_bound(recordings):
    found = rate(np.ones(4 * recordings), np.arange(4 * recordings) // 4)
    expected = stats.binomtest(recordings, recordings).proportion_ci(0.95, method="exact").low
    assert found.low == pytest.approx(expected)
    assert (found.value, found.high) == (1, 1)
    mirrored = rate(np.zeros(4 * recordings), np.arange(4 * recordings) // 4)
    assert mirrored.high == pytest.approx(1 - expected)


def test_folds_share_their_draws():
    values = np.arange(200) % 3 == 0
    part = Part(np.arange(200), statistics.mean(values))
    groups = np.arange(200)
    assert estimate([part], groups) == estimate([part, part, part], groups), (
        "the same clips thrice are no more clips"
    )


def test_folds_of_other_clips_are_averaged():
    first = Part(np.arange(0, 50), statistics.mean(np.ones(50)))
    second = Part(np.arange(50, 100), statistics.mean(np.zeros(50)))
    found = estimate([first, second], np.arange(100))
    assert found.value == 0.5
    assert found.n == 100


def test_nothing_to_measure_is_no_number():
    assert estimate([Part(np.arange(0), statistics.mean(np.zeros(0)))], np.arange(5)) is None
    assert estimate([Part(np.arange(3), statistics.mean(np.full(3, np.nan)))], np.arange(5)) is None


def test_rare_values_keep_the_interval_around_the_estimate():
    values = np.full(40, np.nan)
    values[7] = 2.5
    found = rate(values, np.arange(40), bounds=None)
    assert found.low == found.value == found.high == 2.5


def test_clips_of_a_single_speaker_are_drawn_one_by_one():
    values = np.arange(400) % 4 == 0
    found, independent = rate(values, np.zeros(400, dtype=int)), rate(values, np.arange(400))
    assert found == independent
    unanimous = rate(np.ones(400, dtype=bool), np.zeros(400, dtype=int))
    assert unanimous.low == pytest.approx(0.025), "one speaker is one observation, whatever it says"
