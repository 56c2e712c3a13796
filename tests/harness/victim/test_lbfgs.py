"""L-BFGS of many rows: SciPy's and torch's solvers as oracles, rows that know nothing of one another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from memory import peak_memory
from soundproof import lbfgs_minimise


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def differentiated(objective):
    """What the solver is handed, from an objective of rows and points."""

    def function(rows, points):
        points = points.detach().requires_grad_()
        values = objective(rows, points)
        (gradients,) = torch.autograd.grad(values.sum(), points)
        return values.detach(), gradients

    return function


def rosenbrock(_, points):
    return (100 * (points[:, 1:] - points[:, :-1] ** 2) ** 2 + (1 - points[:, :-1]) ** 2).sum(dim=1)


class TestQuadratics:
    """Random convex quadratics, many of whose minima lie on the faces of the box [0, 1]."""

    rows, size = 6, 12
    box = {"low": 0.0, "high": 1.0}

    def problems(self, condition=1e3):
        basis, _ = torch.linalg.qr(torch.randn(self.rows, self.size, self.size, generator=generator()).double())
        scales = torch.logspace(0, np.log10(condition), self.size, dtype=torch.float64)
        centres = torch.rand(self.rows, self.size, generator=generator(1), dtype=torch.float64) * 3 - 1
        return basis @ torch.diag(scales) @ basis.mT, centres

    def function(self, hessians, centres, counts=None):
        def evaluate(rows, points):
            if counts is not None:
                counts[rows] += 1
            delta = points - centres[rows]
            slopes = torch.einsum("nij,nj->ni", hessians[rows], delta)
            return (slopes * delta).sum(dim=1) / 2, slopes

        return evaluate

    def expected(self, hessians, centres, row, bounds):
        one = self.function(hessians[row, None], centres[row, None])

        def value_and_slope(x):
            value, slope = one(torch.tensor([0]), torch.tensor(x)[None])
            return value.item(), slope[0].numpy()

        options = {"ftol": 0, "gtol": 1e-10, "maxiter": 10_000}
        start = np.full(self.size, 0.5)
        return minimize(value_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x

    @pytest.mark.parametrize("condition", [10, 1e3])
    def test_finds_the_minimum_that_scipy_finds_in_a_box(self, condition):
        hessians, centres = self.problems(condition)
        counts = torch.zeros(self.rows, dtype=torch.int64)
        start = torch.full((self.rows, self.size), 0.5, dtype=torch.float64)
        function = self.function(hessians, centres, counts)
        points, values = lbfgs_minimise(function, start, 2000, **self.box)
        assert counts.max() < 1000, "it stops by itself"
        assert len(counts.unique()) > 1, "and each row by itself"
        torch.testing.assert_close(values, self.function(hessians, centres)(torch.arange(self.rows), points)[0])
        assert ((points >= 0) & (points <= 1)).all()
        on_faces = 0
        for row in range(self.rows):
            expected = self.expected(hessians, centres, row, [(0, 1)] * self.size)
            np.testing.assert_allclose(points[row], expected, atol=1e-5)
            on_faces += ((expected == 0) | (expected == 1)).sum()
        assert on_faces > self.rows, "the box must matter for this test"

    def test_finds_the_known_minimum_without_bounds(self):
        hessians, centres = self.problems()
        start = torch.zeros(self.rows, self.size, dtype=torch.float64)
        points, values = lbfgs_minimise(self.function(hessians, centres), start, 300)
        torch.testing.assert_close(points, centres, atol=1e-6, rtol=0)
        assert values.max() < 1e-10

    @pytest.mark.parametrize("box", [{"low": 0.0}, {"high": 0.5}], ids=["low", "high"])
    def test_one_bound_alone(self, box):
        # Separable, so that the minimum in the box is the centre moved into it.
        centres = torch.rand(self.rows, self.size, generator=generator(1), dtype=torch.float64) * 3 - 1
        hessians = torch.diag(torch.arange(1.0, self.size + 1).double()).expand(self.rows, -1, -1)
        start = torch.full((self.rows, self.size), 0.3, dtype=torch.float64)
        points, _ = lbfgs_minimise(self.function(hessians, centres), start, 200, **box)
        expected = centres.clamp(box.get("low"), box.get("high"))
        torch.testing.assert_close(points, expected, atol=1e-6, rtol=0)

    def test_never_exceeds_its_evaluations(self):
        hessians, centres = self.problems()
        counts = torch.zeros(self.rows, dtype=torch.int64)
        start = torch.zeros(self.rows, self.size, dtype=torch.float64)
        lbfgs_minimise(self.function(hessians, centres, counts), start, 7, **self.box)
        assert (counts == 7).all()

    def test_never_rises_and_never_leaves_the_box(self):
        hessians, centres = self.problems()
        evaluate = self.function(hessians, centres)

        def watched(rows, points):
            assert ((points >= 0) & (points <= 1)).all()
            return evaluate(rows, points)

        start = torch.rand(self.rows, self.size, generator=generator(3), dtype=torch.float64)
        values = [lbfgs_minimise(watched, start, budget, **self.box).values for budget in (1, 2, 5, 10, 40)]
        assert all((later <= earlier).all() for earlier, later in pairwise(values))
        torch.testing.assert_close(values[0], evaluate(torch.arange(self.rows), start)[0])


@pytest.mark.parametrize("size", [2, 10])
def test_gets_as_low_as_torch_with_as_many_passes(size):
    start = torch.rand(6, size, generator=generator(1), dtype=torch.float64) * 2 - 1
    passes = 150
    _, values = lbfgs_minimise(differentiated(rosenbrock), start, passes)
    for row, value in enumerate(values):
        point = start[row : row + 1].clone().requires_grad_()
        search = torch.optim.LBFGS(
            [point],
            max_iter=passes,
            max_eval=passes,
            history_size=10,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )

        def closure(point=point, search=search):
            search.zero_grad()
            loss = rosenbrock(None, point).sum()
            loss.backward()
            return loss

        search.step(closure)
        assert value < max(1e-8, 10 * rosenbrock(None, point).item())


def test_a_row_is_found_the_same_in_any_company():
    """Ill-conditioned neighbours that need many halvings, or are done at once, change nothing, not even a bit."""
    start = torch.tensor([[-1.2, 1.0], [50.0, -3.0], [0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    together = lbfgs_minimise(differentiated(rosenbrock), start, 60)
    for row in range(len(start)):
        alone = lbfgs_minimise(differentiated(rosenbrock), start[row : row + 1], 60)
        assert torch.equal(alone.points[0], together.points[row])
        assert torch.equal(alone.values[0], together.values[row])


def test_memory_makes_it_faster():
    start = torch.rand(6, 10, generator=generator(1), dtype=torch.float64) * 2 - 1
    short, long = (lbfgs_minimise(differentiated(rosenbrock), start, 60, memory=m).values for m in (1, 10))
    assert long.median() < short.median()


def test_corners_lower_a_function_too():
    # Not differentiable where its minimum lies: what is found is only never worse.
    def objective(_, points):
        return (points.abs().sqrt() * torch.tensor([1.0, 30.0])).sum(dim=1)

    start = torch.tensor([[1.0, 1.0], [-2.0, 0.5]])
    _, values = lbfgs_minimise(differentiated(objective), start, 25)
    assert (values < objective(None, start)).all()


def test_a_minimum_stays_where_it_is_and_costs_one_evaluation():
    counts = torch.zeros(3, dtype=torch.int64)

    def function(rows, points):
        counts[rows] += 1
        return points.square().sum(dim=1), 2 * points

    points, values = lbfgs_minimise(function, torch.zeros(3, 4), 10)
    assert not points.any()
    assert not values.any()
    assert (counts == 1).all()


def test_neither_start_nor_gradients_are_changed_in_place():
    start = torch.rand(3, 4, generator=generator())
    given, slopes = start.clone(), []

    def function(_, points):
        gradients = 2 * (points - 2)
        slopes.append((gradients, gradients.clone()))
        return (points - 2).square().sum(dim=1), gradients

    lbfgs_minimise(function, start, 10, low=0.0, high=1.0)
    assert torch.equal(start, given)
    assert all(torch.equal(handed, kept) for handed, kept in slopes)


def test_remembers_ten_pairs_and_no_more():
    scales = torch.logspace(-2, 2, 20_000)[None]

    def evaluate(_, points):
        slopes = (points - 0.3) * scales
        return (slopes * (points - 0.3)).sum(dim=1) / 2, slopes

    start = torch.full((4, 20_000), 0.9)
    peak = peak_memory(lambda: lbfgs_minimise(evaluate, start, 40, low=0.0, high=1.0))
    assert peak / (start.numel() * 4) <= 35


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        ({"evaluations": 0}, "evaluations = 0"),
        ({"evaluations": 9, "memory": 0}, "memory = 0"),
        ({"evaluations": 9, "low": 1.0, "high": 1.0}, r"low = 1.0 must be below high = 1.0"),
    ],
)
def test_impossible_parameters_are_named(given, culprit):
    with pytest.raises(ValueError, match=culprit):
        lbfgs_minimise(differentiated(rosenbrock), torch.zeros(1, 2), **given)
