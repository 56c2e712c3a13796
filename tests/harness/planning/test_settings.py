"""Settings that hold for some data sets, models or representations only."""

from pathlib import Path

import pytest

from soundproof import SuiteError
from soundproof.contract.identity import coordinate
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import toy_registry, toy_suite

TWO = [{"id": "toy-data", "label": "quiet"}, {"id": "toy-data", "spread": 0.2, "label": "loud"}]
MODELS = ["toy-linear", "toy-signs"]


@pytest.fixture(scope="module")
def registry():
    return toy_registry()


def suite_of(registry, *settings, **changes):
    return load_suite(
        toy_suite(**{"datasets": TWO, "models": MODELS, "settings": list(settings), **changes}), registry
    )


def test_training_differs_by_model_and_data_set_and_later_entries_win(registry):
    suite = suite_of(
        registry,
        {"model": "toy-linear", "training": {"epochs": 60, "batch": 4}},
        {"dataset": "loud", "training": {"epochs": 7}},
        {"dataset": "loud", "model": "toy-linear", "training": {"weight_decay": 0.5}},
        training={"epochs": 3, "patience": 2},
    )
    quiet, loud = suite.datasets
    linear, signs = suite.models
    found = {
        (dataset, model): suite.recipe(model, dataset) for dataset in (quiet, loud) for model in (linear, signs)
    }
    assert [found[key].epochs for key in ((quiet, linear), (quiet, signs), (loud, linear), (loud, signs))] == [
        60,
        3,
        7,
        7,
    ]
    assert [found[dataset, linear].batch for dataset in (quiet, loud)] == [4, 4]
    assert found[loud, linear].weight_decay == 0.5
    assert found[quiet, linear].weight_decay == linear.recipe.weight_decay
    assert found[quiet, linear].learning_rate == linear.recipe.learning_rate == 0.1
    assert {recipe.patience for recipe in found.values()} == {2}


def test_a_budget_belongs_to_a_data_set(registry):
    suite = suite_of(
        registry,
        {"dataset": ["quiet", "loud"], "budget": {"epsilon": 1.5}},
        {"dataset": "loud", "budget": {"epsilon": 2.0, "max_gradients": 5}},
        budget={"epsilon": 0.5, "norm": "linf"},
    )
    quiet, loud = suite.datasets
    assert suite.budget.epsilon == 0.5
    assert [suite.budget_of(dataset).epsilon for dataset in (quiet, loud)] == [1.5, 2.0]
    assert [suite.budget_of(dataset).max_gradients for dataset in (quiet, loud)] == [None, 5]
    assert {suite.budget_of(dataset).norm for dataset in (quiet, loud)} == {"linf"}


def test_a_representation_has_other_parameters_for_a_data_set(registry):
    suite = suite_of(
        registry,
        {"representation": "stft", "parameters": {"n_fft": 256}},
        {"dataset": "loud", "representation": "Spectrum", "parameters": {"sr": 16000, "n_fft": 512}},
        representations=[{"id": "stft", "size": [24, 24], "label": "Spectrum"}, "toy-picture"],
        models=["resnet56"],
    )
    quiet, loud = suite.datasets
    spectrum, picture = suite.representations
    assert spectrum.n_fft not in {256, 512}
    here, there = (suite.representation_of(spectrum, dataset) for dataset in (quiet, loud))
    assert (here.n_fft, here.rate, here.size) == (256, spectrum.rate, (24, 24))
    assert (there.n_fft, there.rate, there.size) == (512, 16000, (24, 24))
    assert suite.representation_of(picture, loud) is picture
    assert {suite.label(each) for each in (spectrum, here, there)} == {"Spectrum"}

    planned = {
        (coordinate(trained.dataset).get("spread"), trained.representation)
        for cell in make_plan(suite, Path()).cells
        if (trained := cell.classifier.trained).representation.id == "stft"
    }
    assert planned == {(None, here), (0.2, there)}


def test_settings_are_part_of_the_document(registry):
    setting = {"model": "toy-linear", "training": {"epochs": 60}}
    suite = suite_of(registry, setting)
    (written,) = suite.document["settings"]
    assert (written["model"], written["training"]) == (["toy-linear"], {"epochs": 60})
    assert suite.digest != suite_of(registry).digest


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"dataset": "lout", "training": {"epochs": 1}}, r"\.dataset: the suite has no dataset 'lout'; .*'loud'"),
        ({"model": ["toy-signs", "vgg16"], "training": {"epochs": 1}}, r"\.model: the suite has no model 'vgg16'"),
        ({"model": [], "training": {"epochs": 1}}, r"\.model: .*at least 1"),
        ({"training": {"epochs": 1}}, ": selects nothing"),
        ({"dataset": "loud"}, ": sets nothing; give it training or parameters or budget"),
        ({"dataset": "loud", "training": {"epoch": 1}}, r"\.training\.epoch: unknown key; did you mean 'epochs'"),
        ({"dataset": "loud", "training": {"epochs": 0}}, r"\.training\.epochs: .*greater than"),
        ({"dataset": "loud", "budget": {"norm": "linf"}}, r"\.budget\.norm: unknown key"),
        ({"model": "toy-linear", "budget": {"epsilon": 1.0}}, r"\.budget: depends on no model"),
        (
            {"representation": "toy-picture", "training": {"epochs": 1}},
            r"\.training: depends on no repr",
        ),
        ({"dataset": "loud", "parameters": {"sr": 8000}}, r"\.parameters: are those of a repr"),
        (
            {"representation": "toy-picture", "parameters": {"sr": 1}},
            r"\.parameters: toy-picture has no parameter",
        ),
        ({"datasets": "loud", "training": {"epochs": 1}}, r"\.datasets: unknown key; did you mean 'dataset'"),
    ],
)
def test_settings_that_cannot_be(setting, reason, registry):
    with pytest.raises(SuiteError, match=r"suite: settings\[0\]" + reason):
        suite_of(registry, setting)


def test_settings_of_a_list_with_problems_are_not_blamed(registry):
    with pytest.raises(SuiteError) as caught:
        suite_of(registry, {"model": "toy-linear", "training": {"epochs": 1}}, models=["toy-liner"], colour="blue")
    assert len(caught.value.problems) == 2
    assert not any("settings[" in problem for problem in caught.value.problems)


def test_representations_that_settings_make_equal(registry):
    with pytest.raises(SuiteError, match="settings: two representations of toy-data become equal, stft"):
        suite_of(
            registry,
            {"dataset": "loud", "representation": "stft", "parameters": {"n_fft": 512}},
            representations=[{"id": "stft", "n_fft": [256, 512]}],
        )
