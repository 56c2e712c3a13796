"""Statistics against scikit-learn, and weighted ones against repeated rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as reference

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.draws import Draws

ONCE = Draws.once
scores = hnp.arrays(np.float64, 20, elements=st.integers(-5, 5).map(float))
weights = hnp.arrays(np.float64, (3, 20), elements=st.integers(0, 3).map(float))


@given(scores, scores)
@settings(max_examples=100, deadline=None)
def test_auc_equals_scikit_learn_with_ties(clean, attacked):
    truth = np.repeat([0, 1], 20)
    expected = reference.roc_auc_score(truth, np.concatenate([clean, attacked]))
    assert statistics.auc(clean, attacked)(ONCE(20))[0] == pytest.approx(expected, abs=1e-12)


def test_auc_has_its_closed_forms():
    clean = -np.arange(1.0, 41)
    assert statistics.auc(clean, clean)(ONCE(40))[0] == 0.5
    assert statistics.auc(clean, clean + 100)(ONCE(40))[0] == 1.0
    attacked = np.where(np.arange(40) < 10, 1.0, clean)
    pairs = [[1.0 if a > c else 0.5 if a == c else 0.0 for c in clean] for a in attacked]
    assert statistics.auc(clean, attacked)(ONCE(40))[0] == pytest.approx(np.mean(pairs))


@given(scores, scores, weights)
@settings(max_examples=50, deadline=None)
def test_weights_mean_repeated_clips(first, second, drawn):
    made = {
        "mean": (statistics.mean, lambda rows: np.mean(first[rows])),
        "auc": (
            lambda values: statistics.auc(values, second),
            lambda rows: reference.roc_auc_score(
                np.repeat([0, 1], len(rows)), np.concatenate([first[rows], second[rows]])
            ),
        ),
    }
    for make, plain in made.values():
        for row, value in zip(drawn, make(first)(Draws.weighted(drawn)), strict=True):
            rows = np.repeat(np.arange(20), row.astype(int))
            if len(rows):
                assert value == pytest.approx(plain(rows), abs=1e-9)
            else:
                assert np.isnan(value)


@given(hnp.arrays(np.int64, 30, elements=st.integers(0, 3)), hnp.arrays(np.int64, 30, elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_macro_measures_equal_scikit_learn(labels, predictions):
    found = statistics.macro(labels, predictions, 4)
    expected = reference.precision_recall_fscore_support(labels, predictions, average="macro", zero_division=0.0)
    for name, value in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        assert found[name](ONCE(30))[0] == pytest.approx(value, abs=1e-12)


@given(scores, st.integers(1, 19))
@settings(max_examples=100, deadline=None)
def test_equal_error_rate_equals_the_roc_curve(values, positives):
    truth = np.arange(20) < positives
    alarms, hits, _ = reference.roc_curve(truth, values, drop_intermediate=False)
    misses = 1 - hits
    nearest = np.abs(misses - alarms).min()
    found = statistics.equal_error_rate(values, truth)(ONCE(20))[0]
    candidates = (misses + alarms)[np.isclose(np.abs(misses - alarms), nearest)] / 2
    assert np.isclose(candidates, found).any()


def test_equal_error_rate_of_separable_and_opposite_scores():
    truth = np.arange(10) >= 5
    assert statistics.equal_error_rate(np.arange(10.0), truth)(ONCE(10))[0] == 0
    assert statistics.equal_error_rate(-np.arange(10.0), truth)(ONCE(10))[0] == 1
    assert statistics.equal_error_rate(np.zeros(10), truth)(ONCE(10))[0] == 0.5


def test_missing_values_do_not_take_part():
    values = np.array([1.0, np.nan, 3.0])
    assert statistics.mean(values)(ONCE(3))[0] == 2
    ratio = statistics.ratio_of_means(values, np.array([2.0, 4.0, np.nan]))
    assert ratio(ONCE(3))[0] == pytest.approx(2 / 3)
