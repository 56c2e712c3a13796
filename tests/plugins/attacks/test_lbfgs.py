"""L-BFGS: the solver against scipy's, the attack against closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from classifiers import Halves, Sphere
from memory import peak_memory
from soundproof import Goal, Victim
from soundproof_attacks._projected_lbfgs import minimise
from soundproof_attacks.lbfgs import Lbfgs


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class TestSolver:
    """Random convex quadratics, many of whose minima lie on the faces of the box."""

    rows, size = 6, 12

    def problems(self):
        factors = torch.randn(self.rows, self.size, self.size, generator=generator(), dtype=torch.float64)
        hessians = factors @ factors.transpose(1, 2) + 0.1 * torch.eye(self.size, dtype=torch.float64)
        return hessians, torch.rand(self.rows, self.size, generator=generator(1), dtype=torch.float64) * 3 - 1

    def function(self, hessians, centres, counts=None):
        def evaluate(rows, points):
            if counts is not None:
                counts[rows] += 1
            delta = points - centres[rows]
            slopes = torch.einsum("nij,nj->ni", hessians[rows], delta)
            return (slopes * delta).sum(dim=1) / 2, slopes

        return evaluate

    def test_finds_the_minimum_that_scipy_finds(self):
        hessians, centres = self.problems()
        counts = torch.zeros(self.rows, dtype=torch.int64)
        start = torch.full((self.rows, self.size), 0.5, dtype=torch.float64)
        ends = minimise(self.function(hessians, centres, counts), start, 400)
        on_faces = 0
        for row in range(self.rows):
            one = self.function(hessians[row, None], centres[row, None])

            def value_and_slope(x, one=one):
                value, slope = one(torch.tensor([0]), torch.tensor(x)[None])
                return value.item(), slope[0].numpy()

            expected = minimize(
                value_and_slope, start[row], jac=True, method="L-BFGS-B", bounds=[(0, 1)] * self.size, tol=1e-12
            )
            np.testing.assert_allclose(ends[row], expected.x, atol=2e-3)
            on_faces += ((expected.x == 0) | (expected.x == 1)).sum()
        assert on_faces > self.rows, "the box must matter for this test"
        assert counts.max() < 200, "it stops by itself"

    def test_never_exceeds_its_evaluations(self):
        hessians, centres = self.problems()
        counts = torch.zeros(self.rows, dtype=torch.int64)
        minimise(self.function(hessians, centres, counts), torch.zeros(self.rows, self.size).double(), 7)
        assert (counts == 7).all()

    def test_never_rises(self):
        hessians, centres = self.problems()
        evaluate = self.function(hessians, centres)
        start = torch.rand(self.rows, self.size, generator=generator(3), dtype=torch.float64)
        rows = torch.arange(self.rows)
        values = [evaluate(rows, minimise(evaluate, start, budget))[0] for budget in (1, 2, 5, 10, 40)]
        assert all((later <= earlier).all() for earlier, later in pairwise(values))

    def test_remembers_ten_pairs_and_no_more(self):
        scales = torch.logspace(-2, 2, 20_000)[None]

        def evaluate(rows, points):
            slopes = (points - 0.3) * scales
            return (slopes * (points - 0.3)).sum(dim=1) / 2, slopes

        start = torch.full((4, 20_000), 0.9)
        assert peak_memory(lambda: minimise(evaluate, start, 40)) / (start.numel() * 4) <= 35


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
