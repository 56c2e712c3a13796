import numpy as np
import pytest

from soundproof.boards.collect import collect
from soundproof.types import Status

DEFENSE = {"id": "distillation"}


def found(bench):
    """Curves by model, defense, fold and seed."""
    return {
        (training.name.model.short, training.name.defense.short, curve.fold, curve.seed): curve
        for training in collect(bench.results()).trainings
        for curve in training.curves
    }


def test_a_model_stands_once_for_all_its_defenses(bench):
    for seed in (0, 1):
        for defense in ({"id": "none"}, DEFENSE, {"id": "transform"}):
            row = bench.clean([0, 1], [0, 1], seed=seed, defense=defense)
            bench.learned(row, [1.0, 0.5 - seed / 4], [0.25, 0.75])
            if defense is DEFENSE:
                bench.learned(row, [3.0], [0.125], "defense")
    curves = found(bench)
    assert curves.keys() == {("resnet", name, 0, seed) for name in ("none", "distillation") for seed in (0, 1)}
    assert curves["resnet", "none", 0, 1].loss == (1.0, 0.25)
    assert curves["resnet", "none", 0, 0].score == (0.25, 0.75)
    assert curves["resnet", "distillation", 0, 0].loss == (3.0,)
    assert not any(curve.failure for curve in curves.values())


def test_models_come_before_their_defenses_and_curves_by_fold_and_seed(bench):
    for fold, seed in ((1, 0), (0, 1), (0, 0)):
        row = bench.clean([0, 1], [0, 1], fold=fold, seed=seed, defense={"id": "a-defense"})
        bench.learned(row, [1.0], [0.5])
        bench.learned(row, [2.0], [0.5], "defense")
    model, defense = collect(bench.results()).trainings
    assert (model.name.defense.short, defense.name.defense.short) == ("none", "a-defense")
    assert [(curve.fold, curve.seed) for curve in model.curves] == [(0, 0), (0, 1), (1, 0)]


def test_a_broken_curve_is_the_defense_s_where_the_model_was_trained(bench):
    bench.learned(bench.clean([0, 1], [0, 1]), [1.0, 0.5], [0.5, 0.75])
    broken = bench.broken("clean", Status.DIVERGED, reason="the loss is nan", defense=DEFENSE)
    bench.learned(broken, [9.0], [0.25])
    curves = found(bench)
    assert curves["resnet", "none", 0, 0].loss == (1.0, 0.5)
    assert curves["resnet", "distillation", 0, 0].loss == (9.0,)
    assert curves["resnet", "distillation", 0, 0].failure == "the loss is nan"


def test_a_broken_model_stands_once(bench):
    for defense in ({"id": "none"}, DEFENSE):
        broken = bench.broken("clean", Status.DIVERGED, reason="the loss is nan", defense=defense)
        bench.learned(broken, [9.0], [0.25])
    assert found(bench).keys() == {("resnet", "none", 0, 0)}


@pytest.mark.parametrize(("status", "shown"), [(Status.DIVERGED, True), (Status.FAILED, False)])
def test_a_training_that_broke_in_its_first_epoch_is_shown_without_a_curve(bench, status, shown):
    bench.broken("clean", status, reason="in epoch 1")
    curves = found(bench)
    assert bool(curves) == shown
    assert all(curve.loss == () for curve in curves.values())


def test_rows_without_curves_have_no_training(bench):
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], np.array([True, False]), tested=2)
    assert collect(bench.results()).trainings == ()
