"""What attacks cost beside the passes they need, and beside other libraries: ratios inside one run.

    pytest tests/benchmarks/test_attacks.py --benchmark-enable

prints a table. Seconds are processor time of one thread, so that other work on the machine does not count. A
pass is one bare forward and backward pass of the whole batch. All libraries and the bare pass take turns, and
the fastest round of each counts. `own` is our time in units of the attack's own passes, replayed bare with the
same batches, where no forward pass has more than one backward pass. Success rate, median norm and gradients a
clip stand beside the time: a faster attack that finds worse examples is not faster. Nothing is asserted of
times.

The size of real sound needs SOUNDPROOF_DATA and SOUNDPROOF_CLASSIFIERS, a folder for two trained classifiers.
"""

from __future__ import annotations

import os
import time

import pytest
import torch
from torch import nn

from esc10 import task as real_task
from rivals import LIBRARIES, contests
from soundproof import Goal, Victim
from soundproof_models.resnet_cifar import ResNet56

pytestmark = pytest.mark.filterwarnings("ignore")
ROUNDS = 3
# What takes longer than so many seconds is timed once.
PATIENCE = 30
RADIUS = {"digits": 1.0, "standard": 0.2, "adversarial": 3.0}
BUDGETS = {
    "digits": {"steps": 20, "searches": 5, "pixels": 60, "queries": 200},
    "standard": {"steps": 20, "searches": 3, "pixels": 60, "queries": 100},
    "adversarial": {"steps": 20, "searches": 3, "pixels": 60, "queries": 100},
}
# Attacks with one backward pass a forward pass at most.
REPLAYED = ("fgsm", "bim", "pgd", "apgd-ce", "apgd-dlr", "square", "cwa", "lbfgs", "jsma")
NAMES = list(contests(1.0, **BUDGETS["digits"]))


@pytest.fixture(scope="module")
def digits():
    """A small residual network, trained for a moment on enlarged digits, and 16 clips with its own decisions."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16
    images = nn.functional.interpolate(images, 32, mode="bilinear")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ResNet56(depth=8, stem_stride=2).build((1, 32, 32), 10)
        optimiser = torch.optim.Adam(network.parameters(), 3e-3)
        for batch in torch.randperm(1500).split(50)[:24]:
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), torch.tensor(found.target)[batch]).backward()
            optimiser.step()
    network.requires_grad_(requires_grad=False).eval()
    clean = images[1500:1516].clone()
    return network, clean, network(clean).argmax(dim=1)


@pytest.fixture
def task(request, size):
    """A network, clips, and its decisions."""
    if size == "digits":
        return request.getfixturevalue("digits")
    if request.config.getoption("benchmark_disable") and not request.config.getoption("benchmark_enable"):
        pytest.skip("attacks on real sound are only timed, with --benchmark-enable")
    root = request.getfixturevalue("real_audio")
    if not os.environ.get("SOUNDPROOF_CLASSIFIERS"):
        pytest.skip("SOUNDPROOF_CLASSIFIERS names no folder for trained classifiers")
    return real_task(size, root, clips=32)[:3]


class Noted(nn.Module):
    """Notes the size of every batch, and whether it is differentiated."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.batches = inner, []

    def forward(self, images):
        self.batches.append((len(images), images.requires_grad))
        return self.inner(images)


def replay(task, batches):
    """The same passes, bare."""
    network, clean, labels = task
    for size, differentiated in batches:
        if differentiated:
            leaf = clean[:size].detach().requires_grad_()
            loss = nn.functional.cross_entropy(network(leaf), labels[:size], reduction="sum")
            torch.autograd.grad(loss, leaf)
        else:
            with torch.no_grad():
                network(clean[:size])


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", list(RADIUS))
@pytest.mark.benchmark(group="attacks")
def test_beside_other_libraries(benchmark, table, task, size, name):
    network, clean, labels = task
    runs = contests(RADIUS[size], **BUDGETS[size])[name].runs(clean, labels, RADIUS[size])
    if benchmark.disabled:
        runs = {"soundproof": runs["soundproof"]}
    found, spent, times = {}, {}, {}
    noted = Noted(network)
    for library, run in runs.items():  # a first round, metered
        victim = Victim(noted if library == "soundproof" else network, clean, Goal(labels), traced=False)
        start = time.process_time()
        found[library] = run(victim)  # ours makes a victim of its own of it: all passes go through both
        times[library] = time.process_time() - start
        spent[library] = victim.ledger.gradients.mean()
    assert all(examples.shape == clean.shape for examples in found.values())
    with torch.no_grad():
        met = {library: network(examples.float()).argmax(dim=1) != labels for library, examples in found.items()}
    if benchmark.disabled:
        assert met["soundproof"].any()
        return
    works = {library: lambda run=run: run(network) for library, run in runs.items() if times[library] < PATIENCE}
    works |= {"pass": lambda: replay(task, [(len(clean), True)]), "own": lambda: replay(task, noted.batches)}
    rounds = [{library: seconds(work) for library, work in works.items()} for _ in range(ROUNDS)]
    times |= {library: min(each[library] for each in rounds) for library in works}
    benchmark.pedantic(works["soundproof"], rounds=1)
    for library in LIBRARIES:
        if library in found:
            norms = (found[library] - clean).flatten(1).norm(dim=1)[met[library]]
            replayed = library == "soundproof" and name in REPLAYED
            own = f"{times[library] / times['own']:.3f}" if replayed else ""
            cells = (
                f"{name}, {size}" if library == "soundproof" else "", library, f"{times[library]:.3f}",
                f"{times[library] / times['pass']:.1f}", own, f"{spent[library]:.1f}",
                f"{met[library].float().mean():.0%}", f"{norms.median():.3f}" if len(norms) else "",
            )  # fmt: skip
            if not table:
                table += ["| attack | library | seconds | passes | own | gradients | fooled | median l2 |"]
                table += ["|---|---|---|---|---|---|---|---|"]
            table.append(f"| {' | '.join(cells)} |")
    benchmark.extra_info |= {"passes": times["soundproof"] / times["pass"]}
