"""Averages and worst cases that need more than the samples of one row: docs/metrics.md §3 and §7."""

import numpy as np
import pytest

from soundproof.boards.collect import collect
from soundproof.errors import ResultsError

TRAINED = {"id": "adversarial-training"}


def value(entry, name):
    return entry.metrics[name].value


def grey_of(entry):
    return {name: metric.value for name, metric in entry.metrics.items() if "grey" in name}


def test_the_grey_box_attacker_has_a_worst_case_of_its_own(bench):
    """Informed: 6 of 10 clips fall to one attack or the other. Grey-box: 3 of 10. Undefended: only informed."""
    for defense in ({"id": "none"}, TRAINED):
        bench.clean([0] * 12, [0] * 10 + [1] * 2, defense=defense)
    bench.bounded(range(10), [True] * 4 + [False] * 6, 12, "fgsm", grey=[True] * 2 + [False] * 8, defense=TRAINED)
    bench.bounded(
        range(10),
        [False] * 4 + [True] * 2 + [False] * 4,
        12,
        "cwa",
        grey=[False, True, True] + [False] * 7,
        defense=TRAINED,
    )
    bench.bounded(range(10), [True] * 10, 12, "fgsm")
    entries = {entry.name.defense.short: entry for entry in collect(bench.results()).robustness}
    defended = entries["adversarial-training"]
    assert (value(defended, "robust_accuracy"), value(defended, "fooling_rate")) == pytest.approx((4 / 12, 0.6))
    areas = [value(attack, "grey_fooling_auc") for attack in defended.attacks]
    assert grey_of(defended) == pytest.approx(
        {"grey_robust_accuracy": 7 / 12, "grey_fooling_rate": 0.3, "mean_grey_fooling_auc": np.mean(areas)},
        rel=1e-5,
    )
    assert [value(attack, "grey_fooling_rate") for attack in defended.attacks] == [0.2, 0.2]
    assert not grey_of(entries["none"])
    assert (defended.rank, entries["none"].rank) == (1, 2)


def test_the_informed_attacker_ranks(bench):
    for model, informed, grey in (("hides", 3, 0), ("holds", 1, 2)):
        bench.clean([0] * 4, [0] * 4, model=model, defense=TRAINED)
        fooled, by_grey_box = ([True] * n + [False] * (4 - n) for n in (informed, grey))
        bench.bounded(range(4), fooled, 4, grey=by_grey_box, model=model, defense=TRAINED)
    ranks = {entry.name.model.short: entry.rank for entry in collect(bench.results()).robustness}
    assert ranks == {"holds": 1, "hides": 2}


def test_grey_box_numbers_are_averaged_over_folds(bench):
    rows = []
    for fold, (clips, fallen) in enumerate(((range(4), 1), (range(4, 10), 4))):
        n = len(clips)
        bench.clean([0] * n, [0] * n, clips=np.asarray(clips), fold=fold, defense=TRAINED)
        grey = [True] * fallen + [False] * (n - fallen)
        rows.append(bench.bounded(clips, [True] * n, n, grey=grey, fold=fold, defense=TRAINED))
    entry = collect(bench.results()).robustness[0]
    for name in ("grey_fooling_auc", "grey_fooling_rate", "grey_robust_accuracy"):
        mean = np.mean([row.metrics[name].value for row in rows])
        assert value(entry.attacks[0], name) == pytest.approx(mean, rel=1e-5)
    assert value(entry, "grey_fooling_rate") == pytest.approx((1 / 4 + 4 / 6) / 2)


def test_a_grey_worst_case_is_over_all_attacks_or_none(bench):
    bench.clean([0] * 4, [0] * 4, defense=TRAINED)
    bench.bounded(range(4), [True] * 4, 4, "fgsm", grey=[False] * 4, defense=TRAINED)
    bench.bounded(range(4), [True] * 4, 4, "cwa", defense=TRAINED)
    (entry,) = collect(bench.results()).robustness
    assert not grey_of(entry)
    assert "grey_fooling_rate" in entry.attacks[1].metrics


def test_lost_samples_of_the_grey_box_attacker_are_named(bench):
    row = bench.bounded(range(4), [True] * 4, 4, grey=[False] * 4, defense=TRAINED)
    del bench.samples[f"{row.key}/grey_score"]
    with pytest.raises(ResultsError, match="grey_score"):
        collect(bench.results())


def test_attacks_on_other_clips_are_refused(bench):
    bench.clean([0] * 5, [0] * 4 + [1])
    bench.bounded([0, 1, 2, 3], [True, False, False, False], 5, "fgsm")
    bench.bounded([2, 1, 0], [False, False, False], 5, "cwa")
    with pytest.raises(ResultsError, match="its clips are not those of the other attacks"):
        collect(bench.results())


def test_what_a_defense_reports_is_averaged_from_the_rows(bench):
    """No samples hold it: the ends of intervals are averaged, which is never too narrow, and n is the largest."""
    rows = [
        bench.clean(
            [0, 1], [0, 1], fold=fold, reports={"snr_improvement_db": (number, n), "training_gradients": (3, 40)}
        )
        for fold, (number, n) in enumerate(((1.0, 8), (4.0, 5)))
    ]
    (entry,) = collect(bench.results()).accuracy
    found = entry.metrics["snr_improvement_db"]
    each = [row.metrics["snr_improvement_db"] for row in rows]
    assert (found.value, found.n) == (2.5, 8)
    assert (found.low, found.high) == (np.mean([m.low for m in each]), np.mean([m.high for m in each]))
    assert value(entry, "training_gradients") == 3
