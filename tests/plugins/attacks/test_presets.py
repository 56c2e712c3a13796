"""The papers' budgets: what a suite names by `preset`."""

from __future__ import annotations

import math

import pytest
import torch

from attack_cases import REGISTRY, cases
from classifiers import Counted
from soundproof import Ball, BoundedAttack, Budget, BudgetExhaustedError, Goal, Kind, Norm, Victim, column
from soundproof.planning.suite import load_suite

pytestmark = pytest.mark.slow

PAPERS = {
    "001": {"bim-a", "bim-b", "jsma", "deepfool", "cwa", "pia"},
    "002": {"fgsm", "bim-a", "bim-b", "jsma", "deepfool", "cwa", "lbfgs"},
}
PRESETS = sorted({(attack.id, name) for attack in cases() for name in attack.presets})


def attacks(**entry):
    """What a suite makes of one entry."""
    suite = load_suite(
        {
            "name": "one",
            "datasets": ["synth"],
            "representations": ["stft"],
            "models": ["resnet56"],
            "defenses": ["none"],
            "attacks": [entry],
        },
        REGISTRY,
    )
    return suite.attacks


def values(name, **entry):
    """The values that a parameter takes."""
    return sorted({getattr(attack, name) for attack in attacks(**entry)})


@pytest.mark.parametrize("paper", PAPERS)
def test_every_attack_of_a_paper_has_its_preset(paper):
    assert {name for name, preset in PRESETS if preset == paper} == PAPERS[paper]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_builds_and_runs(name, preset):
    clean = torch.rand(3, 1, 5, 5, generator=torch.Generator().manual_seed(1))
    module = Counted(clean)
    labels = module.logits(clean).argmax(dim=1)
    for attack in attacks(id=name, preset=preset):
        goal = Goal(labels, (labels + 1) % 4 if attack.is_targeted else None)
        victim = Victim(module, clean, goal, Budget(max_gradients=60, max_queries=400))
        generator = torch.Generator().manual_seed(0)
        try:
            if isinstance(attack, BoundedAttack):
                examples = attack.perturb(victim, Ball(Norm.L2, 0.3), generator)
            else:
                examples = attack.minimise(victim, generator)
        except BudgetExhaustedError:  # 45,000 gradients would prove no more
            examples = victim.best
        assert examples.shape == clean.shape
        assert torch.isfinite(examples).all()
        assert victim.ledger.queries.max() > 0


def test_the_papers_goals():
    targeted = {
        paper: {name for name in names if all(a.is_targeted for a in attacks(id=name, preset=paper))}
        for paper, names in PAPERS.items()
    }
    assert targeted["001"] == PAPERS["001"] - {"deepfool"}  # "the DeepFool attack which is a non-targeted attack"
    assert targeted["002"] == PAPERS["002"] - {"bim-a", "bim-b"}  # "This non-targeted adversarial attack" (§II-C)


def test_grey_levels_and_grids():
    for name in ("bim-a", "bim-b"):
        (attack,) = attacks(id=name, preset="001")
        assert (attack.norm, attack.step_unit) == (Norm.L2, "value")
        assert attack.step_size * 255 == pytest.approx(1)
    assert [round(255 * theta) for theta in values("theta", id="jsma", preset="001")] == [50, 100, 150, 200, 250]
    assert [round(255 * theta) for theta in values("theta", id="jsma", preset="002")] == [40, 80, 120, 160, 200]
    assert values("steps", id="deepfool", preset="001") == [100, 200, 300, 400, 500, 600]
    assert values("steps", id="deepfool", preset="002") == list(range(100, 1001, 100))
    for paper, searches, steps in (
        ("001", [1, 3, 5, 7], [25, 100, 1000, 1500]),
        ("002", [1, 3, 7, 9], [25, 100, 1000, 2000, 5000]),
    ):
        grid = {(attack.search_steps, attack.steps) for attack in attacks(id="cwa", preset=paper)}
        assert grid == {(search, step) for search in searches for step in steps}
    assert values("norm", id="fgsm", preset="002") == values("norm", id="deepfool", preset="002") == ["l2", "linf"]


def test_confidence_is_asked_where_an_attack_stops_by_success():
    assert values("confidence", id="bim-a", preset="001") == [0.75]
    assert values("confidence", id="bim-a", preset="002") == [0.65]


def test_one_point_of_a_grid_can_be_picked():
    (attack,) = attacks(id="cwa", preset="002", search_steps=9, steps=[5000])
    assert (attack.search_steps, attack.steps, attack.box) == (9, 5000, "tanh")


def test_unknown_presets_name_the_known_ones():
    with pytest.raises(Exception, match="cwa has no preset '003': did you mean '001' or '002'"):
        REGISTRY.reference(Kind.ATTACK, {"id": "cwa", "preset": "003"})


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("name", ["bim-a", "bim-b"])
def test_a_step_of_a_grey_level_is_one_whatever_the_radius(name, norm, digits):
    module, clean, labels = digits
    gradient = Victim(module, clean, Goal(labels)).gradient(clean).gradient
    # In l2 a step that moves every value by ζ is ζ·√D long.
    length, unit = (1, gradient.sign())
    if norm is Norm.L2:
        length, unit = (math.sqrt(64), gradient / column(gradient.flatten(1).norm(dim=1), gradient))
    (attack,) = attacks(id=name, norm=str(norm), steps=1, step_size=1 / 255, step_unit="value")
    for radius in (5.0, 8.0):
        images = attack.perturb(Victim(module, clean, Goal(labels)), Ball(norm, radius), torch.Generator())
        expected = (clean + length / 255 * unit).clamp(0, 1)
        torch.testing.assert_close(images, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["bim-a", "jsma", "lbfgs"])
def test_a_success_has_the_confidence_asked_for(name, digits):
    module, clean, labels = digits
    clean, labels = clean[:16], labels[:16]
    sure = []
    for confidence in (0.0, 0.9):
        more = {"steps": 60} if name != "lbfgs" else {"search_steps": 8, "steps": 40}
        (attack,) = attacks(id=name, targeted=False, confidence=confidence, **more)
        victim = Victim(module, clean, Goal(labels))
        if isinstance(attack, BoundedAttack):
            examples = attack.perturb(victim, Ball(Norm.L2, 3.0), torch.Generator())
        else:
            examples = attack.minimise(victim, torch.Generator())
        with torch.no_grad():
            probabilities = module(examples).softmax(dim=1)
        changed = (examples != clean).flatten(1).any(dim=1)
        assert changed.float().mean() > 0.9
        assert (probabilities.argmax(dim=1) != labels)[changed].all()
        sure.append(probabilities.amax(dim=1)[changed])
    assert sure[1].min() >= 0.9 - 1e-6
    assert sure[0].min() < 0.6
