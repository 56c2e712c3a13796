"""JSMA: its choices against the full Jacobian, its limits, its cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from classifiers import Wedges, convolutions
from soundproof import Goal, Victim
from soundproof_attacks.jsma import Jsma

pytestmark = pytest.mark.slow

SHAPE = (1, 4, 5)


def run(attack, module, clean, targets=None):
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    victim = Victim(module, clean, Goal(labels, targets))
    return victim, attack.minimise(victim, torch.Generator()), labels


def images(clips, seed=0):
    draw = torch.rand(clips, *SHAPE, generator=torch.Generator().manual_seed(seed))
    draw[:, :, 0] = 0.0
    draw[:, :, 1] = 1.0
    return draw


def exhaustive(module, x, target, theta, saliency, values, steps=60):
    """The paper's loop over one clip: the whole Jacobian, every set of entries of the map, one at a time."""
    x, changes, chosen = x.clone(), np.zeros(x.numel(), int), []
    for _ in range(steps):
        if module(x[None])[0].argmax() == target:
            break
        outputs = lambda x: (
            module(x[None])[0].softmax(dim=0) if saliency == "probabilities" else module(x[None])[0]
        )
        jacobian = torch.autograd.functional.jacobian(outputs, x).flatten(1).double()
        worths = {}
        for i in range(x.numel()):
            own = jacobian[target, i].item()
            others = (
                -1.0
                if saliency == "fast"
                else sum(jacobian[j, i].item() for j in range(len(jacobian)) if j != target)
            )
            value = x.flatten()[i].item()
            if theta > 0:
                worth = 0.0 if own < 0 or others > 0 else own * abs(others)
                inside = value < 1
            else:
                others = -others if saliency == "fast" else others
                worth = 0.0 if own > 0 or others < 0 else abs(own) * others
                inside = value > 0
            if inside and changes[i] < 7 and worth > 0:
                worths[i] = worth
        best = sorted(worths, key=worths.get, reverse=True)[:values]
        if not best:
            break
        chosen += best
        for where in best:
            changes[where] += 1
            x.view(-1)[where] = min(max(x.flatten()[where].item() + theta, 0.0), 1.0)
    return x, chosen


@pytest.mark.parametrize("direction", ["increase", "decrease"])
@pytest.mark.parametrize("saliency", ["probabilities", "logits", "fast"])
@pytest.mark.parametrize("values", [1, 3])
def test_chooses_like_an_exhaustive_search(direction, saliency, values):
    module, clean = convolutions(1, 5), images(6)
    with torch.no_grad():
        targets = (module(clean).argmax(dim=1) + 2) % 5
    attack = Jsma(theta=0.15, direction=direction, saliency=saliency, values=values, steps=60)
    _, examples, _ = run(attack, module, clean, targets)
    theta = 0.15 if direction == "increase" else -0.15
    lengths = []
    for clip in range(6):
        expected, chosen = exhaustive(module, clean[clip], targets[clip].item(), theta, saliency, values)
        np.testing.assert_allclose(examples[clip], expected, atol=1e-6)
        lengths.append(len(chosen))
    assert max(lengths) > 5, "the search must be long enough to mean something"


def test_pairs_are_the_papers_on_probabilities():
    """Papernot et al. 2016, Algorithm 3: of all pairs, the one of the greatest −(a_p + a_q)·(b_p + b_q)."""
    module, clean = convolutions(1, 5), images(6)
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    targets = (labels + 2) % 5
    _, examples, _ = run(Jsma(theta=0.01, steps=1), module, clean, targets)
    for clip in range(6):
        x, target = clean[clip], targets[clip]
        jacobian = torch.autograd.functional.jacobian(lambda x: module(x[None])[0].softmax(dim=0), x).flatten(1)
        a, b = jacobian[target], jacobian.sum(dim=0) - jacobian[target]
        inside = x.flatten() < 1
        worth = -(a[:, None] + a) * (b[:, None] + b)
        worth[~(inside[:, None] & inside) | (a[:, None] + a <= 0)] = -torch.inf
        worth.fill_diagonal_(-torch.inf)
        pair = divmod(worth.argmax().item(), len(a))
        assert set(np.flatnonzero(examples[clip] != x)) == set(pair)


def test_two_rows_of_the_jacobian_at_most_give_the_map_of_all():
    module, clean = Wedges(20, 50), images(3)
    with torch.no_grad():
        targets = (module(clean).argmax(dim=1) + 2) % 50
    for saliency, rows in (("logits", 2), ("probabilities", 1), ("fast", 1)):
        victim, _, _ = run(Jsma(steps=5, saliency=saliency), module, clean, targets)
        assert (victim.ledger.gradients == rows * victim.ledger.queries.clip(max=5)).all()


def test_no_value_changes_more_than_seven_times():
    module, clean = Wedges(20, 6), images(8) * 0.1
    with torch.no_grad():
        labels = module(clean).argmax(dim=1)
    _, examples, _ = run(Jsma(theta=0.01, steps=500), module, clean, (labels + 1) % 6)
    changes = ((examples - clean) / 0.01).round()
    assert changes.max() == 7
    assert changes.min() == 0


def test_touches_no_more_than_its_share(digits):
    module, clean, labels = digits
    most = []
    for gamma in (1.0, 0.145):
        victim = Victim(module, clean, Goal(labels, (labels + 1) % 10))
        examples = Jsma(theta=0.2, gamma=gamma, values=1).minimise(victim, torch.Generator())
        most.append((examples != clean).flatten(1).sum(dim=1).max().item())
    assert most[0] > 15
    assert most[1] == 10  # the first count that is no longer below 14.5 % of 64


def test_reaches_targets_and_stops_there(digits):
    module, clean, labels = digits
    targets = (labels + 1) % 10
    victim = Victim(module, clean, Goal(labels, targets))
    examples = Jsma(theta=0.5).minimise(victim, torch.Generator())
    with torch.no_grad():
        met = module(examples).argmax(dim=1) == targets
    assert met.float().mean() > 0.6
    table = victim.trace.table()
    np.testing.assert_array_equal(np.bincount(table.clip[table.met], minlength=len(clean)), met)
    assert ((examples - clean) >= 0).all()


def test_untargeted_heads_for_the_most_likely_wrong_class_and_takes_any(digits):
    module, clean, labels = digits
    with torch.no_grad():
        second = module(clean).scatter(1, labels[:, None], -torch.inf).argmax(dim=1)
    aimed = Jsma(theta=0.3, targeted=False).minimise(
        victim := Victim(module, clean, Goal(labels)), torch.Generator()
    )
    forced = Jsma(theta=0.3).minimise(Victim(module, clean, Goal(labels, second)), torch.Generator())
    sizes = [(images - clean).flatten(1).norm(dim=1) for images in (aimed, forced)]
    assert (sizes[0] <= sizes[1] + 1e-6).all()
    with torch.no_grad():
        assert (module(aimed).argmax(dim=1) != labels).float().mean() > 0.9
    assert (victim.ledger.queries <= victim.ledger.gradients + 2).all()
