"""What attacks cost beside the passes they need, and beside other libraries: ratios inside one run.

    pytest tests/benchmarks/test_attacks.py --benchmark-enable

prints a table. Seconds are processor time of one thread, so that other work on the machine does not count. A
pass is one bare forward and backward pass of the whole batch. All libraries and the bare pass take turns, and
the fastest round of each counts. Ours attacks the network as the harness does, with its normalisations folded;
`own` is our time in units of the attack's own passes, replayed bare with the same batches through that same
folded network, where no forward pass has more than one backward pass. `test_folding` compares the two networks.
Success rate (targets reached, for targeted attacks), median norm and gradients a clip stand beside the time: a
faster attack that finds worse examples is not faster. Nothing is asserted of times.

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
from soundproof.engine.fusion import fused
from soundproof_models.resnet_cifar import ResNet56

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
ROUNDS = 3
# What takes longer than so many seconds is timed once.
PATIENCE = 30
RADIUS = {"digits": 1.0, "standard": 0.2, "adversarial": 3.0}
REAL = {"steps": 20, "searches": 3, "points": 50, "share": 0.025, "queries": 100}
BUDGETS = {
    "digits": {"steps": 20, "searches": 5, "points": 20, "share": 0.12, "queries": 200},
    "standard": REAL,
    "adversarial": REAL,
}
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


def replay(network, clean, labels, batches):
    """The same passes, bare."""
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
    with torch.no_grad():
        logits = network(clean)
    others = torch.randint(1, logits.shape[1], labels.shape, generator=torch.Generator().manual_seed(0))
    targeted = name.endswith("-targeted")
    goal = Goal(labels, (labels + others) % logits.shape[1] if targeted else None)
    runs = contests(RADIUS[size], **BUDGETS[size])[name].runs(clean, goal, RADIUS[size])
    if benchmark.disabled:
        runs = {"soundproof": runs["soundproof"]}
    attacked = dict.fromkeys(runs, network) | {"soundproof": fused(network, tuple(clean.shape[1:]))}
    found, spent, times = {}, {}, {}
    noted = Noted(attacked["soundproof"])
    for library, run in runs.items():  # a first round, metered
        module = noted if library == "soundproof" else network
        victim = Victim(module, clean, goal, traced=False)
        start = time.process_time()
        found[library] = run(victim)  # ours makes a victim of its own of it: all passes go through both
        times[library] = time.process_time() - start
        spent[library] = victim.ledger.gradients.mean()
    assert all(examples.shape == clean.shape for examples in found.values())
    with torch.no_grad():
        met = {library: goal.met(network(examples.float())) for library, examples in found.items()}
    if benchmark.disabled:
        assert met["soundproof"].any()
        return
    works = {
        library: lambda run=run, library=library: run(attacked[library])
        for library, run in runs.items()
        if library == "soundproof" or times[library] < PATIENCE
    } | {
        "pass": lambda: replay(network, clean, labels, [(len(clean), True)]),
        "own": lambda: replay(attacked["soundproof"], clean, labels, noted.batches),
    }
    rounds = [{library: seconds(work) for library, work in works.items()} for _ in range(ROUNDS)]
    times |= {library: min(each[library] for each in rounds) for library in works}
    benchmark.pedantic(works["soundproof"], rounds=1)
    for library in LIBRARIES:
        if library in found:
            norms = (found[library] - clean).flatten(1).norm(dim=1)[met[library]]
            replayed = library == "soundproof" and name != "deepfool"  # whose passes have several gradients each
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


@pytest.mark.parametrize("size", list(RADIUS))
@pytest.mark.benchmark(group="folding")
def test_folding(benchmark, table, task, size):
    network, clean, labels = task
    shape = tuple(clean.shape[1:])
    lighter = fused(network, shape)
    assert lighter is not network
    works = {
        name: lambda each=each: replay(each, clean, labels, [(len(clean), True)] * 5)
        for name, each in (("as trained", network), ("folded", lighter))
    }
    rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(ROUNDS)]
    times = {name: min(each[name] for each in rounds) for name in works}
    benchmark.pedantic(works["folded"], rounds=1)
    benchmark.extra_info |= {"ratio": times["folded"] / times["as trained"]}
    if not benchmark.disabled:
        ratio = times["folded"] / times["as trained"]
        table.append(f"| a pass, folded, {size} | | {times['folded'] / 5:.4f} | {ratio:.3f} | | | | |")
