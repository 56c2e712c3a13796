import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from soundproof.boards.collect import collect
from soundproof.boards.entries import Rank
from soundproof.boards.names import Called, Variant
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.files import Results
from soundproof.types import Status

pytestmark = pytest.mark.slow

TRAINED = {"id": "adversarial-training"}


def value(entry, name):
    return entry.metrics[name].value


def called(name):
    return Called(name, name)


def placed(entries):
    """Models with their plain places, in order."""
    return {entry.name.model.short: entry.rank and entry.rank.place for entry in entries}


def test_a_single_fold_shows_the_row_as_it_is(bench):
    clean = bench.clean([0, 1, 0, 1], [0, 1, 1, 1])
    bounded = bench.bounded([0, 1, 3], [True, False, True], tested=4)
    reach = bench.reach([0, 1, 3], gradients=[1, 2, 9], l2=[0.5, 1.0, 2.5])
    transfer = bench.transfer([0, 1, 3], [True, False, False], target={"id": "vgg"})
    boards = collect(bench.results())
    assert boards.accuracy[0].metrics == clean.metrics
    assert boards.robustness[0].attacks[0].metrics == bounded.metrics
    assert boards.cost[0].metrics == reach.metrics
    assert boards.transfers[0].metrics == transfer.metrics


@pytest.fixture
def two_folds(bench):
    """Two folds of different size; every metric differs between them."""
    rng = np.random.default_rng(1)
    bench.run["datasets"] = [{"dataset": {"id": "synth"}, "classes": ["a", "b", "c"]}]
    rows = []
    for fold, clips in enumerate((np.arange(12), np.arange(12, 40))):
        n = len(clips)
        labels = rng.integers(0, 3, n)
        right = rng.random(n) < 0.7
        attacked = clips[right]
        fooled = rng.random(len(attacked)) < 0.4
        scores = rng.normal(size=len(attacked))
        spent = rng.integers(1, 50, len(attacked)).astype(float)
        lengths = rng.uniform(0, 3, len(attacked))
        rows.append(bench.clean(labels, np.where(right, labels, (labels + 1) % 3), clips=clips, fold=fold))
        rows.append(bench.bounded(attacked, fooled, clips, scores=scores, gradients=spent, l2=lengths, fold=fold))
        rows.append(bench.reach(attacked, gradients=spent, l2=lengths, fooled=fooled, fold=fold))
        rows.append(bench.transfer(attacked, fooled, target={"id": "vgg"}, fold=fold))
    boards = collect(bench.results())
    entries = {
        "clean": boards.accuracy[0],
        "bounded": boards.robustness[0].attacks[0],
        "reach": boards.cost[0],
        "transfer": boards.transfers[0],
    }
    return rows, entries


@pytest.mark.parametrize("protocol", ["clean", "bounded", "reach", "transfer"])
def test_folds_are_averaged_and_not_pooled(two_folds, protocol):
    rows, entries = two_folds
    rows = [row for row in rows if row.protocol == protocol]
    assert entries[protocol].metrics.keys() == rows[0].metrics.keys()
    for name, metric in entries[protocol].metrics.items():
        values = [row.metrics[name].value for row in rows]
        if name not in ("linf", "l0"):  # which the workbench makes constant
            assert values[0] != values[1]
            assert metric.low < metric.value < metric.high
        assert metric.value == pytest.approx(np.mean(values), rel=1e-5), name
        assert metric.n == sum(row.metrics[name].n for row in rows)


def test_intervals_draw_recordings_and_not_clips(bench):
    """Two clips a recording that always agree: the interval is that of half as many independent clips."""
    right = np.repeat(np.random.default_rng(0).random(20) < 0.5, 2)
    for seed in (0, 1):
        bench.clean(np.zeros(40, int), (~right).astype(int), seed=seed)
    metric = collect(bench.results()).accuracy[0].metrics["accuracy"]
    half_width = (metric.high - metric.low) / 2
    deviation = np.sqrt(right.mean() * (1 - right.mean()))
    assert half_width == pytest.approx(1.96 * deviation / np.sqrt(20), rel=0.1)


def test_certainty_has_the_width_that_its_recordings_allow(bench):
    """All clips right, in both folds: 0.025 = p^20 for the 20 recordings (Clopper and Pearson)."""
    for seed in (0, 1):
        bench.clean(np.zeros(40, int), np.zeros(40, int), seed=seed)
    metric = collect(bench.results()).accuracy[0].metrics["accuracy"]
    assert (metric.value, metric.high) == (1.0, 1.0)
    assert metric.low == pytest.approx(0.025 ** (1 / 20), rel=1e-5)


def test_coverage_counts_cells_folds_and_seeds(bench):
    for fold in (0, 1):
        for seed in (0, 1, 2):
            bench.clean([0, 1], [0, 1], fold=fold, seed=seed)
    bench.broken("clean", fold=2)
    coverage = collect(bench.results()).accuracy[0].coverage
    assert (coverage.done, coverage.planned, coverage.folds, coverage.seeds) == (6, 7, 2, 3)


def test_the_worst_case_is_per_clip_and_no_mean_of_minima(bench):
    """Each attack leaves half of the clips, but not the same half; the minimum over attacks would be 0.5."""
    bench.clean([0] * 10, [0] * 10)
    bench.bounded(range(10), [True] * 5 + [False] * 5, tested=10, attack="fgsm")
    bench.bounded(range(10), [False] * 5 + [True] * 5, tested=10, attack="deepfool")
    entry = collect(bench.results()).robustness[0]
    assert [value(attack, "robust_accuracy") for attack in entry.attacks] == [0.5, 0.5]
    assert value(entry, "robust_accuracy") == 0.0
    assert value(entry, "fooling_rate") == 1.0
    # Five recordings that all fall: 0.025 = p^5 bounds what survives (Clopper and Pearson).
    assert entry.metrics["robust_accuracy"].high == pytest.approx(1 - 0.025 ** (1 / 5), rel=1e-5)


def test_the_worst_case_is_taken_within_each_fold(bench):
    """Fold 0: 8 of 10 right, 2 of these fooled by one attack or the other. Fold 1: 2 of 4 right, none fooled."""
    bench.clean([0] * 10, [0] * 8 + [1] * 2, clips=np.arange(10))
    bench.bounded(range(8), [True] + [False] * 7, tested=10, attack="fgsm")
    bench.bounded(range(8), [False] * 7 + [True], tested=10, attack="cwa")
    bench.clean([0] * 4, [0, 0, 1, 1], clips=np.arange(10, 14), fold=1)
    for attack in ("fgsm", "cwa"):
        bench.bounded([10, 11], [False, False], tested=range(10, 14), attack=attack, fold=1)
    entry = collect(bench.results()).robustness[0]
    assert value(entry, "accuracy") == pytest.approx((0.8 + 0.5) / 2)
    assert value(entry, "robust_accuracy") == pytest.approx((0.6 + 0.5) / 2)
    assert value(entry, "fooling_rate") == pytest.approx((0.25 + 0.0) / 2)
    assert entry.metrics["robust_accuracy"].n == 14
    assert entry.metrics["fooling_rate"].n == 10


def test_the_worst_case_of_one_attack_is_that_attack(bench):
    bench.clean([0] * 6, [0] * 4 + [1] * 2)
    row = bench.bounded(range(4), [True, False, False, False], tested=6, scores=[1, -1.5, -2, -0.5])
    entry = collect(bench.results()).robustness[0]
    assert value(entry, "robust_accuracy") == row.metrics["robust_accuracy"].value
    assert value(entry, "fooling_rate") == row.metrics["fooling_rate"].value
    assert value(entry, "mean_fooling_auc") == row.metrics["fooling_auc"].value


def test_means_are_over_the_attacks_of_the_papers(bench):
    bench.controls("noise")
    bench.clean([0] * 4, [0] * 4)
    rows = [
        bench.bounded(range(4), [True] * n + [False] * (4 - n), tested=4, attack=attack)
        for n, attack in ((1, "fgsm"), (3, "cwa"), (4, "pgd"), (0, "noise"))
    ]
    boards = collect(bench.results())
    mean = np.mean([row.metrics["fooling_auc"].value for row in rows[:2]])
    assert value(boards.robustness[0], "mean_fooling_auc") == pytest.approx(mean, rel=1e-5)
    assert [str(attack) for attack in boards.averaged] == ["fgsm", "cwa"]
    # The worst case is over all that are no controls.
    assert value(boards.robustness[0], "robust_accuracy") == 0


def test_without_attacks_of_the_papers_means_are_over_all_but_controls(bench):
    bench.controls("noise")
    bench.clean([0] * 4, [0] * 4)
    rows = [
        bench.bounded(range(4), [True] * n + [False] * (4 - n), tested=4, attack=attack)
        for n, attack in ((1, "square"), (3, "pgd"), (0, "noise"))
    ]
    boards = collect(bench.results())
    mean = np.mean([row.metrics["fooling_auc"].value for row in rows[:2]])
    assert value(boards.robustness[0], "mean_fooling_auc") == pytest.approx(mean, rel=1e-5)
    assert [str(attack) for attack in boards.averaged] == ["pgd", "square"]


def test_controls_are_rows_and_nothing_else(bench):
    """A control that fools everything, or breaks, changes no worst case, no mean, no rank and no flag."""
    bench.clean([0] * 4, [0] * 4)
    bench.reach(range(4), attack="fgsm", gradients=2.0)
    bench.bounded(range(4), [True, False, False, False], tested=4, attack="fgsm")
    bench.transfer(range(4), [1, 0, 0, 0], target={"id": "vgg"}, attack="fgsm")
    without = collect(bench.results())
    bench.controls("noise")
    bench.bounded(range(4), [True] * 4, tested=4, attack="noise")
    bench.reach(range(4), attack="noise", gradients=100.0)
    bench.transfer(range(4), [1, 1, 1, 1], target={"id": "vgg"}, attack="noise")
    bench.broken("bounded", attack={"id": "noise", "seed": 1})
    boards = collect(bench.results())
    (entry,) = boards.robustness
    assert entry.metrics == without.robustness[0].metrics
    assert (entry.rank, entry.flags) == (without.robustness[0].rank, ())
    assert {each.attack.short: each.control for each in entry.attacks} == {"fgsm": False, "noise": True}
    assert {str(each.attack) for each in boards.transfers} == {"fgsm", "noise"}
    assert value(boards.means[0], "gradients") == 2.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=1, max_size=4))
def test_no_attack_alone_does_worse_than_the_worst_case(bench, fooled):
    bench = type(bench)()
    bench.clean([0] * 10, [0] * 8 + [1] * 2)
    for number, each in enumerate(fooled):
        bench.bounded(range(8), each, tested=10, attack={"id": "pgd", "steps": number})
    entry = collect(bench.results()).robustness[0]
    assert value(entry, "robust_accuracy") <= min(value(attack, "robust_accuracy") for attack in entry.attacks)
    assert value(entry, "fooling_rate") >= max(value(attack, "fooling_rate") for attack in entry.attacks)
    assert value(entry, "robust_accuracy") == pytest.approx(0.8 - np.any(fooled, axis=0).sum() / 10)


def test_the_equal_error_rate_is_averaged_too(bench):
    rng = np.random.default_rng(3)
    expected = []
    for fold, clips in enumerate((np.arange(20), np.arange(20, 40))):
        labels = np.arange(20) % 2
        logit = rng.normal(size=20) + 1.2 * labels  # of class 1 over class 0
        false_alarms, hits, _ = roc_curve(labels, logit, drop_intermediate=False)
        nearest = np.argmin(np.abs(1 - hits - false_alarms))
        expected.append((1 - hits[nearest] + false_alarms[nearest]) / 2)
        scores = np.where(labels == 1, -logit, logit)
        bench.clean(labels, (logit > 0).astype(int), clips=clips, scores=scores, eer=expected[-1], fold=fold)
    metric = collect(bench.results()).accuracy[0].metrics["eer"]
    assert metric.value == pytest.approx(np.mean(expected), rel=1e-5)


def test_epsilon_ratios_are_averaged_over_folds(bench):
    for fold, (defended, undefended) in enumerate((([2.0, 4.0], [1.0, 2.0]), ([6.0, 6.0], [1.0, 3.0]))):
        clips = np.arange(2) + 2 * fold
        bench.reach(clips, l2=undefended, fold=fold)
        ratio = np.mean(defended) / np.mean(undefended)
        bench.reach(clips, l2=defended, ratio=(ratio, 2), defense=TRAINED, fold=fold)
    by_defense = {entry.name.defense.short: entry for entry in collect(bench.results()).cost}
    assert value(by_defense["adversarial-training"], "epsilon_ratio") == pytest.approx((2 + 3) / 2)
    assert "epsilon_ratio" not in by_defense["none"].metrics


def test_cost_averages_only_what_reached(bench):
    bench.reach([0, 1], gradients=[10, 20], fold=0)
    bench.reach([2, 3], gradients=[30, 50], fold=1)
    bench.reach([4, 5], reached=False, fold=2)
    bench.broken("reach", attack="fgsm", fold=3)
    (entry,) = collect(bench.results()).cost
    assert value(entry, "gradients") == pytest.approx((15 + 40) / 2)
    assert (entry.reached, entry.coverage.done, entry.coverage.planned) == (2, 3, 4)
    assert entry.flags == ("incomplete",)
    assert entry.reasons == ("not reached: AUC 0.71 when the budget was spent",)


def test_a_row_that_did_not_reach_shows_no_cost_even_if_it_carries_one(bench):
    bench.rows.append(replace(bench.reach([0, 1]), reached=False))
    bench.rows.pop(0)
    (entry,) = collect(bench.results()).cost
    assert (entry.reached, dict(entry.metrics)) == (0, {})


def test_transfers_know_their_target_and_their_mean_over_attacks(bench):
    bench.transfer([0, 1, 2, 3], [1, 1, 1, 0], target={"id": "vgg"}, attack="fgsm", defense=TRAINED)
    bench.transfer([2, 3, 4, 5, 6], [1, 0, 0, 0, 0], target={"id": "vgg"}, attack="cwa", defense=TRAINED)
    bench.transfer([0], [1], target={"id": "vgg", "depth": 3, "defense": {"id": "none"}}, defense=TRAINED)
    same, other = {}, {}
    for entry in collect(bench.results()).transfers:
        attack = entry.attack and entry.attack.short
        (same if entry.target.variant == Variant(called("vgg"), called("adversarial-training")) else other)[
            attack
        ] = entry
    assert {attack: value(entry, "transfer_ratio") for attack, entry in same.items()} == {
        None: pytest.approx((0.75 + 0.2) / 2),
        "fgsm": 0.75,
        "cwa": 0.2,
    }
    assert same[None].metrics["transfer_ratio"].n == 7
    assert [entry.target.variant for entry in other.values()] == [Variant(called("vgg(depth=3)"), called("none"))]


def test_ranks_are_shared_and_go_by_data_set(bench):
    for model, right, dataset in (("a", 3, "synth"), ("b", 4, "synth"), ("c", 3, "synth"), ("d", 1, "esc10")):
        bench.clean([0] * 4, [0] * right + [1] * (4 - right), model=model, dataset=dataset)
    bench.samples["clips/esc10/group"] = np.arange(4)
    bench.clean([0] * 4, [0] * 2 + [1] * 2, model="e")
    assert placed(collect(bench.results()).accuracy) == {"b": 1, "a": 2, "c": 2, "e": 4, "d": 1}


def test_a_leaky_row_has_no_rank_and_stands_last(bench):
    bench.clean([0] * 4, [0, 0, 0, 1], model="honest")
    bench.clean([0] * 4, [0] * 4, model="leaks", flags=("leaky",))
    bench.clean([0] * 4, [0, 0, 1, 1], model="curious", flags=("unheard-of",))
    entries = collect(bench.results()).accuracy
    assert list(placed(entries).items()) == [("honest", 1), ("curious", 2), ("leaks", None)]


def test_a_crashed_attack_cannot_lift_a_classifier(bench):
    for model in ("whole", "lucky"):
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True, False, False, False], tested=4, attack="fgsm", model=model)
    bench.bounded(range(4), [True] * 4, tested=4, attack="cwa", model="whole")
    bench.broken("bounded", attack="cwa", model="lucky")
    entries = {entry.name.model.short: entry for entry in collect(bench.results()).robustness}
    assert value(entries["lucky"], "robust_accuracy") > value(entries["whole"], "robust_accuracy")
    assert (entries["lucky"].rank, entries["lucky"].flags) == (None, ("incomplete",))
    assert entries["whole"].rank == Rank(1, 1, 1)


def test_a_classifier_that_faced_fewer_attacks_says_so(bench):
    for model in ("net", "forest"):
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True, False, False, False], tested=4, attack="square", model=model)
    bench.bounded(range(4), [True] * 4, tested=4, attack="cwa", model="net")
    bench.broken("bounded", Status.SKIPPED, "no gradients", attack="cwa", model="forest")
    flags = {entry.name.model.short: entry.flags for entry in collect(bench.results()).robustness}
    assert flags == {"net": (), "forest": ("fewer-attacks",)}


def test_losses_are_counted_and_listed_and_never_scored(crowded):
    boards = collect(crowded.results())
    assert dict(boards.cells) == {
        Status.OK: 64,
        Status.FAILED: 1,
        Status.DIVERGED: 1,
        Status.SKIPPED: 1,
        Status.INVALID: 1,
    }
    losses = {(loss.status, loss.protocol, loss.reason) for loss in boards.unscored}
    assert (Status.SKIPPED, "clean", "@needs an image") in losses
    assert len(losses) == 4
    assert "yamnet" not in {entry.name.model.short for entry in boards.entries()}
    assert all(attack.attack != "jsma" for entry in boards.robustness for attack in entry.attacks)


def test_metrics_of_a_broken_row_are_ignored(bench):
    row = bench.clean([0, 1], [0, 1])
    bench.rows[:] = [replace(row, status=Status.INVALID)]
    boards = collect(bench.results())
    assert not boards.accuracy
    assert len(boards.unscored) == 1


def test_missing_metrics_and_notes_are_left_out(bench):
    bench.run = {}
    row = bench.clean([0, 1], [0, 1])
    bench.rows[:] = [replace(row, metrics={"accuracy": row.metrics["accuracy"]})]
    bench.bounded([0, 1], [True, False], tested=2)
    boards = collect(bench.results())
    assert boards.accuracy[0].metrics.keys() == {"accuracy"}
    assert boards.robustness[0].dimension is None


def test_what_only_some_folds_have_is_no_average(bench):
    for fold in (0, 1):
        rest = {"training_gradients": (3.0 + fold, 9)} if fold else {}
        bench.clean([0, 1], [0, 1], fold=fold, **rest)
    assert "training_gradients" not in collect(bench.results()).accuracy[0].metrics


def test_without_a_clean_row_the_worst_case_still_stands(bench):
    bench.bounded([0, 1], [True, False], tested=4)
    (entry,) = collect(bench.results()).robustness
    assert entry.metrics.keys() == {"fooling_rate", "robust_accuracy", "mean_fooling_auc"}
    assert value(entry, "robust_accuracy") == 0.25


def test_the_order_of_rows_does_not_matter(crowded):
    shuffled = list(crowded.rows)
    random.Random(0).shuffle(shuffled)
    assert collect(Results(shuffled, crowded.samples, crowded.run)) == collect(crowded.results())


TIED = [("a", 1.0), ("b", 3.0), ("c", 2.0)]


def test_equal_worst_cases_stand_by_the_perturbation_at_reach(bench):
    for model, size in TIED:
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True] * 4, tested=4, attack="fgsm", model=model)
        bench.bounded(range(4), [True] * 4, tested=4, attack="cwa", model=model)
        bench.reach(range(4), l2=size, attack="fgsm", model=model)
        bench.reach(range(4), l2=size / 2, attack="cwa", model=model)
    entries = collect(bench.results()).robustness
    assert list(placed(entries).items()) == [("b", 1), ("c", 2), ("a", 3)]
    assert [value(entry, "reach_l2") for entry in entries] == [2.25, 1.5, 0.75]
    # Their worst cases are the same, so the clips settle nothing.
    assert {(entry.rank.low, entry.rank.high) for entry in entries} == {(1, 3)}


def test_what_no_attack_reaches_is_harder_than_what_takes_much(bench):
    for model, reached in (("a", True), ("b", False)):
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True] * 4, tested=4, model=model)
        bench.reach(range(4), l2=9.0, reached=reached, model=model)
    assert list(placed(collect(bench.results()).robustness)) == ["b", "a"]


def test_mean_costs_are_per_attack_first(bench):
    """ε_r of fgsm 2 and of cwa 5 on average over folds: 3.5, whatever their sizes (arXiv 2008.11618)."""
    for fold in (0, 1):
        clips = np.arange(4) + 4 * fold
        for attack, ratio in (("fgsm", 2.0), ("cwa", 4.0 + 2 * fold), ("pgd", 100.0)):
            bench.reach(clips, attack=attack, gradients=3.0, l2=0.5, fold=fold)
            bench.reach(clips, attack=attack, gradients=9.0, l2=0.5 * ratio, defense=TRAINED, fold=fold)
    means = {entry.name.defense.short: entry for entry in collect(bench.results()).cost if entry.attack is None}
    assert value(means["adversarial-training"], "epsilon_ratio") == pytest.approx(3.5)
    assert value(means["adversarial-training"], "gradients") == 9.0
    assert value(means["none"], "gradients") == 3.0
    assert "epsilon_ratio" not in means["none"].metrics
    assert means["none"].coverage.done == 4


def test_an_attack_that_does_not_reach_enters_no_mean(bench):
    bench.reach(range(4), attack="fgsm", gradients=3.0)
    bench.reach(range(4), attack="cwa", gradients=99.0, reached=False)
    (mean, *_) = collect(bench.results()).cost
    assert (mean.attack, value(mean, "gradients"), mean.reached, mean.coverage.done) == (None, 3.0, 1, 2)


def test_a_diverged_row_is_a_cell_without_a_score(bench):
    bench.clean([0, 1], [0, 1], fold=0)
    bench.broken("clean", Status.DIVERGED, "the loss is nan", fold=1)
    boards = collect(bench.results())
    assert boards.accuracy[0].flags == ("incomplete",)
    assert boards.accuracy[0].rank is None
    assert [(each.status, each.reason) for each in boards.unscored] == [(Status.DIVERGED, "the loss is nan")]


def test_a_flag_without_words_changes_no_number(bench):
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    before = collect(bench.results())
    bench.rows[:] = [replace(row, flags=("from-the-future",)) for row in bench.rows]
    after = collect(bench.results())
    assert after.accuracy[0].metrics == before.accuracy[0].metrics
    assert after.robustness[0].metrics == before.robustness[0].metrics
    assert (after.robustness[0].rank, after.robustness[0].flags) == (
        before.robustness[0].rank,
        ("from-the-future",),
    )


@pytest.mark.parametrize("name", ["grey_level_db", "accuracy", "fooling_auc", "mean_fooling_auc", "rank"])
def test_a_report_may_have_any_name(bench, name):
    bench.clean([0, 1], [0, 1], defense=TRAINED, reports={name: (0.25, 9)})
    (entry,) = collect(bench.results()).accuracy
    assert value(entry, f"report_{name}") == 0.25
    assert value(entry, "accuracy") == 1.0


def test_an_odd_row_is_set_aside_and_the_rest_is_ranked(bench):
    for model in ("whole", "odd"):
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True, False, False, False], tested=4, model=model)
    lost = bench.rows[-1]
    bench.samples = {name: array for name, array in bench.samples.items() if not name.startswith(lost.key)}
    boards = collect(bench.results())
    assert placed(boards.robustness) == {"whole": 1}
    assert placed(boards.accuracy) == {"whole": 1, "odd": 1}
    (cell,) = boards.unscored
    assert (cell.status, cell.flags) == (Status.INVALID, ("unsound",))
    assert cell.reason.startswith("samples missing: clip, clean_score, ")


def test_an_odd_fold_unranks_its_classifier_and_says_why(bench):
    for fold in (0, 1):
        row = bench.clean([0, 1], [0, 1], fold=fold)
    bench.rows[-1] = replace(row, metrics={**row.metrics, "accuracy": Metric(0.75, 0.7, 0.8, 2)})
    (entry,) = collect(bench.results()).accuracy
    assert (entry.rank, entry.flags) == (None, ("incomplete", "unsound"))
    assert value(entry, "accuracy") == 1.0
    assert (entry.coverage.done, entry.coverage.planned) == (1, 2)


def test_without_the_recordings_of_a_data_set_only_its_rows_are_lost(bench):
    bench.clean([0, 1], [0, 1])
    bench.clean([0, 1], [0, 1], dataset="esc10")
    boards = collect(bench.results())
    assert [entry.name.dataset.short for entry in boards.accuracy] == ["synth"]
    assert "clips/esc10/group" in boards.unscored[0].reason
