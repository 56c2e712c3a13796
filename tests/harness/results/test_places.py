"""Places that clips settle, against a bootstrap written out and against what must hold by logic."""

import numpy as np
import pytest

from soundproof.results.places import places, settled

GROUPS = np.repeat(np.arange(30), 2)


def outcomes(*right, run=(0, 0)):
    return {run: (np.arange(len(right)), np.array(right, dtype=bool))}


def paired_low(one, other, groups):
    """The lower end of a difference's 95 % interval: recordings drawn one by one, with all of their clips."""
    rng = np.random.default_rng(3)
    difference = np.asarray(one, float) - np.asarray(other, float)
    recordings = [difference[groups == number] for number in np.unique(groups)]
    draws = [
        np.concatenate([recordings[i] for i in rng.integers(0, len(recordings), len(recordings))]).mean()
        for _ in range(4000)
    ]
    return np.quantile(draws, 0.025)


@pytest.mark.parametrize("better", [2, 4, 7, 9, 12, 20])
def test_settled_is_what_a_bootstrap_over_recordings_says(better):
    rng = np.random.default_rng(better)
    one = rng.random(60) < 0.5
    other = one.copy()
    gained, lost = rng.permutation(60)[: better + 3][:better], rng.permutation(60)[:3]
    other[gained], other[lost] = False, True
    low = paired_low(one, other, GROUPS)
    if abs(low) > 0.01:  # nearer to zero the draws decide
        assert settled([outcomes(*one), outcomes(*other)], GROUPS)[0, 1] == (low > 0)


def test_paired_differences_settle_what_intervals_do_not():
    """Seven recordings more of thirty: their intervals overlap, and the difference is never below zero."""
    one, other = np.zeros(60, bool), np.zeros(60, bool)
    one[:34], other[:20] = True, True
    assert places([outcomes(*one), outcomes(*other)], GROUPS) == [(1, 1), (2, 2)]


def test_a_few_recordings_settle_nothing():
    """Five that all speak for one side come by chance once in sixteen times."""
    one, other = np.ones(60, bool), np.ones(60, bool)
    other[:10] = False
    assert places([outcomes(*one), outcomes(*other)], GROUPS) == [(1, 2), (1, 2)]


def test_places_count_who_is_settled_better_and_worse():
    levels = [50, 48, 30, 0]
    classifiers = [outcomes(*(np.arange(60) < level)) for level in levels]
    assert places(classifiers, GROUPS) == [(1, 2), (1, 2), (3, 3), (4, 4)]


def test_equal_classifiers_share_all_places():
    assert places([outcomes(*[False] * 60)] * 4, GROUPS) == [(1, 4)] * 4
    assert places([outcomes(*[True] * 60)], GROUPS) == [(1, 1)]
    assert places([], GROUPS) == []


def test_clips_of_one_recording_are_one_voice():
    one, other = np.ones(60, bool), np.ones(60, bool)
    other[:8] = False
    assert places([outcomes(*one), outcomes(*other)], GROUPS) == [(1, 2), (1, 2)]
    assert places([outcomes(*one), outcomes(*other)], np.arange(60)) == [(1, 1), (2, 2)]
    # A single recording: its clips are all there is to draw.
    assert places([outcomes(*one), outcomes(*other)], np.zeros(60, int)) == [(1, 1), (2, 2)]


def test_folds_and_seeds_are_averaged_draw_by_draw():
    """Better in one fold by as much as worse in the other: nothing is settled."""
    up, down = np.arange(30) < 25, np.arange(30) < 5
    one = {(0, 0): (np.arange(30), up), (1, 0): (np.arange(30, 60), down)}
    other = {(0, 0): (np.arange(30), down), (1, 0): (np.arange(30, 60), up)}
    assert not settled([one, other], GROUPS).any()
    twice = {(0, 0): (np.arange(30), up), (1, 0): (np.arange(30, 60), up)}
    assert settled([twice, other], GROUPS)[0, 1]
