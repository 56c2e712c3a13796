"""Classifiers as they are attacked."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from soundproof.contract.registry import Registered
from soundproof.engine.classifiers import ClassifierMaker
from soundproof.engine.environment import Environment
from soundproof.engine.inputs import InputMaker
from soundproof.engine.store import Store
from soundproof.engine.workshop import Workshop
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Kind
from toys import ToyModel, toy_registry, toy_suite


@dataclass(frozen=True)
class Normalised(ToyModel):
    """A convolution and its normalisation."""

    id: ClassVar[str] = "toy-normalised"

    def build(self, shape, classes):
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 2 * 3, classes))


def test_what_is_attacked_is_what_was_trained_without_its_normalisations(tmp_path):
    registry = toy_registry()
    registry.components[Kind.MODEL, Normalised.id] = Registered(Normalised, "toys", "1")
    plan = make_plan(load_suite(toy_suite(models=[Normalised.id]), registry), tmp_path)
    store = Store(tmp_path / "cache")
    workshop = Workshop(plan, registry, Environment("cpu", "", threads=1), store, tmp_path)
    classifiers = ClassifierMaker(workshop, InputMaker(workshop))
    classifier = next(cell.classifier for cell in plan.cells)

    module = classifiers.module(classifier)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in module.modules())
    assert not module.training
    assert not any(value.requires_grad for value in module.parameters())

    trained = Normalised().build((1, 4, 5), 3)
    trained.load_state_dict(store.get(workshop.keys.of(classifier.trained)).tensors("cpu"))
    assert trained[1].running_mean.abs().max() > 0, "it was trained"
    images = torch.rand(6, 1, 4, 5)
    torch.testing.assert_close(module(images), trained.eval()(images), rtol=1e-4, atol=1e-5)
