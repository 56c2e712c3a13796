"""DeepFool: closed forms, and a bare loop over one clip."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from classifiers import Halves, Sphere, Wedges
from soundproof import Goal, Norm, Victim
from soundproof_attacks.deepfool import DeepFool

OVERSHOOT = 1.02


def attack_on(module, clean, targets=None, **parameters):
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    victim = Victim(module, clean, Goal(labels, targets))
    examples = DeepFool(**parameters).minimise(victim, torch.Generator())
    with torch.no_grad():
        decided = module(examples).argmax(dim=1)
    return victim, examples, decided, labels


def inner(*shape):
    """Images in the middle of the box, whose nearest boundaries lie inside of it."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(5)) * 0.4 + 0.3


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (0.01, 5), (255, -3)])
class TestAtAnyScale:
    def test_l2_distance_to_a_hyperplane(self, scale, offset):
        clean, module = inner(16, 1, 6, 6), Halves(36, scale, offset)
        victim, examples, decided, labels = attack_on(module, clean)
        assert (decided != labels).all()
        ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
        assert ratio.min() > 0.98 * OVERSHOOT
        assert ratio.max() < 1.01 * OVERSHOOT
        assert (victim.ledger.gradients == 1).all()

    def test_linf_distance_to_a_hyperplane(self, scale, offset):
        clean, module = inner(16, 1, 6, 6), Halves(36, scale, offset)
        _, examples, decided, labels = attack_on(module, clean, norm=Norm.LINF)
        assert (decided != labels).all()
        ratio = (examples - clean).abs().flatten(1).amax(dim=1) / module.distance_linf(clean)
        assert ratio.min() > 0.98 * OVERSHOOT
        assert ratio.max() < 1.01 * OVERSHOOT


@pytest.mark.parametrize(("norm", "dual"), [(Norm.L2, 2), (Norm.LINF, 1)])
def test_finds_the_nearest_of_many_boundaries(norm, dual):
    clean, module = inner(32, 1, 8, 8), Wedges(64, 10)
    _, examples, decided, labels = attack_on(module, clean, norm=norm)
    assert (decided != labels).all()
    delta = (examples - clean).flatten(1)
    sizes = delta.norm(dim=1) if norm is Norm.L2 else delta.abs().amax(dim=1)
    np.testing.assert_allclose(sizes / module.distance(clean, labels, dual), OVERSHOOT, rtol=5e-3)


def test_a_boundary_that_curves_away():
    # From outside of a sphere every linearisation falls short, so that the steps add up to the distance.
    clean = inner(32, 1, 6, 6)
    module = Sphere(0.4)
    clean = clean[(clean - 0.5).flatten(1).norm(dim=1) > 0.5]
    _, examples, decided, labels = attack_on(module, clean)
    assert (labels == 1).all()
    assert (decided == 0).all()
    ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
    assert ratio.min() >= 1 - 1e-5
    assert ratio.max() < OVERSHOOT + 1e-3


def test_reaches_targets():
    clean, module = inner(32, 1, 8, 8), Wedges(64, 6)
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    targets = (labels + 2) % 6
    victim, examples, decided, _ = attack_on(module, clean, targets, targeted=True)
    assert (decided == targets).all()
    # One gradient a step, and at least as far as the one boundary between label and target.
    assert (victim.ledger.gradients == (victim.ledger.queries - 1) / 2).all()
    gaps = (module(clean).gather(1, labels[:, None]) - module(clean).gather(1, targets[:, None]))[:, 0]
    least = gaps / (module.weight[labels] - module.weight[targets]).norm(dim=1)
    assert ((examples - clean).flatten(1).norm(dim=1) >= least).all()


def test_like_a_bare_loop(digits):
    module, clean, labels = digits
    victim = Victim(module, clean, Goal(labels))
    examples = DeepFool().minimise(victim, torch.Generator())
    for clip in range(5):
        x, label, steps = clean[clip, None], labels[clip], 0
        while module(x).argmax() == label:
            jacobian = torch.autograd.functional.jacobian(lambda x: module(x)[0], x)[:, 0]
            logits = module(x)[0]
            others = [k for k in range(10) if k != label]
            gap = {k: (logits[k] - logits[label]).abs().item() for k in others}
            slope = {k: jacobian[k] - jacobian[label] for k in others}
            k = min(others, key=lambda k: gap[k] / slope[k].norm().item())
            length = max(gap[k] / slope[k].norm().item(), 1e-5 * 8)
            x = (x + 1.02 * length * slope[k] / slope[k].norm()).clamp(0, 1)
            steps += 1
        np.testing.assert_allclose(examples[clip], x[0], atol=1e-5)
        assert victim.ledger.gradients[clip] == 9 * steps
        assert victim.ledger.queries[clip] == 2 * steps + 1


def test_only_the_candidates_cost(digits):
    module, clean, labels = digits
    victim = Victim(module, clean, Goal(labels))
    DeepFool(candidates=3).minimise(victim, torch.Generator())
    assert (victim.ledger.gradients == victim.ledger.queries - 1).all()
    assert len(np.unique(victim.ledger.gradients)) > 2, "clips that are finished cost nothing more"


def test_a_clip_that_is_wrong_already_is_left_alone(digits):
    module, clean, labels = digits
    victim = Victim(module, clean, Goal((labels + 1) % 10))
    assert torch.equal(DeepFool().minimise(victim, torch.Generator()), clean)
    assert not victim.ledger.gradients.any()
