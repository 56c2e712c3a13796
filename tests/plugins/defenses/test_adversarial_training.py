"""Adversarial training: Eq. 14 by hand, and what it must achieve on a problem with a known answer."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from soundproof import Ball, Examples, Goal, Kind, Norm, Recipe, Ref, Trainer, TrainingData, Victim
from soundproof.registry import discover
from soundproof_attacks.fgsm import Fgsm
from soundproof_defenses._objectives import AdversarialObjective
from soundproof_defenses.adversarial_training import AdversarialTraining
from soundproof_defenses.none import Undefended

REGISTRY = discover()


def problem(clips=800, seed=0):
    """A weak feature of many values that a small l2 step destroys, and a strong one of a single value."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(clips) % 2
    sign = (labels * 2 - 1).float()[:, None]
    strong = 0.5 + 0.25 * sign + 0.15 * torch.randn(clips, 1, generator=generator)
    weak = 0.5 + 0.01 * sign + 0.02 * torch.randn(clips, 63, generator=generator)
    return Examples(torch.cat([strong, weak], dim=1).clamp(0, 1), labels)


def trainer(**changes):
    recipe = Recipe(epochs=30, batch=50, learning_rate=0.3, weight_decay=0.0, **changes)
    return Trainer(recipe, 0, build=REGISTRY.build)


def data():
    return TrainingData(problem(), problem(seed=1), classes=2)


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 2))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_equation_14(alpha):
    module, examples = linear(), problem(20)
    objective = AdversarialObjective(Fgsm(), torch.Generator(), alpha=alpha, radius=0.5, uniform=False)
    victim = Victim(module, examples.inputs, Goal(examples.labels), traced=False)
    attacked = Fgsm().perturb(victim, Ball(Norm.L2, 0.5), torch.Generator())
    clean_loss = cross_entropy(module(examples.inputs), examples.labels)
    expected = alpha * clean_loss + (1 - alpha) * cross_entropy(module(attacked), examples.labels)
    module.train()
    torch.testing.assert_close(objective.loss(module, examples.inputs, examples.labels), expected)
    assert module.training


def test_radii_are_drawn_per_clip_from_the_open_interval():
    class Recorder(Fgsm):
        def perturb(self, victim, ball, generator):
            self.seen.append(ball.radius.clone())
            return super().perturb(victim, ball, generator)

    Recorder.seen = []
    module, examples = linear(), problem(160)
    objective = AdversarialObjective(
        Recorder(), torch.Generator().manual_seed(0), alpha=0.0, radius=2.0, uniform=True
    )
    for _ in range(10):
        objective.loss(module, examples.inputs, examples.labels)
    radii = torch.cat(Recorder.seen)
    assert len(radii.unique()) > 1500
    assert radii.min() > 0
    assert radii.max() <= 2
    assert radii.mean().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("start", ["scratch", "trained"])
def test_it_learns_to_lean_on_what_survives(start):
    """The robust solution weighs the strong feature; plain training spreads over the weak ones."""
    plain, defended = linear(), linear()
    trainer().fit(plain, data())
    defended.load_state_dict(plain.state_dict())
    defense = AdversarialTraining(alpha=0.0, radius=0.2, draw="fixed", start=start)
    defense.fit(defended, data(), trainer())

    def attacked_loss(module):
        examples = problem(clips=1000, seed=2)
        victim = Victim(module, examples.inputs, Goal(examples.labels))
        moved = Fgsm().perturb(victim, Ball(Norm.L2, 0.2), torch.Generator())
        return cross_entropy(module(moved), examples.labels).item()

    assert attacked_loss(defended) < 0.9 * attacked_loss(plain)


@pytest.mark.parametrize("attack", [{"id": "noise"}, {"id": "bim-b", "steps": 2}])
def test_any_bounded_attack_serves(attack):
    defense = AdversarialTraining(attack=REGISTRY.reference(Kind.ATTACK, attack))
    module = linear()
    quick = trainer()
    quick.recipe = dataclasses.replace(quick.recipe, epochs=2)
    defense.fit(module, data(), quick)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_attacks_without_a_radius_are_refused():
    defense = AdversarialTraining(attack=Ref(Kind.ATTACK, "fgsm", {"targeted": True}))
    with pytest.raises(ValueError, match="untargeted attack with a radius"):
        defense.fit(linear(), data(), trainer())


def test_none_leaves_everything_alone():
    module = linear()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    Undefended().fit(Undefended().wrap(module, (64,), 2), data(), trainer())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
