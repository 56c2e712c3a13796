"""Paired differences of two runs."""

from dataclasses import replace

import numpy as np
import pytest

from soundproof.errors import ResultsError
from soundproof.results.compare import compare
from workbench import Workbench


def run(right, clips=40):
    bench = Workbench(clips)
    bench.clean([0] * clips, [0 if ok else 1 for ok in right])
    return bench.results()


def test_a_change_is_drawn_for_both_runs_alike():
    """The second gets ten clips more: of the pair that is known better than of either."""
    first, second = np.arange(40) < 20, np.arange(40) < 30
    (found,) = compare(run(first), run(second)).differences
    assert (found.name, found.before, found.after) == ("accuracy", 0.5, 0.75)
    assert found.change.value == pytest.approx(0.25)
    # Twenty recordings of two clips; five of them changed: a binomial share.
    draws = np.random.default_rng(0).binomial(20, 0.25, 20_000) / 20
    assert (found.change.low, found.change.high) == pytest.approx(
        tuple(np.quantile(draws, [0.025, 0.975])), abs=0.051
    )
    assert found.settled


def test_the_same_run_has_no_change():
    (found,) = compare(run([True] * 40), run([True] * 40)).differences
    assert (found.change.value, found.change.low, found.change.high) == (0, 0, 0)
    assert not found.settled


def test_cells_of_one_run_alone_are_told():
    first, second = Workbench(), Workbench()
    first.clean([0, 1], [0, 1], model="gone")
    second.clean([0, 1], [0, 1], model="new")
    found = compare(first.results(), second.results())
    assert found.differences == ()
    assert [row.model["id"] for row in found.only_before] == ["gone"]
    assert [row.model["id"] for row in found.only_after] == ["new"]


def test_other_clips_cannot_be_paired():
    first, second = run([True] * 40), run([True] * 40)
    other = {**second.run, "datasets": [{**second.run["datasets"][0], "checksum": "other"}]}
    with pytest.raises(ResultsError, match=r"the clips differ in .*synth"):
        compare(first, replace(second, run=other))
