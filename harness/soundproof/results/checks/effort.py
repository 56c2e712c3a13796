"""Equal effort."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, Tried, flagged, not_applicable, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Attacks that spent on clips that resist less than half of what they spent on another classifier's."""
    mine = {each.name: each for each in case.bounded if each.access is not Access.CONTROL}
    odd, compared = [], 0
    for other in case.peers:
        each = mine.get(other.name)
        if each is None or other.access is Access.CONTROL or each.minimises:
            continue
        spent, theirs = (_spent(one) for one in (each, other))
        if spent is None or theirs is None:
            continue
        compared += 1
        if spent < 0.5 * theirs and each not in odd:
            odd.append(each)
    if not compared:
        return not_applicable("no attack left clips of this classifier and of another one")
    said = f"gradients and queries spent on clips that resist, in {compared} comparisons"
    if not odd:
        return passed(said)
    return flagged(said, rows=[each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


def _spent(tried: Tried) -> float | None:
    """Passes spent on a clip that resists, the median."""
    resisting = tried.samples["fooled"] == 0
    if not resisting.any():
        return None
    spent = tried.samples["gradients"] + tried.samples["queries"]
    return float(np.median(spent[resisting])) / tried.draws


CHECK = Check(
    id="effort",
    number=21,
    title="Did every classifier get the same attack?",
    source="AttackBench",
    flag="unequal-effort",
    remedy="Find out why the attack gives up: its budget, its stopping rule.",
    look=look,
)
