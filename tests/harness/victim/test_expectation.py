"""Random classifiers: their mean, their gradient, and what every draw costs."""

import torch
from torch import nn

from soundproof import Goal, Victim
from soundproof.victim.expectation import Expectation
from soundproof.victim.prediction import logits_of


class Shaken(nn.Module):
    """A linear classifier of inputs that are moved at random."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, -2.0, 0.5], [0.0, 1.0, -1.0]]))
        self.seen = 0

    def forward(self, inputs):
        self.seen += len(inputs)
        return (inputs + torch.randn_like(inputs)) @ self.weight.T


INPUTS = torch.tensor([[0.1, 0.5, 0.9], [0.3, 0.3, 0.3]])


def test_the_mean_of_many_draws_is_the_expectation():
    torch.manual_seed(0)
    inner = Shaken()
    logits = Expectation(inner, 20_000)(INPUTS)
    torch.testing.assert_close(logits, INPUTS @ inner.weight.T, atol=0.05, rtol=0)
    assert inner.seen == 40_000


def test_inputs_keep_their_rows():
    module = Expectation(nn.Identity(), 3)
    torch.testing.assert_close(module(INPUTS), INPUTS)


def test_each_draw_is_a_query_and_a_gradient_of_its_clip():
    inner = Shaken()
    victim = Victim(Expectation(inner, 5), INPUTS, Goal(torch.tensor([0, 1])))
    evaluation = victim.gradient(INPUTS)
    assert evaluation.gradient.shape == INPUTS.shape
    assert victim.ledger.forwards.tolist() == [5, 5]
    assert victim.ledger.backwards.tolist() == [5, 5]
    victim.select(torch.tensor([1])).gradient(INPUTS[1:])
    assert victim.ledger.backwards.tolist() == [5, 10]
    assert inner.seen == 15
    table = victim.trace.table()
    assert table.clip.tolist() == [0, 1, 1], "an iterate is traced once, however often it was drawn"


def test_the_gradient_is_that_of_the_mean():
    """For a linear classifier without noise in its slope the gradient of the mean is exact."""
    inner = Shaken()
    module = Expectation(inner, 4)
    leaf = INPUTS.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(leaf)[:, 0].sum(), leaf)
    torch.testing.assert_close(gradient, inner.weight[0].expand_as(INPUTS))


def test_the_harness_sees_the_same_draws_and_attackers_do_not():
    module = Expectation(Shaken(), 2)
    torch.testing.assert_close(logits_of(module, INPUTS), logits_of(module, INPUTS), rtol=0, atol=0)
    assert not torch.equal(module(INPUTS), module(INPUTS))
    torch.manual_seed(5)
    undisturbed = torch.rand(1)
    torch.manual_seed(5)
    logits_of(module, INPUTS)
    assert torch.equal(torch.rand(1), undisturbed), "looking draws nothing from the global generator"
