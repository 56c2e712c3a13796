"""L-BFGS of many clips: known minima, independence of clips, and torch's own as an oracle."""

import pytest
import torch

from soundproof_defenses.wavegan.lbfgs import MEMORY, minimise


def quadratics(count, size, condition=100.0):
    """Positive definite forms with known minima, one a row."""
    generator = torch.Generator().manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(count, size, size, generator=generator, dtype=torch.float64))
    scales = torch.logspace(0, torch.tensor(condition).log10().item(), size, dtype=torch.float64)
    forms = basis @ torch.diag(scales) @ basis.mT
    minima = torch.randn(count, size, generator=generator, dtype=torch.float64)
    return forms, minima


def rosenbrock(points):
    return (100 * (points[:, 1:] - points[:, :-1] ** 2) ** 2 + (1 - points[:, :-1]) ** 2).sum(dim=1)


def test_quadratics_are_solved():
    forms, minima = quadratics(5, 8)

    def objective(points):
        return torch.einsum("ni,nij,nj->n", points - minima, forms, points - minima)

    found, values = minimise(objective, torch.zeros_like(minima), 80)
    torch.testing.assert_close(found, minima, atol=1e-5, rtol=0)
    torch.testing.assert_close(values, objective(found))


@pytest.mark.parametrize("size", [2, 10])
def test_it_gets_as_low_as_torch_with_as_many_passes(size):
    generator = torch.Generator().manual_seed(1)
    start = torch.rand(6, size, generator=generator, dtype=torch.float64) * 2 - 1
    passes = 150
    _, values = minimise(rosenbrock, start, passes)
    for row, value in enumerate(values):
        point = start[row : row + 1].clone().requires_grad_()
        search = torch.optim.LBFGS(
            [point],
            max_iter=passes,
            max_eval=passes,
            history_size=MEMORY,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )

        def closure(point=point, search=search):
            search.zero_grad()
            loss = rosenbrock(point).sum()
            loss.backward()
            return loss

        search.step(closure)
        assert value < max(1e-8, 10 * rosenbrock(point).item())


def test_a_clip_is_found_the_same_in_any_company():
    """Ill-conditioned neighbours that need many halvings change nothing, not even a bit."""
    start = torch.tensor([[-1.2, 1.0], [50.0, -3.0], [0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    together, values = minimise(rosenbrock, start, 60)
    for row in range(len(start)):
        alone, value = minimise(rosenbrock, start[row : row + 1], 60)
        assert torch.equal(alone[0], together[row])
        assert torch.equal(value[0], values[row])


def test_it_costs_what_was_agreed_and_never_gets_worse():
    calls = []

    def objective(points):
        calls.append(len(points))
        return (points.abs().sqrt() * torch.tensor([1.0, 30.0])).sum(dim=1)

    start = torch.tensor([[1.0, 1.0], [-2.0, 0.5]])
    _, values = minimise(objective, start, 25)
    assert calls == [2] * 25
    calls.clear()
    assert bool((values <= objective(start)).all())


def test_a_minimum_stays_where_it_is():
    found, values = minimise(lambda z: z.square().sum(dim=1), torch.zeros(3, 4), 10)
    assert not found.any()
    assert not values.any()
