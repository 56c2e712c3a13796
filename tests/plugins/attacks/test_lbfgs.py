"""L-BFGS against closed forms; its solver is tested in the core."""

from __future__ import annotations

import pytest
import torch

from classifiers import Halves, Sphere
from soundproof import Goal, Victim
from soundproof_attacks.lbfgs import Lbfgs

pytestmark = pytest.mark.slow


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def attack_on(module, clean, **parameters):
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    victim = Victim(module, clean, Goal(labels))
    examples = Lbfgs(targeted=False, **parameters).minimise(victim, torch.Generator())
    with torch.no_grad():
        assert (module(examples).argmax(dim=1) != labels).all()
    return victim, examples


def inner(module, least):
    clean = torch.rand(400, 1, 6, 6, generator=generator(5)) * 0.6 + 0.2
    return clean[module.distance(clean) > least][:24]


# At an extreme scale float32 resolves the cross-entropy less finely.
@pytest.mark.parametrize(("scale", "offset", "limit"), [(1, 0, 1.02), (0.01, 5, 1.05), (255, -3, 1.05)])
def test_distance_to_a_hyperplane_at_any_scale(scale, offset, limit):
    module = Halves(36, scale, offset)
    clean = inner(module, 0.02)
    victim, examples = attack_on(module, clean)
    ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
    assert ratio.min() >= 1 - 1e-4
    assert ratio.max() < limit
    assert victim.ledger.gradients.mean() < victim.ledger.gradients.max() < Lbfgs().planned_gradients / 4


@pytest.mark.parametrize("radius", [0.4, 1.6])
def test_distance_to_a_sphere_from_both_sides(radius):
    module = Sphere(radius)
    clean = inner(module, 0.05)
    _, examples = attack_on(module, clean)
    ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
    assert ratio.min() >= 1 - 1e-4
    assert ratio.max() < 1.02


def test_distance_from_a_face_of_the_box():
    # A third of the values sit on the face that the shortest way would cross: the others have to do it alone.
    module = Halves(36)
    clean = torch.full((1, 1, 6, 6), 0.5)
    clean += 0.3 * module.weight.sign().reshape(clean.shape)
    stuck = torch.arange(36).reshape(clean.shape) % 3 == 0
    clean = torch.where(stuck, (module.weight < 0).float().reshape(clean.shape), clean)
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    assert labels == 0
    _, examples = attack_on(module, clean)
    delta = examples - clean
    free = ~stuck.flatten()
    exact = module.distance(clean) / module.weight[free].norm()
    assert delta.norm().item() == pytest.approx(exact.item(), rel=0.02)
    assert delta[stuck].abs().max() < 1e-3


def test_reaches_targets_with_less_than_cwa_needs(digits):
    from soundproof_attacks.cwa import Cwa

    module, clean, labels = digits
    clean, labels = clean[:16], labels[:16]
    targets = (labels + 1) % 10
    sizes = []
    for attack in (Lbfgs(search_steps=12), Cwa(search_steps=3, steps=150, initial_c=1.0, learning_rate=0.1)):
        victim = Victim(module, clean, Goal(labels, targets))
        examples = attack.minimise(victim, torch.Generator())
        with torch.no_grad():
            assert (module(examples).argmax(dim=1) == targets).all()
        sizes.append((examples - clean).flatten(1).norm(dim=1).median())
    assert sizes[0] < sizes[1]
