"""PGD: where it starts, how it steps, and which iterate it returns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundproof import Ball, Goal, Norm, Victim, margin, target_margin
from soundproof_attacks._search import draw_in
from soundproof_attacks.pgd import Pgd


def run(attack, digits, ball, targets=None, seed=0):
    module, clean, labels = digits
    victim = Victim(module, clean, Goal(labels, targets))
    return victim, attack.perturb(victim, ball, torch.Generator().manual_seed(seed))


def highest(victim, scores):
    """The highest score of each clip among all iterates of the trace."""
    table = victim.trace.table()
    best = np.full(len(victim), -np.inf)
    np.maximum.at(best, table.clip, scores(table))
    return best


@pytest.mark.parametrize("restarts", [1, 4])
@pytest.mark.parametrize("norm", Norm)
def test_returns_the_best_of_all_iterates_of_all_restarts(restarts, norm, digits):
    module, _, labels = digits
    victim, examples = run(Pgd(steps=10, restarts=restarts, norm=norm), digits, Ball(norm, 0.08))
    with torch.no_grad():
        scores = margin(module(examples), labels)
    np.testing.assert_allclose(scores, highest(victim, lambda table: table.score), atol=1e-4)


def test_reaches_targets(digits):
    module, _, labels = digits
    targets = (labels + 3) % 10
    victim, examples = run(Pgd(targeted=True), digits, Ball(Norm.L2, 2.5), targets)
    with torch.no_grad():
        logits = module(examples)
    assert (logits.argmax(dim=1) == targets).float().mean() > 0.9
    met = highest(victim, lambda table: table.met) > 0
    np.testing.assert_array_equal(met, target_margin(logits, targets) > 0)


def test_more_restarts_fool_no_fewer(digits):
    module, _, labels = digits
    rates = []
    for restarts in (1, 8):
        _, examples = run(Pgd(steps=3, restarts=restarts), digits, Ball(Norm.L2, 0.6))
        with torch.no_grad():
            rates.append(margin(module(examples), labels).mean().item())
    assert rates[1] > rates[0]


def test_steps_like_a_bare_loop(digits):
    module, clean, labels = digits
    victim, _ = run(Pgd(steps=3, step_size=0.5, random_start=False), digits, Ball(Norm.L2, 0.5))
    images = clean.clone()
    for step in range(4):
        images.requires_grad_()
        logits = module(images)
        table = victim.trace.table()
        np.testing.assert_allclose(
            table.score[table.queries == step + 1], margin(logits, labels).detach(), atol=1e-4
        )
        torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
        gradient = images.grad / images.grad.flatten(1).norm(dim=1)[:, None, None, None]
        delta = (images.detach() + 0.25 * gradient).clamp(0, 1) - clean
        delta *= (0.5 / delta.flatten(1).norm(dim=1)[:, None, None, None]).clamp(max=1)
        images = clean + delta


@pytest.mark.parametrize("norm", Norm)
def test_draws_from_all_of_the_ball(norm):
    clean = torch.full((4000, 1, 1, 5), 0.5)
    delta = draw_in(Ball(norm, 0.4), clean, torch.Generator().manual_seed(0)) - clean
    sizes = Ball(norm, 0).sizes(delta)
    assert sizes.max() <= 0.4 + 1e-6
    # Each value of a cube is drawn evenly, of which the largest is within r with (r / R)^D; in l2 the distance is.
    shares = (sizes / 0.4) ** (5 if norm is Norm.LINF else 1)
    assert shares.mean() == pytest.approx(0.5, abs=4 / (12 * 4000) ** 0.5)
    assert shares.std() == pytest.approx(12**-0.5, rel=0.05)
    assert delta.mean().abs() < 0.01


def test_restarts_need_random_starts():
    with pytest.raises(ValueError, match="restarts = 1"):
        Pgd(restarts=2, random_start=False)
