"""Reach: fooled is what counts, sizes are not quantised by the ladder, and what they cost stands apart."""

import numpy as np
import pytest
import torch

import attack_cases
from classifiers import Halves, train_on_digits
from soundproof import BoundedAttack, Budget, Examples, Norm
from soundproof.measuring.ladder import LADDER, PRECISION, REFINEMENTS
from soundproof.measuring.protocols.base import Cell, Material
from soundproof.measuring.protocols.reach import Reach
from soundproof.measuring.subject import Subject
from soundproof_attacks.bim import BimB
from soundproof_attacks.fgsm import Fgsm

pytestmark = pytest.mark.slow

CLIPS, DIMENSION = 60, 400


def measured(module, inputs, labels, attack, budget=None, classes=2):
    clips = np.arange(len(labels))
    subject = Subject(module, Examples(inputs, labels), clips, groups=clips, classes=classes, seed="test")
    return Reach().measure(Material(Cell(Reach(), None, attack), subject, budget or Budget()))


def halves(scale, distances):
    """A linear classifier and clips at known distances from its boundary, times a scale."""
    module = Halves(DIMENSION)
    side = torch.arange(CLIPS) % 2
    step = torch.from_numpy(distances * scale).float() * (1 - 2 * side)
    inputs = 0.5 + step[:, None] * module.weight
    assert inputs.min() > 0
    assert inputs.max() < 1
    return module, inputs.reshape(CLIPS, 1, 20, 20), side


@pytest.fixture(scope="module")
def distances():
    return np.random.default_rng(0).lognormal(-0.7, 0.4, CLIPS)


@pytest.mark.parametrize("attack", [Fgsm(), BimB(steps=5)], ids=["fgsm", "bim-b"])
@pytest.mark.parametrize("scale", [1.37, 1.1, 0.61])
def test_sizes_are_not_quantised(distances, attack, scale):
    """Two classifiers whose distances differ by a factor that is no power of the ladder's 1.5."""
    below, above = (measured(*halves(factor, distances), attack) for factor in (1.0, scale))
    assert below.reached
    assert above.reached
    ratio = above.metrics["l2"].value / below.metrics["l2"].value
    assert ratio == pytest.approx(scale, rel=0.03)


def test_sizes_are_the_distances_of_the_clips_that_fall(distances):
    outcome = measured(*halves(1.0, distances), BimB(steps=5))
    fooled = outcome.samples["fooled"] > 0
    # The nearest clips fall first, so that the rest, u of all, have the lowest scores: AUC = 1 − u + u²/2.
    left = np.arange(CLIPS + 1) / CLIPS
    assert 1 - fooled.mean() == pytest.approx(left[1 - left + left**2 / 2 > 0.9].max())
    assert distances[fooled].max() <= distances[~fooled].min() * PRECISION
    sizes = outcome.samples["l2"][fooled]
    assert (sizes >= distances[fooled] * 0.999).all()
    assert (sizes <= distances[fooled] * (PRECISION + 0.001)).all()
    np.testing.assert_array_equal(outcome.samples["l2"][~fooled], 0)
    np.testing.assert_array_equal(outcome.samples["score"][~fooled], outcome.samples["clean_score"][~fooled])


def test_linf_ladders_are_refined_too(distances):
    module, inputs, labels = halves(1.0, distances)
    outcome = measured(module, inputs, labels, Fgsm(norm=Norm.LINF), Budget(norm=Norm.LINF))
    fooled = outcome.samples["fooled"] > 0
    exact = module.distance_linf(inputs).numpy()[fooled]
    np.testing.assert_allclose(outcome.samples["linf"][fooled], exact, rtol=PRECISION - 1)


def test_refinement_is_counted_apart(distances):
    outcome = measured(*halves(1.0, distances), BimB(steps=5))
    rungs = np.ceil(np.log(np.quantile(distances, 0.8) / 20 / LADDER[0]) / np.log(1.5)) + 1
    assert outcome.metrics["gradients"].value == pytest.approx(5 * rungs, abs=5)
    assert 0 < outcome.metrics["refining_gradients"].value <= 5 * REFINEMENTS


def test_clips_below_the_first_rung_are_followed_down():
    tiny = np.full(CLIPS, 0.3 * LADDER[0] * 20) * np.linspace(0.9, 1.1, CLIPS)
    outcome = measured(*halves(1.0, tiny), Fgsm())
    fooled = outcome.samples["fooled"] > 0
    np.testing.assert_allclose(outcome.samples["l2"][fooled], tiny[fooled], rtol=PRECISION - 1 + 0.002)
    samples = outcome.samples
    spent = (samples["gradients"] + samples["refining_gradients"]).max()
    assert spent > 1 + REFINEMENTS, "this takes more than a clip between two rungs"
    assert spent <= Reach().cost(Cell(Reach(), None, Fgsm()), Budget()).gradients


def test_what_misses_has_no_size():
    far = np.full(CLIPS, 2.0)
    module, inputs, labels = halves(1.0, far)
    outcome = measured(module, inputs, labels, BimB(steps=5), Budget(max_gradients=7))
    assert outcome.reached is False
    assert "not reached" in outcome.reason
    assert "l2" not in outcome.metrics
    assert outcome.metrics["fooling_auc"].value == 0.5


@pytest.fixture(scope="module")
def digits():
    module, images, labels = train_on_digits()
    return module, images[:40], labels[:40]


@pytest.mark.parametrize("attack", attack_cases.cases(), ids=repr)
def test_whatever_reaches_fools(digits, attack):
    """Of every attack: no row reads `reached` while three quarters of its clips are not fooled."""
    outcome = measured(*digits, attack, classes=10)
    samples = outcome.samples
    np.testing.assert_array_equal(
        samples["score"][samples["fooled"] == 0], samples["clean_score"][samples["fooled"] == 0]
    )
    if outcome.reached:
        assert outcome.metrics["fooling_rate"].value >= 0.75
        assert outcome.metrics["fooling_auc"].value > 0.9
        assert (samples["l2"][samples["fooled"] > 0] > 0).all()
        known = samples["fooled"] > 0
        # An attack that minimises its norm goes on after it has reached.
        assert (samples["smallest"][known] <= samples["l2"][known] * (1 + 1e-6)).all()
    else:
        assert outcome.metrics["fooling_auc"].value <= 0.9
        assert "l2" not in samples
    # What needs more than the size at which the target was reached is known, too, if the search met it.
    assert (np.isfinite(samples["smallest"]) >= (samples["fooled"] > 0)).all()
    if isinstance(attack, BoundedAttack):
        assert samples["gradients"].max() <= attack.ladder_gradients(len(LADDER))
