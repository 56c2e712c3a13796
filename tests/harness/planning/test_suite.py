"""Suite files: everything wrong is told at once, with its path."""

import dataclasses

import pytest

from soundproof import Budget, Norm, Recipe, SuiteError
from soundproof.planning.documents import suite_names
from soundproof.planning.suite import load_suite
from toys import toy_registry, toy_suite


@pytest.fixture(scope="module")
def registry():
    return toy_registry()


@pytest.mark.parametrize("name", suite_names())
def test_built_in_suites_are_valid(name, registry):
    suite = load_suite(name, registry)
    assert suite.name == name


def test_defaults(registry):
    suite = load_suite({**toy_suite(), "budget": {}}, registry)
    assert suite.budget.norm is Norm.L2
    assert (suite.budget.epsilon, suite.budget.target_auc) == (3.0, 0.9)
    assert (suite.split.scheme, suite.split.folds, suite.split.seeds) == ("group70", 1, [0])
    assert [component.id for component in suite.defenses] == ["none"]


def test_lists_multiply(registry):
    attacks = [{"id": "bim-b", "steps": [5, 10], "step_size": [0.1, 0.2, 0.3]}, "fgsm"]
    suite = load_suite(toy_suite(attacks=attacks), registry)
    assert len(suite.attacks) == 7
    assert {(a.steps, a.step_size) for a in suite.attacks[:6]} == {
        (s, z) for s in (5, 10) for z in (0.1, 0.2, 0.3)
    }


def test_lists_of_list_parameters_do_not_multiply(registry):
    suite = load_suite(toy_suite(representations=[{"id": "stft", "size": [32, 16]}]), registry)
    assert [r.size for r in suite.representations] == [(32, 16)]


def test_every_problem_is_told_at_once(registry):
    document = toy_suite(
        attacks=["fgms", {"id": "bim-b", "steps": -1}],
        models=[{"id": "resnet56", "dpeth": 8}],
        budget={"epsilon": -1.0, "target": 0.9},
        split={"scheme": "random", "folds": 0},
        colour="blue",
    )
    with pytest.raises(SuiteError) as caught:
        load_suite(document, registry)
    text = "\n".join(caught.value.problems)
    for expected in (
        "attacks[0]: unknown attack 'fgms': did you mean 'fgsm'",
        "attacks[1]: bim-b.steps",
        "models[0]: resnet56 has no parameter 'dpeth': did you mean 'depth'?",
        "budget.epsilon",
        "budget.target: unknown key; did you mean 'target_auc'?",
        "split.scheme",
        "split.folds",
        "colour: unknown key",
    ):
        assert expected in text, text
    assert len(caught.value.problems) == 8


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"datasets": []}, "datasets: .*at least 1"),
        ({"attacks": []}, "attacks: name at least one"),
        ({"attacks": [3]}, r"attacks\[0\]: attack: write"),
        ({"attacks": ["fgsm", "fgsm"]}, "'fgsm' is listed twice"),
        ({"budget": {"epsilon": "3"}}, "budget.epsilon: .*number"),
        ({"budget": {"epsilon": float("inf")}}, "budget.epsilon: .*finite"),
        ({"budget": {"max_gradients": 0}}, "budget.max_gradients"),
        ({"name": "../evil"}, "name: "),
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"protocols": ["bounds"]}, r"protocols\[0\]: .*'bounded'"),
        ({"split": {"seeds": []}}, "split.seeds"),
        ({"split": {"seeds": [0, 1, 0]}}, r"split.seeds: 0 listed more than once"),
        ({"protocols": ["clean", "clean"]}, "protocols: clean listed more than once"),
        ({"gate": {"acuracy": 0.1}}, "gate.acuracy: unknown key; did you mean 'accuracy'"),
        ({"gate": {"grey_fooling_rat": 0.1}}, "did you mean 'grey_fooling_rate'"),
        ({"gate": {"accuracy": 1.0}}, "gate.accuracy.tolerance: .*less than 1"),
        ({"gate": {"accuracy": {"hard": 0.1}}}, "gate.accuracy.tolerance: required"),
        ({"gate": {"accuracy": {"tolerance": 0.1, "direction": "up"}}}, "gate.accuracy.direction: .*'higher'"),
        ({"gate": {"accuracy": {"tolerance": 0.1, "hrad": 0.1}}}, "gate.accuracy.hrad: .*did you mean 'hard'"),
        ({"gate": {"gradients": -1}}, "gate.gradients.tolerance: .*greater than or equal to 0"),
        ({"gate": {"l2": "x"}}, "gate.l2.tolerance: .*number"),
        ({"datasets": 5}, "datasets: .*array, not 5"),
    ],
)
def test_bad_values(change, reason, registry):
    with pytest.raises(SuiteError, match=reason):
        load_suite(toy_suite(**change), registry)


def test_the_gate_knows_every_metric(registry):
    tolerances = {
        "accuracy": 0.02,
        "drop": 0.0,
        "grey_robust_accuracy": 0.99,
        "gradients": 200.0,
        "epsilon_ratio": 1.5,
        "fooling_rate": {"tolerance": 0.1, "hard": 0.3, "direction": "both"},
    }
    found = load_suite(toy_suite(gate=tolerances), registry).gate
    assert found == {
        name: given if isinstance(given, dict) else {"tolerance": given} for name, given in tolerances.items()
    }


def test_only_clean_needs_no_attack(registry):
    assert load_suite(toy_suite(attacks=[], protocols=["clean"]), registry).attacks == []


def test_the_limits_of_recipes_and_budgets_are_those_of_the_dataclasses(registry):
    # The tables have exactly the fields of Recipe and Budget, with their defaults.
    suite = load_suite(toy_suite(budget={}), registry)
    assert suite.budget == Budget()
    for words, table in ((Recipe, "training"), (Budget, "budget")):
        for field in dataclasses.fields(words):
            with pytest.raises(SuiteError, match=rf"{table}.{field.name}(\[0\])?: Input should be"):
                load_suite(toy_suite(**{table: {field.name: [-1]}}), registry)


def test_training_overrides_the_recipe(registry):
    suite = load_suite(toy_suite(training={"epochs": 3}), registry)
    recipe = suite.recipe(suite.models[0], suite.datasets[0])
    assert (recipe.epochs, recipe.batch) == (3, 8)
