"""Inputs of clips and of their augmented copies, against a bare loop."""

import numpy as np
import pytest
import torch

from soundproof.engine import inputs as stage
from soundproof.engine.environment import Environment
from soundproof.engine.inputs import InputMaker
from soundproof.engine.store import Store
from soundproof.engine.workshop import Workshop
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import toy_registry, toy_suite

REGISTRY = toy_registry()


def inputs_of(folder, **changes):
    plan = make_plan(load_suite(toy_suite(**changes), REGISTRY), folder)
    workshop = Workshop(plan, REGISTRY, Environment("cpu", "", threads=1), Store(folder), folder)
    return plan, plan.cells[0].classifier.trained, InputMaker(workshop)


@pytest.mark.parametrize("batch", [7, 60, 64])
def test_copies_lie_copy_after_copy_whatever_the_batch(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(stage, "BATCH", batch)
    _, trained, inputs = inputs_of(tmp_path, augmentations=["toy-copies"])
    waveforms = trained.dataset.waveforms(tmp_path, 100)
    everything = inputs.examples(trained, np.arange(180))
    louder = np.clip(waveforms * np.float32(1.1), -1, 1)
    expected = (torch.from_numpy(np.concatenate([waveforms, louder])) + 1) / 2
    torch.testing.assert_close(everything.inputs[:120].flatten(1), expected)
    noise = everything.inputs[120:].flatten(1) - expected[:60]
    assert 0.001 < noise.std() < 0.01
    np.testing.assert_array_equal(everything.labels.numpy(), np.tile(np.arange(60) % 3, 3))


def test_training_data_holds_sounds_of_its_originals(tmp_path):
    plan, trained, inputs = inputs_of(tmp_path, augmentations=["toy-copies"])
    data = inputs.training_data(trained)
    (parts,) = plan.splits.values()
    sounds = data.sounds.waveforms()
    assert 3 * len(sounds) == len(data.train)
    torch.testing.assert_close(data.sounds.represent(sounds), data.train.inputs[: len(sounds)])
    assert not data.sounds.represent(sounds).is_inference(), "a defense may train on them"
    torch.testing.assert_close(data.sounds.represent(data.sounds.validation()), data.validation.inputs)
    np.testing.assert_array_equal(sounds, trained.dataset.waveforms(tmp_path, 100)[parts.train[parts.train < 60]])


def test_an_augmentation_that_breaks_its_promise_is_named(tmp_path, monkeypatch):
    plan, trained, inputs = inputs_of(tmp_path, augmentations=["toy-copies"])
    monkeypatch.setattr(
        type(plan.suite.augmentations[0]), "augment", lambda self, clips, rate, generator: clips[None]
    )
    with pytest.raises(ValueError, match="toy-copies made copies"):
        inputs.training_data(trained)


def test_a_representation_is_fitted_to_the_class_it_names(tmp_path):
    plan, trained, inputs = inputs_of(tmp_path, representations=[{"id": "llfb", "fitted_to": "middle"}])
    (parts,) = plan.splits.values()
    waveforms = torch.from_numpy(trained.dataset.waveforms(tmp_path, 16000))
    middle = waveforms[parts.train[parts.train % 3 == 1]]
    expected = trained.representation.fit(middle)(waveforms)
    torch.testing.assert_close(inputs.examples(trained, np.arange(60)).inputs, expected)
