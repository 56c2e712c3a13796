"""What attacks on the sound cost beside the passes they need, features included: ratios inside one run.

    pytest tests/benchmarks/test_in_sound.py --benchmark-enable

prints a table: the attack's own passes through representation and network, replayed bare, over the attack's time.
1 is the ideal. Processor time of one thread, the fastest of three rounds that take turns. Nothing is asserted of
times.
"""

from __future__ import annotations

import time

import pytest
import torch

from soundproof import Goal, Victim
from soundproof.contract.discovery import discover
from soundproof.engine.fusion import fused
from soundproof.types import Budget, Kind, Norm, Ref
from soundproof.victim.bound import bound_of
from soundproof.victim.hearing import Hearing, boxed
from soundproof_attacks.bim import BimB
from soundproof_attacks.pgd import Pgd
from soundproof_models.resnet_cifar import ResNet56

pytestmark = pytest.mark.slow
CLIPS, SECONDS, ROUNDS, SIZE = 8, 5, 3, [48, 48]
REPRESENTATIONS = {"stft": {"n_fft": 1024}, "mfcc": {"sr": 8000, "scaling": "coefficient"}, "mel": {"sr": 16000}}
ATTACKS = {"bim-b": BimB(steps=10), "pgd": Pgd(steps=10)}


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_passes_through_the_sound(benchmark, table, name, attack):
    registry = discover()
    built = registry.build(Ref(Kind.REPRESENTATION, name, {**REPRESENTATIONS[name], "size": SIZE}))
    generator = torch.Generator().manual_seed(0)
    clips = 0.1 * torch.randn(CLIPS, SECONDS * built.rate, generator=generator)
    clips = clips.clamp(-1, 1)
    network = ResNet56(depth=8, stem_stride=2).build((1, *SIZE), 10).eval()
    module = Hearing(built.fit(clips), fused(network, (1, *SIZE))).requires_grad_(requires_grad=False).eval()
    clean, labels = boxed(clips), torch.zeros(CLIPS, dtype=torch.int64)
    ball = bound_of(Budget(Norm.L2, snr_db=40.0), tuple(clean.shape[1:])).ball(clean)

    def attacked():
        victim = Victim(module, clean, Goal(labels))
        ATTACKS[attack].perturb(victim, ball, torch.Generator().manual_seed(0))
        return victim.ledger

    def bare(forwards, backwards):
        for number in range(forwards):
            images = clean.clone().requires_grad_(number < backwards)
            with torch.set_grad_enabled(number < backwards):
                loss = Goal(labels).loss(module(images)).sum()
            if number < backwards:
                torch.autograd.grad(loss, images)

    ledger = attacked()
    passes = int(ledger.forwards[0]), int(ledger.backwards[0])
    times = {"attack": [], "bare": []}
    for _ in range(ROUNDS if benchmark.enabled else 1):
        for what, run in (("attack", attacked), ("bare", lambda: bare(*passes))):
            start = time.process_time()
            run()
            times[what].append(time.process_time() - start)
    share = min(times["bare"]) / min(times["attack"])
    benchmark.extra_info.update(share=share, passes=passes)
    if not table:
        table += [
            "| representation | attack | passes | s a clip | bare passes / attack |",
            "|---|---|---|---|---|",
        ]
    seconds = min(times["attack"]) / CLIPS
    table.append(f"| {name} | {attack} | {passes[0]} + {passes[1]} | {seconds:.3f} | {share:.3f} |")
    assert passes[1] == 10
    benchmark.pedantic(lambda: None, rounds=1)
