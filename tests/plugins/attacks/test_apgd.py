"""Auto-PGD against the paper's algorithm, written out for one clip at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import Flat
from soundproof import Ball, Goal, Norm, Victim, margin
from soundproof_attacks._autopgd import checkpoints, climb
from soundproof_attacks._losses import dlr, targeted_dlr
from soundproof_attacks._search import draw_in
from soundproof_attacks.apgd import Apgd
from soundproof_attacks.pgd import Pgd


def test_checkpoints_are_the_papers():
    # p = 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99 (Croce & Hein 2020)
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def one_clip(module, clean, label, ball, start, steps):
    """Algorithm 1 for one clip in l2 with the cross-entropy: the loss at each iterate."""

    def value_and_slope(x):
        x = x.clone().requires_grad_()
        loss = nn.functional.cross_entropy(module(x), label)
        return loss.item(), torch.autograd.grad(loss, x)[0]

    def project(x):
        delta = x.clamp(0, 1) - clean
        return clean + delta * min(1.0, ball.radius / max(delta.norm().item(), 1e-12))

    places = [0, *checkpoints(steps)]
    xs, fs, etas, tops, evaluated = [start], [], [2 * ball.radius], [], []
    top = (-np.inf, None, None)
    for k in range(steps):
        f, slope = value_and_slope(xs[k])
        evaluated.append(f)
        fs.append(f)
        top = max(top, (f, xs[k], slope), key=lambda entry: entry[0])
        tops.append(top[0])
        eta = etas[k]
        if k in places[1:]:
            last = places[places.index(k) - 1]
            few = sum(fs[i + 1] > fs[i] for i in range(last, k)) < 0.75 * (k - last)
            # η^(w) is the step size that was in force when the checkpoint w was reached.
            stuck = etas[last] == etas[k] and tops[last] == tops[k]
            if few or stuck:
                eta = etas[k] / 2
                fs[k], xs[k], slope = top
        etas.append(eta)
        z = project(xs[k] + eta * slope / slope.norm())
        xs.append(z if k == 0 else project(xs[k] + 0.75 * (z - xs[k]) + 0.25 * (xs[k] - xs[k - 1])))
    return evaluated


def test_follows_algorithm_1(digits):
    module, clean, labels = digits
    clean, labels, steps, ball = clean[:6], labels[:6], 40, Ball(Norm.L2, 0.8)
    victim = Victim(module, clean, Goal(labels))
    seen = []

    def objective(logits):
        seen.append(nn.functional.cross_entropy(logits, labels, reduction="none"))
        return seen[-1]

    climb(victim, ball, objective, steps, torch.Generator().manual_seed(2))
    starts = draw_in(ball, clean, torch.Generator().manual_seed(2))
    for clip in range(6):
        expected = one_clip(module, clean[clip, None], labels[clip, None], ball, starts[clip, None], steps)
        np.testing.assert_allclose([step[clip].item() for step in seen], expected, rtol=1e-3, atol=1e-3)


def test_fools_as_many_as_pgd(digits):
    module, clean, labels = digits

    def rate(attack):
        examples = attack.perturb(
            Victim(module, clean, Goal(labels)), Ball(Norm.L2, 0.6), torch.Generator().manual_seed(0)
        )
        with torch.no_grad():
            return (margin(module(examples), labels) > 0).float().mean().item()

    least = rate(Pgd(steps=50))
    assert least > 0.3
    assert rate(Apgd(steps=50)) >= least - 1 / len(clean)
    assert rate(Apgd(steps=50, loss="dlr-targets", restarts=9)) >= least


@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_reaches_targets(loss, digits):
    module, clean, labels = digits
    targets = (labels + 3) % 10
    victim = Victim(module, clean, Goal(labels, targets))
    attack = Apgd(steps=60, loss=loss, targeted=True)
    examples = attack.perturb(victim, Ball(Norm.L2, 2.5), torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (module(examples).argmax(dim=1) == targets).float().mean() > 0.9


class TestLosses:
    logits = torch.tensor([[5.0, 3.0, 2.0, 0.0], [1.0, 4.0, 2.0, 3.0]])
    labels = torch.tensor([0, 0])

    def test_dlr(self):
        assert dlr(self.logits, self.labels).tolist() == pytest.approx([-(5 - 3) / (5 - 2), (4 - 1) / (4 - 2)])

    def test_targeted_dlr(self):
        values = targeted_dlr(self.logits, self.labels, torch.tensor([2, 3]))
        assert values.tolist() == pytest.approx([(2 - 5) / (5 - 1), (3 - 1) / (4 - 1.5)])

    def test_blind_to_scale_and_shift(self):
        np.testing.assert_allclose(dlr(self.logits * 9 + 4, self.labels), dlr(self.logits, self.labels), rtol=1e-5)

    @pytest.mark.parametrize(("classes", "attack"), [(2, Apgd(loss="dlr")), (3, Apgd(loss="dlr-targets"))])
    def test_too_few_classes_are_named(self, classes, attack):
        clean = torch.rand(2, 1, 3, 3)
        victim = Victim(Flat(classes), clean, Goal(torch.zeros(2, dtype=torch.int64)))
        with pytest.raises(ValueError, match="classes: set loss = 'ce'"):
            attack.perturb(victim, Ball(Norm.L2, 1.0), torch.Generator())

    def test_each_restart_has_a_likely_class_of_its_own(self, digits):
        module, clean, labels = digits
        victim = Victim(module, clean, Goal(labels))
        rows = torch.arange(len(clean)).repeat(11)
        objective = Apgd(loss="dlr-targets", restarts=11)._objective(victim, victim.select(rows))
        with torch.no_grad():
            logits = module(clean)
            values = objective(logits.repeat(11, 1)).reshape(11, -1)
        order = logits.scatter(1, labels[:, None], -torch.inf).argsort(dim=1, descending=True)
        for restart in range(11):
            aims = order[:, restart % 9]
            np.testing.assert_allclose(values[restart], targeted_dlr(logits, labels, aims), rtol=1e-5)


def test_a_targeted_attack_has_one_target():
    with pytest.raises(ValueError, match="set loss = 'dlr'"):
        Apgd(targeted=True, loss="dlr-targets")
