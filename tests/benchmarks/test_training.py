"""What training costs beside a bare PyTorch loop of the same passes: ratios inside one run.

    pytest tests/benchmarks/test_training.py --benchmark-enable --benchmark-columns=min,rounds

`extra_info` (`--benchmark-json`) holds the ratio of times. Rounds of the bare loop alternate with those of the
trainer, so that a machine that gets slower slows both.
"""

from __future__ import annotations

import copy
import time

import pytest
import torch
from torch.nn.functional import cross_entropy

from soundproof import Examples, Norm, Objective, Recipe, Trainer, TrainingData
from soundproof.victim.bound import Absolute
from soundproof_attacks.bim import BimB
from soundproof_attacks.fgsm import Fgsm
from soundproof_defenses._inner import InnerAttack
from soundproof_defenses._objectives import AdversarialObjective
from soundproof_models.resnet_cifar import ResNet56

pytestmark = pytest.mark.slow

CLIPS, HELD_OUT, RADIUS, ROUNDS = 64, 32, 3.0, 5
RECIPE = Recipe(epochs=1, batch=32)


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(CLIPS + HELD_OUT, 1, 64, 64, generator=generator)
    labels = torch.arange(CLIPS + HELD_OUT) % 10
    parts = (Examples(inputs[part], labels[part]) for part in (slice(CLIPS), slice(CLIPS, None)))
    return TrainingData(*parts, classes=10)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ResNet56(depth=14).build((1, 64, 64), 10).to(memory_format=torch.channels_last)


def step_of(images, gradient):
    """A step of the attack's length along the gradient, in the box."""
    length = gradient.flatten(1).norm(dim=1)[:, None, None, None].clamp_min(1e-30)
    return (images + RADIUS * gradient / length).clamp(0, 1)


def bare_attack(network, images, labels, steps):
    """One gradient of the inputs a step, in evaluation mode."""
    network.eval()
    for _ in range(steps):
        leaf = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(network(leaf), labels, reduction="sum"), leaf)
        images = step_of(images, gradient)
    return images


def bare_loop(network, data, steps):
    """One epoch: the passes of training, of the inner attack and of early stopping, and nothing else."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RECIPE.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RECIPE.learning_rate, total_steps=CLIPS // RECIPE.batch
    )
    for batch in torch.randperm(CLIPS).split(RECIPE.batch):
        inputs, labels = data.train.inputs[batch], data.train.labels[batch]
        parts = [inputs, bare_attack(network, inputs, labels, steps)] if steps else [inputs]
        network.train()
        loss = torch.stack([cross_entropy(network(part), labels) for part in parts]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
    held_out = data.validation
    looks = [held_out.inputs]
    looks += [bare_attack(network, held_out.inputs, held_out.labels, steps)] if steps else []
    with torch.inference_mode():
        return [network(images).argmax(dim=1) for images in looks]


def objective(attack):
    if attack is None:
        return Objective(RECIPE)
    inner = InnerAttack(attack, torch.Generator().manual_seed(0), bound=Absolute(Norm.L2, RADIUS), draw="fixed")
    return AdversarialObjective(inner, alpha=0.5, recipe=RECIPE)


@pytest.mark.parametrize(
    ("attack", "steps"),
    [
        pytest.param(None, 0, id="plain"),
        pytest.param(Fgsm(), 1, id="fgsm"),
        pytest.param(BimB(steps=4), 4, id="bim-b-4"),
    ],
)
@pytest.mark.benchmark(group="an epoch of training")
def test_training(benchmark, network, data, attack, steps):
    trained, bare, bare_times = copy.deepcopy(network), copy.deepcopy(network), []

    def before():
        start = time.perf_counter()
        bare_loop(bare, data, steps)
        bare_times.append(time.perf_counter() - start)
        return (Trainer(RECIPE, 0),), {}

    curve = benchmark.pedantic(
        lambda trainer: trainer.fit(trained, data, objective(attack)), setup=before, rounds=ROUNDS, warmup_rounds=1
    )
    assert len(curve) == 1
    if benchmark.stats is not None:
        benchmark.extra_info["of_bare_loop"] = round(benchmark.stats.stats.min / min(bare_times), 3)
