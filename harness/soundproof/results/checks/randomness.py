"""Randomness that nobody declared."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Whether logits change with the seed, or from call to call."""
    found = case.probed("repetition")
    if isinstance(found, Look):
        return found
    if "expectation over its randomness (EOT)" in case.adversary:
        return not_applicable("the defense says that it is random, and is attacked as the mean of its draws")
    change = np.maximum(found["seeds"], 0)
    odd = (change > TOLERANCE) & (found["again"] <= TOLERANCE)
    said = f"{len(change)} clips shown with four seeds"
    if not odd.any():
        return passed(said, largest_change=float(change.max()))
    return flagged(said, case.attacked()[: len(odd)][odd], largest_change=float(change.max()))


# Of the span of a clip's logits (AutoAttack).
TOLERANCE = 1e-4


CHECK = Check(
    id="randomness",
    number=4,
    title="Are answers the same with other random numbers?",
    source="AutoAttack",
    flag="undeclared-randomness",
    remedy="Declare it: give the defense `draws`, so that it is measured and attacked as the mean of its draws.",
    look=look,
)
