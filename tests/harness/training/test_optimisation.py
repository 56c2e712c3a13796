"""Recipes: optimizers, schedules, penalties and the order of clips, against torch's own and closed forms."""

import math

import pytest
import torch
from torch import nn

from learnables import DATA, network
from soundproof import Objective, Optimizer, Precision, Recipe, Schedule, Trainer
from soundproof.training.optimisation import Order, optimizer_of, penalty_of, schedule_of


def rates(recipe, steps, epochs):
    optimizer = optimizer_of(recipe, nn.Linear(2, 2))
    schedule = schedule_of(recipe, optimizer, steps)
    found = []
    for _ in range(steps * epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [(Optimizer.ADAMW, torch.optim.AdamW), (Optimizer.ADAM, torch.optim.Adam), (Optimizer.SGD, torch.optim.SGD)],
)
def test_optimizers(optimizer, expected):
    module = nn.Linear(3, 2)
    module.bias.requires_grad_(requires_grad=False)
    found = optimizer_of(Recipe(optimizer=optimizer, learning_rate=0.5, weight_decay=0.25), module)
    assert type(found) is expected
    (group,) = found.param_groups
    assert (group["lr"], group["weight_decay"], len(group["params"])) == (0.5, 0.25, 1)


def test_cosines_restart_at_doubling_periods_and_fall_to_a_twentieth():
    recipe = Recipe(schedule=Schedule.COSINE_RESTARTS, period=4, learning_rate=1.0)
    found = rates(recipe, steps=5, epochs=4 + 8 + 1)
    for start, length in ((0, 4), (4, 8)):
        for step in range(5 * length):
            share = step / (5 * length)
            assert found[5 * start + step] == pytest.approx(0.05 + 0.95 * (1 + math.cos(math.pi * share)) / 2)
    assert found[5 * 12] == pytest.approx(1.0)


def test_constant():
    assert set(rates(Recipe(schedule=Schedule.CONSTANT, learning_rate=0.3), 3, 4)) == {0.3}


def test_one_cycle_peaks_once():
    found = rates(Recipe(learning_rate=0.2, epochs=10), 4, 10)
    assert max(found) == pytest.approx(0.2)
    assert found[-1] < 0.001 < found[0] < 0.02


def test_the_penalty_counts_kernels_and_no_biases():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    expected = 0.5 * (module[0].weight.abs().sum() + module[2].weight.abs().sum())
    torch.testing.assert_close(penalty_of(Recipe(l1=0.5), module)(), expected)
    assert penalty_of(Recipe(), module) is None


def test_balanced_epochs_hold_every_class_equally_and_vary():
    labels = torch.tensor([0] * 50 + [1] * 7 + [2] * 20)
    order = Order(Recipe(balanced=True, batch=6), labels, torch.Generator().manual_seed(0))
    epochs = [torch.cat(order.epoch()) for _ in range(60)]
    assert len(order) == 21
    for rows in epochs:
        assert labels[rows].bincount().tolist() == [7, 7, 7]
        assert len(rows.unique()) == 21
    assert len(torch.cat(epochs).unique()) == len(labels), "common classes are drawn anew"


def test_the_margin_is_additive_margin_softmax():
    """−log e^{s(cos − m)} / (e^{s(cos − m)} + Σ e^{s·cos_k}), Wang et al. 2018, Eq. 6."""
    cosines, labels = torch.rand(5, 3) * 2 - 1, torch.tensor([0, 1, 2, 1, 0])
    scale, margin = 30.0, 0.35
    losses = []
    for row, label in zip(cosines, labels, strict=True):
        own = math.exp(scale * (row[label].item() - margin))
        others = sum(math.exp(scale * row[k].item()) for k in range(3) if k != label)
        losses.append(-math.log(own / (own + others)))
    found = Objective(Recipe(margin=scale * margin)).criterion(scale * cosines, labels)
    assert found.item() == pytest.approx(sum(losses) / 5, rel=1e-4)


def test_half_precision_trains_in_it_and_measures_in_single():
    seen = set()

    class Watching(Objective):
        def loss(self, module, inputs, labels):
            logits = module(inputs)
            seen.add((module.training, logits.dtype))
            return self.criterion(logits, labels)

        def score(self, module, examples):
            seen.add((module.training, module(examples.inputs).dtype))
            return super().score(module, examples)

    recipe = Recipe(epochs=2, batch=16, precision=Precision.BFLOAT16)
    Trainer(recipe, 0).fit(network(), DATA, Watching(recipe))
    assert seen == {(True, torch.bfloat16), (False, torch.float32)}
