"""PIA: the NES estimate's error as theory predicts it, and the walk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundproof import Ball, Goal, Norm, Victim
from soundproof_attacks._nes import estimate
from soundproof_attacks._partial_information import Walk
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.pia import Pia

pytestmark = pytest.mark.slow


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class TestEstimate:
    slope = torch.linspace(-1, 1, 20, dtype=torch.float64)

    def loss(self, images):
        return images @ self.slope

    @pytest.mark.parametrize("samples", [10, 40, 160, 640])
    def test_error_on_a_linear_loss(self, samples):
        # n/2 pairs: the mean squared error is ‖∇L‖²·(D + 1)/(n/2), so the error falls as 1/√n.
        images = torch.full((2000, 20), 0.5, dtype=torch.float64)
        found = torch.cat(
            [
                estimate(self.loss, part, samples, 1e-3, generator(seed))
                for seed, part in enumerate(images.chunk(4))
            ]
        )
        error = (found - self.slope).square().sum(dim=1)
        expected = self.slope.square().sum() * 21 / (samples / 2)
        assert error.mean() == pytest.approx(
            expected.item(), rel=4 * (error.std() / error.mean() / 2000**0.5).item()
        )
        mean_error = (found.mean(dim=0) - self.slope).square().sum()
        assert mean_error < 3 * expected / 2000, "it is unbiased"

    def test_points_along_a_networks_gradient(self, digits):
        module, clean, labels = digits
        clean, labels = clean[:4], labels[:4]
        targets = (labels + 1) % 10

        def loss(images):
            return torch.nn.functional.cross_entropy(module(images), targets.repeat(2), reduction="none")

        exact = -Victim(module, clean, Goal(labels, targets)).gradient(clean).gradient.flatten(1)
        cosines = []
        for samples in (64, 4096):
            found = estimate(loss, clean, samples, 1e-2, generator()).flatten(1)
            cosines.append(torch.cosine_similarity(found, exact).mean().item())
        # On a linear loss the cosine is about √(m / (m + D)) for m pairs in D dimensions.
        assert cosines[0] == pytest.approx((32 / (32 + 64)) ** 0.5, abs=0.2)
        assert cosines[1] > 0.95


def attack_on(attack, digits, ball, targets=None, clips=24):
    module, clean, labels = digits
    targets = None if targets is None else targets[:clips]
    victim = Victim(module, clean[:clips], Goal(labels[:clips], targets))
    examples = attack.perturb(victim, ball, generator())
    with torch.no_grad():
        return victim, examples, module(examples).argmax(dim=1)


def test_walks_from_a_clip_of_the_target_towards_the_clip(digits):
    _, _, labels = digits
    targets = (labels + 1) % 10
    attack = Pia(steps=40, decay=0.02)
    victim, examples, decided = attack_on(attack, digits, Ball(Norm.LINF, 0.3), targets, clips=64)
    assert (decided == targets).float().mean() > 0.6
    assert not victim.ledger.backwards.any()
    # It comes about as close as an attack that is given the gradient.
    reference = Victim(digits[0], digits[1], Goal(labels, targets))
    near = DeepFool(norm=Norm.LINF, targeted=True).minimise(reference, generator())
    sizes = [(images - digits[1]).flatten(1).abs().amax(dim=1).median() for images in (examples, near)]
    assert sizes[0] < 1.6 * sizes[1]


def test_keeps_the_target_on_top_while_epsilon_shrinks(digits):
    module, clean, labels = digits
    targets = (labels + 1) % 10
    victim = Victim(module, clean, Goal(labels, targets))
    walk = Walk(Pia(steps=5, samples=10).rules, victim, generator())
    assert walk.anchored.float().mean() > 0.8
    before = walk.epsilon.clone()
    for step in range(1, 6):
        walk.rules = Pia(steps=step, samples=10).rules
        walk.shrink(0.01)
        with torch.no_grad():
            decided = module(walk.images).argmax(dim=1)
        assert (decided == targets)[walk.anchored].all()
        assert (walk.epsilon <= before)[walk.anchored].all()
        deltas = (walk.images - clean).flatten(1).abs().amax(dim=1)
        assert (deltas <= walk.epsilon + 1e-6).all()
        before = walk.epsilon.clone()
    assert (before < 0.5)[walk.anchored].float().mean() > 0.8


def test_a_clip_alone_starts_at_itself(digits):
    # No other clip of the batch shows the target, so that the clip itself is pushed towards it.
    module, clean, labels = digits
    victim = Victim(module, clean[:1], Goal(labels[:1], (labels[:1] + 1) % 10))
    attack = Pia(steps=30, samples=50)
    walk = Walk(attack.rules, victim, generator())
    assert not walk.anchored.any()
    assert torch.equal(walk.images, clean[:1])
    examples = attack.perturb(victim, Ball(Norm.LINF, 0.4), generator())
    with torch.no_grad():
        before, after = (
            torch.log_softmax(module(x), dim=1)[0, victim.goal.targets] for x in (clean[:1], examples)
        )
    assert after > before + 2


def test_all_balls_together_cost_what_one_does(digits):
    module, clean, labels = digits
    # Eight clips show some of the targets only: the others have no example to start from.
    goal = Goal(labels[:8], (labels[:8] + 1) % 10)
    victim, attack = Victim(module, clean[:8], goal), Pia(steps=36, samples=4)
    balls = [Ball(Norm.LINF, 0.001 * 1.5**rung) for rung in range(18)]
    examples = list(attack.climb(victim, balls, generator()))
    spent = victim.ledger.queries.max()
    assert 36 * 4 < spent <= attack.ladder_queries(18) == attack.planned_queries
    # Those that started at themselves go on in the larger balls, and do not spend all in the first.
    sizes = torch.stack([(images - clean[:8]).flatten(1).abs().amax(dim=1) for images in examples])
    alone = ~Walk(attack.rules, Victim(module, clean[:8], goal), generator()).anchored
    assert 0 < alone.sum() < 8
    assert (sizes[-1] > 10 * sizes[1])[alone].all()


def test_a_second_ball_costs_nothing_where_the_first_was_reached(digits):
    module, clean, labels = digits
    victim = Victim(module, clean[:24], Goal(labels[:24]))
    attack = Pia(steps=25, samples=10, decay=0.05, targeted=False)
    balls = [Ball(Norm.LINF, 0.25), Ball(Norm.LINF, 0.3)]
    climb = attack.climb(victim, balls, generator())
    first = next(climb)
    spent = victim.ledger.queries.copy()
    with torch.no_grad():
        inside = (module(first).argmax(dim=1) != labels[:24]).numpy()
    assert 0.5 < inside.mean() <= 1
    second = next(climb)
    np.testing.assert_array_equal(victim.ledger.queries[inside], spent[inside])
    assert torch.equal(first[torch.from_numpy(inside)], second[torch.from_numpy(inside)])


@pytest.mark.parametrize(
    ("parameters", "culprit"),
    [({"samples": 9}, "samples = 9 must be even"), ({"smallest_step": 0.7}, "exceeds largest_step = 0.6")],
)
def test_impossible_parameters_are_named(parameters, culprit):
    with pytest.raises(ValueError, match=culprit):
        Pia(**parameters)
