"""Distillation: its loss by hand, and logits as large as its temperature says."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from soundproof import Examples, Recipe, Trainer, TrainingData
from soundproof_defenses._distillation import SoftLabels
from soundproof_defenses.distillation import Distillation

pytestmark = pytest.mark.slow


def problem(seed, clips=300):
    """Three noisy groups in the plane, scaled to the box."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(clips) % 3
    centres = torch.tensor([[0.3, 0.3], [0.7, 0.3], [0.5, 0.7]])
    inputs = centres[labels] + 0.12 * torch.randn(clips, 2, generator=generator)
    return Examples(inputs.clamp(0, 1), labels)


def network():
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))


def data():
    return TrainingData(problem(0), problem(1), 3)


def trainer():
    return Trainer(Recipe(epochs=30, batch=20, learning_rate=0.03, label_smoothing=0.1), 0)


def trained():
    torch.manual_seed(0)
    module = network()
    trainer().fit(module, data())
    return module


def distilled(temperature):
    defense = Distillation(temperature)
    module = defense.wrap(trained(), (2,), 3)
    defense.fit(module, data(), trainer())
    return module


def test_the_loss_is_the_cross_entropy_of_soft_labels():
    torch.manual_seed(0)
    teacher, student = network(), network()
    inputs = torch.rand(7, 2)
    soft, logits = teacher(inputs).softmax(1), student(inputs) / 5
    expected = -(soft * logits.log_softmax(1)).sum(1).mean()
    loss = SoftLabels(teacher, 5.0, trainer().recipe).loss(student, inputs, torch.zeros(7, dtype=torch.int64))
    torch.testing.assert_close(loss, expected)


def test_the_student_agrees_with_its_teacher():
    teacher, student, examples = trained(), distilled(20.0), problem(2)
    with torch.no_grad():
        soft, learned = teacher(examples.inputs).softmax(1), (student(examples.inputs) / 20).softmax(1)
    assert (soft - learned).abs().mean() < 0.03
    assert not torch.equal(soft, learned)


def test_its_logits_are_as_large_as_the_temperature():
    """What blinds attacks on the cross-entropy, which distances to the boundary do not feel."""
    inputs = problem(2).inputs
    spread = {t: distilled(t)(inputs).std().item() for t in (1.0, 20.0)}
    assert 15 < spread[20.0] / spread[1.0] < 25


def test_the_student_starts_anew():
    module = Distillation().wrap(trained(), (2,), 3)
    before = module[0][0].weight.detach().clone()
    still = Trainer(Recipe(epochs=1, batch=300, learning_rate=1e-12), 0)
    Distillation().fit(module, data(), still)
    assert (module[0][0].weight - before).abs().max() > 0.1


def test_models_that_do_not_train_are_skipped():
    forest = SimpleNamespace(id="random-forest", retrainable=False)
    assert "random-forest" in Distillation().reason_to_skip(forest, (2,), 3)
