"""Square Attack: its patterns, its schedule, and what a step preserves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundproof import Ball, Goal, Norm, Victim, margin
from soundproof_attacks._squares import begin, move, pattern, share_at
from soundproof_attacks.noise import Noise
from soundproof_attacks.square import Square


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def grey(*shape):
    """Images so far from the edges of the box that no step reaches them."""
    return torch.full(shape, 0.5)


class TestPatterns:
    @pytest.mark.parametrize(("height", "width"), [(7, 7), (6, 6), (1, 9), (3, 8), (2, 1), (1, 1)])
    def test_norm_is_one(self, height, width):
        assert pattern(height, width).norm() == pytest.approx(1)
        assert pattern(height, width).shape == (height, width)

    def test_has_a_hill_and_a_hollow(self):
        drawn = pattern(7, 7)
        assert (drawn[:, :3] > 0).all()
        assert (drawn[:, 3:] < 0).all()

    def test_rings_of_a_5_by_5_hill(self):
        # Rings at distance 2, 1, 0 hold 1/9, 1/9 + 1/4 and 1/9 + 1/4 + 1 in the 5 × 10 pattern's left half.
        left = pattern(5, 10)[:, :5]
        steps = torch.tensor([1 / 9, 1 / 9 + 1 / 4, 1 / 9 + 1 / 4 + 1])
        expected = steps[[0, 1, 2, 1, 0]]
        np.testing.assert_allclose(left[2] / left[2, 2], expected / expected[2], rtol=1e-6)
        np.testing.assert_allclose(left[0] / left[0, 0], torch.ones(5), rtol=1e-6)


def test_windows_shrink_as_queries_are_spent():
    proposals = (1, 10, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001)
    shares = [share_at(0.8, proposal, 10_000) for proposal in proposals]
    assert shares == [0.8, 0.8, *(0.8 / 2**halvings for halvings in range(1, 10))]
    assert share_at(0.8, 100, 1000) == share_at(0.8, 1000, 10_000)


@pytest.mark.parametrize("shape", [(4, 3, 20, 15), (4, 1, 1, 50), (4, 1, 3, 2)])
class TestSteps:
    def test_linf_starts_with_stripes_on_the_surface(self, shape):
        delta = begin(Ball(Norm.LINF, 0.1), grey(*shape), generator()) - 0.5
        np.testing.assert_allclose(delta.abs(), 0.1, rtol=1e-5)
        np.testing.assert_array_equal(delta, delta[:, :, :1].expand_as(delta))

    def test_linf_redraws_one_window_of_each_clip(self, shape):
        ball, clean = Ball(Norm.LINF, 0.1), grey(*shape)
        moved = move(ball, clean, clean, 0.2, generator())
        changed = (moved != clean).any(dim=1).flatten(1).sum(dim=1)
        area = 0.2 * shape[2] * shape[3]
        assert (changed == changed[0]).all()
        assert changed[0] == pytest.approx(area, abs=max(2.0, area / 5))
        np.testing.assert_allclose((moved - clean).abs().amax(dim=(1, 2, 3)), 0.1, rtol=1e-5)

    def test_l2_spends_the_whole_ball_at_every_step(self, shape):
        ball, clean = Ball(Norm.L2, 0.4), grey(*shape)
        images = begin(ball, clean, generator())
        for seed in range(8):
            np.testing.assert_allclose(ball.sizes(images - clean), 0.4, rtol=1e-4)
            before, images = images, move(ball, images, clean, 0.15, generator(seed))
            # In windows of one value a proposal may repeat what is there.
            assert (images != before).flatten(1).any(dim=1).float().mean() >= 0.5

    def test_l2_spends_what_clipping_left(self, shape):
        ball, clean = Ball(Norm.L2, 0.4), grey(*shape)
        images = clean + 0.5 * (begin(ball, clean, generator()) - clean)
        np.testing.assert_allclose(
            ball.sizes(move(ball, images, clean, 0.15, generator()) - clean), 0.4, rtol=1e-4
        )


@pytest.mark.parametrize("attack", [Square(queries=400), Square(queries=400, norm=Norm.LINF)])
def test_raises_the_margin_without_gradients(attack, digits):
    module, clean, labels = digits
    means = []
    for tried in (Noise(), attack):
        victim = Victim(module, clean, Goal(labels))
        examples = tried.perturb(
            victim, Ball(attack.norm, {Norm.L2: 1.0, Norm.LINF: 0.12}[attack.norm]), generator()
        )
        with torch.no_grad():
            logits = module(examples)
        means.append(margin(logits, labels).mean().item())
    assert means[1] > means[0] + 3
    assert not victim.ledger.backwards.any()
    # What is returned is each clip's best query, and a clip stops at its first success.
    table = victim.trace.table()
    best = np.full(len(clean), -np.inf, np.float32)
    np.maximum.at(best, table.clip, table.score)
    np.testing.assert_allclose(margin(logits, labels), best, atol=1e-4)
    np.testing.assert_array_equal(np.bincount(table.clip[table.met], minlength=len(clean)), best > 0)
    assert (victim.ledger.queries[best <= 0] == 400).all()
    assert victim.ledger.queries[best > 0].max() < 400


def test_reaches_targets(digits):
    module, clean, labels = digits
    targets = (labels + 1) % 10
    victim = Victim(module, clean, Goal(labels, targets))
    examples = Square(queries=600, targeted=True).perturb(victim, Ball(Norm.L2, 2.5), generator())
    with torch.no_grad():
        assert (module(examples).argmax(dim=1) == targets).float().mean() > 0.8
