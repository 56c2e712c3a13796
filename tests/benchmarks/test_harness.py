"""What the harness costs beside the work itself: ratios inside one run.

pytest tests/benchmarks/test_harness.py --benchmark-enable
"""

import resource

import pytest
import torch

from soundproof import Ball, Goal, Norm, Victim
from soundproof.engine import forecast
from soundproof.engine.demand import Ledger
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof_models.resnet_cifar import ResNet56
from toys import toy_registry, toy_suite

pytestmark = pytest.mark.slow

STEPS, CLIPS = 5, 32


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ResNet56(depth=8).build((1, 64, 64), 10).eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def images():
    return torch.rand(CLIPS, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def bare_passes(network, images, labels):
    """The same forward and backward passes without a meter."""
    for _ in range(STEPS):
        leaf = images.detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(network(leaf), labels, reduction="sum")
        torch.autograd.grad(loss, leaf)


@pytest.mark.benchmark(group="metering: passes of one batch")
def test_bare_passes(benchmark, network, images):
    labels = torch.arange(CLIPS) % 10
    benchmark(bare_passes, network, images, labels)


@pytest.mark.benchmark(group="metering: passes of one batch")
def test_metered_passes(benchmark, network, images):
    labels = torch.arange(CLIPS) % 10

    def metered():
        victim = Victim(network, images, Goal(labels))
        for _ in range(STEPS):
            victim.gradient(images)
        return victim

    victim = benchmark(metered)
    assert victim.ledger.backwards.tolist() == [STEPS] * CLIPS


@pytest.mark.benchmark(group="metering: passes of one batch")
def test_bim_b(benchmark, network, images):
    from soundproof_attacks.bim import BimB

    labels = torch.arange(CLIPS) % 10
    attack, ball = BimB(steps=STEPS), Ball(Norm.L2, 3.0)
    examples = benchmark(lambda: attack.perturb(Victim(network, images, Goal(labels)), ball, torch.Generator()))
    assert examples.shape == images.shape


@pytest.mark.benchmark(group="a cached run of 45 cells")
def test_cached_run(benchmark, tmp_path):
    registry = toy_registry()
    models = ["toy-linear", {"id": "toy-linear", "scale": 2.0}, {"id": "toy-linear", "scale": 3.0}]
    suite = load_suite(toy_suite(models=models, attacks=["fgsm", "noise", "bim-a", "bim-b"]), registry)

    def run():
        plan = make_plan(suite, tmp_path)
        return Runner(registry, Environment("cpu", "", threads=1), Store(tmp_path / "cache"), tmp_path).run(plan)

    first = run()
    found = benchmark(run)
    assert [row.key for row in found.rows] == [row.key for row in first.rows]


@pytest.mark.benchmark(group="planning 100,000 cells")
def test_planning(benchmark, tmp_path):
    """Cells, keys, demand and forecast of 105,866 cells: the time, and under `extra_info` the memory, in bytes."""
    registry = toy_registry()
    models = [{"id": "toy-linear", "scale": float(scale)} for scale in range(1, 44)]
    attacks = ["fgsm", "bim-b", *({"id": "pgd", "steps": steps} for steps in range(1, 13))]
    written = toy_suite(
        models=models,
        defenses=["none", "toy-halving"],
        attacks=attacks,
    )
    suite = load_suite({**written, "protocols": ["clean", "bounded", "reach", "transfer"]}, registry)

    def work():
        plan = make_plan(suite, tmp_path)
        runner = Runner(registry, Environment("cpu", "", threads=1), Store(tmp_path / "cache"), tmp_path)
        workshop = runner.workshop(plan)
        keys = [workshop.keys.of(cell).digest for cell in plan.tasks]
        forecast.seconds(workshop, forecast.pending(workshop))
        demand = Ledger(plan, workshop.has).demand(plan.tasks)
        return len(plan.cells), len(set(keys)), demand.disk

    cells, keys, disk = benchmark.pedantic(work, rounds=1)
    benchmark.extra_info["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    benchmark.extra_info["cells"] = cells
    assert keys > cells >= 100_000
    assert disk > 0
