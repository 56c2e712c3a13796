"""Planted broken defenses: strong for an attacker who ignores them, and nothing for one who looks.

Both hide gradients and leave every decision as easy to change as before (Athalye et al. 2018; Carlini & Wagner
2016).
"""

import pytest
import torch
from torch import nn

from classifiers import train_on_digits
from soundproof import Ball, BoundedAttack, Goal, Kind, Norm, Ref, Victim
from soundproof.contract.discovery import discover
from soundproof_defenses._distillation import Scale
from soundproof_defenses.input_transform import InputTransform

pytestmark = pytest.mark.slow

REGISTRY = discover()
BALL = Ball(Norm.L2, 1.5)  # in which the undefended classifier loses every clip


class Quantised(nn.Module):
    """Rounds to 2ᵇ levels as `input-transform`, with the gradient that rounding has: zero."""

    def __init__(self, bits):
        super().__init__()
        self.steps = 2**bits - 1

    def forward(self, images):
        return (images * self.steps).round() / self.steps


@pytest.fixture(scope="module")
def digits():
    return train_on_digits()


def fooled(clips, victim, attack, on=None, **parameters):
    """Share of clips that an attack on one module fools, when they are shown to it or to another one."""
    _, clean, labels = clips
    attack = REGISTRY.build(Ref(Kind.ATTACK, attack, parameters))
    metered, generator = Victim(victim, clean, Goal(labels)), torch.Generator().manual_seed(0)
    if isinstance(attack, BoundedAttack):
        examples = attack.perturb(metered, BALL, generator)
    else:
        examples = attack.minimise(metered, generator)
    with torch.no_grad():
        return ((on or victim)(examples).argmax(dim=1) != labels).float().mean().item()


def test_quantisation_looks_strong_until_its_backward_pass_is_approximated(digits):
    network, clean, labels = digits
    planted = nn.Sequential(Quantised(2), network).eval()
    informed = InputTransform(bits=2).wrap(network, (1, 8, 8), 10).eval()
    assert torch.equal(planted(clean), informed(clean))
    assert torch.equal(planted(clean).argmax(dim=1), labels)

    assert fooled(digits, network, "bim-b") == 1.0
    assert fooled(digits, planted, "bim-b") == 0.0  # no gradient, no step
    assert fooled(digits, informed, "bim-b") == 1.0


def test_quantisation_looks_strong_to_an_attacker_who_does_not_know_of_it(digits):
    """The smallest changes that fool the classifier are rounded away; slightly larger ones are as easy to find."""
    network, _, _ = digits
    informed = InputTransform(bits=2).wrap(network, (1, 8, 8), 10).eval()
    assert fooled(digits, network, "deepfool") == 1.0
    assert fooled(digits, network, "deepfool", on=informed) < 0.25
    assert fooled(digits, informed, "apgd") == 1.0


def test_scaled_logits_look_strong_until_the_loss_forgets_their_scale(digits):
    """Logits times 1000: every decision stays, and in single precision the cross-entropy has no gradient."""
    network, _, _ = digits
    planted = nn.Sequential(network, Scale(1000.0)).eval()
    for attack in ({"attack": "bim-b"}, {"attack": "pgd"}, {"attack": "apgd", "loss": "ce"}):
        assert fooled(digits, network, **attack) == 1.0
        assert fooled(digits, planted, **attack) < 0.1
    assert fooled(digits, planted, "apgd", loss="dlr") == 1.0
