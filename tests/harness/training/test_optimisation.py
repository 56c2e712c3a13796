"""Recipes: optimizers, schedules, penalties and the order of clips, against torch's own and closed forms."""

import math

import pytest
import scipy.stats
import torch
from torch import nn

from learnables import DATA, network
from soundproof import Objective, Optimizer, Precision, Recipe, Schedule, Trainer
from soundproof.training.objective import Mixup
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


def test_the_penalty_can_be_on_some_layers_wherever_they_are_wrapped():
    network = nn.Sequential()
    network.add_module("body", nn.Conv2d(1, 2, 3))
    network.add_module("head", nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2)))
    network.add_module("head2", nn.Linear(2, 2))
    expected = 0.5 * (network.head[0].weight.abs().sum() + network.head[2].weight.abs().sum())
    for module in (network, nn.Sequential(nn.Identity(), network)):
        torch.testing.assert_close(penalty_of(Recipe(l1=0.5, l1_layers=("head",)), module)(), expected)
    with pytest.raises(ValueError, match="no kernel in the layers tail"):
        penalty_of(Recipe(l1=0.5, l1_layers=("tail",)), network)


@pytest.mark.parametrize(
    ("batch", "share", "steps"),
    [(6, 2, 3), (8, 2, 3), (3, 1, 7), (2, 1, 7), (21, 7, 1), (600, 7, 1)],
    ids=str,
)
def test_balanced_batches_hold_every_class_equally_and_vary(batch, share, steps):
    labels = torch.tensor([0] * 50 + [1] * 7 + [2] * 20)
    order = Order(Recipe(balanced=True, batch=batch), labels, torch.Generator().manual_seed(0))
    assert (order.steps, len(order)) == (steps, 3 * share * steps)
    epochs = [order.epoch() for _ in range(60)]
    for batches in epochs:
        assert [labels[rows].bincount().tolist() for rows in batches] == [[share] * 3] * steps
        assert len(torch.cat(batches).unique()) == len(order)
    assert len(torch.cat(sum(epochs, ())).unique()) == len(labels), "clips are drawn anew"


def test_the_spoofing_study_s_batches():
    """2,580 genuine and 22,800 spoofed utterances, 64 of each a step: 40 steps an epoch."""
    labels = torch.cat([torch.zeros(2580), torch.ones(22800)]).long()
    order = Order(Recipe(balanced=True, batch=128), labels, torch.Generator().manual_seed(0))
    assert {tuple(labels[rows].bincount().tolist()) for rows in order.epoch()} == {(64, 64)}
    assert order.steps == 40


def test_mixup_is_its_definition():
    """One forward pass, λ ~ Beta(α, α), against soft labels (Zhang et al. 2018, Eq. 1)."""
    module, seen = network(), []
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    inputs, labels = DATA.train.inputs[:8], DATA.train.labels[:8]
    losses, shares = [], []
    objective = Mixup(Recipe(mixup=0.4), torch.Generator().manual_seed(3))
    draws = torch.Generator().manual_seed(3)
    for _ in range(50):
        loss = objective.loss(module.train(), inputs, labels)
        drawn = torch.rand((), generator=draws).item()
        others = torch.randperm(8, generator=draws)
        share = scipy.stats.beta(0.4, 0.4).ppf(drawn)
        mixed = share * inputs + (1 - share) * inputs[others]
        torch.testing.assert_close(seen.pop(), mixed)
        assert not seen
        soft = share * nn.functional.one_hot(labels, 3) + (1 - share) * nn.functional.one_hot(labels[others], 3)
        expected = -(soft * module(mixed).log_softmax(1)).sum(1).mean()
        seen.clear()
        torch.testing.assert_close(loss, expected.float(), rtol=1e-4, atol=1e-5)
        losses.append(loss)
        shares.append(share)
    assert min(shares) < 0.1 < 0.9 < max(shares)


def test_the_trainer_mixes_when_the_recipe_says_so():
    plain, mixed = (Trainer(Recipe(epochs=2, mixup=alpha), 0).fit(network(), DATA) for alpha in (0.0, 1.0))
    assert mixed[-1].loss > plain[-1].loss


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
