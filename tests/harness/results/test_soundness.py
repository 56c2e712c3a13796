"""One odd row is set aside with a reason, and no other."""

from dataclasses import replace

import numpy as np
import pytest

from soundproof.boards import draw
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.soundness import screened
from soundproof.types import Status


@pytest.fixture
def whole(bench):
    """A classifier with all four protocols, and a second one that must not suffer from the first."""
    for model in ("odd", "fine"):
        bench.clean([0] * 6, [0] * 4 + [1] * 2, model=model)
        for attack in ("fgsm", "cwa"):
            bench.bounded(range(4), [True, False, False, True], 6, attack=attack, model=model)
            bench.reach(range(4), attack=attack, model=model)
        bench.transfer(range(4), [1, 0, 1, 0], target={"id": "vgg"}, model=model)
    return bench


def first(bench, protocol):
    return next(row for row in bench.rows if row.protocol == protocol)


def odd(bench):
    """What is set aside, with the reasons; the pages of all the rest render."""
    rows = screened(bench.results()).rows
    assert len(rows) == len(bench.rows)
    aside = {row.key: row for row in rows if row.status is Status.INVALID}
    assert all(row.flags == ("unsound",) and not row.metrics for row in aside.values())
    text = draw(bench.results()).pages
    assert ("unsound" in text["README.md"]) == bool(aside)
    assert "fine" in text["index.html"].split("<tbody>")[1].split("</tbody>")[0]
    return {key: row.reason for key, row in aside.items()}


def test_rows_that_fit_are_left_as_they_are(whole, crowded):
    for bench in (whole, crowded):
        found = bench.results()
        assert screened(found) is found


@pytest.mark.parametrize(
    ("protocol", "field"),
    [("clean", "prediction"), ("bounded", "tested"), ("reach", "score"), ("transfer", "source_fooled")],
)
def test_missing_samples(whole, protocol, field):
    row = first(whole, protocol)
    del whole.samples[f"{row.key}/{field}"]
    assert odd(whole) == {row.key: f"samples missing: {field}"}


@pytest.mark.parametrize("protocol", ["clean", "bounded", "reach", "transfer"])
def test_samples_of_another_length(whole, protocol):
    row = first(whole, protocol)
    whole.samples[f"{row.key}/score"] = np.zeros(3)
    clips = 6 if protocol == "clean" else 4
    assert odd(whole) == {row.key: f"samples of other lengths than its {clips} clips: score"}


@pytest.mark.parametrize("clips", [[0, 1, 2, 99], [-1, 1, 2, 3], [0, 0, 1, 2], [0.0, 1.0, 2.0, 3.0]])
def test_clips_that_are_none(whole, clips):
    row = first(whole, "bounded")
    whole.samples[f"{row.key}/clip"] = np.array(clips)
    assert odd(whole) == {row.key: "samples of clips that its data set does not have: clip"}


def test_attacked_clips_that_the_classifier_gets_wrong(whole):
    """A classifier that answers at random is right on other clips each time it is asked."""
    row = first(whole, "bounded")
    whole.samples[f"{row.key}/clip"] = np.array([0, 1, 2, 5])
    (reason,) = odd(whole).values()
    assert reason == "attacked other clips than those that its classifier gets right: is it random?"


def test_without_a_clean_row_the_most_attacks_are_believed(whole):
    whole.rows.remove(first(whole, "clean"))
    row = first(whole, "reach")
    whole.samples[f"{row.key}/clip"] = np.array([0, 1, 2, 5])
    assert odd(whole).keys() == {row.key}


def test_where_two_attacks_disagree_neither_is_believed(whole):
    own = {"model": "noisy"}
    for attack, clips in (("fgsm", range(4)), ("cwa", range(1, 5))):
        whole.bounded(clips, [True] * 4, 6, attack=attack, **own)
    assert odd(whole).keys() == {row.key for row in whole.rows[-2:]}


@pytest.mark.parametrize(
    "metric", [Metric(0.5, 0.7, 0.3, 4), Metric(0.5, 0.6, 0.7, 4), Metric(float("nan"), 0, 1, 4)]
)
def test_numbers_outside_of_their_interval(whole, metric):
    row = first(whole, "bounded")
    whole.rows[whole.rows.index(row)] = replace(row, metrics={**row.metrics, "gradients": metric})
    (reason,) = odd(whole).values()
    assert reason.startswith("its gradients is ")


@pytest.mark.parametrize(
    ("protocol", "name"),
    [("clean", "accuracy"), ("bounded", "fooling_auc"), ("reach", "l2"), ("transfer", "transfer_ratio")],
)
def test_numbers_of_another_run(whole, protocol, name):
    row = first(whole, protocol)
    whole.rows[whole.rows.index(row)] = replace(row, metrics={**row.metrics, name: Metric(0.125, 0.1, 0.2, 4)})
    (reason,) = odd(whole).values()
    assert reason.startswith(f"its {name} is 0.125, and ")


def test_a_row_that_stands_twice_counts_once(whole):
    row = first(whole, "clean")
    whole.rows.append(replace(row, key="another"))
    rows = [each for each in screened(whole.results()).rows if each.status is Status.INVALID]
    assert [each.reason for each in rows] == ["it stands twice in the results"]
