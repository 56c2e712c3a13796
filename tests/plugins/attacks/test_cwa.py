"""Carlini and Wagner's attack: closed forms, a bare loop with torch's Adam, and its pruning."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from classifiers import Flat, Halves, Sphere
from soundproof import Goal, Victim, margin
from soundproof_attacks.cwa import Cwa

pytestmark = pytest.mark.slow


def attack_on(module, clean, targets=None, labels=None, **parameters):
    if labels is None:
        with torch.no_grad():
            labels = module(clean).argmax(dim=1)
    victim = Victim(module, clean, Goal(labels, targets))
    examples = Cwa(targeted=targets is not None, **parameters).minimise(victim, torch.Generator())
    with torch.no_grad():
        logits = module(examples)
    return victim, examples, logits, labels


def inner(module, least, shape=(1, 6, 6), clips=24):
    """Images in the middle of the box, not too near to a boundary."""
    clean = torch.rand(400, *shape, generator=torch.Generator().manual_seed(5)) * 0.6 + 0.2
    return clean[module.distance(clean) > least][:clips]


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (0.01, 5), (255, -3)])
def test_distance_to_a_hyperplane_at_any_scale(scale, offset):
    module = Halves(36, scale, offset)
    clean = inner(module, 0.15)
    _, examples, logits, labels = attack_on(module, clean, search_steps=12, steps=150)
    assert (logits.argmax(dim=1) != labels).all()
    ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
    # What the network sees is rounded to so much of the input, against distances of 0.15 and more.
    rounding = np.spacing(np.float32(abs(offset) + scale)) / scale
    assert ratio.min() >= 1 - 1e-4 - rounding / 0.15
    assert ratio.max() < 1.02


@pytest.mark.parametrize("silent", [0.0, 0.5])
def test_small_distances_in_many_dimensions(silent):
    # The l2 step of Adam grows with the dimension, and tanh is flat where values are 0: neither may show.
    module = Halves(4096)
    generator = torch.Generator().manual_seed(8)
    clean = torch.rand(12, 1, 64, 64, generator=generator) * 0.6 + 0.2
    clean[torch.rand(clean.shape, generator=generator) < silent] = 0.0
    side = ((clean.flatten(1) - 0.5) @ module.weight).reshape(-1, 1, 1, 1)
    # Along the normal to a distance of 0.2; silent values that would leave the box stay.
    clean = (clean - (side - 0.2 * side.sign()) * module.weight.reshape(1, 1, 64, 64)).clamp(0, 1)
    clean = clean[module.distance(clean) > 0.05]
    assert len(clean) > 3
    _, examples, logits, labels = attack_on(module, clean, search_steps=6, steps=100)
    assert (logits.argmax(dim=1) != labels).all()
    # The exact answer: a step along the normal of those values that can follow it, found by bisection.
    normal = -module.weight.reshape(1, 1, 64, 64) * ((clean.flatten(1) - 0.5) @ module.weight).sign().reshape(
        -1, 1, 1, 1
    )
    short, long = torch.zeros(len(clean), 1, 1, 1), torch.full((len(clean), 1, 1, 1), 10.0)
    for _ in range(60):
        middle = (short + long) / 2
        crossed = (module((clean + middle * normal).clamp(0, 1)).argmax(dim=1) != labels).reshape(-1, 1, 1, 1)
        short, long = torch.where(crossed, short, middle), torch.where(crossed, middle, long)
    exact = ((clean + long * normal).clamp(0, 1) - clean).flatten(1).norm(dim=1)
    ratio = (examples - clean).flatten(1).norm(dim=1) / exact
    assert ratio.max() < 1.02
    assert ratio.min() > 1 - 1e-3


@pytest.mark.parametrize("radius", [0.4, 1.6])
def test_distance_to_a_sphere_from_both_sides(radius):
    module = Sphere(radius)
    clean = inner(module, 0.2)
    _, examples, logits, labels = attack_on(module, clean)
    assert (logits.argmax(dim=1) != labels).all()
    ratio = (examples - clean).flatten(1).norm(dim=1) / module.distance(clean)
    assert ratio.min() >= 1 - 1e-4
    assert ratio.max() < 1.02


def bare_loop(module, x, label, search_steps, steps):
    """The attack on one clip, without any stopping rule, with torch's own Adam: the smallest success."""
    low, high, c, best = 0.0, np.inf, 0.1, (np.inf, x)
    for _ in range(search_steps):
        rho = torch.atanh((2 * x - 1) * 0.999999).requires_grad_()
        adam = torch.optim.Adam([rho], lr=0.01)
        success = False
        for _ in range(steps):
            image = (rho.tanh() + 1) / 2
            gap = -margin(module(image), label)
            size = (image - x).square().sum()
            if gap < 0:
                success = True
                best = min(best, (size.item(), image.detach()), key=lambda entry: entry[0])
            adam.zero_grad()
            (size + c * gap.clamp(min=0)).sum().backward()
            adam.step()
        low, high = (low, min(high, c)) if success else (max(low, c), high)
        c = c * 10 if high == np.inf else (low + high) / 2
    return best[1]


def test_like_a_bare_loop(digits, monkeypatch):
    monkeypatch.setattr("soundproof_attacks._descent.STALLED", np.inf)
    module, clean, labels = digits
    clean, labels = clean[:4], labels[:4]
    parameters = {"search_steps": 4, "steps": 60, "initial_c": 0.1, "learning_rate": 0.01, "box": "tanh"}
    _, examples, _, _ = attack_on(module, clean, labels=labels, **parameters)
    for clip in range(4):
        expected = bare_loop(module, clean[clip, None], labels[clip, None], 4, 60)
        np.testing.assert_allclose(examples[clip], expected[0], atol=1e-4)


def test_stopping_early_costs_no_success(digits, monkeypatch):
    module, clean, labels = digits
    clean, labels = clean[:16], labels[:16]
    parameters = {"labels": labels, "initial_c": 0.1, "search_steps": 5}
    runs = [attack_on(module, clean, **parameters)]
    monkeypatch.setattr("soundproof_attacks._descent.STALLED", np.inf)
    runs.append(attack_on(module, clean, **parameters))
    early, full = ((images - clean).flatten(1).norm(dim=1) for _, images, _, _ in runs)
    assert (runs[0][2].argmax(dim=1) != labels).all()
    assert early.median() < 1.02 * full.median()
    gradients = runs[0][0].ledger.gradients
    assert gradients.mean() < 0.95 * 5 * 199
    assert len(np.unique(gradients)) > 3, "each clip stops by itself"
    # All descents share the pass at the clean clip.
    assert (runs[1][0].ledger.gradients == 1 + 5 * 199).all()


def test_reaches_targets_by_the_margin_asked_for(digits):
    module, clean, labels = digits
    targets = (labels + 1) % 10
    for kappa in (0.0, 4.0):
        # Most values of these images are 0 or 1; in so few steps, only a fast descent gets them off there.
        parameters = {"kappa": kappa, "initial_c": 1.0, "search_steps": 3, "learning_rate": 0.1}
        _, examples, logits, _ = attack_on(module, clean[:32], targets[:32], labels[:32], **parameters)
        gap = -margin(logits, targets[:32])
        changed = (examples != clean[:32]).flatten(1).any(dim=1)
        assert changed.float().mean() > 0.9
        assert (gap[changed] >= kappa).all()


def test_moves_values_off_the_edges_of_the_box():
    # Where arctanh would be infinite: all values at 0 or 1, and a boundary that only they can cross.
    module = Halves(36)
    clean = (module.weight > 0).float().reshape(1, 1, 6, 6)
    _, examples, logits, labels = attack_on(
        module, clean, steps=300, learning_rate=0.1, initial_c=10.0, search_steps=1
    )
    assert logits.argmax(dim=1) != labels
    assert torch.isfinite(examples).all()


def test_prunes_what_does_not_matter(digits):
    module, clean, labels = digits
    clean, labels = clean[:16], labels[:16]
    parameters = {"initial_c": 1.0, "search_steps": 2, "labels": labels}
    _, whole, _, _ = attack_on(module, clean, **parameters)
    _, sparse, logits, _ = attack_on(module, clean, prune=0.1, **parameters)
    assert (logits.argmax(dim=1) != labels).all()
    kept = (sparse == whole) | (sparse == clean)
    assert kept.all()
    changed = [(images != clean).flatten(1).sum(dim=1).float() for images in (whole, sparse)]
    assert changed[1].mean() < changed[0].mean()
    slope = Victim(module, clean, Goal(labels)).gradient(whole).gradient.abs().flatten(1)
    small = slope < 0.1 * slope.amax(dim=1, keepdim=True)
    pruned = (sparse != whole).flatten(1)
    assert (pruned <= small).all()


def test_returns_the_clip_where_nothing_succeeds():
    clean = torch.rand(3, 1, 4, 4)
    victim = Victim(Flat(), clean, Goal(torch.zeros(3, dtype=torch.int64)))
    assert torch.equal(Cwa(targeted=False).minimise(victim, torch.Generator()), clean)
    # A descent that goes nowhere is left after two tenths of its steps.
    assert (victim.ledger.gradients == 1 + 9 * 40).all()
