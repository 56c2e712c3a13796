"""The adapter: names, labels, balls, counts, random numbers."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from classifiers import Counted
from soundproof import Ball, Budget, BudgetExhaustedError, Goal, Kind, Norm, PluginError, Victim
from soundproof.contract.discovery import discover
from soundproof_attacks.art import Art, ArtMinimumNorm

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"), pytest.mark.slow]


def attack_on(attack, digits, ball=None, clips=12, budget=None):
    module, clean, labels = (digits[0], digits[1][:clips], digits[2][:clips])
    goal = Goal(labels, (labels + 1) % 10 if attack.is_targeted else None)
    victim = Victim(module, clean, goal, budget, ball=ball)
    generator = torch.Generator().manual_seed(0)
    examples = attack.minimise(victim, generator) if ball is None else attack.perturb(victim, ball, generator)
    with torch.no_grad():
        return victim, examples, goal.met(module(examples))


BOUNDED = [
    Art("FastGradientMethod"),
    Art("BasicIterativeMethod", options={"max_iter": 5}),
    Art("ProjectedGradientDescent", options={"max_iter": 5, "num_random_init": 2}),
    Art("ProjectedGradientDescentPyTorch", options={"max_iter": 5, "norm": "inf"}),
    Art("MomentumIterativeMethod", options={"max_iter": 5}),
    Art("AutoProjectedGradientDescent", options={"max_iter": 5, "nb_random_init": 1}),
    Art("SquareAttack", options={"max_iter": 20, "norm": "inf"}),
]


@pytest.mark.parametrize("ball", [Ball(Norm.L2, 1.2), Ball(Norm.LINF, 0.15)], ids=lambda ball: ball.norm)
@pytest.mark.parametrize("attack", BOUNDED, ids=lambda attack: attack.attack)
def test_bounded_attacks_stay_in_the_ball_and_use_it(attack, ball, digits):
    victim, examples, met = attack_on(attack, digits, ball)
    sizes = ball.sizes(examples.double() - victim.clean.double())
    assert sizes.max() <= ball.radius + 1e-6
    inner = ball.inscribed(Norm.LINF, 64)
    # Attacks without a choice of norm, or with l∞ among their options, work in the cube inside the ball.
    assert Ball(Norm.LINF, 0).sizes(examples - victim.clean).max() > 0.9 * float(inner.radius)
    assert met.any()
    assert victim.ledger.gradients.max() <= attack.planned_gradients
    assert victim.ledger.queries.max() <= attack.planned_queries


@pytest.mark.parametrize(
    "attack",
    [
        ArtMinimumNorm("DeepFool", options={"max_iter": 10}),
        ArtMinimumNorm("CarliniL2Method", options={"max_iter": 3, "initial_const": 10.0}),
        ArtMinimumNorm("NewtonFool", options={"max_iter": 20, "eta": 0.1}),
        ArtMinimumNorm("SaliencyMapMethod", options={"theta": 0.5}),
        ArtMinimumNorm("HopSkipJump", options={"max_iter": 1, "init_eval": 5, "max_eval": 5, "init_size": 20}),
    ],
    ids=lambda attack: attack.attack,
)
def test_minimum_norm_attacks_fool(attack, digits):
    victim, examples, met = attack_on(attack, digits, clips=4)
    assert met.any()
    assert examples.dtype == victim.clean.dtype
    assert 0 <= examples.min() <= examples.max() <= 1


def test_targets_are_reached_where_art_wants_them(digits):
    # SaliencyMapMethod calls the target `y` and has no other word for it: given the label, it changes nothing.
    for attack in (
        ArtMinimumNorm("SaliencyMapMethod", options={"theta": 0.5}, targeted=True),
        ArtMinimumNorm("SaliencyMapMethod", options={"theta": 0.5}),
        ArtMinimumNorm("CarliniL2Method", options={"max_iter": 5, "initial_const": 10.0}, targeted=True),
    ):
        _, _, met = attack_on(attack, digits)
        assert met.float().mean() > 0.5, attack
    _, _, met = attack_on(Art(options={"max_iter": 20}, targeted=True), digits, Ball(Norm.L2, 3.0))
    assert met.all()


class TestMetering:
    def count(self, attack, ball=None):
        clean = torch.rand(6, 1, 5, 5, generator=torch.Generator().manual_seed(1))
        module = Counted(clean)
        victim = Victim(module, clean, Goal(module.logits(clean).argmax(dim=1)))
        generator = torch.Generator().manual_seed(0)
        if ball is None:
            attack.minimise(victim, generator)
        else:
            attack.perturb(victim, ball, generator)
        return victim.ledger, module

    @pytest.mark.parametrize("batch", [None, 1, 2, 4])
    def test_exact_for_every_clip_whatever_the_batches(self, batch):
        options = {"max_iter": 6} if batch is None else {"max_iter": 6, "batch_size": batch}
        ledger, module = self.count(Art(options=options), Ball(Norm.L2, 0.3))
        np.testing.assert_array_equal(ledger.backwards, module.backwards)
        np.testing.assert_array_equal(ledger.forwards, module.forwards)
        assert (ledger.backwards == 6).all()

    @pytest.mark.parametrize("name", ["CarliniL2Method", "SaliencyMapMethod", "PixelAttack"])
    def test_exact_in_total_where_art_takes_clips_out_of_a_batch(self, name):
        options = {"max_iter": 3} if name != "SaliencyMapMethod" else {}
        if name == "PixelAttack":
            options = {"max_iter": 1, "th": 2, "es": 1}
        ledger, module = self.count(ArtMinimumNorm(name, options=options, queries=5000))
        assert ledger.gradients.sum() == pytest.approx(module.backwards.sum())
        assert ledger.queries.sum() == pytest.approx(module.forwards.sum())
        assert ledger.queries.sum() > 0

    def test_more_than_declared_is_an_error_not_a_surprise(self, digits):
        with pytest.raises(RuntimeError, match=r"more than the 5 gradients a clip.*raise `gradients`"):
            attack_on(Art(options={"max_iter": 50}, gradients=5), digits, Ball(Norm.L2, 1.0))
        with pytest.raises(RuntimeError, match=r"more than the 2 queries a clip.*raise `queries`"):
            attack_on(Art("SquareAttack", options={"norm": "inf"}, queries=2), digits, Ball(Norm.L2, 0.1))

    def test_the_suites_budget_stops_it(self, digits):
        with pytest.raises(BudgetExhaustedError):
            attack_on(Art(), digits, Ball(Norm.L2, 1.0), budget=Budget(max_gradients=3))


class TestParameters:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: Art("ProjectedGradientDescend"), "did you mean 'ProjectedGradientDescent'"),
            (lambda: Art("Nonsense"), "known: AdversarialPatch,"),
            (lambda: Art("DeepFool"), "takes no eps.*use art-minimum-norm"),
            (lambda: ArtMinimumNorm("FastGradientMethod"), "takes an eps.*use art"),
            (lambda: ArtMinimumNorm("NewtonFool", targeted=True), "cannot be targeted"),
            (lambda: Art(options={"max_iters": 3}), "no option 'max_iters': did you mean 'max_iter'"),
            (lambda: Art(options={"eps": 3.0}), "options.eps: it is the radius of the ball"),
            (
                lambda: Art(options={"targeted": True, "epsstep": 1.0}),
                "set the parameter.*; .*no option 'epsstep'",
            ),
        ],
    )
    def test_problems_name_the_remedy(self, make, reason):
        with pytest.raises(ValueError, match=reason):
            make()

    def test_come_from_a_suite(self):
        registry = discover()
        entry = {"id": "art", "attack": "SquareAttack", "options": {"max_iter": 7, "p_init": 0.3, "norm": "inf"}}
        attack = registry.build(registry.reference(Kind.ATTACK, entry))
        assert attack.options == {"max_iter": 7, "p_init": 0.3, "norm": "inf"}
        with pytest.raises(PluginError, match="art: ART has no evasion attack 'Sqare': did you mean 'Square"):
            registry.build(registry.reference(Kind.ATTACK, entry | {"attack": "Sqare"}))

    def test_equal_parameters_are_equal(self):
        same = [Art(options={"max_iter": 7}) for _ in range(2)]
        assert same[0] == same[1]
        assert hash(same[0]) == hash(same[1])
        assert same[0] != Art(options={"max_iter": 8})

    def test_a_missing_art_is_one_clear_line(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "art.attacks", None)
        with pytest.raises(ValueError, match="pip install adversarial-robustness-toolbox") as caught:
            Art()
        assert "\n" not in str(caught.value)

    def test_one_radius_a_clip_is_refused(self, digits):
        with pytest.raises(TypeError, match="one radius"):
            attack_on(Art(), digits, Ball(Norm.L2, torch.ones(12)))
