"""What attacks cost beside the passes they need, and beside other libraries: ratios inside one run.

    pytest tests/benchmarks/test_attacks.py --benchmark-enable --benchmark-columns=min,rounds

The ratios stand in each benchmark's `extra_info` (`--benchmark-json`): `passes` is the time in units of one bare
forward and backward pass of the batch, timed in the same test. Success rate, median norm and gradients a clip
stand beside it: a faster attack that finds worse examples is not faster. Other libraries attack the bare network.
Foolbox and torchattacks are no dependencies of the project; where they are missing, their rows are skipped.
"""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from soundproof import Ball, BoundedAttack, Goal, Norm, Victim
from soundproof_attacks.apgd import Apgd
from soundproof_attacks.bim import BimB
from soundproof_attacks.cwa import Cwa
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.jsma import Jsma
from soundproof_attacks.lbfgs import Lbfgs
from soundproof_attacks.pgd import Pgd
from soundproof_models.resnet_cifar import ResNet56

pytestmark = pytest.mark.filterwarnings("ignore")
CLIPS, SIZE = 16, 32
BALL = Ball(Norm.L2, 1.0)


@pytest.fixture(scope="module")
def task():
    """A small residual network, trained for a moment on enlarged digits, and clips with its own decisions."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    images = nn.functional.interpolate(images, SIZE, mode="bilinear")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ResNet56(depth=8, stem_stride=2).build((1, SIZE, SIZE), 10)
        optimiser = torch.optim.Adam(network.parameters(), 3e-3)
        for batch in torch.randperm(1500).split(50)[:24]:
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), torch.tensor(digits.target)[batch]).backward()
            optimiser.step()
    network.requires_grad_(requires_grad=False).eval()
    clean = images[1500 : 1500 + CLIPS].clone()
    return network, clean, network(clean).argmax(dim=1)


def one_pass(network, clean, labels):
    leaf = clean.detach().requires_grad_()
    torch.autograd.grad(nn.functional.cross_entropy(network(leaf), labels, reduction="sum"), leaf)


def measure(benchmark, task, work, **facts):
    """Time some work, in bare passes of the same batch before and after it, and note what it found."""
    network, clean, labels = task

    def unit():
        start = time.perf_counter()
        for _ in range(5):
            one_pass(*task)
        return (time.perf_counter() - start) / 5

    one_pass(*task)
    before = unit()
    examples = benchmark.pedantic(work, rounds=3, warmup_rounds=1)
    with torch.no_grad():
        fooled = network(examples).argmax(dim=1) != labels
    norms = (examples - clean).flatten(1).norm(dim=1)[fooled]
    facts["fooled"] = round(fooled.float().mean().item(), 3)
    facts["median_l2"] = round(norms.median().item(), 4) if len(norms) else None
    if benchmark.stats is not None:
        facts["passes"] = round(benchmark.stats.stats.min / min(before, unit()), 2)
    benchmark.extra_info |= facts
    return facts


def ours(attack, task):
    network, clean, labels = task
    victim = Victim(network, clean, Goal(labels))
    generator = torch.Generator().manual_seed(0)
    if isinstance(attack, BoundedAttack):
        return victim, attack.perturb(victim, BALL, generator)
    return victim, attack.minimise(victim, generator)


@pytest.mark.parametrize(
    "attack",
    [BimB(steps=10), Pgd(steps=10), Apgd(steps=10), Cwa(search_steps=2, steps=10, initial_c=1.0, targeted=False)],
    ids=lambda attack: attack.id,
)
@pytest.mark.benchmark(group="attacks: time beside their own number of passes")
def test_overhead_of_the_attack_itself(benchmark, task, attack):
    victim, _ = ours(attack, task)
    gradients = victim.ledger.gradients.mean()
    facts = measure(benchmark, task, lambda: ours(attack, task)[1], gradients=gradients)
    if "passes" in facts:
        benchmark.extra_info["ratio"] = round(facts["passes"] / gradients, 3)


def theirs(attack, task):
    """The gradients a clip that another library's attack takes, on a metered victim."""
    network, clean, labels = task
    victim = Victim(network, clean, Goal(labels))
    attack(victim)
    return victim.ledger.gradients.mean()


def art(name, task, **options):
    import art.attacks.evasion as evasion
    from art.estimators.classification import PyTorchClassifier

    network, clean, labels = task
    if name == "SaliencyMapMethod":  # whose `y` is the target: the most likely wrong class, as ours takes it
        labels = network(clean).scatter(1, labels[:, None], -torch.inf).argmax(dim=1)

    def attack(module):
        shape = tuple(clean.shape[1:])
        estimator = PyTorchClassifier(
            module, nn.CrossEntropyLoss(), shape, 10, clip_values=(0, 1), device_type="cpu"
        )
        found = getattr(evasion, name)(estimator, batch_size=CLIPS, verbose=False, **options)
        return torch.from_numpy(found.generate(clean.numpy(), labels.numpy()))

    return attack


def foolbox(name, task, epsilon=None, **options):
    library = pytest.importorskip("foolbox", reason="foolbox is not installed")
    _, clean, labels = task

    def attack(module):
        criterion = library.criteria.Misclassification(labels)
        model = library.PyTorchModel(module.eval(), bounds=(0, 1), device="cpu")
        return getattr(library.attacks, name)(**options)(model, clean, criterion, epsilons=epsilon)[1]

    return attack


def torchattacks(name, task, **options):
    library = pytest.importorskip("torchattacks", reason="torchattacks is not installed")
    _, clean, labels = task
    return lambda module: getattr(library, name)(module.eval(), **options)(clean, labels).detach()


RIVALS = {
    "pgd-20": {
        "soundproof": Pgd(steps=20, step_size=0.25),
        "art": (art, "ProjectedGradientDescent", {"norm": 2, "eps": 1.0, "eps_step": 0.25, "max_iter": 20}),
        "foolbox": (foolbox, "L2PGD", {"epsilon": 1.0, "steps": 20, "rel_stepsize": 0.25}),
        "torchattacks": (torchattacks, "PGDL2", {"eps": 1.0, "alpha": 0.25, "steps": 20}),
    },
    "deepfool-50": {
        "soundproof": DeepFool(steps=50),
        "art": (art, "DeepFool", {"max_iter": 50}),
        "foolbox": (foolbox, "L2DeepFoolAttack", {"steps": 50}),
        "torchattacks": (torchattacks, "DeepFool", {"steps": 50}),
    },
    "cw-5x20": {
        "soundproof": Cwa(search_steps=5, steps=20, initial_c=0.1, targeted=False),
        "art": (art, "CarliniL2Method", {"binary_search_steps": 5, "max_iter": 20, "initial_const": 0.1}),
        "foolbox": (
            foolbox,
            "L2CarliniWagnerAttack",
            {"binary_search_steps": 5, "steps": 20, "initial_const": 0.1, "stepsize": 0.01},
        ),
        "torchattacks": (torchattacks, "CW", {"c": 1.0, "steps": 100, "lr": 0.01}),
    },
    "jsma": {
        "soundproof": Jsma(theta=0.5, steps=50, targeted=False),
        "art": (art, "SaliencyMapMethod", {"theta": 0.5, "gamma": 0.05}),
    },
    "lbfgs": {"soundproof": Lbfgs(search_steps=8, steps=40, targeted=False)},
}


@pytest.mark.parametrize(
    ("budget", "library"), [(budget, library) for budget, libraries in RIVALS.items() for library in libraries]
)
@pytest.mark.benchmark(group="attacks: beside other libraries")
def test_against_other_libraries(benchmark, task, budget, library):
    if library != "soundproof" and benchmark.disabled:
        pytest.skip("other libraries are only timed, with --benchmark-enable")
    network = task[0]
    entry = RIVALS[budget][library]
    if library == "soundproof":
        gradients = ours(entry, task)[0].ledger.gradients.mean()
        work = lambda: ours(entry, task)[1]
    else:
        wrap, name, options = entry
        attack = wrap(name, task, **options)
        gradients = theirs(attack, task)
        work = lambda: attack(network)
    measure(benchmark, task, work, gradients=round(float(gradients), 1))
