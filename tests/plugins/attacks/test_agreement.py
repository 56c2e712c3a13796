"""ART as an oracle where it is right, and the account of docs/attacks.md where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from classifiers import Halves, Wedges
from soundproof import Ball, Goal, Norm, Victim, margin
from soundproof_attacks.bim import BimB
from soundproof_attacks.cwa import Cwa
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.jsma import Jsma
from soundproof_attacks.pgd import Pgd

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"), pytest.mark.slow]
NORMS = {Norm.L2: 2, Norm.LINF: np.inf}
RADII = {Norm.L2: 0.7, Norm.LINF: 0.08}


def classifier(module, shape=(1, 8, 8), classes=10, clip_values=(0, 1)):
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        module,
        nn.CrossEntropyLoss(),
        input_shape=shape,
        nb_classes=classes,
        clip_values=clip_values,
        device_type="cpu",
    )


def inside_the_box(module, clean, labels):
    """The same task with all values in the middle half of the box."""

    class Stretched(nn.Module):
        def forward(self, images):
            return module(images * 2 - 0.5)

    return Stretched(), clean / 2 + 0.25, labels


def ours(attack, digits, ball, targets=None):
    module, clean, labels = digits
    return attack.perturb(Victim(module, clean, Goal(labels, targets)), ball, torch.Generator())


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", Norm)
class TestSameStepSameResult:
    def test_fgsm(self, norm, targeted, digits):
        from art.attacks.evasion import FastGradientMethod

        module, clean, labels = digits
        targets = (labels + 1) % 10 if targeted else None
        theirs = FastGradientMethod(classifier(module), NORMS[norm], RADII[norm], targeted=targeted, batch_size=64)
        expected = theirs.generate(clean.numpy(), (targets if targeted else labels).numpy())
        found = ours(Fgsm(norm=norm, targeted=targeted), digits, Ball(norm, RADII[norm]), targets)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_bim_and_pgd(self, norm, targeted, digits):
        from art.attacks.evasion import ProjectedGradientDescent

        module, clean, labels = digits
        targets = (labels + 1) % 10 if targeted else None
        radius = RADII[norm]
        theirs = ProjectedGradientDescent(
            classifier(module), NORMS[norm], radius, radius / 4, max_iter=8, targeted=targeted, batch_size=64,
            verbose=False,
        )  # fmt: skip
        aims = targets if targeted else labels
        expected = torch.from_numpy(theirs.generate(clean.numpy(), aims.numpy()))
        bim = BimB(norm=norm, steps=8, step_size=0.25, targeted=targeted)
        found = ours(bim, digits, Ball(norm, radius), targets)
        np.testing.assert_allclose(found, expected, atol=1e-5)

        # PGD takes the same steps, and returns the best iterate where ART returns the last.
        pgd = Pgd(norm=norm, steps=8, step_size=0.25, random_start=False, targeted=targeted)
        found = ours(pgd, digits, Ball(norm, radius), targets)
        sign = -1 if targeted else 1
        with torch.no_grad():
            gain = sign * (margin(module(found), aims) - margin(module(expected), aims))
        assert (gain >= -1e-4).all()
        assert (gain.abs() < 1e-4).float().mean() > 0.3, "often the last iterate is the best"


def test_cwa_finds_the_same_norms(digits):
    from art.attacks.evasion import CarliniL2Method

    # ART's line search and Adam disagree where values sit at the edges of the box.
    module, clean, labels = inside_the_box(*digits)
    clean, labels = clean[:10], labels[:10]
    theirs = CarliniL2Method(
        classifier(module), binary_search_steps=5, max_iter=50, initial_const=0.1, batch_size=10, verbose=False
    )
    expected = torch.from_numpy(theirs.generate(clean.numpy(), labels.numpy()))
    attack = Cwa(search_steps=5, initial_c=0.1, targeted=False)
    found = attack.minimise(Victim(module, clean, Goal(labels)), torch.Generator())
    norms = [(images - clean).flatten(1).norm(dim=1) for images in (found, expected)]
    with torch.no_grad():
        for images in (found, expected):
            assert (module(images).argmax(dim=1) != labels).all()
    assert norms[0].median().item() == pytest.approx(norms[1].median().item(), rel=0.03)
    assert (norms[0] < 1.03 * norms[1]).all()


class TestWhereArtIsAnotherAttack:
    """What docs/attacks.md says of ART, so that it is noticed when a new version mends it."""

    def test_deepfool_steps_scale_with_the_clip_range(self):
        from art.attacks.evasion import DeepFool as TheirDeepFool

        # The same hyperplane in the same units, once in the box [0, 1] and once as part of the box [0, 8].
        module = Halves(36)
        clean = torch.rand(6, 1, 6, 6, generator=torch.Generator().manual_seed(5)) * 0.4 + 0.3
        ratios = []
        for top in (1, 8):
            theirs = TheirDeepFool(classifier(module, (1, 6, 6), 2, (0, top)), epsilon=0.02, verbose=False)
            delta = torch.from_numpy(theirs.generate(clean.numpy())) - clean
            ratios.append((delta.flatten(1).norm(dim=1) / module.distance(clean)).max().item())
        assert ratios[0] == pytest.approx(1.02, abs=0.01)
        assert ratios[1] > 3

    def test_deepfool_computes_gradients_for_clips_it_has_fooled(self, digits):
        from art.attacks.evasion import DeepFool as TheirDeepFool

        module, clean, labels = digits
        victim = Victim(module, clean, Goal(labels))
        TheirDeepFool(classifier(victim), max_iter=50, batch_size=64, verbose=False).generate(clean.numpy())
        own = Victim(module, clean, Goal(labels))
        examples = DeepFool(steps=50).minimise(own, torch.Generator())
        with torch.no_grad():
            assert (module(examples).argmax(dim=1) != labels).all()
        assert own.ledger.gradients.mean() < victim.ledger.gradients.mean() / 4

    def test_jsma_looks_at_the_target_alone_and_takes_two_values(self):
        from art.attacks.evasion import SaliencyMapMethod

        module = Wedges(20, 6)
        clean = torch.full((1, 1, 4, 5), 0.4)
        with torch.no_grad():
            label = module(clean).argmax(dim=1)
        elsewhere = 0
        for target in [(label + shift) % 6 for shift in range(1, 6)]:
            theirs = SaliencyMapMethod(classifier(module, (1, 4, 5), 6), theta=0.01, gamma=0.05, verbose=False)
            changed = np.flatnonzero(theirs.generate(clean.numpy(), target.numpy()) != clean.numpy())
            slope = module.weight[target[0]]
            assert set(changed) == set(slope.topk(2).indices.tolist())
            found = Jsma(theta=0.01, steps=1, values=1, saliency="logits").minimise(
                Victim(module, clean, Goal(label, target)), torch.Generator()
            )
            saliency = slope.clamp(min=0) * (slope - module.weight.sum(dim=0)).clamp(min=0)
            assert np.flatnonzero(found != clean).tolist() == [saliency.argmax().item()]
            elsewhere += saliency.argmax().item() not in changed
        assert elsewhere > 0

    def test_jsma_given_labels_attacks_nothing(self, digits):
        from art.attacks.evasion import SaliencyMapMethod

        module, clean, labels = digits
        theirs = SaliencyMapMethod(classifier(module), theta=0.5, batch_size=64, verbose=False)
        np.testing.assert_array_equal(theirs.generate(clean.numpy(), labels.numpy()), clean)
