"""Radii by clip: what an attack does to a clip in a batch of many radii is what it does to it alone."""

import numpy as np
import pytest
import torch

import attack_cases
from classifiers import train_on_digits
from soundproof import BoundedAttack, Budget, Examples, Goal, Norm, Victim
from soundproof.measuring.confined import attack_within
from soundproof.measuring.judge import TOLERANCE
from soundproof.measuring.protocols.base import Cell, Material
from soundproof.measuring.protocols.reach import Reach
from soundproof.measuring.radii import climb, perturb
from soundproof.measuring.subject import Subject
from soundproof.victim.ball import Ball
from soundproof_attacks.apgd import Apgd
from soundproof_attacks.bim import BimA, BimB
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.pgd import Pgd

CLIPS = 12
DETERMINISTIC = [
    Fgsm(),
    Fgsm(norm=Norm.LINF),
    BimA(steps=4),
    BimB(steps=4),
    BimB(steps=4, norm=Norm.LINF),
    Pgd(steps=4, random_start=False),
]


@pytest.fixture(scope="module")
def digits():
    module, images, labels = train_on_digits()
    return module, images[:CLIPS], labels[:CLIPS]


@pytest.fixture(scope="module")
def radii():
    return torch.linspace(0.05, 1.0, CLIPS, dtype=torch.float64)


def victim_of(digits, rows=slice(None)):
    module, images, labels = digits
    return Victim(module, images[rows].clone(), Goal(labels[rows]))


@pytest.mark.parametrize("attack", DETERMINISTIC, ids=repr)
def test_each_clip_gets_what_it_gets_alone(digits, radii, attack):
    generator = torch.Generator()
    together = attack.perturb(victim_of(digits), Ball(Norm.L2, radii), generator)
    alone = [
        attack.perturb(victim_of(digits, slice(row, row + 1)), Ball(Norm.L2, float(radius)), generator)
        for row, radius in enumerate(radii)
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


BUILT_IN = [case for case in attack_cases.cases() if isinstance(case, BoundedAttack) and case.id != "art"]


@pytest.mark.parametrize("attack", BUILT_IN, ids=repr)
def test_every_built_in_attack_keeps_to_radii_by_clip(digits, radii, attack):
    assert attack.radius_per_clip
    ball = Ball(Norm.L2, radii)
    victim = victim_of(digits)
    examples = attack.perturb(victim, ball, torch.Generator().manual_seed(0))
    sizes = ball.sizes(examples.double() - victim.clean.double())
    assert (sizes <= radii + TOLERANCE).all()
    assert (sizes > 0).any()


class OneRadius(Fgsm):
    """An attack of somebody's who never thought of radii by clip."""

    id = "one-radius"
    radius_per_clip = False

    def climb(self, victim, balls, generator):
        def watched():
            for ball in balls:
                assert isinstance(ball.radius, float)
                yield ball

        yield from super().climb(victim, watched(), generator)


def test_an_attack_of_one_radius_runs_radius_by_radius(digits, radii):
    shared = radii.clone()
    shared[: CLIPS // 2] = 0.3  # half of the clips make one batch
    ball = Ball(Norm.L2, shared)
    one, by_clip = victim_of(digits), victim_of(digits)
    found = perturb(OneRadius(), one, ball, torch.Generator())
    torch.testing.assert_close(found, Fgsm().perturb(by_clip, ball, torch.Generator()))
    np.testing.assert_array_equal(one.ledger.gradients, by_clip.ledger.gradients)
    balls = [ball.scaled(factor) for factor in (0.5, 1.0, 2.0)]
    rungs = list(climb(OneRadius(), victim_of(digits), balls, torch.Generator()))
    expected = list(Fgsm().climb(victim_of(digits), iter(balls), torch.Generator()))
    assert len(rungs) == 3
    for got, wanted in zip(rungs, expected, strict=True):
        torch.testing.assert_close(got, wanted)


def test_what_is_no_tensor_reaches_the_judge(digits, radii):
    class Broken(OneRadius):
        def perturb(self, victim, ball, generator):
            return "nothing"

    assert perturb(Broken(), victim_of(digits), Ball(Norm.L2, radii), torch.Generator()) == "nothing"


def subject_of(digits):
    module, images, labels = digits
    clips = np.arange(len(labels))
    return Subject(module, Examples(images, labels), clips, groups=clips, classes=10, seed="test")


@pytest.mark.parametrize("attack", [Fgsm(), OneRadius(), Apgd(steps=6), DeepFool(steps=5)], ids=lambda a: a.id)
def test_examples_within_an_snr_have_it(digits, attack):
    subject = subject_of(digits)
    found = attack_within(subject, attack, Budget(snr_db=10.0))
    clean = subject.examples.inputs[torch.from_numpy(found.samples["clip"]).long()].double()
    noise = (found.examples.double() - clean).flatten(1).norm(dim=1)
    changed = noise > 0
    snr = 20 * torch.log10(clean.flatten(1).norm(dim=1) / noise)
    assert changed.any()
    assert (snr[changed] >= 10 - 1e-4).all()
    np.testing.assert_allclose(found.samples["radius"], clean.flatten(1).norm(dim=1) * 10**-0.5, rtol=1e-6)
    if attack.id == "fgsm":
        level = found.samples["l2"] / found.samples["size"]
        np.testing.assert_allclose(20 * np.log10(level), -snr.numpy(), atol=1e-3)


@pytest.mark.parametrize("attack", [Fgsm(), OneRadius()], ids=lambda a: a.id)
def test_reach_climbs_shares_of_each_clip(digits, attack):
    """The same sizes as with radii of ‖ε‖, if all clips are made equally large."""
    module, images, labels = digits
    sizes = images.flatten(1).norm(dim=1)
    scale = sizes.min() / sizes
    equal = images * scale[:, None, None, None]
    subject = subject_of((module, equal, labels))
    shares, radii = (
        Reach().measure(Material(Cell(Reach(), None, attack), subject, budget))
        for budget in (Budget(relative=0.1), Budget(epsilon=0.1))
    )
    assert shares.reached
    assert "rung_relative" in shares.samples
    assert "relative" in shares.metrics
    both = (shares.samples["fooled"] > 0) & (radii.samples["fooled"] > 0)
    assert both.any()
    np.testing.assert_allclose(shares.samples["l2"][both], radii.samples["l2"][both], rtol=0.06)
