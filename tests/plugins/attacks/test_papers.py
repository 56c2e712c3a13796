"""The papers' budgets are entries that a suite accepts."""

from __future__ import annotations

import pytest

from soundproof import Kind
from soundproof.contract.discovery import discover
from soundproof_attacks.papers import PAPERS, suite_entries


@pytest.mark.parametrize("paper", PAPERS)
def test_every_entry_builds(paper):
    registry = discover()
    for entry in suite_entries(paper):
        attack = registry.build(registry.reference(Kind.ATTACK, entry))
        assert {name: getattr(attack, name) for name in entry if name != "id"} == {
            name: value for name, value in entry.items() if name != "id"
        }


def test_the_papers_goals():
    registry = discover()
    targeted = {
        paper: {
            entry["id"]
            for entry in suite_entries(paper)
            if registry.build(registry.reference(Kind.ATTACK, entry)).is_targeted
        }
        for paper in PAPERS
    }
    assert targeted == {
        "2008.11618": {"bim-a", "bim-b", "jsma", "cwa", "pia"},
        "2007.13703": {"fgsm", "jsma", "deepfool", "cwa", "lbfgs"},
    }
