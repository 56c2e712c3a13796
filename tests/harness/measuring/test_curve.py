"""Reading a trace, against a plain loop over it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from soundproof.measuring.curve import POINTS, auc_of, curve, first_reach, handed_over, standing
from soundproof.victim.trace import TraceTable

pytestmark = pytest.mark.slow

CLIPS = 5


def table(rows):
    """A trace from (clip, gradients, score, l2) rows; fooled where the score is positive."""
    clip, gradients, score, l2 = (np.asarray(column) for column in zip(*rows, strict=True))
    score = score.astype(np.float32)
    return TraceTable(clip, gradients, gradients + 1, score, l2.astype(np.float32), score > 0, score > 0)


traces = st.lists(
    st.tuples(
        st.integers(0, CLIPS - 1), st.integers(0, 6), st.integers(-8, 8).map(float), st.integers(0, 20).map(float)
    ),
    min_size=1,
    max_size=60,
).map(table)
CLEAN = -np.arange(1.0, CLIPS + 1)


def plain_standing(trace, gradients, radius):
    best = [(score, 0.0, False) for score in CLEAN]
    for e in range(len(trace.clip)):
        if trace.gradients[e] > gradients or trace.l2[e] > radius:
            continue
        clip, score, l2, met = trace.clip[e], trace.score[e], trace.l2[e], bool(trace.met[e])
        held = best[clip]
        if (met and (not held[2] or l2 < held[1])) or (not met and not held[2] and score > held[0]):
            best[clip] = (score, l2, met)
    return best


@given(traces, st.integers(0, 6), st.integers(0, 20))
@settings(max_examples=200, deadline=None)
def test_the_best_so_far_equals_a_plain_loop(trace, gradients, radius):
    found = standing(trace, CLEAN, gradients, radius)
    expected = plain_standing(trace, gradients, radius)
    np.testing.assert_array_equal(found.met, [held[2] for held in expected])
    np.testing.assert_array_equal(found.l2[found.met], [held[1] for held in expected if held[2]])
    np.testing.assert_array_equal(found.score[~found.met], [held[0] for held in expected if not held[2]])
    assert (found.score[found.met] > 0).all()


def reached(trace, gradients):
    return auc_of(CLEAN, handed_over(trace, CLEAN, gradients).score)


@given(traces, st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_what_is_handed_over_fools_or_is_clean(trace, gradients):
    found = handed_over(trace, CLEAN, gradients)
    for clip, (score, l2, met) in enumerate(plain_standing(trace, gradients, np.inf)):
        assert found.fooled[clip] == met
        assert found.l2[clip] == (l2 if met else 0)
        if not met:
            assert found.score[clip] == CLEAN[clip], "a near miss is not handed over"
        else:
            assert found.score[clip] > 0
            assert score > 0


@given(traces)
@settings(max_examples=100, deadline=None)
def test_more_gradients_never_lower_the_auc(trace):
    aucs = [reached(trace, gradients) for gradients in range(7)]
    assert (np.diff(aucs) >= 0).all()


@given(traces, st.sampled_from([0.5, 0.6, 0.75, 0.9]))
@settings(max_examples=100, deadline=None)
def test_first_reach_is_the_first_step_above_the_target(trace, target):
    above = [g for g in np.unique(trace.gradients) if reached(trace, g) > target]
    assert first_reach(trace, CLEAN, target) == (above[0] if above else None)


def test_auc_equals_scikit_learn():
    trace = table([(0, 1, 2.0, 1.0), (1, 1, -0.5, 1.0), (3, 2, 4.0, 2.0)])
    attacked = np.array([2.0, CLEAN[1], -3.0, 4.0, -5.0])
    truth = np.repeat([0, 1], CLIPS)
    expected = roc_auc_score(truth, np.concatenate([CLEAN, attacked]))
    assert reached(trace, 2) == pytest.approx(expected)


def test_near_misses_reach_nothing():
    """Every clip just short of the boundary, above every clean score: nobody is fooled."""
    trace = table([(clip, 1, -0.01, 1.0) for clip in range(CLIPS)])
    assert reached(trace, 9) == 0.5
    assert first_reach(trace, CLEAN, 0.9) is None


def test_long_curves_are_thinned_and_keep_their_ends():
    trace = table([(g % CLIPS, g, -1.0 + g / 500, g / 100) for g in range(1000)])
    gradients, aucs, rates = curve(trace, CLEAN, np.inf)
    assert len(gradients) == len(aucs) == len(rates) <= POINTS
    assert (gradients[0], gradients[-1]) == (0, 999)
    assert rates[-1] == 1
    assert (np.diff(aucs) >= 0).all()


def test_an_empty_trace_reaches_nothing():
    none = np.zeros(0, np.int64)
    empty = TraceTable(none, none, none, *(none.astype(t) for t in (np.float32, np.float32, bool, bool)))
    assert first_reach(empty, CLEAN, 0.9) is None
    assert reached(empty, 5) == 0.5
