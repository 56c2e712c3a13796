"""The trainer against a bare loop, and its stopping rules."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from learnables import DATA, network, problem
from soundproof import Kept, Objective, Recipe, Trainer, TrainingData
from soundproof.training.objective import accuracy
from soundproof.training.trainer import TrainingError
from soundproof.victim.prediction import logits_of


def test_equals_a_bare_loop():
    recipe = Recipe(epochs=4, batch=16, learning_rate=0.02, weight_decay=0.1, label_smoothing=0.1)
    module, bare = network(), network()
    curve = Trainer(recipe, 7).fit(module, DATA)
    optimizer = torch.optim.AdamW(bare.parameters(), lr=0.02, weight_decay=0.1)
    steps = 6
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=4 * steps)
    order = torch.Generator().manual_seed(7)
    best, scores = None, []
    for _ in range(4):
        bare.train()
        for batch in torch.randperm(90, generator=order).tensor_split(steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                bare(DATA.train.inputs[batch]), DATA.train.labels[batch], label_smoothing=0.1
            )
            loss.backward()
            optimizer.step()
            schedule.step()
        bare.eval()
        scores.append((bare(DATA.validation.inputs).argmax(1) == DATA.validation.labels).float().mean().item())
        if scores[-1] == max(scores):
            best = {name: value.clone() for name, value in bare.state_dict().items()}
    assert [epoch.score for epoch in curve] == pytest.approx(scores)
    assert all(torch.equal(best[name], value) for name, value in module.state_dict().items())
    assert not module.training


def test_stops_after_patience_and_keeps_the_best_weights():
    class Falling(Objective):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.best = None

        def score(self, module, examples):
            self.calls += 1
            if self.calls == 3:
                self.best = {name: value.clone() for name, value in module.state_dict().items()}
            return 1.0 if self.calls == 3 else 1.0 / (10 + self.calls)

    objective, module = Falling(), network()
    curve = Trainer(Recipe(epochs=50, patience=4), 0).fit(module, DATA, objective)
    assert len(curve) == 3 + 4
    assert all(torch.equal(objective.best[name], value) for name, value in module.state_dict().items())


def test_the_last_weights_are_kept_after_all_epochs_if_wanted():
    class Falling(Objective):
        scores = iter(range(50, 0, -1))

        def score(self, module, examples):
            return next(self.scores)

    recipe = Recipe(epochs=12, patience=3, kept=Kept.LAST)
    module, bare = network(), network()
    assert len(Trainer(recipe, 0).fit(module, DATA, Falling())) == 12
    rising = iter(range(50))
    objective = Objective()
    objective.score = lambda *_: next(rising)
    Trainer(replace(recipe, kept=Kept.BEST), 0).fit(bare, DATA, objective)
    assert all(torch.equal(module.state_dict()[name], value) for name, value in bare.state_dict().items())


def test_divergence_is_an_error_with_its_curve():
    with pytest.raises(TrainingError, match="diverged in epoch") as caught:
        Trainer(Recipe(epochs=20, learning_rate=1e38), 0).fit(network(), DATA)
    assert all(torch.isfinite(torch.tensor(epoch.loss)) for epoch in caught.value.curve)


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    weights = []
    for seed in (0, 0, 1):
        module = network()
        Trainer(Recipe(epochs=2), seed).fit(module, DATA)
        weights.append(module[0].weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_last_clip_alone_does_not_break_batch_normalisation():
    odd = TrainingData(problem(0, 33), problem(1, 30), 3)
    Trainer(Recipe(epochs=1, batch=16), 0).fit(network(), odd)


def test_logits_are_the_same_in_any_batch():
    module = network().eval()
    inputs = problem(3).inputs
    torch.testing.assert_close(logits_of(module, inputs, batch=7), module(inputs))
    assert accuracy(module, problem(3)) == (module(inputs).argmax(1) == problem(3).labels).float().mean()


@pytest.mark.parametrize("name", ["SNR", "snr-improvement", "=1+1", "", "2nd"])
def test_measures_have_plain_names(name):
    with pytest.raises(ValueError, match="names no measure"):
        Trainer(Recipe(), 0).report(name, [1.0])
