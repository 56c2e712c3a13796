"""Averages, means over attacks and worst cases, against an independent count: docs/metrics.md."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from soundproof.boards.collect import collect
from soundproof.results.combine import Combination

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
    assert (defended.rank.place, entries["none"].rank.place) == (1, 2)


def test_the_worst_case_counts_examples_made_against_others_and_no_controls(bench):
    """Own attacks fool clips 0 and 1, examples of the other model 1 to 3; noise counts for nothing."""
    bench.controls("noise")
    for model in ("resnet", "alexnet"):
        bench.clean([0] * 10, [0] * 10, model=model)
    bench.bounded(range(10), [True] * 2 + [False] * 8, 10, "fgsm")
    bench.bounded(range(10), [True] * 10, 10, "fgsm", model="alexnet")
    bench.transfer(range(1, 6), [True] * 3 + [False] * 2, {"id": "resnet"}, model="alexnet")
    bench.transfer(range(10), [True] * 10, {"id": "resnet"}, attack="noise", model="alexnet")
    entries = {entry.name.model.short: entry for entry in collect(bench.results()).robustness}
    hit = entries["resnet"]
    assert (value(hit, "robust_accuracy"), value(hit, "fooling_rate")) == pytest.approx((0.6, 0.4))
    assert value(hit.attacks[0], "fooling_rate") == 0.2


def test_the_informed_attacker_ranks(bench):
    for model, informed, grey in (("hides", 3, 0), ("holds", 1, 2)):
        bench.clean([0] * 4, [0] * 4, model=model, defense=TRAINED)
        fooled, by_grey_box = ([True] * n + [False] * (4 - n) for n in (informed, grey))
        bench.bounded(range(4), fooled, 4, grey=by_grey_box, model=model, defense=TRAINED)
    ranks = {entry.name.model.short: entry.rank.place for entry in collect(bench.results()).robustness}
    assert ranks == {"holds": 1, "hides": 2}


def test_grey_box_numbers_are_averaged_over_folds(bench):
    rows = []
    for fold, (clips, fallen) in enumerate(((range(4), 1), (range(4, 10), 4))):
        n = len(clips)
        bench.clean([0] * n, [0] * n, clips=np.asarray(clips), fold=fold, defense=TRAINED)
        grey = [True] * fallen + [False] * (n - fallen)
        rows.append(bench.bounded(clips, [True] * n, clips, grey=grey, fold=fold, defense=TRAINED))
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


def test_grey_box_numbers_derive_from_the_transfer(bench):
    """Of 4 clips the transfer holds 3: on the clip that the source did not get right there is no example."""
    row = bench.bounded(range(4), [True] * 4, 5, defense=TRAINED)
    clean_score = bench.samples[f"{row.key}/clean_score"]
    target = {"id": "resnet", "defense": TRAINED}
    bench.transfer([0, 2, 3], [1, 0, 1], target=target, defense={"id": "none"})
    bench.samples[f"{bench.rows[-1].key}/score"] = np.array([0.5, -9.0, 0.25])
    found = Combination(bench.results()).comparisons([row])
    scores = [0.5, clean_score[1], -9.0, 0.25]
    area = roc_auc_score([0] * 4 + [1] * 4, [*clean_score, *scores])
    assert {name: metric.value for name, metric in found.items()} == pytest.approx(
        {"grey_fooling_auc": area, "grey_fooling_rate": 2 / 4, "grey_robust_accuracy": 2 / 5}
    )


def test_without_the_transfer_there_are_no_grey_box_numbers(bench):
    """Its partner failed: the defended row keeps its own numbers and its rank."""
    bench.clean([0] * 4, [0] * 4, defense=TRAINED)
    row = bench.bounded(range(4), [True, False, False, False], 4, defense=TRAINED)
    bench.broken("transfer", attack="fgsm", target={"id": "resnet", "defense": TRAINED})
    assert Combination(bench.results()).comparisons([row]) == {}
    (entry,) = collect(bench.results()).robustness
    assert (entry.flags, entry.rank.place) == ((), 1)
    assert not grey_of(entry)
    assert not grey_of(entry.attacks[0])


@pytest.fixture
def three_classifiers(bench):
    """Two folds and two seeds of a run with three classes, with random outcomes in every sample."""
    bench.run["datasets"] = [{"dataset": {"id": "synth"}, "classes": ["a", "b", "c"]}]
    rng = np.random.default_rng(7)
    for fold, clips in enumerate((np.arange(18), np.arange(18, 40))):
        for seed in (0, 1):
            for defense in ({"id": "none"}, TRAINED):
                n, where = len(clips), {"fold": fold, "seed": seed, "defense": defense}
                labels, right = rng.integers(0, 3, n), rng.random(n) < 0.7
                bench.clean(labels, np.where(right, labels, (labels + 1) % 3), clips=clips, **where)
                attacked = clips[right]
                for attack in ("fgsm", "cwa"):
                    many = len(attacked)
                    spent, sizes = rng.integers(1, 50, many), rng.uniform(0.1, 3, many)
                    fooled = rng.random(many) < 0.6
                    given = {"scores": rng.normal(size=many), "gradients": spent, "l2": sizes, "attack": attack}
                    bench.bounded(attacked, fooled, clips, **given, **where)
                    del given["scores"]
                    bench.reach(attacked, fooled=fooled, **given, **where)
                    source = rng.random(many) < 0.7
                    moved = rng.random(many) < 0.5
                    target = {"id": "vgg"}
                    bench.transfer(attacked, moved, target, attack=attack, source_fooled=source, **where)
    return bench


def groups_of(bench, protocol):
    """The rows of a protocol by defense and attack, each with its samples."""
    found = {}
    for row in bench.rows:
        if row.protocol == protocol:
            samples = {
                name.partition("/")[2]: array for name, array in bench.samples.items() if name.startswith(row.key)
            }
            key = row.defense["id"], row.attack and row.attack["id"]
            found.setdefault(key, []).append((row, samples))
    return found


def pooled_auc(samples):
    n = len(samples["clip"])
    return roc_auc_score([0] * n + [1] * n, [*samples["clean_score"], *samples["score"]])


def mean_size(samples):
    return samples["l2"][samples["fooled"] > 0].mean()


COUNTS = {
    "clean": {
        "accuracy": lambda s: accuracy_score(s["label"], s["prediction"]),
        "precision": lambda s: precision_score(s["label"], s["prediction"], average="macro", zero_division=0),
        "recall": lambda s: recall_score(s["label"], s["prediction"], average="macro", zero_division=0),
        "f1": lambda s: f1_score(s["label"], s["prediction"], average="macro", zero_division=0),
    },
    "bounded": {
        "fooling_auc": pooled_auc,
        "fooling_rate": lambda s: s["fooled"].mean(),
        "robust_accuracy": lambda s: (s["fooled"] == 0).sum() / len(s["tested"]),
        "gradients": lambda s: s["gradients"].mean(),
        "queries": lambda s: s["queries"].mean(),
        "l2": mean_size,
        "rms": lambda s: mean_size(s) / 8,
        "linf": lambda s: s["linf"][s["fooled"] > 0].mean(),
        "l0": lambda s: s["l0"][s["fooled"] > 0].mean(),
    },
    "reach": {
        "fooling_auc": pooled_auc,
        "fooling_rate": lambda s: s["fooled"].mean(),
        "gradients": lambda s: s["gradients"].mean(),
        "l2": mean_size,
    },
    "transfer": {"transfer_ratio": lambda s: s["fooled"][s["source_fooled"] > 0].mean()},
}


@pytest.mark.parametrize("protocol", COUNTS)
def test_averages_over_folds_and_seeds_are_those_of_a_plain_count(three_classifiers, protocol):
    combination = Combination(three_classifiers.results())
    for group in groups_of(three_classifiers, protocol).values():
        rows, samples = zip(*group, strict=True)
        assert len(rows) == 4
        found = combination.averages(rows)
        for name, count in COUNTS[protocol].items():
            assert found[name].value == pytest.approx(np.mean([count(each) for each in samples]), rel=1e-5), name
            assert found[name].low <= found[name].value <= found[name].high


def test_means_over_attacks_are_those_of_a_plain_count(three_classifiers):
    combination = Combination(three_classifiers.results())
    for protocol, names in {
        "bounded": ("fooling_auc",),
        "reach": ("gradients", "queries", "l2", "rms", "fooling_rate"),
        "transfer": ("transfer_ratio",),
    }.items():
        by_attack = groups_of(three_classifiers, protocol)
        for defense in ("none", "adversarial-training"):
            each = [group for (own, _), group in by_attack.items() if own == defense]
            found = combination.mean_over_attacks([row for group in each for row, _ in group], names)
            for name in names:
                count = {**COUNTS["bounded"], **COUNTS["transfer"]}[name]
                means = [np.mean([count(samples) for _, samples in group]) for group in each]
                assert found[name].value == pytest.approx(np.mean(means), rel=1e-5), name


def test_drops_and_ratios_compare_each_fold_with_its_own_partner(three_classifiers):
    combination = Combination(three_classifiers.results())
    clean, reach = (groups_of(three_classifiers, protocol) for protocol in ("clean", "reach"))
    drops = [
        COUNTS["clean"]["accuracy"](before) - COUNTS["clean"]["accuracy"](after)
        for (_, after), (_, before) in zip(clean["adversarial-training", None], clean["none", None], strict=True)
    ]
    rows = [row for row, _ in clean["adversarial-training", None]]
    assert combination.comparisons(rows)["drop"].value == pytest.approx(np.mean(drops))
    ratios = {}
    for attack in ("fgsm", "cwa"):
        pairs = zip(reach["adversarial-training", attack], reach["none", attack], strict=True)
        ratios[attack] = np.mean([mean_size(above) / mean_size(below) for (_, above), (_, below) in pairs])
        rows = [row for row, _ in reach["adversarial-training", attack]]
        assert combination.comparisons(rows)["epsilon_ratio"].value == pytest.approx(ratios[attack])
    rows = [row for attack in ratios for row, _ in reach["adversarial-training", attack]]
    found = combination.mean_over_attacks(rows, ("epsilon_ratio",))
    assert found["epsilon_ratio"].value == pytest.approx(np.mean(list(ratios.values())), rel=1e-5)


def test_the_worst_case_is_that_of_a_plain_count(three_classifiers):
    combination = Combination(three_classifiers.results())
    found = groups_of(three_classifiers, "bounded")
    both = list(zip(found["none", "fgsm"], found["none", "cwa"], strict=True))
    survive = [((one["fooled"] == 0) & (other["fooled"] == 0)).sum() for (_, one), (_, other) in both]
    rows = [row for pair in both for row, _ in pair]
    metrics = combination.worst_case(rows)
    shares = [count / len(one["tested"]) for count, ((_, one), _) in zip(survive, both, strict=True)]
    rates = [1 - count / len(one["clip"]) for count, ((_, one), _) in zip(survive, both, strict=True)]
    assert metrics["robust_accuracy"].value == pytest.approx(np.mean(shares), rel=1e-5)
    assert metrics["fooling_rate"].value == pytest.approx(np.mean(rates), rel=1e-5)


def test_what_a_defense_reports_is_averaged_from_the_rows(bench):
    """No samples hold it: the ends of intervals are averaged, which is never too narrow, and n is the largest."""
    rows = [
        bench.clean(
            [0, 1], [0, 1], fold=fold, reports={"snr_improvement_db": (number, n)}, training_gradients=(3, 40)
        )
        for fold, (number, n) in enumerate(((1.0, 8), (4.0, 5)))
    ]
    (entry,) = collect(bench.results()).accuracy
    found = entry.metrics["report_snr_improvement_db"]
    each = [row.reports["snr_improvement_db"] for row in rows]
    assert (found.value, found.n) == (2.5, 8)
    assert (found.low, found.high) == (np.mean([m.low for m in each]), np.mean([m.high for m in each]))
    assert value(entry, "training_gradients") == 3
