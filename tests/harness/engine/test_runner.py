"""Whole runs of toys: faults are rows, repeated and interrupted runs give the same bytes."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from soundproof.engine.environment import Environment
from soundproof.engine.events import Begun
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files as results
from soundproof.types import Kind, Status
from toys import toy_registry, toy_suite

pytestmark = pytest.mark.slow

REGISTRY = toy_registry()
# Toys are too small to share among threads.
HERE = Environment("cpu", "", threads=1)


def run(folder: Path, tell=lambda event: None, **changes) -> results.Results:
    """Run toys with the cache and the results below a folder."""
    suite = load_suite(toy_suite(**changes), REGISTRY)
    plan = make_plan(suite, folder)
    runner = Runner(REGISTRY, HERE, Store(folder / "cache"), folder, tell)
    found = runner.run(plan)
    results.write(found, folder / "out")
    return found


def rows(found, protocol, **coordinates):
    """Rows of a protocol whose coordinates have these ids."""
    return [
        row
        for row in found.rows
        if row.protocol == protocol
        and all(getattr(row, name)["id"] == value for name, value in coordinates.items())
    ]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    found = run(
        folder,
        models=["toy-linear", {"id": "toy-linear", "scale": 2.0}],
        defenses=["none", "toy-halving"],
        attacks=["fgsm", "bim-b", "noise", "toy-walking"],
    )
    return folder, found


def test_every_cell_is_a_row(whole):
    _, found = whole
    assert {row.status for row in found.rows} <= {Status.OK, Status.SKIPPED}
    assert len({row.key for row in found.rows}) == len(found.rows) == 4 * (1 + 2 * 4 + 3 * 4)


def test_metrics_equal_an_independent_count(whole):
    _, found = whole
    clean = {json.dumps([r.model, r.defense]): found.fields(r) for r in rows(found, "clean")}
    bounded = rows(found, "bounded")
    assert bounded
    for row in bounded:
        everyone, attacked = clean[json.dumps([row.model, row.defense])], found.fields(row)
        right = everyone["clip"][everyone["label"] == everyone["prediction"]]
        np.testing.assert_array_equal(attacked["clip"], right)
        assert (attacked["clean_score"] < 0).all()
        np.testing.assert_array_equal(attacked["fooled"] > 0, attacked["score"] > 0)
        truth = np.repeat([0, 1], len(right))
        auc = roc_auc_score(truth, np.concatenate([attacked["clean_score"], attacked["score"]]))
        assert row.metrics["fooling_auc"].value == pytest.approx(auc)
        assert row.metrics["fooling_rate"].value == pytest.approx(attacked["fooled"].mean())
        robust = (attacked["fooled"] == 0).sum() / len(everyone["clip"])
        assert row.metrics["robust_accuracy"].value == pytest.approx(robust)
        assert row.metrics["fooling_rate"].n == len(right)
        assert row.metrics["robust_accuracy"].n == len(everyone["clip"])
        if "l2" in row.metrics:
            sizes = attacked["l2"][attacked["fooled"] > 0]
            assert row.metrics["l2"].value == pytest.approx(sizes.mean(), rel=1e-5)
            assert row.metrics["rms"].value == pytest.approx(sizes.mean() / np.sqrt(20), rel=1e-5)
            assert sizes.max() <= 0.5 + 1e-6


def test_an_attack_on_a_linear_model_costs_what_it_must(whole):
    _, found = whole
    for attack, gradients in (("fgsm", 1), ("bim-b", 10), ("noise", 0)):
        for row in rows(found, "bounded", attack=attack):
            assert row.metrics["gradients"].value == gradients
    for row in rows(found, "reach", attack="fgsm"):
        assert row.metrics["gradients"].value == 1, "one gradient serves every radius"
        assert row.metrics["fooling_auc"].value > 0.9


def test_epsilon_ratio_compares_mean_sizes(whole):
    _, found = whole
    reached = {json.dumps([r.model, r.attack, r.defense]): r for r in rows(found, "reach")}
    ratios = [row for row in reached.values() if "epsilon_ratio" in row.metrics]
    assert {row.defense["id"] for row in ratios} == {"toy-halving"}
    for row in ratios:
        base = reached[json.dumps([row.model, row.attack, {"id": "none"}])]
        means = [found.fields(r)["l2"][found.fields(r)["fooled"] > 0].mean() for r in (row, base)]
        assert row.metrics["epsilon_ratio"].value == pytest.approx(means[0] / means[1], rel=1e-5)


def test_a_minimum_norm_attack_is_read_from_its_trace(whole):
    _, found = whole
    for row in rows(found, "reach", attack="toy-walking", defense="none"):
        (ladder,) = [r for r in rows(found, "reach", attack="bim-b", defense="none") if r.model == row.model]
        assert row.metrics["fooling_auc"].value > 0.9
        # The ladder is refined to 3 %, and the walk takes steps of 0.01.
        assert row.metrics["l2"].value == pytest.approx(ladder.metrics["l2"].value, rel=0.03, abs=0.01)
        spent = found.fields(row)["gradients"]
        assert spent.max() <= 400


def test_transfer_counts_what_fools_both(whole):
    _, found = whole
    pairs = rows(found, "transfer", attack="bim-b")
    assert pairs
    for row in pairs:
        (source,) = [
            r for r in rows(found, "bounded", attack="bim-b") if (r.model, r.defense) == (row.model, row.defense)
        ]
        defense = row.target.get("defense", row.defense)
        model = {name: value for name, value in row.target.items() if name != "defense"}
        (target,) = [r for r in rows(found, "clean") if (r.model, r.defense) == (model, defense)]
        fooled, clean = found.fields(source), found.fields(target)
        right = clean["clip"][clean["label"] == clean["prediction"]]
        eligible = np.intersect1d(fooled["clip"][fooled["fooled"] > 0], right)
        if row.status is Status.SKIPPED:
            assert len(eligible) == 0
        else:
            moved = found.fields(row)
            np.testing.assert_array_equal(moved["clip"], np.intersect1d(fooled["clip"], right))
            np.testing.assert_array_equal(moved["clip"][moved["source_fooled"] > 0], eligible)
            np.testing.assert_array_equal(moved["fooled"] > 0, moved["score"] > 0)
            share = moved["fooled"][moved["source_fooled"] > 0].mean()
            assert row.metrics["transfer_ratio"].value == pytest.approx(share)
            assert row.metrics["transfer_ratio"].n == len(eligible)
            if model == row.model:
                assert row.metrics["transfer_ratio"].value == 1, "halved logits decide alike"


def test_results_survive_the_disk(whole):
    folder, found = whole
    again = results.read(folder / "out")
    assert [results.canonical_row(row) for row in again.rows] == [results.canonical_row(row) for row in found.rows]
    assert set(again.samples) == set(found.samples)


def test_epsilon_zero_changes_nothing(tmp_path):
    found = run(
        tmp_path,
        budget={"epsilon": 0.0},
        attacks=["fgsm", "bim-a", "bim-b", "noise", {"id": "fgsm", "norm": "linf"}],
    )
    (clean,) = rows(found, "clean")
    bounded = rows(found, "bounded")
    assert len(bounded) == 5
    for row in bounded:
        assert row.metrics["fooling_auc"].value == 0.5
        assert row.metrics["fooling_rate"].value == 0
        assert row.metrics["robust_accuracy"].value == clean.metrics["accuracy"].value
        samples = found.fields(row)
        np.testing.assert_array_equal(samples["score"], samples["clean_score"])
        assert not samples["l2"].any()


def test_targeted_attacks_report_the_targeted_auc(tmp_path):
    found = run(tmp_path, attacks=[{"id": "bim-b", "targeted": True, "steps": 40}], budget={"epsilon": 4.0})
    (row,) = rows(found, "bounded")
    assert row.metrics["targeted_auc"].value > 0.95
    samples = found.fields(row)
    assert (samples["target_score"] > 0).mean() > 0.9


FAULTS = ("toy-raising", "toy-nan", "toy-escaping", "toy-outside", "toy-misshapen", "toy-listing")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    models = ["toy-linear", {"id": "toy-linear", "scale": 2.0}]
    return run(tmp_path_factory.mktemp("faults"), attacks=["fgsm", *FAULTS], models=models)


class TestFaults:
    @pytest.mark.parametrize(
        ("attack", "status", "reason"),
        [
            ("toy-raising", Status.FAILED, "RuntimeError: no such luck"),
            ("toy-nan", Status.INVALID, "NaN"),
            ("toy-escaping", Status.INVALID, "left the ball"),
            ("toy-outside", Status.INVALID, "left the box"),
            ("toy-misshapen", Status.INVALID, "shape"),
            ("toy-listing", Status.INVALID, "list, not a tensor"),
        ],
    )
    def test_never_look_like_a_score(self, faulty, attack, status, reason):
        broken = [row for row in faulty.rows if row.attack and row.attack["id"] == attack]
        assert {row.protocol for row in broken} == {"bounded", "reach", "transfer"}
        for row in broken:
            assert row.status is status
            assert reason in row.reason
            assert row.metrics == {}
            assert faulty.fields(row) == {}

    def test_leave_the_rest_alone(self, faulty):
        assert all(row.status is Status.OK for row in rows(faulty, "bounded", attack="fgsm"))
        assert all(row.status is Status.OK for row in rows(faulty, "clean"))

    def test_are_never_cached(self, tmp_path):
        run(tmp_path, attacks=["toy-raising"])
        told = []
        run(tmp_path, told.append, attacks=["toy-raising"])
        told = [(event.total, event.cached) for event in told if isinstance(event, Begun)]
        assert told == [(4, 1)], "only the clean cell was kept: no checks either, which lack the attack"

    def test_a_failed_training_fails_all_its_cells_once(self, tmp_path):
        found = run(tmp_path, training={"learning_rate": 1e30, "epochs": 3}, attacks=["fgsm"])
        assert {row.status for row in found.rows} == {Status.DIVERGED}
        assert all("diverged" in row.reason for row in found.rows)


def test_a_spent_budget_counts_the_best_so_far(tmp_path):
    found = run(tmp_path, attacks=[{"id": "bim-b", "steps": 50}], budget={"epsilon": 2.0, "max_gradients": 8})
    (row,) = rows(found, "bounded")
    assert row.status is Status.OK
    assert row.metrics["gradients"].value == 8
    assert row.metrics["fooling_auc"].value > 0.5
    (reach,) = rows(found, "reach")
    assert reach.reached is False
    assert "8 gradients" in reach.reason
    assert "l2" not in reach.metrics


def test_repeated_runs_are_byte_identical(tmp_path):
    changes = {"attacks": ["bim-a", "noise"], "split": {"folds": 2, "seeds": [0, 1]}}
    run(tmp_path / "first", **changes)
    run(tmp_path / "second", **changes)
    first = content(tmp_path / "first")
    assert first == content(tmp_path / "second")
    run(tmp_path / "first", **changes)
    assert content(tmp_path / "first") == first, "a warm run gives the same bytes"


def test_a_part_of_a_run_gives_the_same_rows(tmp_path):
    """Results do not depend on what else runs, or in which order."""
    whole = run(tmp_path / "whole", attacks=["bim-a", "noise"], defenses=["none", "toy-halving"])
    part = run(tmp_path / "part", attacks=["noise"], defenses=["toy-halving"])
    for row in part.rows:
        # Comparisons need the undefended classifier, which the part leaves out.
        (twin,) = [r for r in whole.rows if r.key == row.key]
        compared = {name for name in twin.metrics if name in ("drop", "epsilon_ratio") or name.startswith("grey_")}
        kept = {name: metric for name, metric in twin.metrics.items() if name not in compared}
        assert results.canonical_row(row) == results.canonical_row(replace(twin, metrics=kept))


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from harness_run import run
from soundproof.engine.events import EpochDone, Finished

left = {after}

def killer(event):
    global left
    left -= isinstance(event, (EpochDone, Finished))
    if not left: os.kill(os.getpid(), signal.SIGKILL)

run(Path({folder!r}), killer, attacks=["bim-a", "noise"], split={{"seeds": [0, 1]}})
"""


@pytest.mark.parametrize("after", [3, 21, 30])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, after):
    """SIGKILL in training, after the first cells, and later; then the same command again."""
    changes = {"attacks": ["bim-a", "noise"], "split": {"seeds": [0, 1]}}
    run(tmp_path / "whole", **changes)
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "harness_run.py").write_text(Path(__file__).read_text())
    (tests / "toys.py").write_text((Path(__file__).parents[2] / "toys.py").read_text())
    code = KILLED.format(tests=str(tests), after=after, folder=str(tmp_path / "killed"))
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (tmp_path / "killed" / "out").exists()
    assert (tmp_path / "killed" / "cache").exists()
    run(tmp_path / "killed", **changes)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_the_grey_box_attacker_uses_the_undefended_examples(whole):
    """Halved weights decide alike, so examples of the undefended classifier fool as many as before."""
    _, found = whole
    defended = rows(found, "bounded", defense="toy-halving")
    assert defended
    for row in defended:
        twins = [
            r for r in rows(found, "bounded", defense="none", attack=row.attack["id"]) if r.model == row.model
        ]
        (twin,) = twins
        assert row.metrics["grey_fooling_rate"].value == twin.metrics["fooling_rate"].value
        assert row.metrics["grey_robust_accuracy"].value == twin.metrics["robust_accuracy"].value
        (moved,) = [
            r
            for r in rows(found, "transfer", defense="none", attack=row.attack["id"])
            if r.model == row.model and r.target == {**row.model, "defense": row.defense}
        ]
        np.testing.assert_array_equal(found.fields(moved)["fooled"], found.fields(twin)["fooled"])
        np.testing.assert_allclose(
            found.fields(moved)["score"], found.fields(twin)["score"] / 2, rtol=1e-4, atol=1e-6
        )
    for row in rows(found, "bounded", defense="none"):
        assert not any(name.startswith("grey") for name in row.metrics)


def test_what_a_defense_reports_and_spends_stands_beside_the_accuracy(tmp_path):
    found = run(tmp_path, defenses=["none", "toy-blurring"], attacks=["fgsm"])
    (row,) = rows(found, "clean", defense="toy-blurring")
    assert row.metrics["training_gradients"].value == 3
    plan = make_plan(load_suite(toy_suite(), REGISTRY), tmp_path)
    (parts,) = plan.splits.values()
    levels = toys_waveforms(tmp_path)[parts.validation].mean(axis=1)
    assert row.reports["toy_level"].value == pytest.approx(levels.mean(), abs=1e-6)
    assert row.reports["toy_level"].n == len(parts.validation)
    (plain,) = rows(found, "clean", defense="none")
    assert "training_gradients" not in plain.metrics
    assert not plain.reports


def toys_waveforms(folder):
    return REGISTRY.build(REGISTRY.reference(Kind.DATASET, "toy-data")).waveforms(folder, 100)


def test_a_random_classifier_costs_a_pass_for_each_draw_and_repeats(tmp_path):
    changes = {"defenses": ["toy-blurring"], "attacks": ["fgsm", "bim-b"]}
    found = run(tmp_path / "a", **changes)
    run(tmp_path / "b", **changes)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    (row,) = rows(found, "bounded", attack="bim-b")
    assert row.metrics["gradients"].value == 8 * 10


def test_learning_curves_are_samples(whole):
    _, found = whole
    for row in rows(found, "clean"):
        fields = found.fields(row)
        assert len(fields["model_loss"]) == len(fields["model_validation"]) == 20
        assert fields["model_loss"][-1] < fields["model_loss"][0]


def test_a_diverged_training_keeps_its_curve(tmp_path):
    found = run(tmp_path, training={"learning_rate": 1e38, "optimizer": "sgd", "schedule": "constant"})
    (row,) = rows(found, "clean")
    assert row.status is Status.DIVERGED
    assert "diverged in epoch" in row.reason
    fields = found.fields(row)
    assert set(fields) <= {"model_loss", "model_validation"}
    assert all(np.isfinite(values).all() for values in fields.values())


def test_a_defense_whose_training_diverges_is_one_row(tmp_path):
    found = run(tmp_path, defenses=["none", {"id": "toy-unruly", "behaviour": "diverges"}])
    (row,) = rows(found, "clean", defense="toy-unruly")
    assert row.status is Status.DIVERGED
    assert "diverged in epoch" in row.reason
    assert set(found.fields(row)) <= {"defense_loss", "defense_validation"}
    (other,) = rows(found, "clean", defense="none")
    assert other.status is Status.OK


def test_a_report_may_be_called_like_a_metric(tmp_path):
    found = run(tmp_path, defenses=[{"id": "toy-unruly", "behaviour": "reports accuracy"}], attacks=["fgsm"])
    (row,) = rows(found, "clean")
    assert row.status is Status.OK
    assert row.reports["accuracy"].value == 1
    assert row.metrics["accuracy"].n > 1


def test_an_attack_that_raises_on_the_bare_classifier_fails_no_defended_row(tmp_path):
    found = run(tmp_path, defenses=["none", "toy-halving"], attacks=["toy-picky"])
    assert {row.status for row in rows(found, "bounded", defense="none")} == {Status.FAILED}
    (defended,) = rows(found, "bounded", defense="toy-halving")
    assert defended.status is Status.OK
    assert not any(name.startswith("grey_") for name in defended.metrics)


def test_a_part_measures_what_it_plans(tmp_path):
    """One defense alone computes no cell of the undefended classifier."""
    suite = load_suite(toy_suite(defenses=["none", "toy-halving"], attacks=["fgsm"]), REGISTRY)
    plan = make_plan(suite, tmp_path, {"defense": ["toy-halving"]})
    Runner(REGISTRY, HERE, Store(tmp_path / "cache"), tmp_path).run(plan)
    assert len(list((tmp_path / "cache" / "bounded").glob("*/*"))) == 1
    assert len(list((tmp_path / "cache" / "clean").glob("*/*"))) == 1


def test_a_transfer_alone_measures_what_it_needs(tmp_path):
    models = ["toy-linear", {"id": "toy-linear", "scale": 2.0}]
    changes = {"models": models, "attacks": ["bim-b"]}
    whole = {row.key: row for row in run(tmp_path / "whole", **changes).rows}
    part = run(tmp_path / "part", **changes, protocols=["transfer"])
    assert {row.protocol for row in part.rows} == {"transfer"}
    for row in part.rows:
        assert results.canonical_row(row) == results.canonical_row(whole[row.key])


def test_a_defense_from_new_weights_trains_no_undefended_classifier(tmp_path):
    run(tmp_path, defenses=[{"id": "adversarial-training", "attack": "fgsm"}], attacks=["fgsm"])
    assert not (tmp_path / "cache" / "trained").exists()
    assert len(list((tmp_path / "cache" / "defended").glob("*/*"))) == 1


def test_a_defense_from_new_weights_begins_with_what_the_model_prepares(tmp_path, monkeypatch):
    from toys import ToyModel

    prepared = []
    monkeypatch.setattr(ToyModel, "prepare", lambda self, module, data: prepared.append(len(data.train)))
    run(tmp_path, defenses=["none", {"id": "adversarial-training", "attack": "fgsm"}], attacks=["fgsm"])
    assert len(prepared) == 2


def test_the_drop_is_paired_by_clip(tmp_path):
    found = run(
        tmp_path, defenses=["none", "toy-blurring"], attacks=["fgsm"], datasets=[{"id": "toy-data", "spread": 0.3}]
    )
    (after,), (before,) = (rows(found, "clean", defense=name) for name in ("toy-blurring", "none"))
    right = [found.fields(row)["label"] == found.fields(row)["prediction"] for row in (before, after)]
    assert after.metrics["drop"].value == pytest.approx(right[0].mean() - right[1].mean())
    assert "drop" not in before.metrics


def test_flags_of_models_stand_beside_their_numbers(tmp_path):
    found = run(tmp_path, models=["toy-signs"], attacks=["noise"])
    assert {row.flags for row in found.rows if row.status is Status.OK} == {("random-start",)}
    (clean,) = rows(found, "clean")
    assert clean.metrics["accuracy"].value > 0.9
    assert "model_loss" not in found.fields(clean)


def test_augmented_copies_train_and_are_never_tested(tmp_path):
    found = run(tmp_path, augmentations=["toy-copies", {"id": "toy-copies", "gain": 1.2}], attacks=["noise"])
    plan = make_plan(
        load_suite(toy_suite(augmentations=["toy-copies", {"id": "toy-copies", "gain": 1.2}]), REGISTRY), tmp_path
    )
    (parts,) = plan.splits.values()
    assert len(parts.train) == 5 * (60 - len(parts.test) - len(parts.validation))
    (clean,) = rows(found, "clean")
    assert found.fields(clean)["clip"].max() < 60
    assert found.run["datasets"][0]["clips"] == 60
