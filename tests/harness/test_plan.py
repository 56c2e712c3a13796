"""The planner: the cross-product, skips with reasons, and keys."""

from pathlib import Path

import pytest

from soundproof import SoundproofError
from soundproof.plan import LADDER, planned_gradients
from soundproof.planner import make_plan
from soundproof.suite import load_suite
from soundproof.types import Budget, Protocol, Status
from toys import toy_registry, toy_suite

HERE = Path()


@pytest.fixture(scope="module")
def registry():
    return toy_registry()


def plan_of(registry, only=None, **changes):
    return make_plan(load_suite(toy_suite(**changes), registry), HERE, only)


def test_the_cross_product(registry):
    plan = plan_of(
        registry,
        models=["toy-linear", {"id": "toy-linear", "scale": 2.0}],
        defenses=["none", "toy-halving"],
        split={"folds": 2, "seeds": [0, 1]},
    )
    counts = {p: sum(cell.protocol is p for cell in plan.cells) for p in Protocol}
    families, classifiers, attacks = 4, 4, 2
    assert counts == {
        Protocol.CLEAN: families * classifiers,
        Protocol.BOUNDED: families * classifiers * attacks,
        Protocol.REACH: families * classifiers * attacks,
        Protocol.TRANSFER: families * classifiers * (classifiers - 1) * attacks,
    }
    keys = {cell.row(Budget(), Status.OK).key for cell in plan.cells}
    assert len(keys) == len(plan.cells), "every cell has its own key"


def test_impossible_combinations_are_rows_with_reasons(registry):
    plan = plan_of(registry, representations=["toy-picture", "toy-vector"], models=["toy-linear"])
    reasons = {row.reason for row in plan.skipped}
    assert reasons == {"toy-linear reads image inputs; toy-vector makes vector inputs"}
    assert {row.status for row in plan.skipped} == {Status.SKIPPED}
    assert {row.protocol for row in plan.skipped} == {Protocol.CLEAN, Protocol.BOUNDED, Protocol.REACH}
    assert all(cell.classifier.trained.representation.id == "toy-picture" for cell in plan.cells)


def test_attacks_that_need_gradients_skip_models_without(registry):
    plan = plan_of(registry, models=["toy-signs"], attacks=["fgsm", "noise", "square"], defenses=["none"])
    left = {cell.attack.id for cell in plan.cells if cell.attack}
    assert left == {"noise", "square"}
    assert {row.reason for row in plan.skipped} == {
        "fgsm needs gradients, and toy-signs has none; black-box attacks apply"
    }
    assert {row.attack["id"] for row in plan.skipped} == {"fgsm"}


def test_defenses_that_retrain_skip_models_that_cannot(registry):
    plan = plan_of(registry, models=["toy-signs"], attacks=["noise"], defenses=["none", "adversarial-training"])
    assert {cell.classifier.defense.id for cell in plan.cells} == {"none"}
    assert {row.defense["id"] for row in plan.skipped} == {"adversarial-training"}


def test_files_that_parameters_name_must_exist(registry):
    with pytest.raises(SoundproofError, match=r"toy-signs: /no/such/weights does not exist"):
        plan_of(registry, models=[{"id": "toy-signs", "weights": "/no/such/weights"}])


def test_a_class_to_fit_to_that_the_data_set_lacks_is_skipped(registry):
    plan = plan_of(registry, representations=[{"id": "llfb", "fitted_to": "bonafide"}])
    assert not plan.cells
    assert {row.reason for row in plan.skipped} == {"llfb is fitted to the class 'bonafide', and there is none"}


def test_clips_too_short_and_pictures_too_small_are_skipped(registry):
    plan = plan_of(registry, representations=[{"id": "stft", "n_fft": 65536, "sr": 8000}], models=["mel-cnn"])
    assert not plan.cells
    assert all("65536" in row.reason for row in plan.skipped)
    plan = plan_of(registry, models=["mel-cnn"])
    assert {row.reason for row in plan.skipped} == {"mel-cnn needs pictures of at least 22×22, not 4×5"}


def test_only_restricts(registry):
    plan = plan_of(registry, only={"attack": ["fgsm"]})
    assert {cell.attack.id for cell in plan.cells if cell.attack} == {"fgsm"}
    with pytest.raises(SoundproofError) as caught:
        plan_of(registry, only={"attack": ["pgd"], "colour": ["blue"]})
    assert len(caught.value.problems) == 2


def test_folds_that_do_not_exist(registry):
    with pytest.raises(SoundproofError, match=r"toy-data: split\.folds: 6, but group70 has 5 folds"):
        plan_of(registry, split={"folds": 6})


def test_planned_gradients_add_up_over_the_ladder(registry):
    plan = plan_of(registry, attacks=["fgsm", {"id": "bim-b", "steps": 10}])
    planned = {(c.protocol, c.attack.id): planned_gradients(plan, c) for c in plan.cells if c.attack}
    (split,) = plan.splits.values()
    clips = len(split.test)
    assert planned[Protocol.BOUNDED, "fgsm"] == planned[Protocol.REACH, "fgsm"] == clips
    assert planned[Protocol.BOUNDED, "bim-b"] == 10 * clips
    assert planned[Protocol.REACH, "bim-b"] == 10 * len(LADDER) * clips
    limited = plan_of(registry, attacks=["bim-b"], budget={"max_gradients": 25})
    assert {planned_gradients(limited, c) for c in limited.cells if c.protocol is Protocol.REACH} == {25 * clips}


def test_the_target_names_its_defense_only_where_it_differs(registry):
    plan = plan_of(
        registry, models=["toy-linear", {"id": "toy-linear", "scale": 2.0}], defenses=["none", "toy-halving"]
    )
    targets = [
        (cell.classifier.defense.id, cell.row(Budget(), Status.OK).target)
        for cell in plan.cells
        if cell.protocol is Protocol.TRANSFER
    ]
    assert all(
        ("defense" in target) == (target.get("defense", {"id": source})["id"] != source)
        for source, target in targets
    )
    assert ("none", {"id": "toy-linear", "defense": {"id": "toy-halving"}}) in targets
    assert ("none", {"id": "toy-linear", "scale": 2.0}) in targets
