"""The planner: the cross-product, skips with reasons, and keys."""

from pathlib import Path

import pytest

from soundproof import SoundproofError
from soundproof.measuring.ladder import DESCENT, LADDER, REFINEMENTS
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.planning.plan import row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Budget, Status
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
    counts = {p: sum(cell.protocol.id == p for cell in plan.cells) for p in PROTOCOLS}
    families, classifiers, attacks = 4, 4, 2
    assert counts == {
        "clean": families * classifiers,
        "bounded": families * classifiers * attacks,
        "reach": families * classifiers * attacks,
        "transfer": families * classifiers * (classifiers - 1) * attacks,
        "certified": 0,
        "realised": 0,
        "channels": 0,
    }
    keys = {row_of(cell, Budget(), Status.OK).key for cell in plan.cells}
    assert len(keys) == len(plan.cells), "every cell has its own key"


def test_impossible_combinations_are_rows_with_reasons(registry):
    plan = plan_of(registry, representations=["toy-picture", "toy-vector"], models=["toy-linear"])
    reasons = {row.reason for row in plan.skipped}
    assert reasons == {"toy-linear reads image inputs; toy-vector makes vector inputs"}
    assert {row.status for row in plan.skipped} == {Status.SKIPPED}
    assert {row.protocol for row in plan.skipped} == {"clean", "bounded", "reach"}
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
    planned = {(c.protocol.id, c.attack.id): plan.gradients(c) for c in plan.cells if c.attack}
    (split,) = plan.splits.values()
    clips = len(split.test)
    assert planned["bounded", "fgsm"] == clips
    assert planned["reach", "fgsm"] == (1 + DESCENT + REFINEMENTS) * clips
    assert planned["bounded", "bim-b"] == 10 * clips
    assert planned["reach", "bim-b"] == 10 * (len(LADDER) + DESCENT + REFINEMENTS) * clips
    limited = plan_of(registry, attacks=["bim-b"], budget={"max_gradients": 25})
    assert {limited.gradients(c) for c in limited.cells if c.protocol.id == "reach"} == {
        (25 + 10 * (DESCENT + REFINEMENTS)) * clips
    }


def test_the_target_names_its_defense_only_where_it_differs(registry):
    plan = plan_of(
        registry, models=["toy-linear", {"id": "toy-linear", "scale": 2.0}], defenses=["none", "toy-halving"]
    )
    targets = [
        (cell.classifier.defense.id, row_of(cell, Budget(), Status.OK).target)
        for cell in plan.cells
        if cell.protocol.id == "transfer"
    ]
    assert all(
        ("defense" in target) == (target.get("defense", {"id": source})["id"] != source)
        for source, target in targets
    )
    assert ("none", {"id": "toy-linear", "defense": {"id": "toy-halving"}}) in targets
    assert ("none", {"id": "toy-linear", "scale": 2.0}) in targets
