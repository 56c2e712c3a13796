"""Security curves against scikit-learn and a count by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from soundproof.boards.curves import POINTS, Fallen, fallen, over_gradients, over_size, worst


def drawn(seed, n=20):
    rng = np.random.default_rng(seed)
    size = rng.lognormal(size=n)
    return Fallen(np.where(rng.random(n) < 0.3, np.inf, size), -rng.random(n))


def handed_over(run, radius):
    """What an adversary with that radius hands over: fooled clips beyond the boundary, else the clean copy."""
    return np.where(run.size <= radius, 1.0 + run.size, run.clean)


@pytest.mark.parametrize("runs", [1, 3])
def test_rate_and_auc_are_those_of_what_is_handed_over(runs):
    found = [drawn(seed, 20 + seed) for seed in range(runs)]
    curve = over_size("who", None, found)
    for at, rate, auc in zip(curve.along, curve.rate, curve.auc, strict=True):
        expected = [
            roc_auc_score([0] * len(run.clean) + [1] * len(run.clean), [*run.clean, *handed_over(run, at)])
            for run in found
        ]
        assert rate == pytest.approx(np.mean([(run.size <= at).mean() for run in found]))
        assert auc == pytest.approx(np.mean(expected))


def test_the_worst_case_takes_the_smallest_clip_by_clip():
    one, other = drawn(1), drawn(2)
    together = worst([one, other])
    assert (together.size == np.minimum(one.size, other.size)).all()
    rates = [over_size("who", None, [each]).rate[-1] for each in (together, one, other)]
    assert rates[0] >= max(rates[1:])


def test_curves_are_thinned_and_keep_their_end():
    run = Fallen(np.arange(1.0, 501.0), -np.ones(500))
    curve = over_size("who", None, [run])
    assert len(curve.along) <= POINTS
    assert (curve.along[-1], curve.rate[-1]) == (500.0, pytest.approx(1.0))


def test_where_no_clip_falls_there_is_no_curve():
    assert over_size("who", None, [Fallen(np.full(3, np.inf), -np.ones(3))]) is None


def test_a_search_without_sizes_has_none():
    assert fallen({"clean_score": np.zeros(2)}) is None
    assert fallen({"clean_score": np.zeros(2), "smallest": np.array([np.nan, 1.0])}).size.tolist() == [np.inf, 1.0]


def test_over_gradients_each_run_holds_until_its_next_step():
    runs = [
        {
            "curve_gradients": np.array([0.0, 2.0]),
            "curve_rate": np.array([0, 1.0]),
            "curve_auc": np.array([0.5, 1]),
        },
        {"curve_gradients": np.array([1.0]), "curve_rate": np.array([0.5]), "curve_auc": np.array([0.7])},
    ]
    curve = over_gradients("who", None, runs)
    assert curve.along == (0, 1, 2)
    assert curve.rate == pytest.approx((0, 0.25, 0.75))
    assert curve.auc == pytest.approx((0.5, 0.6, 0.85))
