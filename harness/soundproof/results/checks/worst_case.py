"""The worst case."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, hinted, not_applicable, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Whether the clips that survive all attacks are fewer than those that survive each."""
    attacks = [each for each in case.bounded if each.access is not Access.CONTROL]
    if not attacks:
        return not_applicable("nothing was attacked")
    fooled = case.fooled_by(attacks)
    least = min(len(each.survived()) for each in attacks)
    left = len(attacks[0].samples["clip"]) - len(fooled)
    said = f"{left} clips survive all of {len(attacks)} attacks, {least} the best of them"
    return passed(said) if left <= least else hinted(said)


CHECK = Check(
    id="worst-case",
    number=20,
    title="Is the worst case one of every clip?",
    source="Carlini et al. 2019",
    flag="hint",
    remedy="Report this as a fault of the harness.",
    look=look,
)
