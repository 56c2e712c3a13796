"""Adversarial training: both losses by hand, and what it must achieve on a problem with a known answer."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from soundproof import (
    Ball,
    Budget,
    Examples,
    Goal,
    Kind,
    Norm,
    Recipe,
    Ref,
    Surface,
    Trainer,
    TrainingData,
    Victim,
)
from soundproof.contract.discovery import discover
from soundproof.victim.bound import Absolute, Relative
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.pgd import Pgd
from soundproof_defenses._draw import Draw
from soundproof_defenses._fresh_weights import reset_weights
from soundproof_defenses._inner import InnerAttack
from soundproof_defenses._objectives import AdversarialObjective, Divergence, TradesObjective
from soundproof_defenses.adversarial_training import AdversarialTraining
from soundproof_defenses.none import Undefended

pytestmark = pytest.mark.slow

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


def linear(classes=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, classes))


def inner(attack=None, radius=0.5, draw="fixed", norm=Norm.L2, **options):
    generator = torch.Generator().manual_seed(0)
    return InnerAttack(attack or Fgsm(), generator, bound=Absolute(norm, radius), draw=draw, **options)


def defense(**parameters):
    """At the radius and norm of a suite's budget."""
    return AdversarialTraining(**parameters).under(Budget())


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_equation_14(alpha):
    module, examples = linear(), problem(20)
    objective = AdversarialObjective(inner(), alpha=alpha)
    victim = Victim(module, examples.inputs, Goal(examples.labels), traced=False)
    attacked = Fgsm().perturb(victim, Ball(Norm.L2, 0.5), torch.Generator())
    clean_loss = cross_entropy(module(examples.inputs), examples.labels)
    expected = alpha * clean_loss + (1 - alpha) * cross_entropy(module(attacked), examples.labels)
    module.train()
    torch.testing.assert_close(objective.loss(module, examples.inputs, examples.labels), expected)
    assert module.training


def test_radii_are_drawn_per_clip_from_the_open_interval():
    drawn = inner(radius=2.0, draw="uniform")
    radii = torch.cat([drawn.draw(torch.zeros(160, 1)).radius for _ in range(10)])
    assert len(radii.unique()) > 1500
    assert radii.min() > 0
    assert radii.max() <= 2
    assert radii.mean().item() == pytest.approx(1, abs=0.05)


def test_a_relative_radius_is_drawn_by_each_clip_s_own_size():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(50, 64, generator=generator) * torch.linspace(0.1, 1, 50)[:, None]
    drawn = InnerAttack(Fgsm(), generator, bound=Relative(Norm.L2, 0.1), draw="fixed")
    attacked = drawn.attack(linear(), inputs, Goal(torch.zeros(50, dtype=torch.int64)), drawn.draw(inputs))
    shares = (attacked - inputs).norm(dim=1) / inputs.norm(dim=1)
    assert shares.max() <= 0.1 * (1 + 1e-5)
    assert shares.median() > 0.07  # the box takes some off


def test_it_trains_at_the_budget_s_size_in_the_budget_s_unit():
    by_snr = AdversarialTraining().under(Budget(snr_db=20.0))
    assert (by_snr.radius, by_snr.unit, by_snr.norm) == (20.0, "snr_db", Norm.L2)
    bound = by_snr._bound(data())
    clean = torch.rand(3, 64)
    torch.testing.assert_close(bound.ball(clean).radius.float(), clean.norm(dim=1) / 10)
    own = AdversarialTraining(radius=0.25).under(Budget(snr_db=20.0))
    assert (own.radius, own.unit) == (0.25, "epsilon")


def test_a_budget_of_waveforms_is_none_of_inputs():
    silent = AdversarialTraining().under(Budget(snr_db=40.0, domain=Surface.WAVEFORM))
    assert "give it a radius" in silent.reason_to_skip(SimpleNamespace(id="mlp", retrainable=True), (1, 8, 8), 2)
    loud = AdversarialTraining(radius=1.0).under(Budget(snr_db=40.0, domain=Surface.WAVEFORM))
    assert loud.reason_to_skip(SimpleNamespace(id="mlp", retrainable=True), (1, 8, 8), 2) is None
    assert loud.unit == "epsilon"


def test_a_ramp_ends_at_the_radius():
    class Recorder(Fgsm):
        def perturb(self, victim, ball, generator):
            self.seen.append(ball.radius)
            return super().perturb(victim, ball, generator)

    Recorder.seen = []
    ramped = inner(Recorder(), radius=2.0, draw="ramp", epochs=4)
    quick = trainer()
    quick.recipe = Recipe(epochs=4, batch=400)
    quick.fit(linear(), data(), AdversarialObjective(ramped, alpha=0.0))
    # Two batches of training an epoch, and validation at the full radius after each.
    validations = len(Recorder.seen) // 4 - 2
    expected = [radius for ramp in (0.5, 1.0, 1.5, 2.0) for radius in (ramp, ramp, *[2.0] * validations)]
    assert validations > 0
    assert Recorder.seen == pytest.approx(expected)


def test_an_attack_of_one_radius_trains_at_one_radius():
    class Plain(Fgsm):
        radius_per_clip = False

    class Trainer:
        component = staticmethod(lambda _: Plain())

    defense = AdversarialTraining(radius=1.0, norm=Norm.L2, draw="uniform")
    with pytest.raises(ValueError, match="one radius for all clips"):
        defense._attack(Trainer(), Norm.L2)
    assert isinstance(dataclasses.replace(defense, draw="fixed")._attack(Trainer(), Norm.L2), Plain)


def test_trades_is_the_clean_loss_and_the_divergence():
    """At a radius that is next to nothing only the clean loss is left; else the divergence is added β-fold."""
    module, examples = linear(3), problem(20)
    clean = cross_entropy(module(examples.inputs), examples.labels)
    still = TradesObjective(inner(radius=1e-9), beta=6.0)
    torch.testing.assert_close(still.loss(module, examples.inputs, examples.labels), clean)

    losses = []
    for beta in (1.0, 3.0):
        objective = TradesObjective(inner(Pgd(steps=5)), beta=beta)
        losses.append(objective.loss(module, examples.inputs, examples.labels) - clean)
    assert losses[0] > 1e-4
    torch.testing.assert_close(losses[1], 3 * losses[0])
    assert module.training


def test_the_divergence_is_torchs():
    generator = torch.Generator().manual_seed(0)
    before, after = torch.randn(2, 5, 4, generator=generator)
    goal = Divergence(torch.zeros(5, dtype=torch.int64), reference=before.log_softmax(1))
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=before), torch.distributions.Categorical(logits=after)
    )
    torch.testing.assert_close(goal.loss(after), expected)
    rows = torch.tensor([3, 1])
    torch.testing.assert_close(goal.select(rows).loss(after[rows]), expected[rows])


@pytest.mark.parametrize("attack", [Fgsm(), Pgd(steps=5)], ids=["fgsm", "pgd"])
def test_trades_attacks_the_prediction_and_not_the_label(attack):
    """With two classes the divergence grows towards the decision boundary and beyond, wherever the label is."""
    module, examples = linear(), problem(200)
    wrong = Examples(examples.inputs, module(examples.inputs).argmin(dim=1))

    class Recorder(type(attack)):
        def perturb(self, victim, ball, generator):
            self.seen.append(super().perturb(victim, ball, generator))
            return self.seen[-1]

    Recorder.seen = []
    recorder = Recorder(**attack.parameters())
    TradesObjective(inner(recorder), beta=6.0).loss(module, wrong.inputs, wrong.labels)
    moved = (Recorder.seen[0] - wrong.inputs).flatten(1).norm(dim=1)
    assert moved.max() <= 0.5 + 0.02
    reference = module(wrong.inputs).log_softmax(1)
    noise = torch.randn(wrong.inputs.shape, generator=torch.Generator().manual_seed(1))
    noise = 0.5 * noise / noise.norm(dim=1, keepdim=True)
    goal = Divergence(wrong.labels, reference=reference)
    attacked, random = (
        goal.loss(module(x)).mean() for x in (Recorder.seen[0], (wrong.inputs + noise).clamp(0, 1))
    )
    assert attacked > 5 * random


@pytest.mark.parametrize("loss", ["mixed", "trades"])
def test_gradients_of_the_inner_attack_are_counted_apart(loss):
    quick = trainer()
    quick.recipe = dataclasses.replace(quick.recipe, epochs=2)
    defense(attack=Ref(Kind.ATTACK, "bim-b", {"steps": 3}), loss=loss).fit(
        linear(), TrainingData(problem(100), problem(30, seed=1), classes=2), quick
    )
    assert quick.gradients == 2 * 3 * (100 + 30)


@pytest.mark.parametrize(
    "options",
    [
        {"start": "scratch"},
        {"start": "trained"},
        {"start": "trained", "loss": "trades"},
        {"start": "trained", "draw": "ramp"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_it_learns_to_lean_on_what_survives(options):
    """The robust solution weighs the strong feature; plain training spreads over the weak ones."""
    plain, defended = linear(), linear()
    trainer().fit(plain, data())
    defended.load_state_dict(plain.state_dict())
    # On a linear model one step finds the worst case.
    defense(attack=Ref(Kind.ATTACK, "fgsm"), radius=0.2, **options).fit(defended, data(), trainer())

    def attacked_loss(module):
        examples = problem(clips=1000, seed=2)
        victim = Victim(module, examples.inputs, Goal(examples.labels))
        moved = Fgsm().perturb(victim, Ball(Norm.L2, 0.2), torch.Generator())
        return cross_entropy(module(moved), examples.labels).item()

    assert attacked_loss(defended) < 0.9 * attacked_loss(plain)


@pytest.mark.parametrize("attack", [{"id": "noise"}, {"id": "bim-b", "steps": 2}])
def test_any_bounded_attack_serves(attack):
    module = linear()
    quick = trainer()
    quick.recipe = dataclasses.replace(quick.recipe, epochs=2)
    defense(attack=REGISTRY.reference(Kind.ATTACK, attack)).fit(module, data(), quick)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_attacks_without_a_radius_are_refused():
    targeted = defense(attack=Ref(Kind.ATTACK, "fgsm", {"targeted": True}))
    with pytest.raises(ValueError, match="untargeted attack with a radius"):
        targeted.fit(linear(), data(), trainer())


def test_parameters_without_effect_are_refused():
    with pytest.raises(ValueError, match="alpha has no effect when loss = 'trades'"):
        AdversarialTraining(loss="trades", alpha=0.5)
    with pytest.raises(ValueError, match="beta has no effect when loss = 'mixed'"):
        AdversarialTraining(beta=1.0)


def test_models_that_do_not_train_are_skipped():
    forest = SimpleNamespace(id="random-forest", retrainable=False)
    assert "random-forest" in defense().reason_to_skip(forest, (64,), 2)
    network = SimpleNamespace(id="mlp", retrainable=True)
    assert defense().reason_to_skip(network, (64,), 2) is None


def test_none_leaves_everything_alone():
    module = linear()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    Undefended().fit(Undefended().wrap(module, (64,), 2), data(), trainer())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_frozen_layers_are_not_drawn_anew():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    module[0].requires_grad_(requires_grad=False)
    before = [layer.weight.clone() for layer in module]
    reset_weights(module)
    assert torch.equal(module[0].weight, before[0])
    assert not torch.equal(module[1].weight, before[1])


def test_the_suites_budget_fills_in_what_is_left_open():
    budget = Budget(norm=Norm.LINF, epsilon=0.02)
    assert AdversarialTraining().under(budget) == AdversarialTraining(radius=0.02, norm=Norm.LINF)
    assert AdversarialTraining(radius=1.0).under(budget) == AdversarialTraining(radius=1.0, norm=Norm.LINF)
    own = AdversarialTraining(radius=1.0, norm=Norm.L2)
    assert own.under(budget) == own
    with pytest.raises(ValueError, match=r"needs a radius and a norm: set them, or call under\(budget\)"):
        AdversarialTraining().fit(linear(), data(), trainer())


@pytest.mark.parametrize("attack", [{"id": "fgsm"}, {"id": "bim-b", "steps": 4}, {"id": "pgd", "steps": 2}])
def test_training_examples_fill_a_ball_of_the_budgets_norm(attack):
    """Steps of l2 would move a clip by a small part of what an l-infinity budget allows."""
    seen = []

    class Recorder(nn.Sequential):
        def forward(self, inputs):
            seen.append(inputs.detach())
            return super().forward(inputs)

    quick = trainer()
    quick.recipe = Recipe(epochs=1, batch=20)
    examples = problem(20)
    module = Recorder(*linear())
    parameters = {"attack": REGISTRY.reference(Kind.ATTACK, attack)}
    budget = Budget(norm=Norm.LINF, epsilon=0.1)
    AdversarialTraining(**parameters).under(budget).fit(module, TrainingData(examples, examples, 2), quick)
    trained_on = next(
        inputs for inputs in seen[::-1] if len(inputs) == 20 and not torch.equal(inputs, examples.inputs)
    )
    nearest = (trained_on[:, None] - examples.inputs).abs().flatten(2).amax(dim=2).amin(dim=1)
    torch.testing.assert_close(nearest, torch.full((20,), 0.1))


def test_presets_are_what_the_paper_says():
    """arXiv 2008.11618: one-step examples, on from the trained network, ‖ε‖₂ ≤ 3, whatever the suite's budget."""
    reference = REGISTRY.reference(Kind.DEFENSE, {"id": "adversarial-training", "preset": "001"})
    built = REGISTRY.build(reference)
    assert (built.attack.id, built.alpha, built.radius, built.norm) == ("fgsm", 0.5, 3.0, Norm.L2)
    assert (built.draw, built.start, built.from_scratch) == (Draw.UNIFORM, "trained", False)
    assert built.under(Budget(norm=Norm.LINF, epsilon=0.1)) == built
    alone = REGISTRY.reference(Kind.DEFENSE, {"id": "adversarial-training", "preset": "001-attacked-only"})
    assert REGISTRY.build(alone) == dataclasses.replace(built, alpha=0.0)


def test_it_starts_from_new_weights_unless_told_otherwise():
    assert AdversarialTraining().from_scratch
    assert not AdversarialTraining(start="trained").from_scratch


@pytest.mark.parametrize(
    ("parameters", "epochs"),
    [
        ({}, 1 + 4 * 2 / 3),
        ({"attack": "fgsm"}, 1 + 2 / 3),
        ({"attack": "fgsm", "alpha": 0.5}, 2 + 2 / 3),
        ({"loss": "trades", "attack": {"id": "bim-b", "steps": 3}}, 2 + 2),
    ],
)
def test_an_epoch_costs_its_passes(parameters, epochs):
    built = REGISTRY.build(Ref(Kind.DEFENSE, "adversarial-training", parameters))
    assert built.training_cost == pytest.approx(epochs)
